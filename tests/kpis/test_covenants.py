"""Covenants worked out by hand: each level at its edge, cure periods, windows, and the headroom in its three units."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from abaco.core.dates import months_before
from abaco.core.errors import InputError
from abaco.core.parquet import arrow_schema
from abaco.kpis import catalog
from abaco.kpis.facilities.borrowing_base import Base
from abaco.kpis.facilities.covenant import Covenant
from abaco.kpis.facilities.covenants import TABLE, covenant_rows, table
from abaco.kpis.facilities.covenants import covenants as covenants_of
from abaco.kpis.facilities.eligibility import pool
from abaco.kpis.facilities.ratios import of_lines
from abaco.kpis.measures import measure
from abaco.kpis.totals import Totals
from tests.support.tapes import book

from .books import export as written_export
from .pledged import OBLIGORS
from .pledged import terms as terms_of_line

DECEMBER = dt.date(2025, 12, 31)
DEFINITIONS = catalog.load()
LEVELS = {"warning": 3, "trigger": 5, "default": 8}


def arrears(*percents, until=DECEMBER):
    """Return totals by month-end whose PAR90 is so many per cent of 200,000.00, the latest month first."""
    found = {}
    for back, percent in enumerate(percents):
        if percent is not None:
            usd = {"dpd_90_plus_usd": Decimal(percent) * 2000, "total_receivable_usd": Decimal("200000.00")}
            found[months_before(until, back)] = Totals(9, usd, dict.fromkeys(usd, 9))
    return found


def rows(totals, begins=dt.date.min, **terms):
    covenant = Covenant.model_validate({"kpi": "PAR90", **(terms or LEVELS)})
    kpi = covenant.defined("Facility SENIOR, covenants.arrears", DEFINITIONS)
    return covenant_rows(covenant, kpi, DEFINITIONS, totals, begins)


def latest(*percents, **terms):
    return rows(arrears(*percents), **terms)[-1]


# Levels


@pytest.mark.parametrize(
    ("percent", "level"),
    [
        ("3", "ok"),
        ("3.0001", "warning"),
        ("5", "warning"),
        ("5.0001", "trigger"),
        ("8", "trigger"),
        ("8.0001", "default"),
    ],
)
def test_value_exactly_on_a_limit_is_not_yet_past_it(percent, level):
    assert latest(percent)["level"] == level


def test_higher_is_better_turns_the_levels_round():
    terms = {"kpi": "CollectionRate", "warning": 3, "trigger": 2, "default": 1}
    for cash, level in (
        ("3.00", "ok"),
        ("2.99", "warning"),
        ("2.00", "warning"),
        ("1.99", "trigger"),
        ("0.99", "default"),
    ):
        usd = {"cash_available_usd": Decimal(cash), "total_eligible_usd": Decimal(100)}
        (found,) = rows({DECEMBER: Totals(1, usd, {})}, **terms)
        assert (found["level"], found["better"]) == (level, "higher")


def test_covenant_that_cannot_be_computed_has_a_reason_and_no_headroom():
    (found,) = rows({DECEMBER: Totals(1, {}, {})})
    assert (found["value"], found["level"]) == (None, "not_computable")
    assert str(found["reason"]) == "the input does not give balances 90 and more days late on 2025-12-31"
    assert not {"headroom_to", "headroom_usd"} & set(found)


# Cure periods


def test_default_within_its_cure_period_is_curing_up_to_the_last_day():
    """Past 8 since 30 November: 31 days later is 31 December, still within; 30 days are over by then."""
    found = latest("9", "9", "7", cure_days=31, **LEVELS)
    assert (found["level"], found["past_since"], found["cure_until"]) == ("curing", dt.date(2025, 11, 30), DECEMBER)
    assert latest("9", "9", "7", cure_days=30, **LEVELS)["level"] == "default"
    assert latest("9", "7", cure_days=1, **LEVELS)["level"] == "curing"
    assert latest("9", "9")["cure_until"] is None


def test_cured_covenant_begins_a_new_period_when_it_is_past_again():
    found = latest("9", "8", "9", cure_days=31, **LEVELS)
    assert (found["level"], found["past_since"]) == ("curing", DECEMBER)


def test_date_without_a_value_cures_nothing():
    totals = arrears("9", "9", "9")
    totals[dt.date(2025, 11, 30)] = Totals(9, {}, {})
    found = rows(totals, cure_days=45, **LEVELS)
    assert [row["level"] for row in found] == ["curing", "not_computable", "default"]
    assert found[1]["past_since"] == found[2]["past_since"] == dt.date(2025, 10, 31)


def test_cure_period_begins_with_the_facility_at_the_earliest():
    found = rows(arrears("9", "9", "9"), dt.date(2025, 12, 1), cure_days=30, **LEVELS)[-1]
    assert (found["past_since"], found["cure_until"], found["level"]) == (dt.date(2025, 12, 1), DECEMBER, "curing")


# Headroom


def test_headroom_is_to_the_first_contractual_limit_ahead():
    """PAR90 of 4 % is 8,000.00 of 200,000.00; 5 % are 10,000.00. It rose by 1 point in three months: 1/3 a month."""
    found = latest("4", "3.7", "3.3", "3")
    assert (found["headroom_to"], str(found["headroom_points"])) == ("trigger", "1.0000")
    assert (str(found["headroom_usd"]), str(found["headroom_months"])) == ("2000.00", "3.0")


def test_past_the_trigger_headroom_is_to_the_default_and_past_that_below_zero():
    found = latest("6", "6", "6", "5")
    assert (found["headroom_to"], str(found["headroom_usd"]), str(found["headroom_months"])) == (
        "default",
        "4000.00",
        "6.0",
    )
    found = latest("9", "6", "6", "5")
    assert (found["headroom_to"], str(found["headroom_points"]), str(found["headroom_usd"])) == (
        "default", "-1.0000", "-2000.00"
    )  # fmt: skip
    assert found["headroom_months"] is None


def test_warning_counts_only_where_there_is_no_other_level():
    assert latest("2", warning=3)["headroom_to"] == "warning"
    assert latest("4", warning=3)["headroom_to"] == "warning"
    assert latest("2")["headroom_to"] == "trigger"


def test_exactly_on_the_limit_nothing_is_left():
    found = latest("5", "5", "5", "4")
    assert [str(found[f"headroom_{unit}"]) for unit in ("points", "usd", "months")] == ["0.0000", "0.00", "0.0"]


def test_headroom_in_dollars_is_rounded_down_to_the_cent():
    """1/3 % of the book: 5 % of 200,000.00 less 666.666... leaves 9,333.333...; past it, what is missing rounds up."""
    totals = arrears("0")
    totals[DECEMBER].sums["dpd_90_plus_usd"] = Decimal("666.67")
    assert str(rows(totals)[-1]["headroom_usd"]) == "9333.33"
    assert str(rows(totals, trigger=Decimal("0.333333"))[-1]["headroom_usd"]) == "-0.01"


@pytest.mark.parametrize("before", [("4", "4", "4"), ("4", "4", "5"), ("4", "4", None), ()])
def test_no_pace_towards_the_limit_no_months(before):
    assert latest("4", *before)["headroom_months"] is None


def test_headroom_where_higher_is_better_is_what_may_be_missing():
    usd = {"cash_available_usd": Decimal("3.50"), "total_eligible_usd": Decimal(100)}
    (found,) = rows({DECEMBER: Totals(1, usd, {})}, kpi="CollectionRate", default=1)
    assert (str(found["headroom_points"]), str(found["headroom_usd"])) == ("2.50", "2.50")


def test_figure_that_is_no_sum_of_amounts_has_no_headroom_in_dollars():
    sums = {"active_loans": Decimal(90)}
    (found,) = rows({DECEMBER: Totals(1, sums, {})}, kpi="ActiveLoans", better="higher", trigger=80)
    assert (found["level"], str(found["headroom_points"]), found["headroom_usd"]) == ("ok", "10", None)


# Windows


def test_mean_of_three_months_at_its_edge():
    """4, 5 and 6 have a mean of exactly 5. A cent of December above it is past; a third month lacks: unknown."""
    terms = {"window": {"take": "mean", "months": 3}, "trigger": 5}
    found = latest("6", "5", "4", **terms)
    assert (str(found["value"]), found["level"], str(found["headroom_usd"])) == ("5.0000", "ok", "0.00")
    assert latest("6.0003", "5", "4", **terms)["level"] == "trigger"
    assert latest("6", "5", **terms)["level"] == "not_computable"
    assert "no date in 2025-10" in str(latest("6", "5", **terms)["reason"])


def test_mean_of_six_months_at_its_edge():
    terms = {"window": {"take": "mean", "months": 6}, "trigger": 5}
    found = latest("6", *["4.8"] * 5, "99", **terms)
    assert (str(found["value"]), found["level"], str(found["headroom_usd"])) == ("5.0000", "ok", "0.00")
    assert latest("6.0006", *["4.8"] * 5, **terms)["level"] == "trigger"
    assert latest("6", *["4.8"] * 4, **terms)["level"] == "not_computable"


def test_headroom_of_a_mean_is_what_this_month_may_still_change():
    """The mean is 3 and may be 5: December alone may be 6 points higher, 12,000.00 of its 200,000.00."""
    found = latest("3", "3", "3", window={"take": "mean", "months": 3}, trigger=5)
    assert (str(found["headroom_points"]), str(found["headroom_usd"])) == ("2.0000", "12000.00")


def test_sum_of_twelve_months_at_its_edge():
    terms = {"window": {"take": "sum", "months": 12}, "default": 12}
    found = latest(*["1"] * 12, "99", **terms)
    assert (str(found["value"]), found["level"], str(found["headroom_usd"])) == ("12.0000", "ok", "0.00")
    assert latest("1.0001", *["1"] * 11, **terms)["level"] == "default"
    assert latest(*["1"] * 11, **terms)["level"] == "not_computable"


# The table and the terms


def test_table_has_its_schema_and_the_reason_in_words():
    named = {"facility": "SENIOR", "covenant": "arrears"}
    found = table({**named, **row} for row in rows(arrears("4", None, "4")))
    assert found.schema == arrow_schema(TABLE)
    assert found.num_rows == 2
    assert found["measured"][0].as_py() == "PAR90, of the pool"


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({}, "needs a level: add warning, trigger or default"),
        ({"trigger": 5, "warning": 6, "default": 8}, "warning, trigger, default: 6, 5, 8 do not lie in one direction"),
        ({"trigger": 5, "cure_days": 3}, "cure_days applies to the level default, which is missing"),
        ({"trigger": 5, "window": {"take": "mean", "months": 4}}, "Input should be 3, 6 or 12"),
        ({"trigger": "5 %"}, "Input should be"),
        ({"triger": 5}, "Extra inputs are not permitted"),
        ({"line": "drawn", "trigger": 5}, "needs one of kpi, cohorts and line"),
        ({"share_of": "pool", "trigger": 5}, "share_of needs a line"),
        ({"kpi": None, "trigger": 5}, "needs one of kpi, cohorts and line"),
        ({"kpi": None, "line": "drawn", "trigger": 5}, "better: drawn says not which way is better: add better"),
        ({"kpi": None, "line": "pool", "share_of": "pool", "better": "lower", "trigger": 5}, "and another one"),
        ({"kpi": None, "line": "pool", "of": "book", "better": "lower", "trigger": 5}, "of: pool is a line of the"),
        ({"kpi": None, "line": "loans", "better": "lower", "trigger": 5}, "Input should be 'pool', 'ineligible'"),
        (
            {"kpi": None, "cohorts": {"months": 6, "days": 30}, "window": {"take": "sum", "months": 3}, "trigger": 5},
            "window: each quarter of lending is measured once",
        ),
        ({"kpi": None, "cohorts": {"months": 6, "days": 45}, "trigger": 5}, "Input should be 7, 30, 60 or 90"),
        ({"kpi": None, "cohorts": {"months": 6, "days": 30}, "better": "higher", "trigger": 5}, "leave it out"),
    ],
)  # fmt: skip
def test_fault_in_a_covenant_is_named(terms, expected):
    with pytest.raises(ValueError, match=expected):
        Covenant.model_validate({"kpi": "PAR90", **terms})


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({"kpi": "PAR31", "trigger": 5}, ".kpi: PAR31 is not a KPI of params/kpis.yml: write one of PAR30, "),
        ({"kpi": "Outstanding", "trigger": 5}, ": Outstanding says not which way is better: add better: "),
        (
            {"kpi": "PAR90", "trigger": 5, "default": 3},
            ": lower is better, but trigger, default are 5, 3: put the milder",
        ),
    ],
)
def test_covenant_that_does_not_fit_its_kpi_is_one_line(terms, expected):
    with pytest.raises(InputError) as caught:
        Covenant.model_validate(terms).defined("Facility SENIOR, covenants.arrears", DEFINITIONS)
    assert str(caught.value).startswith(f"Facility SENIOR, covenants.arrears{expected}")


# Pool and book


PLEDGED = """
    measurement_date  loan_id  facility  pledge_date  total_receivable_usd  dpd_0_7_usd  dpd_90_plus_usd
    2025-11-30        L1       LINE      2025-01-01   100.00                100.00       0.00
    2025-11-30        L2       line      2025-12-15   300.00                300.00       0.00
    2025-12-31        L1       LINE      2025-01-01   100.00                90.00        10.00
    2025-12-31        L2       line      2025-12-15   300.00                300.00       0.00
    2025-12-31        L3       OTHER     2025-01-01   500.00                0.00         500.00
    2025-12-31        L4       -         -            100.00                10.00        90.00
