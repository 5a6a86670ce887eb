"""Loans that a date lacks: rejected, gone without payment, late before, or on a date a few days before."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import narwhals as nw
import pyarrow as pa
import pytest

from abaco.core.reasons import Reason
from abaco.ingest.columns import BUCKETS
from abaco.kpis import bridge, catalog, measures, verdict
from abaco.kpis.absences import unexplained
from abaco.kpis.book import Book
from abaco.kpis.totals import totals

from .moving import AMOUNT, DECEMBER, NOVEMBER, loan_tape
from .test_bridge import DEFINITIONS, moved

LACKING = """
    date        loan  owes       written_off
    2025-11-30  A-1   100.00@0          0.00
    2025-11-30  A-2    40.00@90         0.00
    2025-11-30  A-3    30.00@30         0.00
    2025-11-30  A-4    20.00@30         0.00
    2025-12-31  A-1   100.00@0          0.00
    2025-12-31  A-5    10.00@30         0.00
"""


@pytest.fixture
def lacking(frame):
    """Return the book of `LACKING`: A-3 paid half, A-4 a cent less; A-2 and November's A-5 were rejected."""
    paid = [("A-3", dt.date(2025, 12, 5), "15.00"), ("A-4", dt.date(2025, 12, 5), "9.99")]
    loans, days, amounts = zip(*paid, strict=True)
    transactions = {
        "loan_id": loans, "date_paid": days, "principal": list(map(Decimal, amounts)),
        "transaction_type": ["PAYMENT"] * len(paid),
    }  # fmt: skip
    rejected = {"measurement_date": [DECEMBER, NOVEMBER], "loan_id": ["A-2", "A-5"]}
    exports = {
        "transactions": frame(pa.table(transactions | {"principal": pa.array(transactions["principal"], AMOUNT)})),
        "rejected_loans": frame(pa.table(rejected)),
    }
    return lambda *names: Book(
        frame(loan_tape(LACKING)), [NOVEMBER, DECEMBER], DECEMBER, {name: exports[name] for name in names}
    )


def steps(book):
    sums = totals(book.tape, ["total_receivable_usd", *BUCKETS])
    rows = bridge.bridges(DEFINITIONS, book, sums).to_pylist()
    assert bridge.gaps(rows, DEFINITIONS, sums) == []
    return rows


def test_rejected_loans_are_not_paid_and_gone_ones_neither(lacking):
    rows = steps(lacking("transactions", "rejected_loans"))
    assert moved(rows) == {"rejected": "-30.00", "gone without payment": "-20.00", "paid": "-30.00"}
    assert moved(rows, "PAR90") == {"rejected": "-40.00"}


def test_without_payments_nobody_knows_who_is_gone(lacking):
    assert moved(steps(lacking("rejected_loans"))) == {"rejected": "-30.00", "paid": "-50.00"}
    assert moved(steps(lacking())) == {"new arrears": "10.00", "paid": "-90.00"}


def test_lacking_loans_make_a_report_incomplete_beyond_the_limit(lacking):
    book = lacking("transactions", "rejected_loans")
    found, matters = verdict.absent(book, {}, {}, max_absent_pct=1.0)
    assert found == {
        "rejected": {"loans": 1, "date": "2025-11-30", "usd": "40.00", "late_usd": "40.00"},
        "gone without payment": {"loans": 1, "date": "2025-11-30", "usd": "20.00", "late_usd": "20.00"},
    }
    # 60.00 of 190.00, and of 90.00 that were 30 or more days late
    assert matters
    assert [verdict.absent(book, {}, {}, max_absent_pct=limit)[1] for limit in (66, 67)] == [True, False]
    assert verdict.verdict({}, absent=found)["state"] == "incomplete"
    assert [reason.code for reason in verdict.reasons(found)] == ["loans_rejected", "loans_gone"]


def test_late_loans_that_vanish_make_a_report_incomplete_where_they_could_pass_a_limit(lacking):
    book = lacking()
    for limit, matters in (("49", True), ("50", False)):
        thresholds = {"warning": Decimal(limit), "critical": None}
        definitions = {"PAR30": DEFINITIONS["PAR30"].model_copy(update=thresholds)}
        sums = measures.measure(book, catalog.measures(definitions))
        found, weighs = verdict.absent(book, definitions, sums, max_absent_pct=1.0)
        # 90.00 of: 100.00 of 200.00 would be late, not 10.00 of 110.00
        owed = {"loans": 3, "date": "2025-11-30", "usd": "90.00", "late_usd": "90.00"}
        assert (found, weighs) == ({"late before": owed}, matters)
        assert not verdict.absent(book, definitions, sums, max_absent_pct=100)[1]
    assert [reason.code for reason in verdict.reasons(found)] == ["loans_vanished"]


