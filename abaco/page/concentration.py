"""How much hangs on a few borrowers: the ten largest, each with its share of the book."""

from collections.abc import Iterable

from abaco.page.language import phrase, say
from abaco.page.markup import Html, absent, fill
from abaco.page.tables import bar, figures, rows_of
from abaco.page.words import code, money, percent

NOUNS = ("Borrower", "Loan")  # with a number, in place of an id


def concentration_table(metrics: dict, concentration) -> Html:
    """Return the largest borrowers with amount and share, and what they owe together."""
    rows = sorted(rows_of(concentration, date=metrics["date"]), key=lambda row: row["rank"])
    if not rows:
        return absent(phrase("To see how much a few borrowers owe, add the loans with their borrowers (customer_id)."))
    together = sum(row["share"] for row in rows)
    finding = say(
        "The largest borrower owes {top} of the book, the {count} largest {together}.",
        top=percent(rows[0]["share"]), count=len(rows), together=percent(together),
    )  # fmt: skip
    heads = ["Borrower", "Bar", "Share of the book", "Outstanding, USD"]
    most = max(row["share"] for row in rows)
    cells = [
        [
            label(str(row["borrower"])), bar(row["share"], most), percent(row["share"]),
            money(row["amount_usd"]),
        ]
        for row in rows
    ]  # fmt: skip
    total = [phrase("Together"), "", percent(together), money(sum(row["amount_usd"] for row in rows))]
    table = figures(
        phrase("The largest borrowers"), [phrase(head) for head in heads], cells,
        kinds=("", "b", "n", "n"), total=total, quiet=True, look="bars",
        note=numbers_note(str(row["borrower"]) for row in rows),
    )  # fmt: skip
    return Html(fill("finding.html.j2", text=finding) + table)


def label(name: str) -> str:
    """Return what the page calls a borrower or a loan: a number with its noun, or the first digits of a token."""
    noun, _, number = name.partition(" ")
    return say(f"{noun} {{number}}", number=number) if _is_number(name) else code(name)


def _is_number(name):
    noun, _, number = name.partition(" ")
    return noun in NOUNS and number.isdigit()


def numbers_note(names: Iterable[str]) -> str:
    """Return what a reader must know about numbers among the names; nothing where all are tokens."""
    if not any(map(_is_number, names)):
        return ""
    return phrase(
        "The numbers hold within this report only and are no ranks; with ABACO_PII_KEY, "
        "names are the same in every report."
    )
