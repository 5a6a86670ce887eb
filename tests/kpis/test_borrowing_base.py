"""The borrowing base of books that are worked out on paper, at the edge of every criterion and limit."""

import datetime as dt
from decimal import Decimal

import pytest

from abaco.core.errors import InputError
from tests.support.tapes import DECEMBER, NOVEMBER

from .pledged import LOANS, ON_PAPER, amounts, based, lines, loans, terms


def test_twelve_loans_on_paper(embedded):
    with based(embedded) as base:
        assert lines(base) == ON_PAPER
        found = loans(base)
        assert "A-10" not in found  # written off: it owes nothing
        assert (found["A-04"]["reason"], found["A-04"]["reasons"]) == ("late", "late; rate")
        assert {loan: row["reason"] for loan, row in found.items() if not row["is_eligible"]} == {
            "A-04": "late", "A-05": "rate", "A-06": "late", "A-07": "known_region",
        }  # fmt: skip
        above = found["A-02"]
        assert (str(above["excess_usd"]), above["limits"]) == ("70.50", "one_borrower; north")
        assert (str(above["net_eligible_usd"]), above["advance_class"]) == ("79.50", "factoring")
        assert [loan for loan, row in found.items() if row["limits"]] == ["A-02"]


def test_pool_is_the_sum_of_its_parts_and_of_its_loans(embedded):
    with based(embedded) as base:
        sums = amounts(base)
        assert sums["pool"] == sums["ineligible"] + sums["excess"] + sums["net_eligible"]
        found = loans(base).values()
        assert sum(row["balance_usd"] for row in found) == sums["pool"]
        assert sum(row["excess_usd"] for row in found) == sums["excess"]
        assert sum(row["net_eligible_usd"] for row in found) == sums["net_eligible"]


def test_first_reason_follows_the_order_of_the_criteria(embedded):
    turned = dict(reversed(terms().model_dump(exclude_unset=True)["eligibility"].items()))
    with based(embedded, terms(eligibility=turned)) as base:
        assert [line[:2] for line in lines(base)[1:4]] == [
            ("known_region", "30.00"),
            ("rate", "130.00"),
            ("late", "40.00"),
        ]
        assert loans(base)["A-04"]["reasons"] == "rate; late"


def test_order_of_the_limits_decides_what_each_of_them_takes(embedded):
    turned = dict(reversed(terms().model_dump(exclude_unset=True)["limits"].items()))
    with based(embedded, terms(limits=turned)) as base:
        # 570.50 in the north less 500.00, then 279.50 of borrower 1: within 300.00
        assert [line[:2] for line in lines(base)[5:8]] == [
            ("north", "70.50"), ("one_borrower", "0.00"), ("net_eligible", "929.50"),
        ]  # fmt: skip


NORTH = {"north": {"column": "region", "one_of": ["north"], "at_most_pct": 50}}


@pytest.mark.parametrize(
    ("limits", "share_of", "excess"),
    [
        ({"one": {"column": "borrower", "at_most": 349.99}}, "eligible", "0.01"),
        ({"one": {"column": "borrower", "at_most": 350}}, "eligible", "0.00"),
        ({"one": {"column": "borrower", "at_most_pct": 35}}, "eligible", "0.00"),
        ({"one": {"column": "borrower", "at_most_pct": 34.999}}, "eligible", "0.01"),
        ({"two": {"column": "borrower", "largest": 2, "at_most_pct": 60}}, "eligible", "50.00"),
        ({"two": {"column": "borrower", "largest": 2, "at_most": 650}}, "eligible", "0.00"),
        ({"none": {"column": "borrower", "at_most_pct": 0}}, "eligible", "1000.00"),
        ({"old": {"when": {"column": "days_past_due", "at_least": 60}, "at_most": 40}}, "eligible", "60.00"),
        (NORTH, "eligible", "70.50"),
        (NORTH, "net_eligible", "141.00"),  # 429.50 elsewhere, and as much in the north
        # 35/65 of the 650.00 of others are exactly what borrower 1 owes
        ({"one": {"column": "borrower", "at_most_pct": 35}}, "net_eligible", "0.00"),
        # borrowers 1, 3 and 4 are left with 114.75 each, a fifth of that and the 229.50 of others
        ({"one": {"column": "borrower", "at_most_pct": 20}}, "net_eligible", "426.25"),
    ],
)
def test_excess_over_a_limit(embedded, limits, share_of, excess):
    with based(embedded, terms(limits=limits, share_of=share_of)) as base:
        assert str(amounts(base)["excess"]) == excess


