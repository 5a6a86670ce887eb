"""Why availability moved: its bridge from one date to another, and the loans that moved it most."""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import narwhals as nw
import pyarrow as pa

from abaco.core.decimals import rounded, wide
from abaco.core.parquet import arrow_schema
from abaco.core.tables import COUNT, DATE, SUM, TEXT, Field, Table
from abaco.ingest.columns import ZERO
from abaco.kpis.contributors import names
from abaco.kpis.facilities import limits
from abaco.kpis.facilities.borrowing_base import Base
from abaco.kpis.facilities.conditions import plain
from abaco.kpis.facilities.facility import AdvanceRate
from abaco.kpis.facilities.lines import NOTHING

LIMIT = 10
OPENING, CLOSING = "opening", "closing"
LENT, REPAID, WRITTEN_OFF, FELL, BECAME, RECLASSED, EXCESS, ROUNDING = (
    "new lending", "repaid", "written off", "fell ineligible", "became eligible", "other advance rate", "excess",
    "rounding",
)  # fmt: skip
OF_LOANS = (LENT, REPAID, WRITTEN_OFF, FELL, BECAME, RECLASSED, EXCESS)
# Lines of the borrowing base that move availability as a whole, and which way.
OF_LINES = {"reserve": -1, "cash": 1, "over_commitment": -1, "drawn": -1}
TERMS = (OPENING, *OF_LOANS, ROUNDING, *OF_LINES, CLOSING)
TABLE = Table(
    "availability_bridges",
    "one row per facility and cause of a change from the date before to the measurement date",
    (
        Field("facility", TEXT, "the facility's key"),
        Field("date", DATE, "the measurement date"),
        Field("against", DATE, "the date before"),
        Field("position", COUNT, "the cause's place, from 1"),
        Field("term", TEXT, f"the cause: {', '.join(TERMS)}; opening and closing are the availabilities themselves"),
        Field("line", TEXT, "the criterion, limit or reserve; empty of other causes"),
        Field("amount_usd", SUM, "by how much it moved the availability, at the advance rate", "USD"),
        Field("loans", COUNT, "loans that moved; empty for amounts of no loans", "loans"),
    ),
)
LOANS = Table(
    "availability_loans",
    "one row per facility and loan that moved its availability on the measurement date",
    (
        Field("facility", TEXT, "the facility's key"),
        Field("date", DATE, "the measurement date"),
        Field("against", DATE, "the date before"),
        Field("rank", COUNT, "the loan's place by change, from 1"),
        Field("loan", TEXT, "the loan's token, or a number without a masking key"),
        Field("term", TEXT, "the cause of most of the change"),
        Field("line", TEXT, "the criterion that it fell ineligible by"),
        Field("before_usd", SUM, "what it gave on the date before, net eligible at the advance rate", "USD"),
        Field("after_usd", SUM, "what it gives on the date", "USD"),
        Field("change_usd", SUM, "the difference", "USD"),
    ),
)
Rows = list[dict[str, Any]]
Moved = Mapping[tuple[str, str | None], tuple[Decimal, int | None]]  # amount and loans by term and line


def bridges(bases: Iterable[Base], date: dt.date) -> pa.Table:
    """Return the bridge of each facility to a date from the one before on which it is open."""
    rows = [row for base in bases for against in _before(base, date) for row in bridge(base, against, date)]
    return pa.Table.from_pylist(rows, schema=arrow_schema(TABLE))


def _before(base: Base, date: dt.date) -> list[dt.date]:
    """Return the date before on which a facility is open, if it is on both."""
    return sorted(day for day in base.lines if day < date)[-1:] if date in base.lines else []


def bridge(base: Base, against: dt.date, date: dt.date) -> Rows:
    """Return the bridge of the availability from a date to another; none where one of them is not known.

    Returns
    -------
    list of dict
        Rows of `TABLE`. Between opening and closing they sum to the change exactly: what a cause is worth is its
        balance at the advance rate, rounded to cents, and ``rounding`` is what that leaves of the change.
    """
    opening, closing = (base.lines[day][-1]["amount_usd"] for day in (against, date))
    if opening is None or closing is None:
        return []
    terms = _moved(base, against, date) | _of_lines(base, against, date)
    steps = [(term, line, *terms[term, line]) for term, line in terms]
    change = _advanced(base, date) - _advanced(base, against)
    left = change - sum((amount for term, _, amount, _ in steps if term in OF_LOANS), NOTHING)
    steps += [(ROUNDING, None, left, None)] if left else []
    steps = [step for step in steps if step[2]]
    steps.sort(key=lambda step: (TERMS.index(step[0]), step[1] or ""))
    whole = [(OPENING, None, opening, None), *steps, (CLOSING, None, closing, None)]
    return [
        {"facility": base.key, "date": date, "against": against, "position": position, "term": term, "line": line,
         "amount_usd": amount, "loans": loans}
        for position, (term, line, amount, loans) in enumerate(whole, start=1)
    ]  # fmt: skip


