"""Where every row and every dollar of the input went; that they add up is computed here again."""

from decimal import Decimal

from abaco.page.language import phrase, say
from abaco.page.markup import Html, fill
from abaco.page.tables import figures
from abaco.page.words import count, day, money, plural, usd

PARTS = ("accepted", "quarantined", "duplicates", "later")


def _sums(rows):
    """Return (rows in, rows found again, dollars in, dollars found again)."""
    amounts = [Decimal(rows[f"amount_{part}"] or 0) for part in PARTS]
    return rows["rows_in"], sum(rows[part] for part in PARTS), Decimal(rows["amount_in"] or 0), sum(amounts)


def reconciles(rows: dict) -> bool:
    """Return whether rows in = accepted + quarantined + duplicates + later, in rows and in dollars."""
    rows_in, rows_found, amount_in, amount_found = _sums(rows)
    return rows_in == rows_found and amount_in == amount_found


def _sentence(rows):
    rows_in, rows_found, amount_in, amount_found = _sums(rows)
    if reconciles(rows):
        return say(
            "It adds up: {row_parts} = {rows}, and {amount_parts} = {amount}.",
            row_parts=" + ".join(count(rows[part]) for part in PARTS), rows=plural(rows_in, "row"),
            amount_parts=" + ".join(money(rows[f"amount_{part}"] or 0) for part in PARTS), amount=usd(amount_in),
        )  # fmt: skip
    return say(
        "IT DOES NOT ADD UP. {rows} came in and {rows_found} were found again (difference {rows_lost}); {amount} came "
        "in and {amount_found} were found again (difference {amount_lost}). "
        "Do not use these figures before this is explained.",
        rows=plural(rows_in, "row"), rows_found=count(rows_found), rows_lost=count(rows_in - rows_found),
        amount=usd(amount_in), amount_found=usd(amount_found), amount_lost=usd(amount_in - amount_found),
    )  # fmt: skip


def reconciliation_table(metrics: dict) -> Html:
    """Return rows and dollars in and where they went, with the sentence that says if they add up."""
    rows = metrics["reconciliation"]
    names = {
        "accepted": phrase("Accepted"),
        "quarantined": phrase("Quarantined: could not be used"),
        "duplicates": phrase("Dropped: exact copies of another row"),
        "later": say("Left out: dated after {date}", date=day(metrics["date"])),
    }
    heads = ("What became of them", "Rows of all dates", "Balances of all dates added up, USD")
    table = figures(
        phrase("Rows and dollars of the input, and where they went"),
        [phrase(head) for head in heads],
        [[name, count(rows[part]), money(rows[f"amount_{part}"])] for part, name in names.items()],
        total=[phrase("Came in"), count(rows["rows_in"]), money(rows["amount_in"])],
        note=phrase("The dollars add up the balances of every date in the input, so that no row can hide; "
                    "they are not the size of the book."),
    )  # fmt: skip
    return fill(
        "reconciliation.html.j2",
        sentence=_sentence(rows),
        adds_up=reconciles(rows),
        unread=_unread(rows.get("rows_without_amount") or 0),
        table=table,
    )


def _unread(rows):
    """Return what the rows without an amount count as; empty when there are none."""
    if not rows:
        return ""
    one = "1 row has no amount that can be read; it counts as a row and as 0.00 USD."
    many = "{rows} rows have no amount that can be read; they count as rows and as 0.00 USD."
    return phrase(one) if rows == 1 else say(many, rows=count(rows))
