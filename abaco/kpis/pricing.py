"""Contract rates of the book with and without fees, whichever of the two the contracts state."""

import datetime as dt
from collections.abc import Collection, Mapping
from decimal import Decimal

import narwhals as nw

from abaco.core.decimals import rounded, whole_cents
from abaco.core.errors import NotComputableError
from abaco.core.reasons import Reason
from abaco.kpis.book import Book
from abaco.kpis.totals import Measure, Totals, totals

PARTS = "the loans export, with interest_rate, total_interest, total_fees and term"
MEASURES = {
    "rate_with_fees_weighted_usd": Measure("the interest and fees of a year on the outstanding balance", PARTS),
    "rate_without_fees_weighted_usd": Measure("the interest of a year on the outstanding balance, without fees", PARTS),
    "rate_parts_usd": Measure("the outstanding balance of loans whose rate is known with and without fees", PARTS),
}
COLUMNS = ("interest_rate", "total_interest", "total_fees", "disburse_principal", "term")
YEARS = (360, 365)  # days of a year by which contracts annualise
TOLERANCE = 0.001  # of a rate, which exports round to three places or more
PROVEN, LEAST = Decimal("0.95"), Decimal("0.25")  # of what can be told, and of all that has fees
MILLION = 1_000_000


def holds_fees(book: Book) -> bool:
    """Return whether the contract rates of the loans hold their fees.

    They do where interest and fees over principal, annualised by the term, equal the rate, and do not where interest
    alone does. Loans that pay off in instalments equal neither and tell nothing.

    Raises
    ------
    NotComputableError
        When the loans export lacks a column for it, or its loans do not tell.
    """
    loans = book.export("loans")
    if loans is None or not set(COLUMNS) <= set(loans.collect_schema().names()):
        raise NotComputableError("not_given", what=(MEASURES["rate_parts_usd"].title,))
    # a comparison, no amount: floating point will do
    rate, interest, fees, principal, term = (nw.col(name).cast(nw.Float64()) for name in COLUMNS)
    with_fees, without = (_equals(rate, part / principal / term) for part in (interest + fees, interest))
    usd = nw.col("disburse_principal")
    told = loans.filter((nw.col("total_fees") > 0) & (usd > 0) & (nw.col("term") > 0)).select(
        every=usd, with_fees=nw.when(with_fees & ~without).then(usd), without=nw.when(without & ~with_fees).then(usd)
    )
    row = told.select(nw.col("every", "with_fees", "without").sum()).collect("pyarrow").to_native().to_pylist()[0]
    every, held, bare = (Decimal(row[name] or 0) for name in ("every", "with_fees", "without"))
    if not every or max(held, bare) < LEAST * every or max(held, bare) < PROVEN * (held + bare):
        raise NotComputableError("rate_basis_unknown")
    return held > bare


def _equals(rate: nw.Expr, daily: nw.Expr) -> nw.Expr:
    near = [(rate - daily * days).abs() <= TOLERANCE for days in YEARS]
    return near[0] | near[1]


def measure(book: Book, names: Collection[str], _: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return the named measures on every date of the tape, from one join of it with the loans export."""
    try:
        is_held = book.cached(holds_fees)
    except NotComputableError as error:
        return {day: Totals(0, dict.fromkeys(names), {}, dict.fromkeys(names, error.reason)) for day in book.dates}
    interest, both = whole_cents("total_interest"), whole_cents("total_interest") + whole_cents("total_fees")
    rate = (nw.col("interest_rate") * MILLION).cast(nw.Int64())
    part, whole = (interest, both) if is_held else (both, interest)
    loans = book.export("loans").select("loan_id", stated=rate, part=part, whole=nw.when(whole > 0).then(whole))
    rates = _with_other(loans).select("loan_id", "stated", "other")
    balance = nw.col("total_receivable_usd")
    owed = book.tape.lazy().filter(balance > 0).select("measurement_date", "loan_id", "total_receivable_usd")
    rows = owed.join(rates, on="loan_id", how="inner").filter(~nw.col("other").is_null())
    stated, other = (balance * nw.col(name) for name in ("stated", "other"))
    weights = (stated, other) if is_held else (other, stated)
    columns = dict(zip(MEASURES, (*weights, balance), strict=True))
    found = totals(rows.select("measurement_date", **{name: columns[name] for name in names}), names)
    return {day: _in_usd(found.get(day), names) for day in book.dates}


def _with_other(rows: nw.LazyFrame) -> nw.LazyFrame:
    """Add ``other``, the whole part of ``stated * part / whole``: what binary division misses it by is put right."""
    rate, part, whole = (nw.col(name) for name in ("stated", "part", "whole"))
    near = (rate.cast(nw.Float64()) * (part.cast(nw.Float64()) / whole.cast(nw.Float64()))).floor().cast(nw.Int64())
    rows = rows.with_columns(near=near)
    exact = {name: nw.col(name).cast(nw.Decimal(19, 0)) for name in ("stated", "near", "part", "whole")}
    rate, near = (exact[name].cast(nw.Decimal(10, 0)) for name in ("stated", "near"))
    part, whole = exact["part"], exact["whole"]
    rest = rate * part - near * whole
    missed = (rest >= whole).cast(nw.Int64()) - (rest < 0).cast(nw.Int64())
    return rows.with_columns(other=nw.col("near") + missed)


def _in_usd(total: Totals | None, names: Collection[str]) -> Totals:
    if total is None:
        return Totals(0, dict.fromkeys(names), dict.fromkeys(names, 0))
    scale = {name: 1 if name == "rate_parts_usd" else MILLION for name in names}
    sums = {name: None if usd is None else rounded(usd / scale[name], 2) for name, usd in total.sums.items()}
    return Totals(total.rows, sums, total.counts)


def basis_note(book: Book) -> Reason | None:
    """Return that the contract rates hold fees, for those who compare them with rates that were paid; None if not."""
    try:
        return Reason("rates_hold_fees") if book.cached(holds_fees) else None
    except NotComputableError:
        return None
