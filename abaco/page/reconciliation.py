"""Where every row and every dollar of the input went; that they add up is computed here again."""

from decimal import Decimal

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
        return (
            f"It adds up: {' + '.join(count(rows[part]) for part in PARTS)} = {plural(rows_in, 'row')}, and "
            f"{' + '.join(money(rows[f'amount_{part}'] or 0) for part in PARTS)} = {usd(amount_in)}."
        )
    return (
        f"IT DOES NOT ADD UP. {plural(rows_in, 'row')} came in and {count(rows_found)} were found again "
        f"(difference {count(rows_in - rows_found)}); "
        f"{usd(amount_in)} came in and {usd(amount_found)} were found again "
        f"(difference {usd(amount_in - amount_found)}). Do not use these figures before this is explained."
    )


def reconciliation_table(metrics: dict) -> Html:
    """Return rows and dollars in and where they went, with the sentence that says if they add up."""
    rows = metrics["reconciliation"]
    names = {
        "accepted": "Accepted",
        "quarantined": "Quarantined: could not be used",
        "duplicates": "Dropped: exact copies of another row",
        "later": f"Left out: dated after {day(metrics['date'])}",
    }
    table = figures(
        "Rows and dollars of the input, and where they went",
        ["What became of them", "Rows", "USD"],
        [[name, count(rows[part]), money(rows[f"amount_{part}"])] for part, name in names.items()],
        total=["Came in", count(rows["rows_in"]), money(rows["amount_in"])],
    )
    return fill(
        "reconciliation.html.j2",
        sentence=_sentence(rows),
        adds_up=reconciles(rows),
        unread=rows.get("rows_without_amount") or 0,
        table=table,
    )