@pytest.mark.parametrize(
    ("gone", "told"), [("E-1 E-2", "20.00"), ("E-1 E-2 S-1", "20.00"), ("E-1 S-1 S-2 S-3 S-4", ""), ("S-1", "")]
)
def test_loans_a_few_days_late_that_vanish_are_told_where_they_do_so_more_often_than_others(frame, gone, told):
    loans = {**dict.fromkeys(["E-1", "E-2", "E-3"], 7), **{f"S-{i}": 0 for i in range(1, 10)}}
    kept = {loan: days for loan, days in loans.items() if loan not in gone.split()}
    rows = [f"2025-11-30 {loan} 10.00@{days} 0.00" for loan, days in loans.items()]
    rows += [f"2025-12-31 {loan} 10.00@{days} 0.00" for loan, days in kept.items()]
    tape = loan_tape("date loan owes written_off\n" + "\n".join(rows))
    book = Book(frame(tape), [NOVEMBER, DECEMBER], DECEMBER, {})
    thresholds = {"warning": Decimal(15), "critical": None}
    definitions = {"PAR30": DEFINITIONS["PAR30"].model_copy(update=thresholds)}
    sums = measures.measure(book, catalog.measures(definitions))
    found, weighs = verdict.absent(book, definitions, sums, max_absent_pct=1.0)
    owed = {"loans": 2, "date": "2025-11-30", "usd": told, "late_usd": told}
    assert (found, weighs) == (({"a few days late before": owed}, True) if told else ({}, False))
    assert [reason.code for reason in verdict.reasons(found)] == (["loans_vanished_early"] if told else [])


def test_payments_and_maturity_explain_a_late_loan_without_a_row(lacking):
    assert unexplained(lacking("transactions")) == {}
    book = lacking()
    matured = nw.when(nw.col("loan_id") == "A-2").then(nw.lit(DECEMBER)).alias("maturity_date")
    known = replace(book, tape=book.tape.with_columns(matured))
    assert unexplained(known)["late before"] == {
        "loans": 2, "date": "2025-11-30", "usd": "50.00", "late_usd": "50.00",
    }  # fmt: skip


def test_loans_of_a_date_a_few_days_before_may_be_part_of_the_book(frame):
    rows = "date loan owes written_off\n" + "\n".join(
        f"{day} {loan} 10.00@0 0.00" for day, loan in (
            ("2025-11-30", "A-1"), ("2025-11-30", "B-1"), ("2025-12-30", "A-1"), ("2025-12-31", "B-1"),
        )
    )  # fmt: skip
    dates = [NOVEMBER, dt.date(2025, 12, 30), DECEMBER]
    found, weighs = verdict.absent(Book(frame(loan_tape(rows)), dates, DECEMBER), {}, {}, max_absent_pct=1.0)
    assert found == {"of another date": {"loans": 1, "date": "2025-12-30", "usd": "10.00", "late_usd": "0.00"}}
    assert weighs
    daily = Book(frame(loan_tape(rows.replace("2025-12-31 B-1", "2025-12-31 A-1"))), dates, DECEMBER)
    assert unexplained(daily) == {}


