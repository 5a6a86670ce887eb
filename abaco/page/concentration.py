"""How much hangs on a few borrowers: the ten largest, each with its share of the book."""

from collections.abc import Iterable
from decimal import Decimal

from abaco.core.text import par_name
from abaco.page.kpi_text import marked, short, status_at
from abaco.page.language import phrase, say
from abaco.page.markup import Html, absent, fill
from abaco.page.tables import bar, figures, rows_of
from abaco.page.words import NOTHING, code, count, percent

NOUNS = ("Borrower", "Loan", "Pledged loan")  # with a number, in place of an id


def what_if(metrics: dict, concentration) -> str:
    """Return in a sentence what PAR30 would be if the largest borrower stopped paying; empty where that is not known.

    All that it owes would be 30 days late, everything else unchanged.
    """
    kpi, values = metrics["kpis"].get("PAR30"), stopped(metrics, concentration)
    if not values or values[0] is None:
        return ""
    return say(
        "If the largest borrower stopped paying, {name} would be {value}.",
        name=par_name("PAR30", kpi), value=short(kpi, values[0]),
    )  # fmt: skip


def stopped(metrics: dict, concentration) -> list[float | None]:
    """Return PAR30 if the largest borrower stopped paying, the two largest, and so on; None where it is not known."""
    kpi, values = metrics["kpis"].get("PAR30"), []
    late = Decimal(kpi["numerator"]) if kpi and kpi["value"] is not None else None
    for row in _ranked(metrics, concentration):
        if late is not None and row.get("late_usd") is not None:
            late += Decimal(str(row["amount_usd"])) - Decimal(str(row["late_usd"]))
            values.append(float(round(late / Decimal(kpi["denominator"]) * 100, kpi["precision"])))
        else:
            late = None
            values.append(None)
    return values


def _ranked(metrics, concentration):
    """Return the largest borrowers of the report's date, the largest first."""
    return sorted(rows_of(concentration, date=metrics["date"]), key=lambda row: row["rank"])


def concentration_table(metrics: dict, concentration) -> Html:
    """Return the largest borrowers with amount and share, what they owe together, and what if they stopped paying."""
    rows = _ranked(metrics, concentration)
    if not rows:
        return absent(phrase("To see how much a few borrowers owe, add the loans with their borrowers (customer_id)."))
    together = sum(row["share"] for row in rows)
    finding = say(
        "The largest borrower owes {top} of the book, the {count} largest {together}.",
        top=percent(rows[0]["share"]), count=len(rows), together=percent(together),
    )  # fmt: skip
    heads = ["Borrower", "Bar", "Share of the book", "Outstanding, USD", "PAR30 if all down to this one stopped"]
    most, kpi = max(row["share"] for row in rows), metrics["kpis"].get("PAR30")
    cells = [
        [
            label(str(row["borrower"])), bar(row["share"], most), percent(row["share"]),
            count(row["amount_usd"]), _if_stopped(kpi, after),
        ]
        for row, after in zip(rows, stopped(metrics, concentration), strict=True)
    ]  # fmt: skip
    total = [phrase("Together"), "", percent(together), count(sum(row["amount_usd"] for row in rows)), ""]
    table = figures(
        phrase("The largest borrowers"), [phrase(head) for head in heads], cells,
        kinds=("", "b", "n", "n", "n"), total=total, quiet=True, look="bars",
        note=" ".join(filter(None, [
            phrase("If a borrower stopped paying, all that it owes would be 30 days late, everything else unchanged: "
                   "no forecast, but how few are enough to pass a limit."),
            numbers_note(str(row["borrower"]) for row in rows),
        ])),
    )  # fmt: skip
    finding = " ".join(filter(None, [finding, what_if(metrics, concentration)]))
    return Html(fill("finding.html.j2", text=finding) + table)


def _if_stopped(kpi, value):
    return NOTHING if value is None else marked(status_at(kpi, value), short(kpi, value))


def label(name: str) -> str:
    """Return what the page calls a borrower or a loan: a number with its noun, or the first digits of a token."""
    noun, _, number = name.rpartition(" ")
    return say(f"{noun} {{number}}", number=number) if _is_number(name) else code(name)


def _is_number(name):
    noun, _, number = name.rpartition(" ")
    return noun in NOUNS and number.isdigit()


def numbers_note(names: Iterable[str]) -> str:
    """Return what a reader must know about numbers among the names; nothing where all are tokens."""
    if not any(map(_is_number, names)):
        return ""
    return phrase(
        "The numbers hold within this report only and are no ranks; with ABACO_PII_KEY, "
        "names are the same in every report."
    )