def test_each_limit_takes_from_what_those_before_it_left(embedded):
    north = {str(most): {"column": "region", "one_of": ["north"], "at_most": most} for most in (560, 550, 545, 543)}
    with based(embedded, terms(limits=north)) as base:
        assert [line[1] for line in lines(base)[5:10]] == ["10.50", "10.00", "5.00", "2.00", "972.50"]


def test_payers_that_are_not_known_count_as_one(embedded):
    limit = {"payer": {"column": "payer", "at_most": 450}}
    with based(embedded, terms(limits=limit), payers={"A-01": 1, "A-08": 2}) as base:
        # 200.00 and 300.00 are within the limit; the other 500.00 are not
        assert str(amounts(base)["excess"]) == "50.00"


def test_empty_pool_is_a_borrowing_base_of_nothing(embedded):
    with based(embedded, terms(drawn=0), loans=LOANS.strip().splitlines()[0] + "\n", dates=[DECEMBER]) as base:
        found = {line: amount for line, amount, _ in lines(base)}
        assert [found[line] for line in ("pool", "eligible", "north", "net_eligible", "factoring")] == ["0.00"] * 5
        assert found["availability"] == "10.00"  # half of the cash less the fees


def test_drawn_amount_that_is_not_known_leaves_the_availability_unknown(embedded):
    with based(embedded, terms(drawn=None)) as base:
        found = {line: amount for line, amount, _ in lines(base)}
        assert (found["borrowing_base"], found["drawn"], found["availability"]) == ("794.25", None, None)


def test_drawn_amount_and_cash_are_those_of_the_date_in_the_list(embedded):
    listed = """
    measurement_date  facility  drawn   cash
    2025-11-30        LINE      100.00  1.00
    2025-12-31        line      600.00  30.00
    2025-12-31        OTHER     1.00    1.00
    """
    with based(embedded, terms(drawn=None, cash=None), drawings=listed) as base:
        found = {line: amount for line, amount, _ in lines(base)}
        assert (found["cash"], found["drawn"], found["availability"]) == ("15.00", "600.00", "189.25")


def test_two_drawn_amounts_of_one_date_are_refused_unless_they_agree(embedded):
    rows = "measurement_date  facility  drawn  cash\n2025-12-31  LINE  1.00  -\n2025-12-31  line  {}  -"
    with based(embedded, terms(drawn=None, cash=None, cash_rate=0), drawings=rows.format("1.00")) as base:
        assert {line: amount for line, amount, _ in lines(base)}["drawn"] == "1.00"
    fault = "Facility LINE has two drawn amounts of 2025-12-31 in the exports: keep one row of each date"
    wrong = based(embedded, terms(drawn=None, cash=None, cash_rate=0), drawings=rows.format("2.00"))
    with pytest.raises(InputError, match=fault), wrong:
        pass


def test_drawn_amount_in_two_places_is_refused(embedded):
    listed = "measurement_date  facility  drawn  cash\n2025-12-31  LINE  1.00  -"
    fault = "LINE sets drawn to 500, and the exports list it by date: keep one"
    with pytest.raises(InputError, match=fault), based(embedded, drawings=listed):
        pass


def test_cash_that_does_not_count_need_not_be_known(embedded):
    with based(embedded, terms(cash=None, cash_rate=None)) as base:
        assert str(amounts(base)["cash"]) == "0.00"
    with based(embedded, terms(cash=None)) as base:
        found = {line: amount for line, amount, _ in lines(base)}
        assert (found["cash"], found["borrowing_base"], found["availability"]) == (None, None, None)


PLEDGED = """
loan_id  facility  pledge_date  total_receivable_usd
A-1      line      2025-12-31   1.00
A-2      LINE      2026-01-01   2.00
A-3      Line      -            4.00
A-4      OTHER     2025-01-01   8.00
A-5      -         -            16.00
"""
BARE = {"eligibility": {}, "limits": {}, "advance_rate": 100, "reserves": {}}


def test_loans_are_pledged_by_their_column_from_their_day_on(embedded):
    with based(embedded, terms(**BARE, pledged="by_column"), loans=PLEDGED) as base:
        assert set(loans(base)) == {"A-1", "A-3"}
    with based(embedded, terms(**BARE, pledged="by_column", called=["Other", "line"]), loans=PLEDGED) as base:
        assert set(loans(base)) == {"A-1", "A-3", "A-4"}


