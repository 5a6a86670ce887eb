"""Concentration limits: the part of an eligible pool that is above them, limit by limit, loan by loan."""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

import narwhals as nw
import pyarrow as pa

from abaco.core.decimals import rounded
from abaco.engines import Engine
from abaco.ingest.columns import ZERO
from abaco.kpis.facilities.conditions import OBLIGORS, plain
from abaco.kpis.facilities.eligibility import meets
from abaco.kpis.facilities.facility import Facility, Limit

CENTS = 2
NET = "net_eligible"
DATE = "measurement_date"
CUT = ("cut_on", "cut")  # the date and the loan of an excess
NONE = ZERO.cast(nw.Decimal(18, 2))
Groups = dict[dt.date, list[tuple[str | int, Decimal]]]  # by date, the largest first
Wholes = Mapping[dt.date, Decimal]


def with_excess(pool: nw.LazyFrame, facility: Facility, engine: Engine, work: Path) -> nw.LazyFrame:
    """Take from the eligible balance of each loan what is above the limits.

    Limits apply in their order, each to what the former ones left. The loans of a value fill its limit in the order in
    which they were lent, and of those lent on a day in the order of their numbers; what comes on top is the excess.

    Parameters
    ----------
    pool
        See `eligibility.pool`.
    work
        A folder for temporary files.

    Returns
    -------
    narwhals.LazyFrame
        The pool, with ``excess_0`` and so on, one column per limit, taken from ``left``.
    """
    whole = rows = kept(pool, engine, work / "pool.parquet")
    wholes = _wholes(whole)
    names, taken = columns(facility), None
    for limit, name in zip(facility.limits.values(), names.values(), strict=True):
        if facility.share_of == NET:
            wholes = _wholes(rows)
        table = _caps(limit, rows, wholes, facility.share_of)
        if table.num_rows:
            # loans above a limit are few: they are kept, and not the pool again
            cuts = _cuts(limit, rows, engine.from_arrow(table), name)
            taken = kept(cuts if taken is None else _both(taken, cuts), engine, work / f"{name}.parquet")
            rows = _without(taken, whole)
    lacking = set(names.values()) - set(rows.collect_schema().names())
    return rows.with_columns(NONE.alias(name) for name in sorted(lacking))


def _both(taken: nw.LazyFrame, cuts: nw.LazyFrame) -> nw.LazyFrame:
    """Return what loans have above the former limits and one more, one row per date and loan."""
    frames = [taken, cuts]
    names = list(dict.fromkeys(name for frame in frames for name in frame.collect_schema().names()))
    filled = [
        frame.select(nw.col(name) if name in frame.collect_schema().names() else NONE.alias(name) for name in names)
        for frame in frames
    ]
    amounts = [name for name in names if name not in CUT]
    both = nw.concat(filled).group_by(*CUT).agg(nw.col(*amounts).sum())
    return both.with_columns(nw.col(*amounts).cast(nw.Decimal(18, 2)))  # as cuts are: sums have more digits


def _without(taken: nw.LazyFrame, rows: nw.LazyFrame) -> nw.LazyFrame:
    """Return a pool less what its loans have above limits."""
    names = [name for name in taken.collect_schema().names() if name not in CUT]
    joined = rows.join(taken, left_on=[DATE, "loan_id"], right_on=list(CUT), how="left")
    joined = joined.with_columns(nw.coalesce(name, ZERO).cast(nw.Decimal(18, 2)).alias(name) for name in names)
    left = nw.col("left")
    for name in names:
        left = left - nw.col(name)
    return joined.with_columns(left=left.cast(nw.Decimal(18, 2)))


def columns(facility: Facility) -> dict[str, str]:
    """Return the column of a pool with the excess of each limit."""
    return {name: f"excess_{place}" for place, name in enumerate(facility.limits)}


def _wholes(rows: nw.LazyFrame) -> Wholes:
    found = rows.group_by(DATE).agg(nw.col("left").sum()).collect("pyarrow").to_native().to_pylist()
    return {row[DATE]: row["left"] for row in found}


def kept(rows: nw.LazyFrame, engine: Engine, path: Path) -> nw.LazyFrame:
    """Return the rows from a temporary file, so that what they are made of is computed once."""
    engine.write(rows, path, temporary=True)
    return engine.scan(path)


def _unknown(limit: Limit) -> str | int:
    """Return the value of loans whose value is not known: borrowers and payers are numbers from 1."""
    return 0 if limit.column in OBLIGORS else ""


def _group(limit: Limit) -> nw.Expr:
    """Return the value of a loan that a limit counts it by; one that is not known is a value like any other."""
    if limit.column is None:
        return nw.lit("")
    value = nw.col(limit.column)
    if limit.column not in OBLIGORS:
        value = value.str.strip_chars().str.to_lowercase()
    return value.fill_null(_unknown(limit))