"""


OWING = [{"measurement_date": DECEMBER, "loan_id": loan, "borrower": one} for loan, one in (("L1", 7), ("L2", 8))]


def opened_book(frame, text, owing=(), lent=()):
    """Return a book with obligors, and the loans export of what was lent."""
    exports = {"obligors": frame(pa.Table.from_pylist(list(owing), OBLIGORS))}
    return book(frame, text, exports=exports | ({"loans": frame(written_export(lent))} if lent else {}))


def base_of(facility, book):
    """Return the pool of LINE, without the lines of its borrowing base."""
    return Base("LINE", facility, pool("LINE", facility, book), {}, {})


def held(frame, text=PLEDGED, pledged="by_column", **covenants):
    """Return the value and the reason of each covenant of LINE by date."""
    opened = opened_book(frame, text, OWING)
    totals = measure(opened, catalog.measures(DEFINITIONS))
    facility = terms_of_line(pledged=pledged, covenants=covenants)
    found = covenants_of([base_of(facility, opened)], DEFINITIONS, opened, totals)
    assert {row["facility"] for row in found} == {"LINE"}
    assert all((row["value"] is None) == bool(row["reason"]) for row in found)
    return [(str(row["date"])[5:], row["value"] if row["value"] is None else str(row["value"])) for row in found]


def test_pool_has_the_loans_that_are_pledged_on_the_date_and_the_book_all(frame):
    """In November L1 alone: 0 of 100. In December L1 and L2: 10 of 400. The book: 600 of 1,000."""
    of_pool = {"kpi": "PAR90", "trigger": 5}
    assert held(frame, arrears=of_pool) == [("11-30", "0.0000"), ("12-31", "2.5000")]
    assert held(frame, arrears=of_pool | {"of": "book"}) == [("11-30", "0.0000"), ("12-31", "60.0000")]


def test_pool_of_which_all_loans_are_pledged_is_the_book(frame):
    assert held(frame, pledged="all", arrears={"kpi": "PAR90", "trigger": 5}) == [
        ("11-30", "0.0000"),
        ("12-31", "60.0000"),
    ]


def test_largest_borrower_of_a_pool_is_of_its_own_loans(frame):
    assert held(frame, largest={"kpi": "TopBorrower", "trigger": 50})[-1] == ("12-31", "75.00")


def test_empty_pool_and_accounts_of_the_lender_are_not_computable(frame):
    empty = PLEDGED.replace("LINE", "OTHER").replace("line", "OTHER")
    assert held(frame, empty, arrears={"kpi": "PAR90", "trigger": 5}) == [("11-30", None), ("12-31", None)]
    assert held(frame, cash={"kpi": "CollectionRate", "trigger": 1})[-1] == ("12-31", None)


# Lines of the borrowing base


def of_line(*days, **terms):
    """Return the rows of a covenant on lines, given the lines of dates as amounts by kind."""
    covenant = Covenant.model_validate({"better": "lower", **terms})
    usd = {
        months_before(DECEMBER, back): [
            {"kind": kind, "amount_usd": amount and Decimal(amount)} for kind, amount in one
        ]
        for back, one in enumerate(days)
    }
    kpi = covenant.defined("Facility LINE, covenants.used", DEFINITIONS)
    return covenant_rows(covenant, kpi, DEFINITIONS, of_lines(covenant, usd))


def test_share_of_a_line_at_its_edge_with_headroom():
    """Excess of two limits, 30.00 and 20.00, is 5 % of 1,000.00; 8 % are 80.00. It was 3.5 % three months before."""
    now = [("pool", "1000.00"), ("excess", "30.00"), ("excess", "20.00")]
    before = [("pool", "1000.00"), ("excess", "35.00")]
    terms = {"line": "excess", "share_of": "pool", "trigger": 5, "default": 8}
    found = of_line(now, now, now, before, **terms)[-1]
    assert (str(found["value"]), found["level"], found["unit"]) == ("5.0000", "ok", "%")
    assert [str(found[f"headroom_{unit}"]) for unit in ("points", "usd", "months")] == ["0.0000", "0.00", "0.0"]
    over = of_line([*now, ("excess", "0.01")], now, now, before, **terms)[-1]
    assert (over["level"], over["headroom_to"], str(over["headroom_usd"])) == ("trigger", "default", "29.99")
    assert str(over["headroom_months"]) == "5.9"  # 2.999 points at 0.5003 a month


def test_line_alone_is_an_amount_and_a_mean_of_months_too():
    days = [[("availability", usd)] for usd in ("100.00", "130.00", "70.00")]
    found = of_line(*days, line="availability", better="higher", trigger=100, default=50)[-1]
    assert (str(found["value"]), found["level"], found["unit"]) == ("100.00", "ok", "USD")
    assert str(found["headroom_usd"]) == "0.00"
    mean = {"window": {"take": "mean", "months": 3}, "line": "availability", "better": "higher", "trigger": 99}
    found = of_line(*days, **mean)[-1]
    assert (str(found["value"]), found["measured"]) == ("100.00", "mean of Availability over 3 months")
    assert str(found["headroom_usd"]) == "3.00"  # what this month may be lower, if the mean may by 1.00


def test_line_that_is_not_known_or_of_nothing_is_not_computable():
    used = {"line": "drawn", "share_of": "borrowing_base", "trigger": 90}
    (found,) = of_line([("drawn", None), ("borrowing_base", "10.00")], **used)
    assert str(found["reason"]).startswith("the drawn amount or the cash of the facility is not known on ")
    (found,) = of_line([("drawn", "1.00"), ("borrowing_base", "0.00")], **used)
    assert str(found["reason"]) == "there is nothing to divide by: Borrowing base is 0.00 on 2025-12-31"


# Cohorts at a common age

LENT = """
    loan_id  disburse_date  disburse_principal  interest_rate
    L1       2025-01-10     600.00              0.2
    L2       2025-03-31     400.00              0.2
    L3       2025-04-01     300.00              0.2
    L4       2025-06-30     700.00              0.2
