"""What holds for every book, however it is drawn: the same examples every time, and more with ABACO_EXAMPLES."""

import os
from decimal import Decimal

import narwhals as nw
import polars as pl
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from abaco.ingest.balances import from_par
from abaco.ingest.columns import BUCKETS
from abaco.ingest.lateness import DAYS, par_balance
from abaco.kpis import bridge, catalog, measures, values
from abaco.kpis.book import Book
from abaco.kpis.totals import totals

from .books import book as written_book
from .moving import DECEMBER, NOVEMBER, dates_of, loan_tape

settings.register_profile(
    "bounded", max_examples=int(os.environ.get("ABACO_EXAMPLES", "15")), derandomize=True, deadline=None, database=None
)
settings.load_profile("bounded")

PAR = {name: kpi for name, kpi in catalog.load().items() if name in ("PAR7", "PAR30", "PAR60", "PAR90")}
MOVING = ("WriteOffRate", "MonthlyDefaultRate", "RecoveryRate", "CureRate", "RollRate30")
RATIOS = PAR | {name: kpi for name, kpi in catalog.load().items() if name in MOVING}
SUMS = PAR | {name: kpi for name, kpi in catalog.load().items() if name in ("Outstanding", "WrittenOff")}
PAYMENTS = ["month_paid_usd", "month_due_usd", "month_principal_on_time_usd", "month_prepaid_usd", "year_principal_usd"]
cents = st.integers(0, 5_000_000).map(lambda cents: Decimal(cents) / 100)
# what a loan owes, since how many days, and what of it is written off; or no row
state = st.none() | st.tuples(cents, st.sampled_from([0, 7, 30, 60, 90]), cents)
loans = st.lists(st.tuples(state, state), min_size=1, max_size=8)


def lazy(table):
    return nw.from_native(pl.from_arrow(table).lazy())


def lines(states, factor=1):
    """Write out loans at two month-ends, all amounts times a factor."""
    rows = ["date loan owes written_off"]
    for i, ends in enumerate(states):
        for day, end in zip((NOVEMBER, DECEMBER), ends, strict=True):
            if end:
                owed, days, off = end
                rows.append(f"{day} A-{i} {f'{owed * factor:.2f}@{days}' if owed else '-'} {off * factor:.2f}")
    return "\n".join(rows)


def book_of(text):
    tape = loan_tape(text)
    days = dates_of(text)
    return Book(lazy(tape), days, days[-1])


def kpis(book, definitions=PAR):
    """Return the KPIs of a book's last date."""
    found = values.evaluate(definitions, measures.measure(book, catalog.measures(definitions))[book.date], book.date)
    return {name: entry["value"] for name, entry in found.items()}


def with_december(states):
    """Return loans of which one at least has a row in December."""
    return [*states, ((Decimal("10.00"), 0, Decimal(0)),) * 2]


@given(loans)
def test_later_is_never_more_than_earlier(states):
    found = kpis(book_of(lines(with_december(states))))
    assert 100 >= found["PAR7"] >= found["PAR30"] >= found["PAR60"] >= found["PAR90"] >= 0


@given(st.lists(st.tuples(*[cents.map(lambda usd: usd - 1000)] * 5), min_size=1, max_size=8))
def test_buckets_of_cumulative_balances_add_up(rows):
    names = ("outstanding_balance_usd", *map(par_balance, DAYS))
    table = pa.table({n: pa.array([row[i] for row in rows], pa.decimal128(18, 2)) for i, n in enumerate(names)})
    made = from_par(set(names), ())
    tape = lazy(table).select(**{n: made[n] for n in ("total_receivable_usd", *BUCKETS)}).collect().rows(named=True)
    assert [sum(row[b] for b in BUCKETS) for row in tape] == [row["total_receivable_usd"] for row in tape]
    assert min(row[b] for row in tape for b in BUCKETS) >= 0


@given(loans, st.sampled_from([2, 10, 1000]))
def test_scaling_all_amounts_changes_no_ratio(states, factor):
    once, scaled = (kpis(book_of(lines(with_december(states), by)), RATIOS) for by in (1, factor))
    assert scaled == once


@given(loans, cents)
def test_further_current_loan_raises_no_par(states, owed):
    before = with_december(states)
    more = [*before, ((owed + 1, 0, Decimal(0)),) * 2]
    less, after = (kpis(book_of(lines(found))) for found in (before, more))
    assert all(after[name] <= less[name] for name in PAR)


@given(loans, st.integers(0, 100))
def test_splitting_a_loan_in_two_changes_no_ratio(states, share):
    whole = with_december(states)
    first, *others = whole

    def part(of):
        return tuple(end and ((end[0] * of).quantize(Decimal("0.01")), end[1], (end[2] * of).quantize(Decimal("0.01")))
                     for end in first)  # fmt: skip

    one = part(Decimal(share) / 100)
    rest = tuple(end and (end[0] - a[0], end[1], end[2] - a[2]) for end, a in zip(first, one, strict=True))
    split, once = (kpis(book_of(lines(found)), SUMS) for found in ([*others, one, rest], [*others, first]))
    assert split == once


@given(loans)
def test_bridge_sums_to_the_change(states):
    text = lines(with_december(states))
    book = book_of(text)
    sums = totals(book.tape, ["total_receivable_usd", *BUCKETS])
    assert bridge.gaps(bridge.bridges(PAR, book, sums).to_pylist(), PAR, sums) == []


flows = st.lists(st.tuples(st.integers(1, 12), st.integers(1, 28), st.integers(2, 900)), min_size=1, max_size=6)


@given(flows, flows, st.integers(1, 99))
def test_splitting_a_payment_in_two_changes_nothing(due, paid, share):
    def flow(heads, rest, rows):
        cells = (f"L1  2025-{m:02}-{d:02}  {principal:.2f}  0.00  0.00  0.00  0.00{rest}" for m, d, principal in rows)
        return "\n".join([f"loan_id  {heads[0]}  principal  interest  fees  other  to_tax{heads[1]}", *cells])

    def sums(payments):
        tables = {
            "schedules": flow(("date_due", ""), "", [(1, 1, 1), *due]),
            "transactions": flow(("date_paid", "  transaction_type"), "  PAYMENT", [(1, 1, 1), *payments]),
            "loans": "loan_id  disburse_date  disburse_principal  interest_rate\nL1  2024-12-01  1000.00  0.24",
        }
        tape = "measurement_date  loan_id  total_receivable_usd\n2025-11-30  L1  50.00\n2025-12-31  L1  50.00"
        total = measures.measure(book := written_book(lazy, tape, **tables), PAYMENTS)[book.date]
        return total.sums, {name: str(reason) for name, reason in total.reasons.items()}

    (month, day, principal), *others = paid
    part = (Decimal(principal) * share / 100).quantize(Decimal("0.01"))
    assert sums([*others, (month, day, part), (month, day, principal - part)]) == sums(paid)
