"""The four KPIs of every report, from a literal tape to a published figure with its status."""

import datetime as dt
from decimal import Decimal

import pytest

from abaco.kpis import catalog, totals
from abaco.kpis.totals import Totals
from abaco.kpis.values import evaluate, inconsistent, missing, status
from tests.support.projects import FOUR

DECEMBER = dt.date(2025, 12, 31)
DEFINITIONS = catalog.load(FOUR)
COLUMNS = catalog.measures(DEFINITIONS)
THREE_LOANS = """
    measurement_date  total_receivable_usd  total_eligible_usd  cash_available_usd  dpd_30_60_usd  dpd_60_90_usd  dpd_90_plus_usd
    2025-12-31                     1000.00             1000.00               10.00           0.00           0.00             0.00
    2025-12-31                      600.00              600.00               20.00          60.00           0.00             0.00
    2025-12-31                      400.00              200.00                5.55           0.00          12.50            31.00
"""  # noqa: E501


def evaluated(tape, text):
    return evaluate(DEFINITIONS, totals.totals(tape(text), COLUMNS)[DECEMBER], DECEMBER)


def total(**usd):
    """Sums of one row, 0.00 where nothing is given."""
    sums = dict.fromkeys(COLUMNS, Decimal("0.00")) | {name: usd[name] and Decimal(usd[name]) for name in usd}
    return Totals(1, sums, {name: int(usd is not None) for name, usd in sums.items()})


def test_four_kpis_by_hand(tape):
    found = evaluated(tape, THREE_LOANS)
    assert {name: str(entry["value"]) for name, entry in found.items()} == {
        "PAR30": "5.1750",  # (60.00 + 12.50 + 31.00) / 2000.00
        "PAR90": "1.5500",  # 31.00 / 2000.00
        "CollectionRate": "1.98",  # 35.55 / 1800.00 = 1.975
        "PortfolioHealth": "1.8775",  # (10 - 0.5175) * 0.198 = 1.877535
    }
    assert [entry["status"] for entry in found.values()] == ["warning", "ok", "ok", "critical"]
    assert [entry["reason"] for entry in found.values()] == [None] * 4
    assert [entry["rows"] for entry in found.values()] == [3, 3, 3, 3]
    assert {name: (str(e["numerator"]), str(e["denominator"])) for name, e in found.items()} == {
        "PAR30": ("103.50", "2000.00"),
        "PAR90": ("31.00", "2000.00"),
        "CollectionRate": ("35.55", "1800.00"),
        "PortfolioHealth": ("None", "None"),
    }
    assert inconsistent(DEFINITIONS, found) == []


def test_missing_cash_column_is_not_computable_and_never_zero(tape):
    without = "\n".join(
        "  ".join(cell for i, cell in enumerate(line.split()) if i != 3) for line in THREE_LOANS.strip().splitlines()
    )
    found = evaluated(tape, without)
    assert (found["CollectionRate"]["value"], found["CollectionRate"]["status"]) == (None, "not_computable")
    assert str(found["CollectionRate"]["reason"]) == "the input does not give the cash available on 2025-12-31"
    assert (found["PortfolioHealth"]["value"], found["PortfolioHealth"]["status"]) == (None, "not_computable")
    assert str(found["PortfolioHealth"]["reason"]) == (
        "CollectionRate is not computable: the input does not give the cash available on 2025-12-31"
    )
    assert str(found["PAR30"]["value"]) == "5.1750"


def test_cash_that_is_null_everywhere_is_not_computable(tape):
    found = evaluated(tape, THREE_LOANS.replace(" 10.00 ", " - ").replace(" 20.00 ", " - ").replace(" 5.55 ", " - "))
    assert found["CollectionRate"]["value"] is None
    assert str(found["CollectionRate"]["reason"]) == "the input does not give the cash available on 2025-12-31"


def test_cash_that_is_zero_is_a_rate_of_zero(tape):
    found = evaluated(
        tape, THREE_LOANS.replace(" 10.00 ", " 0.00 ").replace(" 20.00 ", " 0.00 ").replace(" 5.55 ", " 0.00 ")
    )
    assert str(found["CollectionRate"]["value"]) == "0.00"
    assert found["CollectionRate"]["status"] == "critical"
    assert str(found["PortfolioHealth"]["value"]) == "0.0000"


def test_null_counts_neither_as_a_row_nor_as_zero(tape):
    found = evaluated(tape, THREE_LOANS.replace(" 5.55 ", " - "))
    assert str(found["CollectionRate"]["value"]) == "1.67"  # 30.00 / 1800.00
    assert found["CollectionRate"]["rows"] == 2
    assert found["PortfolioHealth"]["rows"] == 2
    assert found["PAR30"]["rows"] == 3


