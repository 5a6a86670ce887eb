"""params/facilities.yml: what it may say of a facility, and one line for each mistake."""

import copy
import datetime as dt
import re

import pytest
import yaml

from abaco.core.errors import InputError
from abaco.kpis.book import Book
from abaco.kpis.facilities import covenant, facility, notes
from abaco.kpis.facilities.conditions import Criterion
from tests.support.projects import ROOT
from tests.support.tapes import DECEMBER, tape, written

from .pledged import DRAWINGS, TERMS, terms


def loaded(tmp_path, entry, key="LINE"):
    path = tmp_path / "lines.yml"
    path.write_text(yaml.safe_dump({key: entry}, sort_keys=False), encoding="utf-8")
    return facility.load(path)


def test_project_has_no_facility_of_its_own():
    assert facility.load("params/facilities.yml") == {}


def test_comments_explain_every_key():
    text = (ROOT / "params/facilities.yml").read_text(encoding="utf-8")
    models = [facility.Facility, facility.Limit, facility.AdvanceRate, facility.Reserve, Criterion]
    models += [covenant.Covenant, covenant.Months]
    keys = {field.alias or name for model in models for name, field in model.model_fields.items()}
    unnamed = {key for key in keys if not re.search(rf"\b{key}\b", text)}
    assert unnamed == {"rate"}  # for which a number stands


def test_facilities_of_the_sample_are_read():
    found = facility.load("params/sample_facilities.yml")
    assert [entry.title for entry in found.values()] == ["Senior line", "Short-term line"]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"colour": "red"}, "LINE.colour is not a known key"),
        ({"lender": None}, "LINE.lender: write text"),
        ({"commitment": -1}, "LINE.commitment: write 0 or more"),
        ({"commitment": 1.005}, "LINE.commitment: write at most 2 decimals"),
        ({"currency": "usd"}, "LINE: currency: usd is not a code of ISO 4217: write one such as USD"),
        ({"to": dt.date(2024, 1, 1)}, "LINE: to: 2024-01-01 is before from, 2025-01-01"),
        ({"from": "soon"}, "LINE.from: write a date, such as 2025-12-31"),
        ({"pledged": "some"}, "LINE.pledged: write 'all' or 'by_column'"),
        ({"eligibility": {"a": {"column": "dpd", "at_most": 1}}}, "eligibility.a: column: dpd is not known of loans"),
        ({"eligibility": {"a": {"column": "region"}}}, "LINE.eligibility.a: asks nothing: add at_most"),
        ({"eligibility": {"a": {"column": "region", "at_mots": 1}}}, "LINE.eligibility.a.at_mots is not a known key"),
        ({"eligibility": {"a": {"column": "region", "at_most": 1}}}, "eligibility.a: at_most: region has no order"),
        ({"eligibility": {"a": {"column": "age_days", "at_most": 1.5}}}, "at_most: 1.5 is not a whole number of days"),
        ({"eligibility": {"a": {"column": "disbursed_on", "at_most": 1}}}, "at_most: 1 is not a date, such as"),
        ({"eligibility": {"a": {"column": "interest_rate", "at_most": float("nan")}}}, "at_most: NaN is not a number"),
        ({"eligibility": {"a": {"column": "age_days", "one_of": [1]}}}, "one_of: age_days is not a text"),
        ({"eligibility": {"a": {"column": "region", "present": True, "one_of": ["x"]}}}, "present stands alone"),
        ({"eligibility": {"a": {"column": "restructured", "one_of": ["x"]}}}, "restructured is true or false"),
        ({"eligibility": {"a": {"column": "region", "is": True}}}, "is: region is not true or false"),
        ({"eligibility": {"a": {"column": "borrower", "at_most": 1}}}, "at_most: borrower has no order"),
        ({"limits": {"a": {"column": "borrower"}}}, "LINE.limits.a: needs one of at_most, an amount, and at_most_pct"),
        ({"limits": {"a": {"at_most": 1}}}, "LINE.limits.a: needs a column, such as borrower, or when"),
        ({"limits": {"a": {"column": "borrower", "one_of": ["x"], "at_most": 1}}}, "one_of: nobody is named here"),
        ({"limits": {"a": {"column": "age_days", "at_most": 1}}}, "column: age_days is not text: limit the loans that"),
        ({"limits": {"a": {"column": "region", "largest": 0, "at_most": 1}}}, "LINE.limits.a.largest: write"),
        ({"advance_rate": 101}, "LINE.advance_rate.rate: write 100 or less"),
        ({"advance_rate": {"column": "product"}}, "LINE.advance_rate: needs a number, or a column and rates"),
        ({"advance_rate": {"column": "age_days", "rates": {"x": 10}}}, "column: age_days is not a text, so it has no"),
        ({"reserves": {"a": {"pct": 1, "amount": 1}}}, "LINE.reserves.a: needs one of amount and pct"),
        ({"reserves": {"a": "1,500"}}, "LINE.reserves.a.amount: write a number, such as 1500.00, without"),
        ({"advance_rate": 0.85}, "advance_rate.rate: 0.85 may be 0.85 % or 85 %: write per cent"),
        ({"advance_rate": {"column": "product", "rates": {"a": 1}}}, "advance_rate.rates: 1 may be 1 % or 100 %"),
        ({"advance_rate": {"column": "product", "rates": {"A": 9, "a ": 8}}}, "rates: A and a  are one class"),
        ({"advance_rate": {"column": "product", "rates": {"otherwise": 9}}}, "otherwise is not a class: write"),
        ({"cash_rate": 0.5}, "LINE.cash_rate: 0.5 may be 0.5 % or 50 %"),
        ({"eligibility": {"a": {"column": "interest_rate", "at_most": 24}}}, "at_most: 24 are 2400 %: write 24 %"),
        ({"eligibility": {"a": {"column": "age_days", "at_most": 1, "at_least": 2}}}, "no loan meets both"),
        ({"eligibility": {"a; b": {"column": "age_days", "at_most": 1}}}, "'a; b' is not a name: write one"),
        ({"title": "A\nline"}, "LINE.title: 'A\\nline' is not a name"),
        ({"called": [" "]}, "LINE.called.0: ' ' is not a name"),
    ],
)  # fmt: skip
def test_mistake_is_one_line_that_names_the_key(tmp_path, changes, fault):
    with pytest.raises(InputError) as refused:
        loaded(tmp_path, TERMS | changes)
    assert str(refused.value).startswith(f"{tmp_path}/lines.yml: LINE")
    assert fault in str(refused.value) and "\n" not in str(refused.value)