def _advanced(base: Base, day: dt.date) -> Decimal:
    return sum((line["amount_usd"] for line in base.lines[day] if line["kind"] == "advance"), NOTHING)


def _of_lines(base: Base, against: dt.date, date: dt.date) -> Moved:
    before, after = (
        {(line["kind"], line["line"]): line["amount_usd"] for line in base.lines[day]} for day in (against, date)
    )
    return {
        (kind, line if line != kind else None): (OF_LINES[kind] * (after[kind, line] - before[kind, line]), None)
        for kind, line in after
        if kind in OF_LINES
    }


def _moved(base: Base, against: dt.date, date: dt.date) -> Moved:
    """Return what loans moved by term and line, at the advance rate."""
    columns = list(limits.columns(base.facility).values())
    sides = [f"{side}_{name}" for side in ("was", "is") for name in columns]
    counts = {f"{term}_loans": (nw.col(term) != 0).cast(nw.Int64()).sum() for term in _STEPS}
    counts |= {
        f"{name}_loans": (nw.col(f"was_{name}") != nw.col(f"is_{name}")).cast(nw.Int64()).sum() for name in columns
    }
    found = moves(base, against, date).group_by("fell_by", "was_rate", "is_rate")
    terms: dict[tuple[str, str | None], tuple[Decimal, int]] = {}
    for row in found.agg(nw.col(*_STEPS, *sides).sum(), **counts).collect("pyarrow").to_native().to_pylist():
        for term, (name, effect) in _STEPS.items():
            line = row["fell_by"] if term == "fell" else None
            worth = effect(row[term], row["was_rate"], row["is_rate"])
            _add(terms, (name, line), worth, row[f"{term}_loans"])
        for line, name in limits.columns(base.facility).items():
            worth = row[f"was_{name}"] * row["was_rate"] - row[f"is_{name}"] * row["is_rate"]
            _add(terms, (EXCESS, line), worth, row[f"{name}_loans"])
    return {key: (rounded(amount / 100, 2), loans) for key, (amount, loans) in terms.items()}


def _add(terms: dict, key: tuple[str, str | None], amount: Decimal, loans: int) -> None:
    before = terms.get(key, (Decimal(0), 0))
    terms[key] = (before[0] + amount, before[1] + (loans if amount else 0))


# What a loan's eligible balance did, by the term that it belongs to, and what that is worth given both advance rates.
_STEPS = {
    "rise": (LENT, lambda usd, was, now: usd * now),
    "fall": (REPAID, lambda usd, was, now: -usd * now),
    "lost": (WRITTEN_OFF, lambda usd, was, now: -usd * now),
    "fell": (FELL, lambda usd, was, now: -usd * now),
    "became": (BECAME, lambda usd, was, now: usd * now),
    "stood": (RECLASSED, lambda usd, was, now: usd * (now - was)),
}


