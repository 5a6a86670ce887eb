"""What holds for every book, however it is drawn: the same examples every time, and more with ABACO_EXAMPLES."""

import os
from decimal import Decimal

import narwhals as nw
import polars as pl
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from abaco.ingest.balances import from_par, owed_balances
from abaco.ingest.columns import BUCKETS
from abaco.ingest.formats import PAR as PAR_BALANCES
from abaco.ingest.lateness import DAYS, par_balance
from abaco.kpis import bridge, catalog, measures, values
from abaco.kpis.book import Book
from abaco.kpis.facilities import availability
from abaco.kpis.totals import totals

from . import pledged
from .books import book as written_book
from .moving import DECEMBER, NOVEMBER, dates_of, loan_tape

EXAMPLES = int(os.environ.get("ABACO_EXAMPLES", "15"))
settings.register_profile("bounded", max_examples=EXAMPLES, derandomize=True, deadline=None, database=None)
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
    rows = lazy(table).with_columns(owed_balances(PAR_BALANCES, set(names)))
    tape = rows.select(**{n: made[n] for n in ("total_receivable_usd", *BUCKETS)}).collect().rows(named=True)
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


# what a loan owes, its days past due, its borrower, its region, and on what day of November it was lent
pledge = st.tuples(
    cents, st.sampled_from([0, 60, 61, None]), st.integers(1, 3), st.sampled_from("NS"), st.integers(1, 9)
)
LIMITED = {
    "eligibility": {"late": {"column": "days_past_due", "at_most": 60}}, "advance_rate": 85,
    "limits": {
        "one": {"column": "borrower", "at_most_pct": 40},
        "north": {"column": "region", "one_of": ["N"], "at_most_pct": 60},
    },
}  # fmt: skip


def pledged_tape(pledges):
    rows = [
        f"{DECEMBER}  A-{n}  {owed}  {'-' if late is None else late}  {region}  2025-11-{day:02}  0.00"
        for n, (owed, late, _, region, day) in enumerate(pledges, start=1)
    ]
    heads = "measurement_date  loan_id  total_receivable_usd  days_past_due  region  disbursed_on  written_off_usd"
    return "\n".join([heads, *rows, f"{DECEMBER}  LAST  10.00  0  S  2025-11-30  0.00"])


def borrowers_of(pledges):
    return {f"A-{n}": borrower for n, (_, _, borrower, _, _) in enumerate(pledges, start=1)}


@settings(max_examples=EXAMPLES // 3)
@given(st.lists(pledge, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_pool_is_its_parts_whatever_the_order_of_its_rows(embedded, pledges, random):
    text = pledged_tape(pledges)
    head, *rows = text.splitlines()
    random.shuffle(rows)
    by = borrowers_of(pledges)
    with pledged.based(embedded, pledged.terms(**LIMITED), loans=text, borrowers=by) as base:
        sums, once = pledged.amounts(base), pledged.loans(base)
    with pledged.based(embedded, pledged.terms(**LIMITED), loans="\n".join([head, *rows]), borrowers=by) as base:
        assert (pledged.amounts(base), pledged.loans(base)) == (sums, once)
    assert sums["pool"] == sums["ineligible"] + sums["excess"] + sums["net_eligible"]
    assert sums["eligible"] == sum(
        row["excess_usd"] + row["net_eligible_usd"] for row in once.values() if row["is_eligible"]
    )


@settings(max_examples=EXAMPLES // 3)
@given(st.lists(pledge, min_size=1, max_size=6), cents)
def test_one_more_eligible_loan_adds_what_is_not_its_excess(embedded, pledges, owed):
    by = borrowers_of(pledges)
    before = pledged_tape(pledges)
    with pledged.based(embedded, pledged.terms(**LIMITED), loans=before, borrowers=by) as base:
        less = pledged.amounts(base)
    more = f"{before}\n{DECEMBER}  MORE  {owed + 1}  0  N  2025-12-31  0.00"
    with pledged.based(embedded, pledged.terms(**LIMITED), loans=more, borrowers=by | {"MORE": 1}) as base:
        after = pledged.amounts(base)
    assert after["net_eligible"] >= less["net_eligible"] - max(after["excess"] - less["excess"], Decimal(0))
    assert after["net_eligible"] >= less["net_eligible"]  # it is the last one lent
    assert after["eligible"] == less["eligible"] + owed + 1


@settings(max_examples=EXAMPLES // 3)
@given(st.lists(st.tuples(st.none() | pledge, st.none() | pledge), min_size=1, max_size=6))
def test_bridge_of_availability_sums_to_the_change(embedded, ends):
    lines = ["measurement_date  loan_id  total_receivable_usd  days_past_due  region  disbursed_on  written_off_usd"]
    for n, both in enumerate(ends, start=1):
        for day, end in zip((NOVEMBER, DECEMBER), both, strict=True):
            if end:
                owed, late, _, region, lent = end
                off = f"{owed / 2:.2f}" if lent > 7 else "0.00"
                lines.append(
                    f"{day}  A-{n}  {owed}  {'-' if late is None else late}  {region}  2025-11-{lent:02}  {off}"
                )
    lines += [f"{day}  LAST  10.00  0  S  2025-11-01  0.00" for day in (NOVEMBER, DECEMBER)]
    by = {"LAST": 3} | {f"A-{n}": (n % 2) + 1 for n in range(len(ends) + 1)}
    with pledged.based(embedded, pledged.terms(**LIMITED), loans="\n".join(lines), borrowers=by) as base:
        opening, *steps, closing = availability.bridges([base], DECEMBER).to_pylist()
        of_loans = availability.largest([base], DECEMBER, None, limit=100).to_pylist()
    assert sum(step["amount_usd"] for step in steps) == closing["amount_usd"] - opening["amount_usd"]
    moved = sum(step["amount_usd"] for step in steps if step["term"] in (*availability.OF_LOANS, availability.ROUNDING))
    assert abs(sum(row["change_usd"] for row in of_loans) - moved) <= Decimal("0.02") * (len(of_loans) + 1)
