"""Financial statements: the accounts that KPIs use, one row per date, from the wide and the long form."""

import datetime as dt
from decimal import Decimal

import narwhals as nw

from abaco.core.quoting import HIDDEN, is_value
from abaco.core.reasons import Reason
from abaco.engines import Engine
from abaco.ingest import headings
from abaco.ingest.columns import ACCOUNTS, normalise
from abaco.ingest.formats import STATEMENTS_LONG, STATEMENTS_WIDE
from abaco.ingest.staging import Batch

TITLE = "financial statements"


def account_of() -> dict[str, str]:
    """Return the account of each known heading, in the order in which they count."""
    known = headings.load()
    return {heading: account for account in ACCOUNTS for heading in (account, *known[account].headings)}


def accounts(batches: list[Batch], engine: Engine) -> dict[dt.date, dict[str, Decimal]]:
    """Return each date's accounts in USD; headings are matched whole, so that "Total" is not total assets.

    Of two values of one account on one date the one of the wide form counts, and of two headings the one that
    params/headings.yml lists first. Unknown accounts are left out, see `unknown`.
    """
    found: dict[dt.date, dict[str, Decimal]] = {}
    for day, account, value, _ in _given(batches, engine):
        found.setdefault(day, {}).setdefault(account, value)
    return dict(sorted(found.items()))


def disagreements(batches: list[Batch], engine: Engine, date: dt.date) -> list[Reason]:
    """Return the accounts of a date that are given twice, with other values."""
    first: dict[str, tuple[Decimal, str]] = {}
    found = []
    for _, account, value, name in (given for given in _given(batches, engine) if given[0] == date):
        usd, export = first.setdefault(account, (value, name))
        if value != usd:
            found.append(
                Reason("sources_disagree", column=account, usd=usd, other_usd=value, export=export, other=name)
            )
    return found


def _given(batches: list[Batch], engine: Engine) -> list[tuple[dt.date, str, Decimal, str]]:
    """Return date, account and value of every known account in the order in which they count, and where it stands."""
    found = [
        (row["measurement_date"], account, row[account], STATEMENTS_WIDE.title)
        for batch in batches
        if batch.format is STATEMENTS_WIDE
        for row in batch.accepted(engine).collect("pyarrow").to_native().to_pylist()
        for account in ACCOUNTS
        if row.get(account) is not None
    ]
    known_as = account_of()
    rank = {heading: place for place, heading in enumerate(known_as)}
    rows = [row | {"heading": normalise(row["metric"])} for row in _long_rows(batches, engine)]
    known = [row for row in rows if row["heading"] in rank and row["value"] is not None]
    for row in sorted(known, key=lambda row: (rank[row["heading"]], row["metric"])):
        found.append((row["measurement_date"], known_as[row["heading"]], row["value"], row["metric"].strip()))
    return found


def known_rows(rows: nw.LazyFrame) -> nw.LazyFrame:
    """Return the rows of long statements whose account a KPI uses; others may be somebody's name."""
    metrics, known_as = rows.select("metric").unique().collect("pyarrow")["metric"].to_list(), account_of()
    return rows.filter(nw.col("metric").is_in([m for m in metrics if normalise(m) in known_as]))


def unknown(batches: list[Batch], engine: Engine) -> list[str]:
    """Return the account headings of long statements that no KPI uses, ``…`` for those that may be somebody's name.

    A table of people and amounts has the form of a statement, but none of its accounts.
    """
    metrics = {row["metric"].strip() for row in _long_rows(batches, engine)}
    known_as = account_of()
    unused = sorted(m for m in metrics if normalise(m) not in known_as)
    # an account with none of these words may be a person
    words = {word for heading in known_as for word in heading.split("_") if len(word) > 2} - {"and"}
    shown = [m for m in unused if not is_value(m) and words & set(normalise(m).split("_"))]
    return shown + [HIDDEN] * (len(shown) < len(unused))


def _long_rows(batches: list[Batch], engine: Engine) -> list[dict]:
    return [
        row
        for batch in batches
        if batch.format is STATEMENTS_LONG
        for row in batch.accepted(engine).collect("pyarrow").to_native().to_pylist()
    ]