def test_facility_has_a_borrowing_base_from_its_first_to_its_last_day(embedded):
    two = "measurement_date  loan_id  total_receivable_usd\n2025-11-30  A-1  1.00\n2025-12-31  A-1  2.00"
    with based(embedded, terms(**BARE, to=NOVEMBER), loans=two) as base:
        assert list(base.lines) == [NOVEMBER]
    with based(embedded, terms(**BARE, **{"from": dt.date(2025, 12, 1)}), loans=two) as base:
        assert list(base.lines) == [DECEMBER]


OF_PRODUCT = {"column": "product"}
AGED = """
loan_id  disbursed_on  maturity_date  documents  product    restructured  disbursed_usd  total_receivable_usd
A-1      2025-12-01    2026-01-30     complete   factoring  false         10.00          1.00
A-2      2025-11-30    2026-01-31     ''         other      true          10.01          2.00
A-3      -             -              -          -          -             -              4.00
"""


@pytest.mark.parametrize(
    ("criterion", "eligible"),
    [
        ({"column": "age_days", "at_most": 30}, ["A-1"]),
        ({"column": "age_days", "at_least": 31}, ["A-2"]),
        ({"column": "remaining_days", "at_most": 30}, ["A-1"]),
        ({"column": "remaining_days", "at_least": 31, "at_most": 31}, ["A-2"]),
        ({"column": "disbursed_on", "at_least": dt.date(2025, 12, 1)}, ["A-1"]),
        ({"column": "disbursed_usd", "at_most": 10}, ["A-1"]),
        ({"column": "restructured", "is": False}, ["A-1"]),
        ({"column": "restructured", "is": True}, ["A-2"]),
        ({"column": "documents", "present": True}, ["A-1"]),
        ({"column": "documents", "present": False}, ["A-2", "A-3"]),
        ({"column": "product", "none_of": ["Other"]}, ["A-1"]),
        ({"column": "total_receivable_usd", "at_least": 2, "at_most": 3.99}, ["A-2"]),
        # what `when` is not true of need not meet it; what nobody knows has to
        (
            {"column": "documents", "present": True, "when": {"column": "product", "one_of": ["factoring"]}},
            ["A-1", "A-2"],
        ),
        (
            {"column": "maturity_date", "present": True, "when": {"column": "product", "one_of": ["other"]}},
            ["A-1", "A-2"],
        ),
    ],
)
def test_loans_that_meet_a_criterion(embedded, criterion, eligible):
    with based(embedded, terms(**BARE | {"eligibility": {"it": criterion}}), loans=AGED) as base:
        assert [loan for loan, row in loans(base).items() if row["is_eligible"]] == eligible


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"eligibility": {"short": {"column": "remaining_days", "at_most": 90}}},
         "eligibility.short: no loan of 2025-12-31 has maturity_date in dated loans"),
        ({"limits": {"payer": {"column": "payer", "at_most_pct": 9}}},
         "limits.payer: no loan of 2025-12-31 has payer in dated loans"),
        ({"pledged": "by_column"}, "pledged: no loan of 2025-12-31 has facility in dated loans"),
        ({"advance_rate": {"column": "segment", "rates": {"x": 9}}}, "advance_rate: no loan of 2025-12-31 has segment"),
        ({"advance_rate": {"column": "product", "rates": {"factoring": 10}}},
         "advance_rate: eligible loans have business loan in product: add its rate"),
        ({"currency": "EUR"}, "is in EUR, and the report in USD"),
    ],
)  # fmt: skip
def test_what_the_exports_lack_is_refused(embedded, changes, fault):
    with pytest.raises(InputError, match=f"^Facility LINE.*{fault}") as refused, based(embedded, terms(**changes)):
        pass
    assert "\n" not in str(refused.value)


def test_loans_without_a_number_are_refused(embedded):
    bare = "loan_id  total_receivable_usd\n-  1.00"
    fault = "Facility LINE needs the number of each loan, and dated loans lack some"
    with pytest.raises(InputError, match=fault), based(embedded, terms(**BARE), loans=bare):
        pass


def test_classes_without_a_rate_of_their_own_have_that_of_others(embedded):
    rates = {"column": "product", "rates": {"Factoring": 90}, "otherwise": 0}
    with based(embedded, terms(advance_rate=rates)) as base:
        found = [line for line in base.lines[DECEMBER] if line["kind"] == "advance"]
        assert [(row["line"], str(row["basis_usd"]), row["rate_pct"], str(row["amount_usd"])) for row in found] == [
            ("Factoring", "499.50", Decimal(90), "449.55"), ("otherwise", "430.00", Decimal(0), "0.00"),
        ]  # fmt: skip
