"""Financial statements: the accounts that KPIs use, one row a date, from the wide and the long form."""

import datetime as dt
from decimal import Decimal

from abaco.engines import DuckDB
from abaco.formats import ACCOUNTS, STATEMENTS_LONG, STATEMENTS_WIDE, normalise
from abaco.staging import Batch

ACCOUNT_OF = {heading: account for account, headings in ACCOUNTS.items() for heading in (account, *headings)}


def accounts(batches: list[Batch], engine: DuckDB) -> dict[dt.date, dict[str, Decimal]]:
    """Return each date's accounts in USD; headings are matched whole, so that "Total" is not total assets.

    An account that nobody knows is left out, see `unknown`.
    """
    found: dict[dt.date, dict[str, Decimal]] = {}
    for row in _long_rows(batches, engine):
        if account := ACCOUNT_OF.get(normalise(row["metric"])):
            found.setdefault(row["measurement_date"], {})[account] = row["value"]
    for batch in batches:
        if batch.format is STATEMENTS_WIDE:
            for row in batch.accepted(engine).collect("pyarrow").to_native().to_pylist():
                day = found.setdefault(row.pop("measurement_date"), {})
                day.update({account: value for account, value in row.items() if value is not None})
    return dict(sorted(found.items()))


def unknown(batches: list[Batch], engine: DuckDB) -> list[str]:
    """Return the account headings of long statements that no KPI uses."""
    metrics = {row["metric"].strip() for row in _long_rows(batches, engine)}
    return sorted(m for m in metrics if normalise(m) not in ACCOUNT_OF)


def _long_rows(batches: list[Batch], engine: DuckDB) -> list[dict]:
    return [
        row
        for batch in batches
        if batch.format is STATEMENTS_LONG
        for row in batch.accepted(engine).collect("pyarrow").to_native().to_pylist()
    ]