def both(tmp_path, first, second, **changes):
    """Return what is said of two facilities that differ in their keys and some terms."""
    terms = yaml.safe_load((ROOT / "params/sample_facilities.yml").read_text(encoding="utf-8"))["TAIL"]
    entries = {first: terms, second: copy.deepcopy(terms) | changes}
    path = tmp_path / "facilities.yml"
    path.write_text(yaml.safe_dump(entries, allow_unicode=True, sort_keys=False), encoding="utf-8")
    try:
        return list(facility.load(path))
    except InputError as error:
        return str(error).partition(": ")[2]


@pytest.mark.parametrize(("first", "second"), [("TAIL", "Tail"), ("Línea", "Li\u0301nea")])
def test_two_facilities_with_one_name_for_files_are_refused(tmp_path, first, second):
    assert both(tmp_path, first, second) == f"{first} and {second} are one name for files: rename one"


def test_loan_is_not_pledged_to_two_facilities_by_one_name(tmp_path):
    said = both(tmp_path, "TAIL", "OTHER", called=["Tail "])
    assert said.startswith("OTHER.called: tail is also TAIL, which runs at the same time, so a loan would be pledged")
    later = {"from": dt.date(2026, 6, 1), "to": dt.date(2027, 5, 31)}
    assert both(tmp_path, "TAIL", "OTHER", called=["Tail"], **later) == ["TAIL", "OTHER"]
    assert both(tmp_path, "TAIL", "OTHER", called=["Tail"], pledged="all") == ["TAIL", "OTHER"]


def test_name_of_a_facility_is_a_word(tmp_path):
    with pytest.raises(InputError, match="'A line' is not a valid name of a facility"):
        loaded(tmp_path, TERMS, key="A line")


def test_missing_key_is_named(tmp_path):
    with pytest.raises(InputError, match=r"LINE\.from is missing"):
        loaded(tmp_path, {key: value for key, value in TERMS.items() if key != "from"})


def test_rule_reads_as_a_sentence():
    rule = {
        "column": "disbursed_usd",
        "at_least": 10,
        "at_most": 20.5,
        "when": {"column": "region", "none_of": ["N", "S"]},
    }
    said = "disbursed_usd at least 10 and at most 20.5, when region none of N, S"
    assert Criterion.model_validate(rule).rule == said


