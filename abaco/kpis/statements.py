"""Accounts of the financial statements on each date: cash, debt, equity and running costs."""

import datetime as dt
from collections.abc import Collection, Mapping
from decimal import Decimal

from abaco.kpis.book import Book
from abaco.kpis.totals import Measure, Totals

STATEMENT = "a financial statement of that date with its"
MEASURES = {
    "cash_usd": Measure("the cash of the financial statement", f"{STATEMENT} cash (efectivo, caja)"),
    "liabilities_usd": Measure("the total liabilities", f"{STATEMENT} liabilities (pasivos)"),
    "equity_usd": Measure("the equity", f"{STATEMENT} equity (patrimonio), or its assets and liabilities"),
    "operating_expense_usd": Measure(
        "the operating expenses of the month",
        f"{STATEMENT} operating expenses of the month (gastos operativos)",
    ),
}


def measure(book: Book, names: Collection[str], _: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return the named accounts on every date of the tape that has a statement of the same date.

    Equity that a statement does not give is its assets less its liabilities.
    """
    found = {}
    for day in book.dates:
        given = dict(book.accounts.get(day, {}))
        if "equity_usd" not in given and {"assets_usd", "liabilities_usd"} <= set(given):
            given["equity_usd"] = given["assets_usd"] - given["liabilities_usd"]
        sums: dict[str, Decimal | None] = {name: given.get(name) for name in names}
        found[day] = Totals(1, sums, {name: int(value is not None) for name, value in sums.items()})
    return found