def test_book_of_zero_is_not_computable(tape):
    found = evaluated(
        tape,
        """
        measurement_date  total_receivable_usd  total_eligible_usd  cash_available_usd  dpd_30_60_usd  dpd_60_90_usd  dpd_90_plus_usd
        2025-12-31                        0.00                0.00               10.00           0.00           0.00             0.00
        """,  # noqa: E501
    )
    assert [entry["value"] for entry in found.values()] == [None] * 4
    assert {entry["status"] for entry in found.values()} == {"not_computable"}
    assert (
        str(found["PAR30"]["reason"]) == "there is nothing to divide by: the outstanding balance is 0.00 on 2025-12-31"
    )
    assert str(found["PortfolioHealth"]["reason"]).startswith("PAR30 is not computable: there is nothing to divide by")


def test_negative_denominator_is_not_computable():
    found = evaluate(DEFINITIONS, total(total_receivable_usd="-0.01", dpd_90_plus_usd="1.00"), DECEMBER)
    assert found["PAR90"]["value"] is None
    assert (
        str(found["PAR90"]["reason"]) == "there is nothing to divide by: the outstanding balance is -0.01 on 2025-12-31"
    )


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        ("0.00", ("0.0000", "ok")),
        ("50000.00", ("5.0000", "ok")),
        ("50001.00", ("5.0001", "warning")),
        ("80000.00", ("8.0000", "warning")),
        ("80001.00", ("8.0001", "critical")),
        ("1000000.00", ("100.0000", "critical")),
    ],
)
def test_par30_exactly_on_a_limit_is_not_past_it(late, expected):
    found = evaluate(DEFINITIONS, total(total_receivable_usd="1000000.00", dpd_30_60_usd=late), DECEMBER)["PAR30"]
    assert (str(found["value"]), found["status"]) == expected


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        ("30000.00", ("3.0000", "ok")),
        ("30001.00", ("3.0001", "warning")),
        ("50000.00", ("5.0000", "warning")),
        ("50001.00", ("5.0001", "critical")),
    ],
)
def test_par90_exactly_on_a_limit_is_not_past_it(late, expected):
    found = evaluate(DEFINITIONS, total(total_receivable_usd="1000000.00", dpd_90_plus_usd=late), DECEMBER)["PAR90"]
    assert (str(found["value"]), found["status"]) == expected


@pytest.mark.parametrize(
    ("cash", "expected"),
    [
        ("150.00", ("1.50", "ok")),
        ("149.00", ("1.49", "warning")),
        ("100.00", ("1.00", "warning")),
        ("99.00", ("0.99", "critical")),
        ("0.00", ("0.00", "critical")),
    ],
)
def test_collection_rate_exactly_on_a_limit_is_not_past_it(cash, expected):
    book = total(total_receivable_usd="10000.00", total_eligible_usd="10000.00", cash_available_usd=cash)
    found = evaluate(DEFINITIONS, book, DECEMBER)["CollectionRate"]
    assert (str(found["value"]), found["status"]) == expected


@pytest.mark.parametrize(
    ("cash", "expected"),
    [
        ("500.00", ("5.0000", "ok")),  # no arrears: 10 * 5 / 10
        ("499.00", ("4.9900", "warning")),
        ("300.00", ("3.0000", "warning")),
        ("299.00", ("2.9900", "critical")),
        ("1000.00", ("10.0000", "ok")),
        ("1001.00", ("10.0000", "ok")),
    ],
)
def test_health_exactly_on_a_limit_is_not_past_it(cash, expected):
    book = total(total_receivable_usd="10000.00", total_eligible_usd="10000.00", cash_available_usd=cash)
    found = evaluate(DEFINITIONS, book, DECEMBER)["PortfolioHealth"]
    assert (str(found["value"]), found["status"]) == expected


def test_the_published_value_decides_the_status():
    book = total(total_receivable_usd="10000000.00", dpd_30_60_usd="500004.00")  # 5.00004 %
    found = evaluate(DEFINITIONS, book, DECEMBER)["PAR30"]
    assert (str(found["value"]), found["status"]) == ("5.0000", "ok")


def test_health_is_computed_from_published_values():
    book = total(
        total_receivable_usd="90000.00", dpd_30_60_usd="1.00",  # 0.00111… %, published as 0.0011
        total_eligible_usd="90000.00", cash_available_usd="1800.00",
    )  # fmt: skip
    found = evaluate(DEFINITIONS, book, DECEMBER)
    assert str(found["PAR30"]["value"]) == "0.0011"
    assert str(found["PortfolioHealth"]["value"]) == "2.0000"  # 9.99989 * 0.2 = 1.999978


def test_status_without_thresholds_is_none():
    assert status(Decimal("99"), direction="lower", thresholds=None) == "none"
    assert status(None, direction="lower", thresholds=None) == "not_computable"


def test_missing_says_what_to_add_for_a_kpi_and_for_what_is_computed_from_it():
    book = total(total_receivable_usd="100.00", total_eligible_usd="100.00", cash_available_usd=None)
    found = missing(DEFINITIONS, evaluate(DEFINITIONS, book, DECEMBER), book)
    assert [entry["kpi"] for entry in found] == ["CollectionRate", "PortfolioHealth"]
    (add,) = {entry["add"] for entry in found}
    assert add.startswith("a financial statement of that date with its cash")