def test_balances_that_may_be_late_make_a_report_incomplete_and_say_what_par30_may_be(lacking):
    book = lacking("transactions")
    definitions = {"PAR30": DEFINITIONS["PAR30"].model_copy(update={"warning": Decimal(10), "critical": None})}
    sums = measures.measure(book, catalog.measures(definitions))

    def of(usd, limit):
        note = Reason("late_without_days", rows="", usd=Decimal(usd)).as_dict()
        found, weighs = verdict.absent(book, definitions, sums, max_absent_pct=limit, notes=[note])
        return found.get("late without days"), weighs and bool(verdict.verdict({}, absent=found)["findings"])

    # 10.00 of 110.00 are late, and may be 40.00
    assert of("30.00", 1) == ({"usd": "30.00", "low": "9.0909", "high": "36.3636"}, True)
    assert of("30.00", 100)[0] is None
    # 10.55 % are no more than 99 %, and past the limit of 10 %; 0.90 are no more than 1 % of 110.00, nor past it
    assert (of("1.60", 99)[0]["high"], of("0.90", 1)[0]) == ("10.5455", None)
    reason = Reason("lateness_in_doubt", usd=Decimal("30.00"), low="9.0909", high="36.3636")
    assert str(reason).startswith("PAR30 lies between 9.09 % and 36.36 %: whether 30.00 USD is late is in doubt, as")

    # of 110.00, of which 10.00 are late, 44.00 may be owed no more: 4.00 of them late, or none
    ended = {"added_usd": Decimal("-44.00"), "rows": ""}
    for late_usd, par in (("40.00", {}), ("44.00", {"low": "9.0909", "high": "15.1515"})):
        note = Reason("ended_with_balance", late_usd=Decimal(late_usd), **ended).as_dict()
        found, weighs = verdict.absent(book, definitions, sums, max_absent_pct=1, notes=[note])
        assert (found["ended"], weighs) == ({"usd": "44.00", **par}, True)
        [told] = verdict.reasons({"ended": found["ended"]})
        assert str(told).startswith("PAR30 is 9.09" if par else "Whether 44.00 USD is still owed")
    whole = Reason("ended_with_balance", late_usd=Decimal("100.00"), added_usd=Decimal("-110.00"), rows="").as_dict()
    assert verdict.absent(book, definitions, sums, max_absent_pct=1, notes=[whole])[0]["ended"] == {"usd": "110.00"}
    found, weighs = verdict.absent(book, definitions, sums, max_absent_pct=40, notes=[note])
    assert (found["ended"]["usd"], weighs) == ("44.00", True)  # past the limit of 10 %
    assert verdict.verdict({}, absent=found)["findings"] == verdict.reasons(found)

    beside = [
        Reason("loans_beside", added_usd=Decimal("50.00"), late_usd=Decimal(0)).as_dict(),
        Reason("loans_differ", added_usd=Decimal("40.00"), late_usd=Decimal("20.00")).as_dict(),
    ]
    found, weighs = verdict.absent(book, definitions, sums, max_absent_pct=99, notes=beside)
    # 10.00 of 110.00 are late: 10.00 of 200.00 if all else is not, and 120.00 if all of it is
    assert (found["in another export"], weighs) == ({"usd": "110.00", "low": "5.0000", "high": "60.0000"}, True)


def test_earlier_dates_of_which_too_much_was_rejected_make_a_report_incomplete(lacking):
    dates = ("2025-10-31 (50.00 %)",)
    notes = [Reason("earlier_dates_rejected", names=dates).as_dict()]
    found, weighs = verdict.absent(lacking("transactions"), {}, {}, max_absent_pct=99, notes=notes)
    assert (found["earlier dates"], weighs) == ({"names": dates}, True)
    concluded = verdict.verdict({}, absent={"earlier dates": found["earlier dates"]})
    assert (concluded["state"], [str(one)[-22:] for one in concluded["findings"]]) == (
        "incomplete", [" 2025-10-31 (50.00 %)."],
    )  # fmt: skip
    assert not verdict.absent(lacking("transactions"), {}, {}, max_absent_pct=100, notes=notes)[1]


def test_tables_of_loans_that_could_not_be_read_make_a_report_incomplete(lacking):
    notes = [Reason(code, name="south.csv", cause="…").as_dict() for code in ("loans_not_used", "table_not_used")]
    found, weighs = verdict.absent(lacking("transactions"), {}, {}, max_absent_pct=99, notes=notes)
    assert (found["not used"], weighs) == ({"names": ("south.csv",)}, True)
    assert verdict.verdict({}, absent={"not used": found["not used"]})["state"] == "incomplete"
    _, weighs = verdict.absent(lacking("transactions"), {}, {}, max_absent_pct=99, notes=notes[1:])
    assert not weighs
    unpaid = [Reason("files_without_flows", names=("b.csv",)).as_dict()]
    found, weighs = verdict.absent(lacking("transactions"), {}, {}, max_absent_pct=99, notes=unpaid)
    assert (found["without payments"], weighs) == ({"names": ("b.csv",)}, True)