"""
# L1 reaches 3 months in April, L2 in June, L3 in July and L4 in September; what they owe at another age is not counted.
AGED = """
    measurement_date  loan_id  disbursed_on  total_receivable_usd  written_off_usd  par_30_usd
    2025-04-30        L1       2025-01-10    500.00                0.00             0.00
    2025-05-31        L1       2025-01-10    500.00                0.00             500.00
    2025-06-30        L1       2025-01-10    450.00                0.00             450.00
    2025-06-30        L2       2025-03-31    40.00                 10.00            40.00
    2025-07-31        L3       2025-04-01    0.00                  33.33            -
    2025-08-31        L3       2025-04-01    0.00                  33.33            -
    2025-09-30        L4       2025-06-30    700.00                0.00             100.00
"""


def of_cohorts(frame, text=AGED, lent=LENT, **terms):
    """Return a cohort covenant's quarter, value and level on each date, or why it has no value."""
    opened = opened_book(frame, text, lent=lent)
    young = {"cohorts": {"months": 3, "days": 30}, "of": "book", "trigger": 5, "default": 50, **terms}
    facility = terms_of_line(covenants={"young": young}, pledged="by_column" if young["of"] == "pool" else "all")
    found = covenants_of([base_of(facility, opened)], DEFINITIONS, opened, {})
    return {f"{row['date']:%m-%d}": (row["cohort"], row["level"], str(row["value"] or row["reason"])) for row in found}


