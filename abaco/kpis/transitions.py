"""Transitions of the loans between two dates of the tape, added up by opening and closing state."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import narwhals as nw

from abaco.ingest.columns import BUCKET_NAMES, BUCKETS, ZERO
from abaco.kpis.absences import GONE, REJECTED, absences
from abaco.kpis.book import Book, openings
from abaco.kpis.buckets import Buckets

Pair = tuple[dt.date, dt.date]  # the later date and the earlier one
WRITTEN_OFF, NEW, PAID = "written off", "new", "paid"
LATENESS = tuple(BUCKET_NAMES.values())
OPENING = (*LATENESS, WRITTEN_OFF, NEW, REJECTED)
CLOSING = (*LATENESS, WRITTEN_OFF, PAID, REJECTED, GONE)
_WRITTEN_OFF, _NOTHING, _REJECTED, _GONE = range(len(BUCKETS), len(BUCKETS) + 4)
AT_RISK_DAYS = (30, 90)
WHOLE = Buckets()


@dataclass(frozen=True)
class Transition:
    """The loans that went from one state to another between two dates.

    Parameters
    ----------
    opening, closing
        States, of `OPENING` and `CLOSING`: the latest aging bucket with a balance, or why there is none.
    loans
        How many; those that owe nothing on both dates are among them.
    usd
        Sums by name: ``opening``, ``closing`` (balances), ``restructured`` (the opening balances of loans that were
        restructured since), ``opening_written_off``, ``risen``, ``fallen`` (written-off
        balance), and for each number of days, ``rise_30`` say, by how much what is at risk of each loan rose and fell,
        and how much of the fall was ``written`` off, or ``cured``: still owed, and at risk no more; and of the rise
        ``reversed`` from a write-off.
    knows_written_off
        Both dates say what is written off; else a loan that was written off looks ``paid``.
    """

    opening: str
    closing: str
    loans: int
    usd: Mapping[str, Decimal]
    knows_written_off: bool = True


def book_transitions(book: Book) -> dict[Pair, list[Transition]]:
    """Return the transitions to every date from the month before it, and from the date before it, in one go."""
    neighbours = ((date, against) for against, date in pairwise(book.dates))
    pairs = [*neighbours, *openings(book.dates).items()]
    found = find_transitions(book.tape, pairs, absent=book.cached(absences), buckets=book.buckets)
    for pair in (pair for pair in found if any("written_off_usd" in book.unread_of_tape(day) for day in pair)):
        found[pair] = [replace(one, knows_written_off=False) for one in found[pair]]
    return found


def find_transitions(
    tape: nw.LazyFrame,
    pairs: Iterable[Pair],
    days: Sequence[int] = AT_RISK_DAYS,
    absent: nw.LazyFrame | None = None,
    buckets: Buckets = WHOLE,
) -> dict[Pair, list[Transition]]:
    """Return the transitions of the loans between each pair of dates, in the order of the states.

    Parameters
    ----------
    tape
        One row per loan and date.
    pairs
        The later date and the earlier one. Pairs of neighbours take one join of the tape with itself, all together.
    days
        Days past due from which a balance is at risk.
    absent
        The loans whose row a date lacks (see `absences.absences`); without them a loan without a row looks ``paid``.
    buckets
        The buckets that the tape can tell apart: two that it cannot are one state, under the name of the first.

    Returns
    -------
    dict
        Transitions by pair; a pair of which a date has no loan ids is left out.
    """
    found: dict[Pair, list[dict[str, Any]]] = {}
    for onward in rounds(pairs):
        moved = moves(tape, onward, days, absent=absent, buckets=buckets).group_by(
            "date", "opening_state", "closing_state"
        )
        sums = moved.agg(
            nw.len().alias("loans"),
            *(nw.col(f"{side}_state").count().alias(f"{side}_rows") for side in ("was", "is")),
            *(nw.col(f"{side}_written_off").count().alias(f"{side}_known") for side in ("was", "is")),
            *(nw.col(name).sum() for name in _amounts(days)),
        )
        against = {date: former for former, date in onward.items()}
        for row in sums.collect("pyarrow").to_native().to_pylist():
            found.setdefault((row["date"], against[row["date"]]), []).append(row)
    whole = {pair: rows for pair, rows in found.items() if _sum(rows, "was_rows") and _sum(rows, "is_rows")}
    return {pair: _transitions(rows, days) for pair, rows in sorted(whole.items())}


def rounds(pairs: Iterable[Pair]) -> list[dict[dt.date, dt.date]]:
    """Return the later date by the earlier one, as often as it takes for each date to come once on either side.

    Examples
    --------
    >>> january, february, march = (dt.date(2025, month, 1) for month in (1, 2, 3))
    >>> len(rounds([(february, january), (march, february)])), len(rounds([(february, january), (march, january)]))
    (1, 2)
    """
    found: list[dict[dt.date, dt.date]] = []
    for date, against in dict.fromkeys(pairs):
        for one in found:
            if against not in one and date not in one.values():
                one[against] = date
                break
        else:
            found.append({against: date})
    return found


def moves(
    tape: nw.LazyFrame,
    onward: Mapping[dt.date, dt.date],
    days: Sequence[int],
    also: Sequence[str] = (),
    absent: nw.LazyFrame | None = None,
    buckets: Buckets = WHOLE,
) -> nw.LazyFrame:
    """Return each loan on both dates, one row per later date and loan; a loan may lack either.

    Parameters
    ----------
    onward
        The later date by the earlier one, each once on either side.
    also
        Further columns of the tape to bring along, of the later date, or of the earlier one if it lacks them.
    absent
        See `find_transitions`.
    """
    date = nw.col("measurement_date")
    to = nw.when(date == (first := min(onward))).then(nw.lit(onward[first]))
    for former in sorted(onward)[1:]:
        to = to.when(date == former).then(nw.lit(onward[former]))
    sides = (
        _side(tape, list(onward), to, "was", days, also, absent, buckets),
        _side(tape, list(onward.values()), date, "is", days, also, absent, buckets),
    )
    keys = ["date", "loan_id"]
    left, right = ([f"{side}_{key}" for key in keys] for side in ("was", "is"))
    joined = sides[0].join(sides[1], how="full", left_on=left, right_on=right)
    balances = [f"{side}_{name}" for side in ("was", "is") for name in ("balance", *(f"late_{k}" for k in days))]
    joined = joined.with_columns(
        *(nw.coalesce(name, ZERO).alias(name) for name in balances),
        *(nw.coalesce(f"{side}_written_off", ZERO).alias(f"{side}_off") for side in ("was", "is")),
    )
    merged = [nw.coalesce(f"is_{name}", f"was_{name}").alias(name) for name in (*keys, *also)]
    ends = [f"{side}_{name}" for side in ("was", "is") for name in ("state", "written_off")]
    return joined.select(*merged, *ends, *_states(), *_balances(), *(e for k in days for e in _at_risk(k)))


def _side(
    tape: nw.LazyFrame,
    dates: list[dt.date],
    date: nw.Expr,
    side: str,
    days: Sequence[int],
    also: Sequence[str],
    absent: nw.LazyFrame | None,
    buckets: Buckets,
) -> nw.LazyFrame:
    state = nw
    for i, reached in reversed(buckets.reached().items()):
        state = state.when(reached > 0).then(nw.lit(i))
    state = state.when((nw.col(BUCKETS[0]) > 0) | (nw.col("total_receivable_usd") > 0)).then(nw.lit(0))
    state = state.when(nw.col("written_off_usd") > 0).then(nw.lit(_WRITTEN_OFF)).otherwise(nw.lit(_NOTHING))
    columns = {"date": date, "loan_id": nw.col("loan_id"), "state": state}
    columns |= {"balance": nw.col("total_receivable_usd"), "written_off": nw.col("written_off_usd")}
    for k in days:
        columns[f"late_{k}"] = buckets.late(k)
    columns["restructured"] = nw.col("restructured")
    columns |= {name: nw.col(name) for name in also}
    is_of_dates = nw.col("measurement_date").is_in(dates)
    rows = tape.lazy().filter(~nw.col("loan_id").is_null() & is_of_dates)
    rows = rows.select(made.alias(f"{side}_{name}") for name, made in columns.items())
    if absent is None:
        return rows
    is_rejected = nw.col("absent") == REJECTED
    lacking = absent.filter(is_of_dates if side == "is" else is_of_dates & is_rejected).select(
        date.alias(f"{side}_date"),
        nw.col("loan_id").alias(f"{side}_loan_id"),
        nw.when(is_rejected).then(nw.lit(_REJECTED)).otherwise(nw.lit(_GONE)).alias(f"{side}_state"),
    )
    return nw.concat([rows, lacking], how="diagonal")


def _states() -> list[nw.Expr]:
    was, now = nw.col("was_state"), nw.col("is_state")
    rose = nw.col("is_off") > nw.col("was_off")
    gone = nw.when(rose).then(nw.lit(_WRITTEN_OFF)).otherwise(nw.lit(_NOTHING))
    is_known = (now < _WRITTEN_OFF) | (now > _NOTHING)
    return [
        nw.coalesce(was, nw.lit(_NOTHING)).alias("opening_state"),
        nw.when(is_known).then(now).otherwise(gone).alias("closing_state"),
    ]


def _balances() -> list[nw.Expr]:
    was, now = nw.col("was_off"), nw.col("is_off")
    return [
        nw.col("was_balance").alias("opening"),
        nw.col("is_balance").alias("closing"),
        nw.when(nw.col("is_restructured") & ~nw.col("was_restructured").fill_null(False))
        .then(nw.col("was_balance"))
        .otherwise(ZERO)
        .alias("restructured"),
        was.alias("opening_written_off"),
        _above(now, was).alias("risen"),
        _above(was, now).alias("fallen"),
    ]


def _at_risk(k: int) -> list[nw.Expr]:
    was, now, off, still = map(nw.col, (f"was_late_{k}", f"is_late_{k}", "was_off", "is_off"))
    rise, fall = _above(now, was), _above(was, now)
    written, owed = _least(fall, _above(still, off)), nw.col("is_balance")
    cured = nw.when(now > 0).then(ZERO).otherwise(_least(fall - written, owed))
    return [
        was.alias(f"before_{k}"),
        now.alias(f"after_{k}"),
        rise.alias(f"rise_{k}"),
        fall.alias(f"fall_{k}"),
        written.alias(f"written_{k}"),
        cured.alias(f"cured_{k}"),
        _least(rise, _above(off, still)).alias(f"reversed_{k}"),
    ]


def _above(one: nw.Expr, other: nw.Expr) -> nw.Expr:
    return nw.when(one > other).then(one - other).otherwise(ZERO)


def _least(one: nw.Expr, other: nw.Expr) -> nw.Expr:
    return nw.when(one < other).then(one).otherwise(other)


def _amounts(days: Sequence[int]) -> list[str]:
    of_days = [f"{name}_{k}" for k in days for name in ("rise", "fall", "written", "cured", "reversed")]
    return ["opening", "closing", "restructured", "opening_written_off", "risen", "fallen", *of_days]


def _sum(rows: Iterable[Mapping[str, Any]], name: str) -> int:
    return sum(row[name] for row in rows)


def _transitions(rows: list[dict[str, Any]], days: Sequence[int]) -> list[Transition]:
    known = bool(_sum(rows, "was_known") and _sum(rows, "is_known"))
    ordered = sorted(rows, key=lambda row: (row["opening_state"], row["closing_state"]))
    return [as_transition(row, days, known) for row in ordered]


def as_transition(row: Mapping[str, Any], days: Sequence[int], knows_written_off: bool) -> Transition:
    """Return a row of sums, or of one loan (see `moves`), as a transition."""
    return Transition(
        OPENING[int(row["opening_state"])],  # pandas makes floats of whole numbers where one is null
        CLOSING[int(row["closing_state"])],
        row.get("loans", 1),
        {name: row[name] for name in _amounts(days)},
        knows_written_off,
    )