def moves(base: Base, against: dt.date, date: dt.date) -> nw.LazyFrame:
    """Return each loan of a pool on two dates, one row per loan.

    Returns
    -------
    narwhals.LazyFrame
        The steps of its eligible balance (see `_STEPS`), ``fell_by``, the criterion that it fails now and did not
        before, its excess of each limit, what is ``left`` of it and its advance rate on either date. A loan that is not
        there on one date has the rate of the other.
    """
    was, now = _side(base, against, "was"), _side(base, date, "is")
    joined = was.join(now, how="full", left_on="was_loan_id", right_on="is_loan_id")
    amounts = ("balance", "written_off", "eligible", "left", *limits.columns(base.facility).values())
    joined = joined.with_columns(
        *(nw.coalesce(f"{side}_{name}", ZERO).alias(f"{side}_{name}") for side in ("was", "is") for name in amounts),
        was_rate=nw.coalesce("was_rate", "is_rate"), is_rate=nw.coalesce("is_rate", "was_rate"),
        loan_id=nw.coalesce("was_loan_id", "is_loan_id"),
    )  # fmt: skip
    before, after, owed = nw.col("was_eligible"), nw.col("is_eligible"), nw.col("is_balance")
    # of a loan that is not eligible any more, what is still owed fell ineligible
    still = nw.when(nw.col("is_reason").is_null()).then(after).otherwise(owed)
    was_eligible = before > 0
    fall = nw.when(was_eligible & (still < before)).then(before - still).otherwise(ZERO)
    rise = nw.when(was_eligible & (still > before)).then(still - before)
    is_new = nw.col("was_balance") <= 0
    off = nw.col("is_written_off") - nw.col("was_written_off")
    lost = nw.when(off <= 0).then(ZERO).otherwise(nw.when(off < fall).then(off).otherwise(fall))
    became = nw.when(~was_eligible & ~is_new).then(after).otherwise(ZERO)
    is_out = was_eligible & ~nw.col("is_reason").is_null()
    return joined.with_columns(
        rise=rise.otherwise(nw.when(~was_eligible & is_new).then(after).otherwise(ZERO)),
        fall=fall - lost,
        lost=lost,
        fell=nw.when(is_out).then(owed).otherwise(ZERO),
        became=became,
        stood=before,
        fell_by=nw.when(is_out & (owed > 0)).then(nw.col("is_reason")),
    )


def _side(base: Base, date: dt.date, side: str) -> nw.LazyFrame:
    eligible = nw.when(nw.col("reason").is_null()).then(nw.col("balance")).otherwise(ZERO)
    columns = {"rate": rate_of(base.facility.advance_rate), "eligible": eligible}
    same = ("loan_id", "balance", "written_off", "reason", "left", *limits.columns(base.facility).values())
    columns |= {name: nw.col(name) for name in same}
    rows = base.pool.filter(nw.col("measurement_date") == date)
    return rows.select(value.alias(f"{side}_{name}") for name, value in columns.items())


def rate_of(advance: AdvanceRate) -> nw.Expr:
    """Return the advance rate of each loan of a pool, in per cent; 0 of a class without one."""
    rate = nw.lit(advance.rate if advance.rate is not None else advance.otherwise or Decimal(0)).cast(nw.Decimal(9, 6))
    value = nw.col("advance_class").str.strip_chars().str.to_lowercase()
    for name, own in advance.rates.items():
        rate = nw.when(value == plain(name)).then(nw.lit(own).cast(nw.Decimal(9, 6))).otherwise(rate)
    return rate


def largest(bases: Iterable[Base], date: dt.date, key: bytes | None, limit: int = LIMIT) -> pa.Table:
    """Return the loans that moved the availability of each facility most from the date before, the largest first.

    Parameters
    ----------
    key
        The masking key; without one loans have numbers, the same loan the same number in every facility.
    """
    rows = []
    for base in bases:
        for against in _before(base, date):
            found = _largest(base, against, date, limit)
            rows += [{"facility": base.key, "date": date, "against": against, "rank": n, **row} for n, row in found]
    called = names((row["loan_id"] for row in rows), key, "Pledged loan")
    named = [{**row, "loan": called[row["loan_id"]]} for row in rows]
    return pa.Table.from_pylist(named, schema=arrow_schema(LOANS))


def _largest(base: Base, against: dt.date, date: dt.date, limit: int) -> list[tuple[int, dict[str, Any]]]:
    before, after = (wide(nw.col(f"{side}_left")) * nw.col(f"{side}_rate") for side in ("was", "is"))
    moved = moves(base, against, date).with_columns(before=before, after=after)
    moved = moved.with_columns(size=(nw.col("after") - nw.col("before")).abs()).filter(nw.col("size") > 0)
    first = moved.sort("size", "loan_id", descending=[True, False]).head(limit).collect("pyarrow").to_native()
    rows = []
    for row in first.to_pylist():
        worth = {name: effect(row[step], row["was_rate"], row["is_rate"]) for step, (name, effect) in _STEPS.items()}
        excess = limits.columns(base.facility).values()
        worth[EXCESS] = sum(
            (row[f"was_{n}"] * row["was_rate"] - row[f"is_{n}"] * row["is_rate"] for n in excess), Decimal(0)
        )
        term = max(worth, key=lambda name: abs(worth[name]))
        usd = {f"{side}_usd": rounded(row[side] / 100, 2) for side in ("before", "after")}
        rows.append({"loan_id": row["loan_id"], "term": term, "line": row["fell_by"] if term == FELL else None, **usd,
                     "change_usd": usd["after_usd"] - usd["before_usd"]})  # fmt: skip
    return list(enumerate(rows, start=1))
