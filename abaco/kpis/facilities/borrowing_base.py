"""The borrowing base: from the pool of a facility to what may be drawn, line by line, to the cent."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa

from abaco.core.decimals import rounded
from abaco.core.errors import InputError
from abaco.core.parquet import arrow_schema
from abaco.core.quoting import visible
from abaco.engines import Engine
from abaco.ingest.columns import ZERO
from abaco.kpis.book import Book
from abaco.kpis.facilities import limits
from abaco.kpis.facilities.conditions import plain
from abaco.kpis.facilities.eligibility import check, failures, pool
from abaco.kpis.facilities.facility import OTHERWISE, Facilities, Facility
from abaco.kpis.facilities.lines import NOTHING, TABLE

SEPARATOR = "; "
CELL = ("measurement_date", "reason", "advance_class")


@dataclass(frozen=True)
class Use:
    """What is drawn from a facility on a date, and its cash; None is not known."""

    drawn: Decimal | None = None
    cash: Decimal | None = None


Cells = Mapping[dt.date, list[dict[str, Any]]]  # sums of a pool by date, for each reason and class of loans


def cells(pool: nw.LazyFrame, facility: Facility) -> Cells:
    """Return the sums of a pool with excess (see `limits.with_excess`), in one scan."""
    excess = limits.columns(facility).values()
    counts = {f"{name}_loans": (nw.col(name) > 0).cast(nw.Int64()).sum() for name in ("balance", "left", *excess)}
    found = pool.group_by(*CELL).agg(nw.col("balance", "left", *excess).sum(), **counts)
    by_date: dict[dt.date, list[dict[str, Any]]] = {}
    for row in found.collect("pyarrow").to_native().to_pylist():
        by_date.setdefault(row["measurement_date"], []).append(row)
    return by_date


def uses(key: str, facility: Facility, book: Book) -> dict[dt.date, Use]:
    """Return what is drawn on each date, and the cash: constants of the facility, or rows of the drawn amounts.

    Raises
    ------
    InputError
        When both say it, or two rows of a date do.
    """
    rows = book.export("drawings")
    listed = [] if rows is None else rows.collect("pyarrow").to_native().to_pylist()
    own: dict[dt.date, dict[str, Any]] = {}
    for row in (row for row in listed if plain(row["facility"]) in facility.names(key)):
        day = row["measurement_date"]
        if any(own.setdefault(day, row).get(name) != row.get(name) for name in ("drawn", "cash")):
            raise InputError(f"Facility {key} has two drawn amounts of {day} in the exports: keep one row of each date")
    for name in ("drawn", "cash"):
        if getattr(facility, name) is not None and any(row.get(name) is not None for row in own.values()):
            raise InputError(
                f"Facility {key} sets {name} to {getattr(facility, name)}, and the exports list it by date: keep one"
            )
    found = {}
    for day in filter(facility.is_open, book.dates):
        row = own.get(day, {})
        drawn = row.get("drawn") if facility.drawn is None else facility.drawn
        found[day] = Use(drawn, row.get("cash") if facility.cash is None else facility.cash)
    return found


def lines(key: str, facility: Facility, found: Iterable[Mapping[str, Any]], use: Use) -> list[dict[str, Any]]:
    """Return the lines of a borrowing base of one date, in their order.

    Parameters
    ----------
    found
        The sums of the date, see `cells`.

    Raises
    ------
    InputError
        When net eligible loans are of a class without an advance rate.
    """
    found = list(found)
    made: list[dict[str, Any]] = []

    def add(kind, amount, line="", loans=None, basis=None, rate=None):
        made.append({"line": line or kind, "kind": kind, "amount_usd": amount, "loans": loans, "basis_usd": basis,
                     "rate_pct": rate})  # fmt: skip

    pledged, loans = _summed(found, "balance")
    add("pool", pledged, loans=loans)
    for name in facility.eligibility:
        amount, loans = _summed((row for row in found if row["reason"] == name), "balance")
        add("ineligible", amount, name, loans)
    eligible, loans = _summed((row for row in found if row["reason"] is None), "balance")
    add("eligible", eligible, loans=loans)
    for name, column in limits.columns(facility).items():
        amount, loans = _summed(found, column)
        share = facility.limits[name].at_most_pct
        is_of_eligible = share is not None and facility.share_of == "eligible"
        add("excess", amount, name, loans, eligible if is_of_eligible else None, share)
    net, loans = _summed(found, "left")
    add("net_eligible", net, loans=loans)
    for name, (basis, loans, rate) in _classes(key, facility, found).items():
        add("advance", rounded(basis * rate / 100, 2), name, loans, basis, rate)
    for name, reserve in facility.reserves.items():
        amount = reserve.amount if reserve.pct is None else rounded(net * reserve.pct / 100, 2)
        add("reserve", amount, name, basis=None if reserve.pct is None else net, rate=reserve.pct)
    counted = use.cash if facility.cash_rate else NOTHING
    cash = None if counted is None else rounded(counted * facility.cash_rate / 100, 2)
    add("cash", cash, basis=use.cash, rate=facility.cash_rate)
    advance, reserve = (
        sum((row["amount_usd"] for row in made if row["kind"] == kind), NOTHING) for kind in ("advance", "reserve")
    )
    base = None if cash is None else advance - reserve + cash
    add("borrowing_base", base)
    over = None if base is None else max(base - facility.commitment, NOTHING)
    add("over_commitment", over, basis=facility.commitment)
    add("drawn", use.drawn)
    add("availability", None if base is None or use.drawn is None else base - over - use.drawn)
    return made


def _summed(rows: Iterable[Mapping[str, Any]], name: str) -> tuple[Decimal, int]:
    rows = list(rows)
    return sum((row[name] for row in rows), NOTHING), sum(row[f"{name}_loans"] for row in rows)


def _classes(
    key: str, facility: Facility, found: Iterable[Mapping[str, Any]]
) -> dict[str, tuple[Decimal, int, Decimal]]:
    """Return the net eligible loans of each advance rate: their balance, their number and the rate."""
    advance = facility.advance_rate
    rows = [row for row in found if row["left"] > 0]
    if advance.rate is not None:
        return {"advance": (*_summed(rows, "left"), advance.rate)}
    names = {plain(name): name for name in advance.rates}
    by_name: dict[str, list[Mapping[str, Any]]] = {name: [] for name in advance.rates}
    for row in rows:
        name = names.get(plain(row["advance_class"] or ""), OTHERWISE)
        if name == OTHERWISE and advance.otherwise is None:
            value = visible(row["advance_class"] or "no value")
            raise InputError(
                f"Facility {key}, advance_rate: eligible loans have {value} in {advance.column}: add its rate, or "
                "otherwise, the rate of all others"
            )
        by_name.setdefault(name, []).append(row)
    rates = {**advance.rates, OTHERWISE: advance.otherwise}
    return {name: (*_summed(rows, "left"), rates[name]) for name, rows in by_name.items()}


@dataclass(frozen=True)
class Base:
    """The borrowing base of a facility on every date on which it is open.

    Parameters
    ----------
    pool
        Its loans, see `limits.with_excess`.
    cells
        Sums of the pool, see `cells`.
    lines
        See `lines`.
    """

    key: str
    facility: Facility
    pool: nw.LazyFrame
    cells: Cells
    lines: Mapping[dt.date, list[dict[str, Any]]]


def bases(
    facilities: Facilities, book: Book, engine: Engine, work: Path, formats: Iterable[str], currency: str
) -> list[Base]:
    """Return the borrowing base of each facility.

    Parameters
    ----------
    work
        A folder for temporary files.
    formats, currency
        See `eligibility.check`.

    Raises
    ------
    InputError
        When the book lacks what a facility asks for.
    """
    found = []
    for key, facility in facilities.items():
        check(key, facility, book, formats, currency)
        folder = work / key
        folder.mkdir(exist_ok=True)
        loans = limits.with_excess(pool(key, facility, book), facility, engine, folder)
        sums = cells(loans, facility)
        by_date = {day: lines(key, facility, sums.get(day, ()), use) for day, use in uses(key, facility, book).items()}
        found.append(Base(key, facility, loans, sums, by_date))
    return found


def table(found: Iterable[Base]) -> pa.Table:
    """Return the borrowing base of every facility and date, one row per line."""
    rows = [
        {"facility": base.key, "date": day, "position": position, **line}
        for base in found
        for day, lines_ in base.lines.items()
        for position, line in enumerate(lines_, start=1)
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(TABLE))


def eligibility(found: Iterable[Base], date: dt.date) -> nw.LazyFrame:
    """Return the pledged loans of a date with the reasons for which they are not eligible; see `eligibility.TABLE`."""
    parts = []
    for base in found:
        limited = _joined({name: nw.col(column) > 0 for name, column in limits.columns(base.facility).items()})
        failed = _joined({name: nw.col(column) for name, column in failures(base.facility).items()})
        eligible = nw.col("reason").is_null()
        excess = nw.when(eligible).then(nw.col("balance") - nw.col("left")).otherwise(ZERO)
        is_of_date = (nw.col("measurement_date") == date) & nw.lit(base.facility.is_open(date))
        rows = base.pool.filter(is_of_date & (nw.col("balance") > 0)).with_columns(
            excess=excess.cast(nw.Decimal(18, 2))
        )
        columns = {
            "date": nw.col("measurement_date"), "facility": nw.lit(base.key), "loan_id": nw.col("loan_id"),
            "balance_usd": nw.col("balance"), "is_eligible": eligible, "reason": nw.col("reason"),
            "reasons": nw.when(~eligible).then(failed), "excess_usd": nw.col("excess"),
            "limits": nw.when(nw.col("excess") > 0).then(limited), "net_eligible_usd": nw.col("left"),
            "advance_class": nw.col("advance_class"),
        }  # fmt: skip
        parts.append(rows.select(**columns).sort("loan_id"))
    return nw.concat(parts) if len(parts) > 1 else parts[0]


def _joined(names: Mapping[str, nw.Expr]) -> nw.Expr:
    """Return the names that are true of a loan, joined."""
    told = [nw.when(is_true).then(nw.lit(name)) for name, is_true in names.items()]
    return nw.concat_str(told, separator=SEPARATOR, ignore_nulls=True) if told else nw.lit("")
