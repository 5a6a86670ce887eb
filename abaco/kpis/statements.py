"""Accounts of the financial statements on each date: cash, debt, equity, reserves and running costs."""

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
    "loan_loss_reserve_usd": Measure(
        "the reserve for loan losses", f"{STATEMENT} reserve for loan losses (reserva de saneamiento)"
    ),
    "operating_expense_usd": Measure(
        "the operating expenses of the month", f"{STATEMENT} operating expenses of the month (gastos operativos)"
    ),
}


def accounts(texts: Mapping[str, Mapping[str, str]]) -> dict[dt.date, dict[str, Decimal]]:
    """Return USD by date and account, or column, from the text that ingestion handed over."""
    return {dt.date.fromisoformat(d): {k: Decimal(v) for k, v in day.items()} for d, day in texts.items()}


def measure(book: Book, names: Collection[str], _: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return the named accounts on every date of the tape that has a statement of the same date.

    Equity that a statement does not give is its assets less its liabilities. A reserve that it takes off the assets,
    below 0, counts with its amount.
    """
    totals = {}
    for day in book.dates:
        usd = dict(book.accounts.get(day, {}))
        if "equity_usd" not in usd and {"assets_usd", "liabilities_usd"} <= set(usd):
            usd["equity_usd"] = usd["assets_usd"] - usd["liabilities_usd"]
        if "loan_loss_reserve_usd" in usd:
            usd["loan_loss_reserve_usd"] = abs(usd["loan_loss_reserve_usd"])
        sums: dict[str, Decimal | None] = {name: usd.get(name) for name in names}
        totals[day] = Totals(1, sums, {name: int(value is not None) for name, value in sums.items()})
    return totals
