"""Lateness in amounts, days, months or an export's own buckets: what is known is exact, the rest is unknown."""

import datetime as dt
import shutil
from decimal import Decimal

import pytest
import yaml

from abaco.core import project
from abaco.ingest import mappings
from tests.support.computation import computed
from tests.support.exports import write

NOVEMBER, DECEMBER = dt.date(2025, 11, 30), dt.date(2025, 12, 31)
PARS = ("PAR1", "PAR7", "PAR30", "PAR60", "PAR90", "NPL")


def texts(values, names=None):
    return {name: None if values[name] is None else str(values[name]) for name in names or values}


@pytest.fixture
def lender(tmp_path, monkeypatch):
    """Return a function that computes a lender's tape by a mapping."""

    def compute(columns, *lines, date=DECEMBER, name="tape.csv"):
        folder = tmp_path / "project"
        shutil.copytree(project.root() / "params", folder / "params")
        monkeypatch.setenv("ABACO_ROOT", str(folder))
        mapping = {"title": "A lender", "rows": "loan and date", "columns": columns}
        path = folder / mappings.FOLDER / "lender.yml"
        path.write_text(yaml.safe_dump(mapping, sort_keys=False), encoding="utf-8")
        return computed(write(tmp_path / name, *lines), date)

    return compute


def test_par_balances_without_7_days_say_what_they_know(tmp_path):
    heading = (
        "reporting_date,loan_id,region,outstanding_balance_usd,par_30_balance_usd,par_60_balance_usd,par_90_balance_usd"
    )
    found = computed(
        write(tmp_path / "par.csv", heading, "2025-11-30,A,North,100,0,0,0", "2025-11-30,B,South,300,300,0,0",
              "2025-12-31,A,North,100,100,0,0", "2025-12-31,B,South,200,200,200,200", "2025-12-31,C,South,500,0,0,0"),
        DECEMBER,
    )  # fmt: skip
    assert texts(found.kpis, PARS) == {
        "PAR1": None, "PAR7": None, "PAR30": "37.5000", "PAR60": "25.0000", "PAR90": "25.0000", "NPL": None,
    }  # fmt: skip
    assert found.reasons["PAR7"] == (
        "of 1 rows the input does not say whether they are 7 or more days late on 2025-12-31"
    )
    assert found.reasons["RollRate30"].startswith("the input does not say of every loan whether it is 7 or more days")
    assert texts(found.aging) == {"0–30": "500.00", "30–60": "100.00", "60–90": "0.00", "90+": "200.00"}
    assert texts(found.rolled) == {("0–30", "30–60"): "100.00", ("30–60", "90+"): "300.00", ("new", "0–30"): "500.00"}
    assert [(row["value"], str(row["par30"]), str(row["par90"])) for row in found.segments] == [
        ("South", "28.5714", "28.5714"), ("North", "100.0000", "0.0000"),
    ]  # fmt: skip
    assert {row["term"]: str(row["amount_usd"]) for row in found.bridges if row["kpi"] == "PAR30"} == {
        "opening": "300.00", "new arrears": "100.00", "rolled on": "0.00", "cured": "0.00", "paid": "-100.00",
        "written off": "None", "book growth": "None", "closing": "300.00",
    }  # fmt: skip
    assert found.gaps == []
    assert "counted_from" not in found.entries["PAR30"]


def test_days_past_due_tell_what_par_balances_lack(tmp_path):
    found = computed(
        write(tmp_path / "par.csv", "reporting_date,loan_id,outstanding_balance_usd,par_30_balance_usd,dpd",
              "2025-12-31,A,100,0,6", "2025-12-31,B,100,0,7", "2025-12-31,C,100,100,61", "2025-12-31,D,100,100,90",
              "2025-12-31,E,0,0,"),
        DECEMBER,
    )  # fmt: skip
    assert texts(found.kpis, PARS) == {
        "PAR1": "100.0000", "PAR7": "75.0000", "PAR30": "50.0000", "PAR60": "50.0000", "PAR90": "25.0000",
        "NPL": "0.0000",
    }  # fmt: skip
    assert texts(found.aging) == {
        "0–7": "100.00",
        "7–30": "100.00",
        "30–60": "0.00",
        "60–90": "100.00",
        "90+": "100.00",
    }


def test_par_of_a_whole_book_is_known_between_limits_that_are_not(tmp_path):
    heading = "reporting_date,outstanding_balance_usd,par_30_balance_usd,par_90_balance_usd"
    found = computed(write(tmp_path / "par.csv", heading, "2025-12-31,1000,600,200"), DECEMBER)
    assert texts(found.kpis, PARS[1:5]) == {"PAR7": None, "PAR30": "60.0000", "PAR60": None, "PAR90": "20.0000"}
    assert texts(found.aging) == {"0–30": "400.00", "30–90": "400.00", "90+": "200.00"}