def test_quarter_of_lending_is_measured_when_each_of_its_months_has_the_age(frame):
    """Of 1,000.00 lent from January to March 40.00 + 10.00; of 1,000.00 in the next quarter 33.33 + 100.00."""
    found = of_cohorts(frame)
    assert "reach back only to 2025-01-10" in found["05-31"][2]
    for day in ("06-30", "07-31", "08-31"):
        assert found[day] == ("2025 Q1", "ok", "5.0000")
    assert found["09-30"] == ("2025 Q2", "trigger", "13.3330")


def test_cohort_has_headroom_in_dollars_of_what_was_lent(frame):
    opened = opened_book(frame, AGED, lent=LENT)
    young = {"cohorts": {"months": 3, "days": 30}, "of": "book", "trigger": 5, "default": 50}
    [*_, found] = covenants_of([base_of(terms_of_line(covenants={"young": young}), opened)], DEFINITIONS, opened, {})
    assert (found["measured"], found["headroom_to"]) == (
        "PAR30 of a quarter of lending at 3 months, of the book",
        "default",
    )
    assert [str(found[f"headroom_{unit}"]) for unit in ("points", "usd", "months")] == ["36.6670", "366.67", "13.2"]


def test_cohort_is_not_computable_without_a_month_or_a_lateness(frame):
    gap = "\n".join(line for line in AGED.splitlines() if "2025-07" not in line)
    assert "no date in 2025-07" in of_cohorts(frame, gap)["09-30"][2]
    unknown = AGED.replace("40.00                 10.00            40.00", "40.00                 10.00            -")
    assert "not known of every loan" in of_cohorts(frame, unknown)["06-30"][2]
    alone = of_cohorts(frame, lent=LENT.replace("2025-0", "2024-0"))["09-30"]
    assert alone[2] == "nothing was lent from 2025-04 to 2025-06 on 2025-09-30"


def test_cohort_of_a_pool_is_of_its_own_loans(frame):
    pledged = AGED.replace("measurement_date  loan_id", "measurement_date  facility  loan_id")
    for loan in ("L1", "L2", "L3", "L4"):
        pledged = pledged.replace(f"  {loan}  ", f"  {'LINE' if loan == 'L2' else '-'}  {loan}  ")
    assert of_cohorts(frame, pledged, of="pool")["06-30"] == ("2025 Q1", "trigger", "12.5000")  # 50.00 of 400.00