def test_missing_leaves_out_the_parts_that_the_input_has():
    kpis = {name: kpi for name, kpi in catalog.load().items() if name in ("RDR90", "WriteOffRate", "TopBorrower")}
    has = {"npl_usd": Decimal("0.00"), "active_loans": Decimal(1), "rdr_disbursed_usd": Decimal("5.00")}
    book = Totals(1, {"total_receivable_usd": Decimal("100.00")} | has, {})
    found = {(entry["kpi"], entry["add"]) for entry in missing(kpis, evaluate(kpis, book, DECEMBER), book)}
    written_off = "PAR balances with writeoff_outstanding_balance_usd, or a snapshot with written_off_usd"
    before = "a date of the month before"
    borrower = "customer_id for every loan with a balance, in the tape or in the loans export, as a name may be that of"
    assert {(name, add.removesuffix(" several")) for name, add in found} == {
        ("RDR90", written_off), ("WriteOffRate", before), ("WriteOffRate", f"{before}, and {written_off}"),
        ("TopBorrower", borrower),
    }  # fmt: skip


def test_nothing_is_missing_when_everything_is_computed_or_the_book_is_empty():
    full = total(total_receivable_usd="100.00", total_eligible_usd="100.00", cash_available_usd="1.00")
    assert missing(DEFINITIONS, evaluate(DEFINITIONS, full, DECEMBER), full) == []
    empty = total()
    assert missing(DEFINITIONS, evaluate(DEFINITIONS, empty, DECEMBER), empty) == []


@pytest.mark.parametrize(("value", "wrong"), [("5.1750", []), ("5.1751", ["PAR30"]), ("5.1749", ["PAR30"])])
def test_a_value_that_does_not_follow_from_its_sums_is_found(value, wrong):
    entry = {"value": Decimal(value), "numerator": Decimal("103.50"), "denominator": Decimal("2000.00")}
    assert inconsistent(DEFINITIONS, {"PAR30": entry}) == wrong


def defined(**more):
    usual = {"title": "Late", "group": "risk", "unit": "USD", "precision": 2, "owner": "Credit risk"}
    return {"Late": catalog.Definition.model_validate({**usual, **more})}


def test_several_measures_add_up_on_both_sides():
    late = defined(
        numerator=("dpd_60_90_usd", "dpd_90_plus_usd"), denominator=("total_receivable_usd", "written_off_usd"),
        unit="%", direction="lower",
    )  # fmt: skip
    book = total(dpd_60_90_usd="1.00", dpd_90_plus_usd="2.00", total_receivable_usd="40.00", written_off_usd="60.00")
    assert str(evaluate(late, book, DECEMBER)["Late"]["value"]) == "3.00"
    lacking = evaluate(late, total(total_receivable_usd="40.00"), DECEMBER)["Late"]
    assert str(lacking["reason"]) == "the input does not give the written-off balance on 2025-12-31"


def test_denominator_of_a_cent_divides():
    late = defined(numerator=("dpd_90_plus_usd",), denominator=("total_receivable_usd",), unit="%")
    found = evaluate(late, total(total_receivable_usd="0.01"), DECEMBER)["Late"]
    assert (str(found["value"]), found["status"]) == ("0.00", "none")


def test_sum_without_denominator_is_the_value():
    found = evaluate(defined(numerator=("dpd_90_plus_usd",)), total(dpd_90_plus_usd="-7.125"), DECEMBER)["Late"]
    assert (str(found["value"]), str(found["numerator"]), found["denominator"]) == ("-7.13", "-7.125", None)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [({"warning": 5}, "warning"), ({"critical": 5}, "critical"), ({"warning": 6}, "ok"), ({"critical": 6}, "ok")],
)
def test_one_limit_alone_is_enough(limits, expected):
    late = defined(numerator=("dpd_90_plus_usd",), direction="lower", **limits)
    assert evaluate(late, total(dpd_90_plus_usd="6.00"), DECEMBER)["Late"]["status"] == expected


def test_function_of_measures_gives_its_own_reason():
    late = defined(function="herfindahl", inputs=("dpd_7_30_usd", "dpd_30_60_usd"), formula="…", unit="points")
    good = total(dpd_7_30_usd="5000.00", dpd_30_60_usd="100.00")
    assert str(evaluate(late, good, DECEMBER)["Late"]["value"]) == "5000.00"
    bad = evaluate(late, total(dpd_7_30_usd="0.00", dpd_30_60_usd="0.00"), DECEMBER)["Late"]
    assert bad["value"] is None
    assert str(bad["reason"]) == "nothing is outstanding on 2025-12-31"
    unknown = evaluate(late, total(dpd_7_30_usd=None), DECEMBER)["Late"]
    assert str(unknown["reason"]) == "the input does not give balances 7 to 29 days late on 2025-12-31"
