"""Input formats beside those of loans: financial statements, exchange rates, and what facilities have drawn."""

from dataclasses import replace

from abaco.ingest.columns import ACCOUNTS, CURRENCY, FACILITY, MEASUREMENT_DATE, Column, amount
from abaco.ingest.contract import Format

STATEMENTS_LONG = Format(
    "statements",
    "financial statements, long",
    "one row per date and account",
    (
        MEASUREMENT_DATE,
        Column("metric", required=True, filled=True, meaning="the account"),
        amount("value", required=True, optional=True, signed=True, meaning="its balance"),
        CURRENCY,
    ),
    purpose="cash",
    key=("measurement_date", "metric"),
    date="measurement_date",
    amount="value",
)
STATEMENTS_WIDE = Format(
    "statements_wide",
    "financial statements, wide",
    "one row per date",
    (
        MEASUREMENT_DATE,
        *(
            amount(name, signed=True, optional=True, meaning=name.removesuffix("_usd").replace("_", " "))
            for name in ACCOUNTS
        ),
        CURRENCY,
    ),
    purpose="cash",
    key=("measurement_date",),
    date="measurement_date",
)

# Rates are read as text: an amount at a rate is computed from all of its digits.
RATES = Format(
    "rates",
    "exchange rates",
    "one row per date and pair of currencies",
    (
        Column("date", "date", required=True, filled=True, meaning="the date"),
        Column("from_currency", required=True, filled=True, meaning="the currency of which it is one"),
        Column("to_currency", required=True, filled=True, meaning="the currency that it is worth"),
        Column("rate", required=True, filled=True, meaning="what one of the first is worth in the second"),
    ),
    purpose="exchange rates",
)

DRAWINGS = Format(
    "drawings",
    "drawn amounts",
    "one row per facility and date",
    (
        MEASUREMENT_DATE,
        replace(FACILITY, required=True, filled=True),
        amount("drawn", required=True, filled=True, meaning="what is drawn from it"),
        amount("cash", optional=True, meaning="the cash that counts as its collateral"),
        CURRENCY,
    ),
    purpose="what facilities have drawn",
    key=("measurement_date", "facility"),
    date="measurement_date",
    amount="drawn",
)
