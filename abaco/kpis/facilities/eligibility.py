"""The pool of a facility: the pledged loans of every date, and the reasons for which some are not eligible."""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import narwhals as nw

from abaco.core.errors import InputError
from abaco.core.tables import DATE, FLAG, TEXT, Field, Table
from abaco.ingest.columns import ZERO
from abaco.ingest.formats import LOANS
from abaco.ingest.staging import TAPE
from abaco.kpis.book import Book
from abaco.kpis.facilities.conditions import OBLIGORS, SPANS, Condition, Criterion, kind_of, plain
from abaco.kpis.facilities.facility import Facility

AMOUNT = "decimal(18, 2)"
TABLE = Table(
    "eligibility",
    "one row per facility and pledged loan with a balance on the measurement date",
    (
        Field("date", DATE, "the measurement date"),
        Field("facility", TEXT, "the facility's key"),
        Field("loan_id", TEXT, "the loan's number"),
        Field("balance_usd", AMOUNT, "the outstanding balance", "USD"),
        Field("is_eligible", FLAG, "whether the loan meets every criterion"),
        Field("reason", TEXT, "the first criterion that it fails, in the order of the facility"),
        Field("reasons", TEXT, "all criteria that it fails, joined by “; ”"),
        Field("excess_usd", AMOUNT, "the part of its balance that is above a concentration limit", "USD"),
        Field("limits", TEXT, "the limits that it is above of, joined by “; ”"),
        Field("net_eligible_usd", AMOUNT, "what is left of its balance: eligible, and within the limits", "USD"),
        Field("advance_class", TEXT, "its value in the column by which advance rates differ"),
    ),
)
# The columns of a pool, beside those that limits read, and one for the excess of each limit.
KEYS = ("measurement_date", "loan_id")
FIRST_DAY = dt.date(1900, 1, 1)  # stands for an unknown day of disbursement


def pool(key: str, facility: Facility, book: Book) -> nw.LazyFrame:
    """Return the pledged loans of a facility, one row per loan and date of the book.

    Returns
    -------
    narwhals.LazyFrame
        ``balance``, ``written_off``, the first ``reason`` for which a loan is not eligible (null if it is), whether it
        fails each criterion (see `failures`), ``left``, the eligible balance, ``advance_class``, ``lent_on``, its
        `OBLIGORS` and the columns that limits read. Loans without a balance are there if something is written off of
        them.
    """
    rows = pledged(key, facility, book.tape.lazy().filter(nw.col("measurement_date").is_in(book.dates)))
    owing = book.export("obligors")
    read = set().union(*(criterion.columns for criterion in facility.eligibility.values()))
    is_early = bool(read & set(OBLIGORS))  # by default they are joined with the few columns that are left
    rows = rows.join(owing, on=list(KEYS), how="left") if is_early else rows
    fails = failures(facility)
    reason = nw.lit(None).cast(nw.String())
    for name, failed in reversed(fails.items()):
        reason = nw.when(nw.col(failed)).then(nw.lit(name)).otherwise(reason)
    read = sorted(set().union(*(limit.columns for limit in facility.limits.values())) - set(OBLIGORS))
    spans = [name for pair in (SPANS[c] for c in read if c in SPANS) for name in pair if name]
    column = facility.advance_rate.column
    own = {
        "advance_class": nw.col(column) if column else nw.lit(None).cast(nw.String()),
        "lent_on": nw.coalesce("disbursed_on", nw.lit(FIRST_DAY)),
        "balance": nw.col("total_receivable_usd"),
        "written_off": nw.coalesce("written_off_usd", ZERO),
    } | {failed: ~meets(facility.eligibility[name]) for name, failed in fails.items()}
    beside = dict.fromkeys([*(c for c in read if c not in SPANS), *spans, *(OBLIGORS if is_early else ())])
    rows = rows.with_columns(**own).select(*KEYS, *own, *(name for name in beside if name not in (*KEYS, *own)))
    rows = rows if is_early else rows.join(owing, on=list(KEYS), how="left")
    rows = rows.with_columns(reason=reason)
    left = nw.when(nw.col("reason").is_null()).then(nw.col("balance")).otherwise(ZERO)
    return rows.with_columns(left=left.cast(nw.Decimal(18, 2)))


def failures(facility: Facility) -> dict[str, str]:
    """Return the column of a pool that says whether a loan fails each criterion."""
    return {name: f"fails_{place}" for place, name in enumerate(facility.eligibility)}


def pledged(key: str, facility: Facility, tape: nw.LazyFrame) -> nw.LazyFrame:
    """Return the rows of a tape that are pledged to a facility, and have or had a balance."""
    has_balance = (nw.col("total_receivable_usd") > 0) | (nw.col("written_off_usd") > 0)
    return tape.filter(has_balance & is_pledged(key, facility))


def is_pledged(key: str, facility: Facility) -> nw.Expr:
    """Return whether a loan is pledged to a facility on a date."""
    if facility.pledged == "all":
        return ~nw.col("measurement_date").is_null()  # rows cannot be filtered by a literal alone
    day = nw.col("pledge_date")
    is_named = _text("facility").is_in(sorted(facility.names(key)))
    return is_named & (day.is_null() | (day <= nw.col("measurement_date")))