def test_aging_report_keeps_its_buckets(lender):
    columns = {
        "measurement_date": "As of", "loan_id": "Loan",
        "outstanding_balance_usd": {"compute": "Current + d1 + d31 + d61 + d91"},
        "par_1_balance_usd": {"compute": "d1 + d31 + d61 + d91"}, "par_31_balance_usd": {"compute": "d31 + d61 + d91"},
        "par_61_balance_usd": {"compute": "d61 + d91"}, "par_91_balance_usd": "d91",
    }  # fmt: skip
    found = lender(columns, "As of,Loan,Current,d1,d31,d61,d91", "2025-12-31,A,100,0,0,0,0",
                   "2025-12-31,B,50,30,20,0,0", "2025-12-31,C,0,0,0,60,40")  # fmt: skip
    assert texts(found.kpis, PARS) == {
        "PAR1": "50.0000", "PAR7": None, "PAR30": "40.0000", "PAR60": "33.3333", "PAR90": "13.3333", "NPL": "13.3333",
    }  # fmt: skip
    assert texts(found.aging) == {"0": "150.00", "1–30": "30.00", "31–60": "20.00", "61–90": "60.00", "91+": "40.00"}
    shown = found.entries["PAR30"]
    assert (shown["title"], shown["counted_from"]) == ("Portfolio at risk, 31 days", 31)
    assert found.entries["PAR90"]["note"].startswith(
        "Share of the outstanding balance that is 91 or more days past due"
    )


WORDS = {"Current": 0, "In Grace Period": 1, "Late (16-30 days)": 16, "Late (31-120 days)": 31, "Default": 121}
STATUS = {"measurement_date": "As of", "loan_id": "id", "outstanding_balance": "out",
          "days_past_due": {"heading": "status", "words": WORDS}}  # fmt: skip


def test_words_of_buckets_count_from_their_first_day(lender):
    found = lender(STATUS, "id,As of,status,out", "1,2025-11-30,Current,1000", "2,2025-11-30,In Grace Period,500",
                   "1,2025-12-31,Late (16-30 days),900", "2,2025-12-31,Late (31-120 days),500",
                   "3,2025-12-31,Current,600")  # fmt: skip
    assert texts(found.kpis, PARS) == {
        "PAR1": "70.0000", "PAR7": "70.0000", "PAR30": "25.0000", "PAR60": None, "PAR90": None, "NPL": None,
    }  # fmt: skip
    assert found.reasons["PAR90"].startswith("of 1 rows the input does not say whether they are 90 or more days late")
    assert texts(found.aging) == {"0–6": "600.00", "7–30": "900.00", "31+": "500.00"}
    assert texts(found.rolled) == {("0", "1–30"): "1000.00", ("1–30", "31+"): "500.00", ("new", "0"): "600.00"}
    assert {row["kpi"] for row in found.bridges} == {"PAR30"}
    assert found.gaps == []
    assert found.entries["PAR30"]["counted_from"] == 31


def test_a_bucket_that_no_loan_lies_in_makes_nothing_unknown(lender):
    found = lender(STATUS, "id,As of,status,out", "1,2025-12-31,Current,900", "2,2025-12-31,Default,100")
    assert texts(found.kpis, PARS) == dict.fromkeys(PARS, "10.0000")


def test_lateness_in_months_is_of_thirty_days_each(lender):
    columns = {"measurement_date": "Month", "loan_id": "Loan", "outstanding_balance": "UPB",
               "days_past_due": {"heading": "Months late", "unit": "months"}}  # fmt: skip
    found = lender(columns, "Loan,Month,UPB,Months late", "1,2025-12-31,249500.00,0", "2,2025-12-31,180000.00,4")
    assert texts(found.kpis, PARS) == {
        "PAR1": None, "PAR7": None, "PAR30": "41.9092", "PAR60": "41.9092", "PAR90": "41.9092", "NPL": "41.9092",
    }  # fmt: skip
    assert texts(found.aging) == {"0–30": "249500.00", "30–60": "0.00", "60–90": "0.00", "90+": "180000.00"}


def test_date_in_the_name_of_a_file_is_the_date_of_its_loans(lender):
    columns = {"measurement_date": {"file_name": "loans_{year}-{month}"}, "loan_id": "loan_id",
               "outstanding_balance": "outstanding_balance", "days_past_due": "dpd"}  # fmt: skip
    found = lender(columns, "loan_id,outstanding_balance,dpd", "1,100,31", "2,100,0", name="loans_2025-12.csv")
    assert (found.kpis["PAR30"], found.kpis["Outstanding"]) == (Decimal("50.0000"), Decimal("200.00"))


def test_balances_without_lateness_have_no_par_and_no_buckets(lender):
    columns = {"measurement_date": "Day", "loan_id": "Loan", "outstanding_balance": "Owed"}
    found = lender(columns, "Loan,Day,Owed", "1,2025-12-31,100", "2,2025-12-31,50", "1,2025-11-30,100")
    assert texts(found.kpis, ("Outstanding", *PARS)) == {"Outstanding": "150.00", **dict.fromkeys(PARS)}
    assert found.aging == {}
    assert found.bridges == []


@pytest.mark.parametrize(("meaning", "par_7"), [(0, None), ("not late", "25.0000")])
def test_word_that_is_not_late_is_told_from_one_that_reaches_to_the_next_bucket(lender, meaning, par_7):
    words = {"Watchlist": meaning, "30+ Days": 30}
    columns = {"loan_id": "Loan", "measurement_date": "Date", "outstanding_balance": "Owed",
               "days_past_due": {"heading": "Late", "words": words}}  # fmt: skip
    found = lender(columns, "Loan,Date,Owed,Late", "A,2025-12-31,300,Watchlist", "B,2025-12-31,100,30+ Days")
    assert texts(found.kpis, ("PAR1", "PAR7", "PAR30")) == {"PAR1": par_7, "PAR7": par_7, "PAR30": "25.0000"}