LOANS = """
measurement_date  loan_id  facility  total_receivable_usd
2025-11-30        A        OLD       10.00
2025-12-31        A        line      10.00
2025-12-31        B        SENOIR    20.00
2025-12-31        C        SENOIR    30.00
2025-12-31        D        GONE      0.00
2025-12-31        E        -         40.00
"""
DRAWN = """
measurement_date  facility  drawn  cash
2025-12-31        LINE      5.00   0.00
2025-12-31        Tail      5.00   0.00
"""


def test_loans_and_drawn_amounts_of_what_is_not_described_are_told(frame):
    book = Book(frame(tape(LOANS)), [DECEMBER], DECEMBER, {"drawings": frame(written(DRAWN, DRAWINGS))})
    line = terms(pledged="by_column")
    assert [str(reason) for reason in notes.undescribed({"LINE": line}, book)] == [
        "Loans with a balance that are pledged to SENOIR, which the file of facilities does not describe: 2. Describe "
        "it there, or add the name to `called` of the facility that it is.",
        "Rows of the drawn amounts that are of Tail, which the file of facilities does not describe, and that count "
        "nowhere: 1.",
    ]
    both = {"LINE": line, "TAIL": terms(pledged="by_column", called=["tail", "senoir"])}
    assert notes.undescribed(both, book) == notes.undescribed({}, book) == []
    (of_drawn,) = notes.undescribed({"LINE": terms(pledged="all")}, book)
    assert of_drawn.code == "drawn_of_others"


CLOSED = """
measurement_date  facility  drawn  cash
2025-11-30        line      7.00   0.00
2025-12-31        line      5.00   0.00
"""


def test_loans_in_two_pools_are_told_with_their_balance(frame):
    book = Book(frame(tape(LOANS)), [DECEMBER], DECEMBER)
    both = {"LINE": terms(pledged="by_column"), "ALL": terms(pledged="all")}
    told = [note for note in notes.notes(both, book) if note.code == "pledged_twice"]
    assert [str(note) for note in told] == [
        "Pledged to LINE, ALL at once, and counted in both: 1 row (10.00 USD). Where one leaves out what is pledged "
        "to the other, write pledged: by_column."
    ]
    ended = {"LINE": both["LINE"], "ALL": terms(pledged="all", to=dt.date(2025, 12, 30))}
    assert not [note for note in notes.notes(ended, book) if note.code == "pledged_twice"]


def test_what_is_drawn_after_the_last_day_or_before_the_first_is_told(frame):
    book = Book(frame(tape(LOANS)), [DECEMBER], DECEMBER, {"drawings": frame(written(CLOSED, DRAWINGS))})
    for changes in ({"to": dt.date(2025, 12, 30)}, {"from": dt.date(2026, 1, 1), "to": dt.date(2026, 12, 31)}):
        told = [str(note) for note in notes.notes({"LINE": terms(pledged="by_column", drawn=None, **changes)}, book)]
        assert any(text.startswith("5.00 USD is drawn from LINE, which runs from") for text in told), told
    assert not [n for n in notes.notes({"LINE": terms(drawn=None)}, book) if n.code == "drawn_when_closed"]


def test_words_that_no_loan_has_are_told_with_their_place(frame):
    rows = "measurement_date  loan_id  product  region\n" + "\n".join(
        f"2025-12-31  {row}" for row in ("A  Micro  North", "B  -  -", "C  micro  South")
    )
    book = Book(frame(tape(rows)), [DECEMBER], DECEMBER)
    excluded = {
        "column": "product",
        "none_of": ["Micr\u00f3", "MICRO"],
        "when": {"column": "region", "one_of": ["NORTE"]},
    }
    line = terms(
        eligibility={"kind": excluded, "late": {"column": "days_past_due", "at_most": 60}},
        limits={"south": {"column": "region", "one_of": [" south"], "at_most": 5}},
        advance_rate={"column": "product", "rates": {"micro": 80, "retail": 70}, "otherwise": 0},
    )
    assert [str(note) for note in notes.notes({"LINE": line}, book)] == [
        "LINE, advance_rate: no loan has retail under product; see how the exports write it.",
        "LINE, eligibility.kind: no loan has Micr\u00f3 under product; see how the exports write it.",
        "LINE, eligibility.kind.when: no loan has NORTE under region; see how the exports write it.",
    ]