def meets(criterion: Criterion | Condition) -> nw.Expr:
    """Return whether a loan meets a criterion, true or false; where its column is empty it does not."""
    met = _met(criterion)
    when = criterion.when if isinstance(criterion, Criterion) else None
    if when is None:
        return met
    # it need not be met by loans that `when` is known not to be true of
    return met | (_known(when) & ~_met(when))


def _met(condition: Condition) -> nw.Expr:
    if condition.present is not None:
        known = _known(condition)
        return known if condition.present else ~known
    if condition.holds is not None:
        holds = nw.col(condition.column)
        return (holds if condition.holds else ~holds).fill_null(False)
    parts = []
    if condition.at_most is not None:
        parts.append(_compared(condition.column, condition.at_most, is_most=True))
    if condition.at_least is not None:
        parts.append(_compared(condition.column, condition.at_least, is_most=False))
    if condition.one_of is not None:
        parts.append(_text(condition.column).is_in([plain(word) for word in condition.one_of]))
    if condition.none_of is not None:
        parts.append(~_text(condition.column).is_in([plain(word) for word in condition.none_of]))
    met = parts[0]
    for part in parts[1:]:
        met = met & part
    return met.fill_null(False)


def _known(condition: Condition) -> nw.Expr:
    """Return whether the column of a condition has a value: a blank is none."""
    if condition.column in SPANS:
        return ~nw.col(next(name for name in SPANS[condition.column] if name)).is_null()
    column = nw.col(condition.column)
    is_text = kind_of(condition.column) == "text"
    return (_text(condition.column) != "").fill_null(False) if is_text else ~column.is_null()


def _compared(name: str, bound: Decimal | dt.date, is_most: bool) -> nw.Expr:
    if name in SPANS:  # engines have no common difference of dates
        first, last = (nw.col(column or "measurement_date") for column in SPANS[name])
        reached = first.dt.offset_by(f"{int(bound)}d").cast(nw.Date())
        return last <= reached if is_most else last >= reached
    value = nw.col(name)
    limit = int(bound) if kind_of(name) == "days" else bound
    return value <= nw.lit(limit) if is_most else value >= nw.lit(limit)


def _text(name: str) -> nw.Expr:
    return nw.col(name).str.strip_chars().str.to_lowercase()


def check(key: str, facility: Facility, book: Book, formats: Iterable[str], currency: str) -> None:
    """Check that the book has what a facility reads of its loans.

    Parameters
    ----------
    formats
        Titles of the formats that loans come from.
    currency
        The currency of the report.

    Raises
    ------
    InputError
        Naming the facility, the key, and the formats and column in question.
    """
    if facility.currency != currency:
        raise InputError(
            f"Facility {key} is in {facility.currency}, and the report in {currency}: set run.currency to "
            f"{facility.currency}, and add a table of exchange rates if the exports are in another"
        )
    whole = book.tape.lazy().filter(nw.col("measurement_date") == book.date)
    places = _places(facility)
    rows = pledged(key, facility, whole)
    known = _counts(rows, {*(name for names in places.values() for name in names)} - set(OBLIGORS))
    if facility.counts_obligors:
        owing = book.export("obligors").filter(nw.col("measurement_date") == book.date)
        known |= {name: count for name, count in _counts(owing, OBLIGORS).items() if name != "rows"}
    named = " and ".join(dict.fromkeys(formats))
    is_open = nw.col("measurement_date").is_between(facility.begins, facility.ends)
    numbered = _counts(pledged(key, facility, book.tape.lazy().filter(is_open)), ["loan_id"])
    if numbered["loan_id"] < numbered["rows"]:
        raise InputError(f"Facility {key} needs the number of each loan, and {named} lack some: add loan_id")
    if not known["rows"] and facility.pledged == "by_column":
        places, known = {"pledged": ["facility"]}, _counts(whole, ["facility"])
    lacking = [(place, name) for place, names in places.items() for name in names if not known[name]]
    if lacking and known["rows"]:
        place, name = lacking[0]
        raise InputError(
            f"Facility {key}, {place}: no loan of {book.date} has {name} in {named}: add the column to the exports, or "
            "change the facility"
        )


def _places(facility: Facility) -> dict[str, list[str]]:
    """Return the columns that each part of a facility reads."""
    read = {f"eligibility.{name}": criterion.columns for name, criterion in facility.eligibility.items()}
    read |= {f"limits.{name}": limit.columns for name, limit in facility.limits.items()}
    read["advance_rate"] = {facility.advance_rate.column} - {None}
    return {place: [n for c in sorted(columns) for n in SPANS.get(c, (c,)) if n] for place, columns in read.items()}


def _counts(rows: nw.LazyFrame, columns: Iterable[str]) -> dict[str, int]:
    counts = [nw.col(name).count().alias(name) for name in columns]
    return rows.select(nw.len().alias("rows"), *counts).collect("pyarrow").to_native().to_pylist()[0]


def formats(inputs: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the titles of the formats that the loans of a report come from.

    Parameters
    ----------
    inputs
        The input files, see `roles.inputs`.
    """
    return sorted({entry["format"] for entry in inputs if entry["used_for"] in (TAPE, LOANS.purpose)})