def _is_limited(limit: Limit) -> nw.Expr:
    is_limited = nw.col("left") > 0
    if limit.when is not None:
        is_limited = is_limited & meets(limit.when)
    if limit.one_of is not None:
        is_limited = is_limited & _group(limit).is_in([plain(word) for word in limit.one_of])
    return is_limited


def _caps(limit: Limit, rows: nw.LazyFrame, wholes: Wholes, share_of: str) -> pa.Table:
    """Return the values that are above a limit: what each may hold, those of one bucket together."""
    held = _held(limit, rows)
    if limit.at_most is not None and not limit.largest:
        cap = nw.lit(limit.at_most).cast(nw.Decimal(18, 2))
        above = held.filter(nw.col("left") > cap)
        return above.select(capped_on=DATE, capped="group", bucket="group", cap=cap).collect("pyarrow").to_native()
    found = []
    for day, groups in _largest(limit, held).items():
        together = [(_unknown(limit), sum(amount for _, amount in groups))] if limit.largest else groups
        cap = _cap(limit, [amount for _, amount in together], wholes[day], share_of)
        over = [(name, amount) for name, amount in together if amount > cap]
        if limit.largest and over:
            found += [(day, name, _unknown(limit), cap) for name, _ in groups]
        else:
            found += [(day, name, name, cap) for name, _ in over]
    value = pa.int64() if limit.column in OBLIGORS else pa.string()
    types = {"capped_on": pa.date32(), "capped": value, "bucket": value, "cap": pa.decimal128(18, 2)}
    return pa.Table.from_pylist([dict(zip(types, row, strict=True)) for row in found], schema=pa.schema(types))


def _held(limit: Limit, rows: nw.LazyFrame) -> nw.LazyFrame:
    """Return what each value holds of a pool by date."""
    held = rows.filter(_is_limited(limit)).select(DATE, "left", group=_group(limit)).group_by(DATE, "group")
    return held.agg(nw.col("left").sum())


def _largest(limit: Limit, held: nw.LazyFrame) -> Groups:
    """Return the values that can be above a limit, the largest first, of equal ones the first in their order."""
    most = None
    if limit.largest or limit.at_most_pct:
        # a share of 30 % can be passed by three
        most = limit.largest or int(100 / limit.at_most_pct) + 1
        rank = nw.col("left").rank("min", descending=True).over(DATE)
        held = held.with_columns(rank=rank).filter(nw.col("rank") <= most)
    groups: Groups = {}
    ranked = held.with_columns(less=-nw.col("left")).sort(DATE, "less", "group").collect("pyarrow").to_native()
    for row in ranked.to_pylist():
        groups.setdefault(row[DATE], []).append((row["group"], row["left"]))
    return {day: values[:most] for day, values in groups.items()}


def _cap(limit: Limit, amounts: list[Decimal], whole: Decimal, share_of: str) -> Decimal:
    if limit.at_most is not None:
        return limit.at_most
    share = limit.at_most_pct / 100
    return net_cap(amounts, whole, share) if share_of == NET else rounded(whole * share, CENTS)


def net_cap(amounts: Iterable[Decimal], whole: Decimal, share: Decimal) -> Decimal:
    """Return what a value may hold so that it is a share of what is left after the excess of all of them.

    Parameters
    ----------
    amounts
        What the values hold, the largest first.
    whole
        What is left of the pool before this limit.
    share
        From 0 to 1.

    Examples
    --------
    >>> net_cap([Decimal(60), Decimal(20), Decimal(20)], Decimal(100), Decimal("0.5"))
    Decimal('40.00')
    """
    rest, cap = whole, whole * share
    for over, amount in enumerate(amounts, start=1):
        if amount <= cap:
            break
        rest -= amount
        cap = rest * share / (1 - over * share)
    return rounded(cap, CENTS)


def _cuts(limit: Limit, rows: nw.LazyFrame, caps: nw.LazyFrame, name: str) -> nw.LazyFrame:
    """Return what loans have above a limit, one row per date and loan with some."""
    limited = rows.filter(_is_limited(limit)).select(DATE, "loan_id", "lent_on", "left", group=_group(limit))
    joined = limited.join(caps, left_on=[DATE, "group"], right_on=["capped_on", "capped"], how="inner")
    left = nw.col("left")
    filled = left.cum_sum().over(DATE, "bucket", order_by=["lent_on", "loan_id"])
    above = joined.with_columns(filled=filled - nw.col("cap")).filter(nw.col("filled") > 0)
    excess = nw.when(nw.col("filled") >= left).then(left).otherwise(nw.col("filled")).cast(nw.Decimal(18, 2))
    return above.select(nw.col(DATE).alias(CUT[0]), nw.col("loan_id").alias(CUT[1]), excess.alias(name))
