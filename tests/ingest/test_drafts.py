"""Drafts of mappings: what headings and values prove is proposed, what they do not is asked, and nobody is named."""

import datetime as dt
import shutil
from decimal import Decimal

import pytest
import yaml

from abaco.core.errors import InputError
from abaco.core.phases import COMPLETED, DRAFTING, notebook_path, scraps_of
from abaco.core.settings import notebook_parameters
from abaco.ingest import discovery, heading_words, mappings
from abaco.ingest.bucket_words import days_of
from abaco.review.drafting import Drafting, given
from abaco.run.process import execute
from tests.support.exports import LOANS, write
from tests.support.figures import figures_of
from tests.support.projects import ROOT

HEADER = "LAN,Customer Name,Disbursal Dt,Sanctioned Amt,POS,ROI (%) p.a.,Days in Arrears,Remark"
LINES = (
    "LN1,Ana Lima,2025-01-31,1000.00,600.00,24.00,0,paid by Eva Paz",
    "LN2,Leo Sol,2025-02-28,500.00,500.00,18.50,31,",
    "LN3,Eva Paz,2025-03-31,300.00,200.00,21.00,95,",
)
ANSWERED = {"currency": "INR"}


def drafted(tmp_path, *lines, answers=ANSWERED, name="book.csv", header=HEADER):
    return Drafting(write(tmp_path / name, header, *(lines or LINES)), None, answers)


def columns(drafting):
    return {name: value for name, (value, _) in drafting.draft.columns.items()}


def keys(drafting):
    return [question.key for question in drafting.questions]


def test_headings_and_values_propose_columns_and_the_loader_reads_the_draft(root, tmp_path):
    drafting = drafted(tmp_path)
    assert keys(drafting) == []
    assert columns(drafting) == {
        "loan_id": "LAN", "borrower_name": "Customer Name", "disburse_date": "Disbursal Dt",
        "interest_rate": {"heading": "ROI (%) p.a.", "as": "percent"}, "disburse_principal": "Sanctioned Amt",
        "outstanding_balance": "POS", "days_past_due": "Days in Arrears",
    }  # fmt: skip
    drafting.save()
    assert mappings.load("book").currency == "INR"
    assert drafting.draft.text == drafted(tmp_path).draft.text
    with pytest.raises(InputError, match=r"params/mappings/book\.yml is there: give another NAME"):
        drafting.save()


def test_no_personal_value_is_shown(tmp_path):
    drafting = drafted(tmp_path)
    shown = "\n".join([*drafting.lines(), drafting.draft.text, *map(str, drafting.questions)])
    assert not any(name in shown for name in ("Ana", "Lima", "Leo", "Sol", "Eva", "Paz"))


def test_headings_that_may_be_people_are_not_shown_where_none_is_known(tmp_path):
    lines = [f"Z-{n},{n}.50,{n}.75" for n in range(1, 5)]
    drafting = drafted(tmp_path, *lines, answers={}, header="zorp,ana lima,leo_sol", name="ana_lima.csv")
    text = "\n".join([*drafting.lines(), drafting.draft.text, *map(str, drafting.questions)])
    assert "zorp" in text and "ana" not in text and "leo" not in text


def test_numbers_dates_and_places_of_people_are_not_shown_of_columns_that_stay_behind(tmp_path):
    header = "Loan ID,POS,DPD,Cuenta,Tel,Card,KTP,Birthday,Lat,Salary,Aval,Fees charged"
    lines = [
        f"7100000{n},{n}00.50,{n},4111111111111{n}11,7216{n}569,5500{n}0000000,79{n}1024630,1{n}/02/1980,13.6{n}2874,"
        f"{n}812345,{word},12.5{n}"
        for n, word in enumerate(("Ana", "Luis", "Ana", "Eva"))
    ]
    drafting = drafted(tmp_path, *lines, header=header)
    shown = {row["heading"]: row["examples"] for row in drafting.headings() if row["examples"].strip("…, ")}
    assert shown == {"POS": "000.50, 100.50", "DPD": "0, 1", "Fees charged": "12.50, 12.51"}
    text = "\n".join([*drafting.lines(), drafting.draft.text, *map(str, drafting.questions)])
    assert not any(
        digits in text for digits in ("7100", "4111", "7216", "5500", "79,", "1980", "13.6", "812,345", "Ana")
    )
    unknown = drafted(tmp_path, *lines, header=header.replace("POS", "Y").replace("DPD", "Z"))
    text = "\n".join(map(str, unknown.questions))
    assert keys(unknown) == ["outstanding_balance", "days_past_due"]
    assert not any(digits in text for digits in ("7100", "4111", "7216", "5500", "1980", "13.6", "812,345"))


@pytest.mark.parametrize(("heading", "is_asked"), [("As At", False), ("Cut-off", False), ("Stand", True)])
def test_date_of_the_balances_is_read_or_asked(tmp_path, heading, is_asked):
    lines = ("L1,500.50,0,30-06-2025", "L2,500.50,31,30-06-2025")
    drafting = drafted(tmp_path, *lines, header=f"Loan ID,OLB (KES),DPD,{heading}", answers={})
    assert columns(drafting)["outstanding_balance"] == "OLB (KES)"
    assert keys(drafting) == (["measurement_date"] if is_asked else [])
    if is_asked:
        assert drafting.questions[0].choices == {
            heading: "30-06-2025 in every row", "none": "each report is given its DATE",
        }  # fmt: skip
        drafting.answer("measurement_date", heading)
    assert columns(drafting)["measurement_date"] == heading
    assert drafting.draft.rows[0] == "loan and date"


def test_balance_is_offered_where_its_decimal_mark_is_open(tmp_path):
    lines = ("L1,0,'206,365','186,365'".replace("'", '"'), "L2,31,'87,811','67,811'".replace("'", '"'))
    [question] = drafted(tmp_path, *lines, header="Loan ID,DPD,Loan Amount,Owing").questions[:1]
    assert question.choices == {"Loan Amount": "its heading says the amount lent", "Owing": "numbers"}


def test_draft_with_an_open_question_is_refused_by_the_loader_at_its_key(root, tmp_path):
    drafting = drafted(tmp_path, answers={})
    assert keys(drafting) == ["currency"]
    drafting.save()
    with pytest.raises(InputError, match=r"book\.yml: currency is '\?': the draft asks this: write the answer"):
        mappings.load("book")
    assert yaml.safe_load(drafting.draft.text)["currency"] == "?"


def test_rate_is_asked_with_what_each_reading_gives(tmp_path):
    drafting = drafted(tmp_path, header=HEADER.replace("ROI (%) p.a.", "Yearly ROI"))
    [question] = drafting.questions
    assert question.key == "interest_rate.as"
    assert question.choices == {"percent": "24 % a year", "fraction": "2,400 % a year"}
    assert str(question).startswith("interest_rate.as: what is 24 under Yearly ROI? percent: 24 % a year; fraction: 2")
    drafting.answer("interest_rate.as", "percent")
    assert columns(drafting)["interest_rate"] == {"heading": "Yearly ROI", "as": "percent"}


@pytest.mark.parametrize(
    ("rates", "text", "percent", "fraction"),
    [
        (("21", "0.14", "18.25"), "0.14 to 21", "0.14 % to 21 %", "14 % to 2,100 %"),
        (("21%", "0.14", "18.25%"), "0.14", "0.14 %", "14 %"),
    ],
)
def test_rates_that_are_per_cent_or_fractions_by_the_row_are_asked_with_both_readings(
    tmp_path, rates, text, percent, fraction
):
    lines = [line.replace(old, new) for line, old, new in zip(LINES, ("24.00", "18.50", "21.00"), rates, strict=True)]
    [question] = drafted(tmp_path, *lines, header=HEADER.replace("ROI (%) p.a.", "Yearly ROI")).questions
    beside = ", beside others with a percent sign" if "21%" in rates else ""
    assert question.text == f"what is {text} under Yearly ROI{beside}?"
    assert question.choices == {"percent": f"{percent} a year", "fraction": f"{fraction} a year"}


@pytest.mark.parametrize(
    ("rates", "choices"),
    [
        (("24.00", "18.50", "21.00"), ["percent", "fraction"]),  # 24 % a month is none
        (("2.00", "1.50", "1.75"), ["percent", "percent per month", "fraction"]),
        (("0.24", "0.18", "0.21"), ["percent", "percent per month", "fraction"]),
        (("0.02", "0.01", "0.02"), ["percent", "percent per month", "fraction", "fraction per month"]),
    ],
)
def test_rate_is_asked_to_be_one_of_a_month_only_where_it_can_be(tmp_path, rates, choices):
    lines = [line.replace(old, new) for line, old, new in zip(LINES, ("24.00", "18.50", "21.00"), rates, strict=True)]
    [question] = drafted(tmp_path, *lines, header=HEADER.replace("ROI (%) p.a.", "Rate")).questions
    assert list(question.choices) == choices


AMOUNTS = "LAN,Customer Name,Disbursal Dt,Sanctioned Amt,Principal Repaid,POS,Current Balance,Days in Arrears"


def test_balance_is_the_heading_that_is_the_amount_lent_less_what_was_paid(tmp_path):
    lines = [
        "LN1,Ana Lima,2025-01-31,1000.00,400.00,600.00,610.00,0",
        "LN2,Leo Sol,2025-02-28,500.00,0.00,500.00,512.50,31",
        "LN3,Eva Paz,2025-03-31,300.00,100.00,200.00,204.00,95",
    ]
    drafting = drafted(tmp_path, *lines, header=AMOUNTS)
    assert keys(drafting) == []
    assert columns(drafting)["outstanding_balance"] == "POS"
    reason = drafting.draft.columns["outstanding_balance"][1]
    assert reason == "whole numbers 200 to 600; in every row Sanctioned Amt is Principal Repaid and POS"
    lines[2] = "LN3,Eva Paz,2025-03-31,300.00,90.00,200.00,204.00,95"  # one row that does not add up proves nothing
    assert keys(drafted(tmp_path, *lines, header=AMOUNTS)) == ["outstanding_balance"]


@pytest.mark.parametrize(
    ("lent", "left", "asked"),
    [
        ("1.500", "1.250", ["decimal_mark"]),
        ('"1,23,000"', "1,250", []),  # lakh groups
        ("1.500", "12.345,60", []),  # another column of the file tells
        ("1.500", "12.50", ["decimal_mark"]),  # a thousand beside decimals, or three decimals
    ],
)
def test_decimal_mark_is_asked_only_where_nothing_in_the_file_proves_it(tmp_path, lent, left, asked):
    header = "LAN;Disbursal Dt;Sanctioned Amt;POS;Days in Arrears"
    lines = [f"LN1;2025-01-31;{lent};{left};0", f"LN2;2025-02-28;{lent};{left};31"]
    assert keys(drafted(tmp_path, *lines, header=header)) == asked


def test_answers_are_given_one_at_a_time(root, tmp_path):
    header = HEADER.replace("ROI (%) p.a.", "Yearly ROI")
    path = write(tmp_path / "book.csv", header, *LINES)
    Drafting.resumed(path, None, {"currency": "INR"}).save()
    assert "# answers: {currency: INR}" in (root / "params/mappings/book.yml").read_text(encoding="utf-8")
    again = Drafting.resumed(path, None, {"interest_rate.as": "percent"})
    assert (keys(again), again.draft.currency[0]) == ([], "INR")
    assert Drafting.resumed(path, None, {"currency": "USD"}).draft.currency[0] == "USD"  # the last answer counts


def test_draft_that_was_edited_is_not_drafted_again_over_its_answers(root, tmp_path):
    path = write(tmp_path / "book.csv", HEADER.replace("ROI (%) p.a.", "Yearly ROI"), *LINES)
    Drafting.resumed(path).save()
    mapping = root / "params/mappings/book.yml"
    mapping.write_text(mapping.read_text(encoding="utf-8").replace("currency: '?'", "currency: INR"), encoding="utf-8")
    with pytest.raises(InputError, match=r"book\.yml waits for answers, and is not as it was drafted from this file"):
        Drafting.resumed(path, None, {"interest_rate.as": "percent"})


def test_two_headings_for_one_column_are_a_question_and_not_a_guess(tmp_path):
    lines = [line.rsplit(",", 1)[0] + ",700.00" for line in LINES]
    drafting = drafted(tmp_path, *lines, header=HEADER.replace("Remark", "Current Balance"))
    [question] = drafting.questions
    assert question.key == "outstanding_balance"
    assert list(question.choices) == ["POS", "Current Balance", "none"]
    drafting.answer("outstanding_balance", "pos")
    assert columns(drafting)["outstanding_balance"] == "POS"


def test_missing_balance_is_asked_and_may_be_what_was_lent_less_what_was_paid(tmp_path):
    drafting = drafted(tmp_path, header=HEADER.replace("POS", "Principal Repaid"))
    [question] = drafting.questions
    assert question.choices["[Sanctioned Amt] - [Principal Repaid]"] == "what is left of what was lent: 500 in all"
    assert question.choices["Sanctioned Amt"] == "its heading says the amount lent: as the balance 1,800 in all"
    with pytest.raises(
        InputError, match="outstanding_balance=none: the outstanding balance is needed: write a heading"
    ):
        drafting.answer("outstanding_balance", "none")
    drafting.answer("outstanding_balance", "[Sanctioned Amt] - [Principal Repaid]")
    assert columns(drafting)["outstanding_balance"] == {"compute": "[Sanctioned Amt] - [Principal Repaid]"}


def test_days_late_in_words_and_blanks(tmp_path):
    late = ("31-60", "Current", "Watch", "")
    lines = (f"LN{n},Ana Lima,2025-01-31,1000.00,600.00,24.00,{word},x" for n, word in enumerate(late))
    drafting = drafted(tmp_path, *lines)
    assert keys(drafting) == ["days_past_due.Watch", "days_past_due.blank"]
    drafting.answer("days_past_due.Watch", "15")
    drafting.answer("days_past_due.blank", "0")
    assert columns(drafting)["days_past_due"] == {
        "heading": "Days in Arrears", "words": {"31-60": 31, "Current": 0, "Watch": 15, "": 0},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("word", "days"),
    [
        ("31-60", 31),
        ("90+", 90),
        ("Late (16-30 days)", 16),
        ("Al día", 0),
        ("al dia", 0),
        ("SMA-1", None),
        ("M4+", None),
        ("Bucket 4+", None),
        ("Stage 4+", None),
        ("Bucket 31-60", 31),
        ("Late 90+", 90),
    ],
)
def test_days_that_a_word_says(word, days):
    assert days_of(word, heading_words.load()) == days


@pytest.mark.parametrize(
    "heading", ["Months past due", "Months in arrears", "Meses de atraso", "No. of months overdue"]
)
def test_months_late_are_read_as_months(root, tmp_path, heading):
    lines = ("L0,1000.50,0", "L1,500.50,2", "L2,500.50,4")
    header = f"Loan ID,Outstanding balance,{heading}"
    expected = {"heading": heading, "unit": "months"}
    assert columns(drafted(tmp_path, *lines, header=header))["days_past_due"] == expected
    answered = drafted(tmp_path, *lines, header=header, answers={"currency": "USD", "days_past_due": heading})
    assert columns(answered)["days_past_due"] == expected
    answered.save()
    assert mappings.load("book").columns["days_past_due"].unit == "months"


@pytest.mark.parametrize(
    ("heading", "words", "column"),
    [
        *((heading, ("N", "Y"), "is_written_off") for heading in ("WO flag", "CO ind", "W/O", "Charge-off indicator")),
        *(
            (heading, ("Active", "Closed"), "loan_status")
            for heading in ("Loan Status Code", "Situation", "Condition", "Account condition")
        ),
    ],
)
def test_other_names_of_a_status_and_of_a_flag_are_proposed(tmp_path, heading, words, column):
    lines = [f"L{n},{n}00.50,{n},{word}" for n, word in enumerate(words * 2)]
    assert columns(drafted(tmp_path, *lines, header=f"Loan ID,POS,DPD,{heading}"))[column] == heading


@pytest.mark.parametrize("heading", ["Delinquency status", "Cuotas vencidas"])
def test_lateness_whose_heading_names_no_unit_is_asked(tmp_path, heading):
    lines = ("L0,1000.50,0", "L1,500.50,2", "L2,500.50,4")
    answers = {"currency": "USD", "days_past_due": heading}
    drafting = drafted(tmp_path, *lines, header=f"Loan ID,Outstanding balance,{heading}", answers=answers)
    [question] = drafting.questions
    assert (question.key, list(question.choices)) == ("days_past_due.unit", ["days", "months"])
    drafting.answer("days_past_due.unit", "days")
    assert columns(drafting)["days_past_due"] == heading


def test_words_of_lateness_in_months_are_asked(tmp_path):
    for heading, late in (("Arrears bucket", ("0-1 months", "2-3 months")), ("Months past due", ("0-1", "2+"))):
        lines = (f"L{n},500.50,{word}" for n, word in enumerate(late))
        drafting = drafted(tmp_path, *lines, header=f"Loan ID,Outstanding balance,{heading}")
        assert keys(drafting) == [f"days_past_due.{word}" for word in late]


def test_date_in_the_name_of_the_file_is_asked(tmp_path):
    drafting = drafted(tmp_path, name="book_2025-11.csv")
    assert drafting.questions[0].choices["file_name"] == "2025-11, its last day, as the file's name says"
    drafting.answer("measurement_date", "file_name")
    assert drafting.draft.rows[0] == "loan and date"
    assert columns(drafting)["measurement_date"] == {"file_name": "{year}-{month}"}


def test_date_that_is_an_answer_is_that_of_all_balances(root, tmp_path):
    path = write(tmp_path / "book.csv", HEADER, *LINES)
    drafting = Drafting(path, None, ANSWERED)
    assert drafting.draft.rows[1].endswith("answer measurement_date=YYYY-MM-DD, the day of its balances")
    drafting.answer("measurement_date", "2025-11-30")
    assert drafting.draft.rows[0] == "loan and date"
    assert columns(drafting)["measurement_date"] == {"constant": "2025-11-30"}
    drafting.save()
    found = figures_of(path, dt.date(2025, 11, 30))
    assert (found.as_of, found.values["PAR30"]) == (dt.date(2025, 11, 30), 53.8462)  # 700 of 1,300


@pytest.mark.parametrize(
    ("header", "line", "answers", "message"),
    [
        ("LAN,POS,DPD", "A-1,1.50,0", {"measurement_date": "2025-02-30"}, "2025-02-30 is not a valid date"),
        ("LAN,POS,DPD", "A-1,1.50,0", {"measurement_date": "31/12/2025"}, "write a heading of the file, a day as YYYY"),
        ("LAN,POS,DPD", "A-1,1.50,0", {"measurement_date": "2025-12-31", "rows": "loan"}, "answered to be a loan:"),
        ("As of Date,LAN,POS,DPD", "2025-12-31,A-1,1.50,0", {"measurement_date": "2025-11-30"}, "has dates of its ro"),
        ("LAN,POS Nov-25,DPD Nov-25,POS Dec-25,DPD Dec-25", "A-1,1.50,0,1.50,0", {"measurement_date": "2025-12-31"},
         "has dates of its rows"),
    ],
)  # fmt: skip
def test_date_that_is_an_answer_is_refused_where_it_contradicts(tmp_path, header, line, answers, message):
    with pytest.raises(InputError, match=message):
        drafted(tmp_path, line, header=header, answers=ANSWERED | answers)


def test_draft_whose_date_is_open_is_not_used(root, tmp_path):
    drafting = drafted(tmp_path, name="book_2025-11.csv")
    assert keys(drafting) == ["measurement_date"]
    path = drafting.draft.save()
    assert mappings.is_open("book_2025_11")
    path.write_text(path.read_text().replace("measurement_date: '?'", "measurement_date: none"))
    with pytest.raises(InputError, match="measurement_date is not a column of a loan: write rows: loan and date, or"):
        mappings.load("book_2025_11")
    path.unlink()
    drafting.answer("measurement_date", "none")
    drafting.draft.save()
    assert not mappings.is_open("book_2025_11")


def test_answers_are_given_in_any_order(tmp_path):
    header = "Book,Zorp,Owing,Late Flag"
    lines = ("LN1,1,600.000,M0", "LN2,1,500.000,M1", "LN3,1,200.000,M0", "LN4,2,200.000,M0")
    answers = {"decimal_mark": "point", "days_past_due.M1": "31", "days_past_due.M0": "0", "currency": "USD"}
    last = {"loan_id": "Book", "outstanding_balance": "Owing", "days_past_due": "Late Flag"}
    drafting = drafted(tmp_path, *lines, header=header, answers=answers)
    assert keys(drafting) == [*last]
    for key, answer in last.items():
        drafting.answer(key, answer)
    assert keys(drafting) == [] == keys(drafted(tmp_path, *lines, header=header, answers=last | answers))
    with pytest.raises(InputError, match="dates is not an open question: write one of none"):
        drafting.answer("dates", "dmy")


UNNEEDED = "Loan ID,Lent on,Saldo,Days late"
PROVEN = ('L1,31/01/2025,"1.000,50",0', 'L2,28/02/2025,"2.000,00",31')


def test_answer_without_a_question_has_no_effect_where_it_agrees(root, tmp_path):
    answers = {"dates": "dmy", "decimal_mark": "comma", "days_past_due.unit": "days"}
    drafting = drafted(tmp_path, *PROVEN, header=UNNEEDED, answers=answers)
    drafting.answer("currency", "EUR")
    assert (keys(drafting), drafting.draft.unasked) == ([], [])


@pytest.mark.parametrize(
    ("key", "answer", "told"),
    [
        ("dates", "mdy", "Lent on says dmy"),
        ("decimal_mark", "point", "Saldo says comma"),
        ("days_past_due.unit", "months", "Days late says days"),
    ],
)
def test_answer_that_contradicts_what_is_proven_is_refused_at_once(tmp_path, key, answer, told):
    with pytest.raises(InputError, match=f"{key}={answer}: {told}: leave the answer out, or correct the file"):
        drafted(tmp_path, *PROVEN, header=UNNEEDED, answers={key: answer})


def test_answer_that_waits_in_vain_does_not_spoil_the_others(tmp_path):
    drafting = drafted(tmp_path, "L1,5,0", "L2,6,31", header="Loan ID,Saldo,Days late", answers={"dates": "dmy"})
    drafting.answer("currency", "EUR")
    assert (keys(drafting), drafting.draft.unasked) == ([], ["dates"])


def test_answer_that_is_none_of_a_question_is_refused(tmp_path):
    with pytest.raises(InputError, match="balance is not an open question"):
        drafted(tmp_path, answers={"balance": "POS"})
    with pytest.raises(InputError, match="loan_id=Number: write a heading of the file"):
        drafted(tmp_path, answers={"loan_id": "Number"})


def test_file_without_a_header_is_refused_without_its_values(tmp_path):
    with pytest.raises(InputError, match=r"book\.csv has no header") as error:
        drafted(tmp_path, *LINES[1:], header=LINES[0])
    assert "Ana" not in str(error.value)


def test_headings_of_other_languages_are_known(tmp_path):
    german = drafted(tmp_path, "RE1;GmbH 1;01.09.2025;1.100,50;1", "RE2;GmbH 2;13.09.2025;2.100,50;2",
                     header="Rechnungsnr.;Debitor;Fälligkeit;Offener Betrag;Verzugstage")  # fmt: skip
    assert (keys(german), columns(german)) == ([], {
        "loan_id": "Rechnungsnr.", "borrower_name": "Debitor", "maturity_date": "Fälligkeit",
        "outstanding_balance": "Offener Betrag", "days_past_due": "Verzugstage",
    })  # fmt: skip
    lines = ("C1,2025-01-02,1000.50,900.50,0", "C2,2025-01-02,1000.50,800.50,31")
    header = "contrato,data_contratacao,valor_financiado,saldo_devedor,dias_em_atraso"
    assert list(columns(drafted(tmp_path, *lines, header=header)).values()) == header.split(",")
    found = columns(
        drafted(tmp_path, *lines, header="N° de prêt,Date de décaissement,Montant du prêt,Encours,Jours de retard")
    )
    assert found["outstanding_balance"] == "Encours" and found["days_past_due"] == "Jours de retard"


def test_indonesian_headings_are_no_names_of_people(tmp_path):
    lines = ('K1,Budi Santoso,"5.000.000,00",1', 'K2,Siti Aminah,"3.000.000,00",2')
    asked = drafted(tmp_path, *lines, header="No Rekening,Nama Debitur,Baki Debet,Kolektibilitas", answers={})
    assert list(columns(asked).values())[:3] == ["No Rekening", "Nama Debitur", "Baki Debet"]
    assert "Kolektibilitas" in next(q for q in asked.questions if q.key == "days_past_due").choices


def test_headings_alike_but_for_signs_are_told_apart(root, tmp_path):
    header = "Invoice Number,Current,< 1 Month,1 Month,2 Months,3 Months,Older,Total"
    lines = ("I1,1000,0,0,0,0,0,1000", "I2,0,500,0,0,0,0,500", "I3,0,0,1500,0,0,0,1500", "I4,0,0,0,0,0,2000,2000")
    path = write(
        tmp_path / "aged_2025-12.csv",
        header,
        *lines,
        "Total,1000,500,1500,0,0,2000,5000",
        ",20%,10%,30%,0%,0%,40%,100%",
    )
    drafting = Drafting(path, "book", ANSWERED | {"measurement_date": "file_name"})
    assert keys(drafting) == ["rows_to_leave_out"]
    drafting.answer("rows_to_leave_out", "blank")
    drafting.save()
    values = figures_of(path).values
    assert (values["Outstanding"], values["PAR30"], values["PAR90"]) == (5000.0, 70.0, 40.0)


def test_buckets_below_one_heading_of_two_rows_are_read(root, tmp_path):
    path = write(
        tmp_path / "aging_2025-12.csv", "ABC Lending,,,,,,", "Loan No.,Name,Current,Past Due,,,,Total",
        ",,,1-30,31-60,61-90,Over 90,", "P1,Ana Lima,5000,0,0,0,0,5000", "P2,Leo Sol,0,2000,0,0,0,2000",
        "P3,Eva Paz,0,0,1500,0,0,1500", "P4,Mia Rey,0,0,0,500,0,500", "P5,Bo Lim,0,0,0,0,1000,1000",
        "TOTAL,,5000,2000,1500,500,1000,10000",
    )  # fmt: skip
    Drafting(path, "book", ANSWERED | {"measurement_date": "file_name"}).save()
    values = figures_of(path).values
    assert (values["Outstanding"], values["PAR30"], values["PAR90"]) == (10000.0, 30.0, 10.0)


def test_sections_and_their_sums_without_a_number_are_asked_and_left_out(root, tmp_path):
    path = write(
        tmp_path / "aging.csv", "A/R Aging Detail", '"As of December 31, 2025"', ",Num,Due Date,Open Balance",
        "Current,,,", ",1001,01/14/2026,1000.00", 'Total for Current,,,"$1,000.00"', "91 or more days past due,,,",
        ",0900,06/14/2025,2000.00", ",0901,06/15/2025,500.00", 'Total for 91 or more days past due,,,"$2,500.00"',
        'TOTAL,,,"$3,500.00"',
    )  # fmt: skip
    answers = {"currency": "USD", "measurement_date": "cell A2", "days_past_due": "since Due Date"}
    drafting = Drafting(path, "book", answers)
    assert [str(q) for q in drafting.questions] == [
        "rows_to_leave_out: 2 rows without a value under Num: blank: they are not loans, but headings and sums of "
        "sections, and are left out; none: only sums of the others are left out, and loans without a number are "
        "rejected"
    ]
    drafting.answer("rows_to_leave_out", "none")
    assert "\nrows_to_leave_out: {}\n" in drafting.draft.text
    drafting.answer("rows_to_leave_out", "blank")
    drafting.save()
    found = figures_of(path)
    assert (found.values["Outstanding"], round(found.values["PAR90"], 2)) == (3500.0, 71.43)


def test_loans_without_the_date_that_days_are_counted_from_are_asked_and_not_late(root, tmp_path):
    header = "Loan ID,Outstanding,Overdue Since,Currency"
    path = write(tmp_path / "book.csv", header, "A1,1000,,KES", "A2,500,2025-11-16,KES", "A3,500,2025-09-01,KES")
    answers = {"days_past_due": "since Overdue Since"}
    drafting = Drafting(path, "book", answers)
    assert [str(q) for q in drafting.questions] == [
        "days_past_due.blank: 1 row of 3 have no value under Overdue Since: 0: not late; unknown: the rows are rejected"
    ]
    drafting.answer("days_past_due.blank", "0")
    assert "\nnot_late: blank\n" in drafting.draft.text
    drafting.save()
    values = figures_of(path).values
    assert (values["Outstanding"], values["PAR30"], values["PAR90"]) == (2000.0, 50.0, 25.0)
    answered = Drafting(path, "book", answers | {"days_past_due.blank": "unknown"})
    assert "not_late" not in answered.draft.text and not answered.questions


def test_loans_with_a_due_date_are_no_schedule(tmp_path):
    header = "Loan ID,Outstanding,Due Date,Last Payment,DPD,Currency"
    lines = ("A1,1000,2026-02-13,2025-04-03,0,EUR", "A2,2000,2026-03-15,2025-08-07,45,EUR")
    with pytest.raises(InputError, match=r"fits no known format.* dated loans, also needs .*make map"):
        discovery.discover(write(tmp_path / "loans.csv", header, *lines))
    assert columns(drafted(tmp_path, *lines, header=header))["maturity_date"] == "Due Date"
    [source], _ = discovery.discover(write(tmp_path / "due.csv", "Loan ID,Due Date,Outstanding", "A1,2026-02-13,10"))
    assert source.format_name == "schedules"


def test_column_with_a_text_of_its_own_in_every_row_is_no_status(tmp_path):
    lines = [f"LN{n},{n}00.50,{n},{word}" for n, word in enumerate(("ax", "bit", "cot", "dot", "elk", "fig", "gum"))]
    drafting = drafted(tmp_path, *lines, header="LAN,POS,Days in Arrears,Status")
    assert keys(drafting) == [] and list(drafting.draft.left_behind) == ["Status"]


def test_order_of_dates_with_two_digits_of_a_year_is_asked(tmp_path):
    lines = [f"LN{n},1{n}.03.24,{n}00.50,{n}" for n in range(3, 7)]
    drafting = drafted(tmp_path, *lines, header="LAN,Disbursal Dt,POS,DPD")
    assert [str(q) for q in drafting.questions] == [
        "dates: 13.03.24 under Disbursal Dt, and no value tells the order: dmy: day 13, month 03; ymd: year 13, month "
        "03, day 24"
    ]


def test_balances_that_are_negative_in_all_are_asked_and_turned(root, tmp_path):
    path = write(
        tmp_path / "book.csv",
        "@ID|CURRENCY|PRINCIPAL.BALANCE|DAYS.OVERDUE",
        "LD1|USD|-1000.00|0",
        "LD2|USD|-3000.00|45",
    )
    drafting = Drafting(path, "book", {})
    assert [str(q) for q in drafting.questions] == [
        "outstanding_balance.sign: whole numbers -3,000 to -1,000 under PRINCIPAL.BALANCE: reversed: what borrowers "
        "owe: 4,000 in all; as written: loans that are overpaid, of which there is no report"
    ]
    drafting.answer("outstanding_balance.sign", "reversed")
    drafting.save()
    values = figures_of(path).values
    assert (values["Outstanding"], values["PAR30"]) == (4000.0, 75.0)


def test_buckets_of_par_beside_the_balance_are_summed(root, tmp_path):
    header = "Loan ID,Outstanding Portfolio,PAR 1-30,PAR 31-60,PAR 61-90,PAR 91-180,PAR >180"
    lines = ("K1,1000,0,0,0,0,0", "K2,2000,0,2000,0,0,0", "K3,500,0,0,0,0,500", "K4,1500,1500,0,0,0,0")
    path = write(tmp_path / "mix_2025-12.csv", header, *lines)
    Drafting(path, "book", ANSWERED | {"measurement_date": "file_name"}).save()
    values = figures_of(path).values
    assert (values["Outstanding"], values["PAR30"], values["PAR90"]) == (5000.0, 50.0, 10.0)
    less = [line.replace(",1000,", ",10,").replace(",2000,0,2000", ",20,0,2000") for line in lines]
    assert "outstanding_balance_usd" not in columns(drafted(tmp_path, *less, header=header, answers={}))


def test_rates_with_a_percent_sign_that_are_none_of_a_month_are_not_asked(tmp_path):
    drafting = drafted(tmp_path, "LN1,1.50,0,24.00%", "LN2,2.50,31,30.00%", header="LAN,POS,DPD,Loan Rate")
    assert (keys(drafting), columns(drafting)["interest_rate"]) == ([], {"heading": "Loan Rate", "as": "percent"})


def test_column_that_lacks_a_heading_is_named_where_the_number_of_a_loan_is_missing(tmp_path):
    lines = ("Ana,1000,0,0,0", "Leo,0,0,2000,0")
    [question, *_] = drafted(tmp_path, *lines, header=",Current,1 - 30,31 - 60,> 60").questions
    assert question.text.endswith("which is needed; column 1 has none of its own: write one above it")


def test_way_out_of_a_file_without_a_header_is_named(tmp_path):
    with pytest.raises(InputError, match=r"or a mapping by their numbers \(without_header, as params/mappings/freddie"):
        drafted(tmp_path, "100002|122025|2000.00|01", name="book.txt", header="100001|122025|1000.00|00")


def test_codes_with_numbers_are_headings_and_no_dates(tmp_path):
    lines = [f"OB{n},L{n},{n}000.00,{n}5" for n in range(1, 4)]
    assert {*drafted(tmp_path, *lines, header="CRPL2,CRPL3,CRPL39,CRPL66").draft.left} == {
        "CRPL2", "CRPL3", "CRPL39", "CRPL66"}  # fmt: skip


def test_short_codes_of_lateness_are_asked_by_themselves(tmp_path):
    lines = [f"LN{n},{n}00.50,{word}" for n, word in enumerate(("0", "01", "04", "R", "XX"), 1)]
    assert keys(drafted(tmp_path, *lines, header="LAN,POS,Delinquency Status")) == [
        f"days_past_due.{code}" for code in ("01", "04", "R", "XX")
    ]


def test_header_of_unknown_headings_is_one_where_the_rows_below_prove_it(tmp_path):
    lines = ("ab,1000.50,0", "cd,500.50,31")
    assert {"loan_id", "outstanding_balance", "days_past_due"} <= {
        *keys(drafted(tmp_path, *lines, header="Laina,Jäljellä,Myöhässä"))
    }
    for header in ("Laina,Jäljellä,", "Laina,Laina,Myöhässä", "Ana Lima,1000.50,0"):
        with pytest.raises(InputError, match=r"has no header|more than once"):
            drafted(tmp_path, *lines, header=header)


def test_check_shows_what_a_report_would_say(root, tmp_path):
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    lines = "\n".join(drafted(tmp_path, name="my book.csv").checked("2025-12-31"))
    assert "PAR30 at 53.85 %" in lines  # 700 of 1,300
    assert " figures can be computed" in lines
    assert f"from this file alone: make check INPUT='{tmp_path / 'my book.csv'}' DATE=2025-12-31 lists them" in lines


def test_status_that_the_mapping_settles_as_days_late_is_not_told_as_unknown(root, tmp_path):
    rows = [f"LN{i},{100 * i},{word}" for i, word in enumerate(("Current", "30+ Days Delinquent", "Watchlist"), 1)]
    path = write(tmp_path / "book.csv", "loan_id,current_balance,status", *rows)
    Drafting(path, "book", {"currency": "USD", "days_past_due.Watchlist": "0"}).save()
    assert mappings.load("book").columns["loan_status"].heading == ["status"]
    found = figures_of(path)
    assert found.values["PAR30"] == 33.3333  # 200 of 600
    assert not [note for note in found.notes if "no list of params/loans.yml" in note]


def test_notebook_shows_headings_and_figures_and_saves_the_mapping_with_its_last_cell(root, tmp_path):
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    path, executed = write(tmp_path / "book.csv", HEADER, *LINES), tmp_path / "executed.ipynb"
    execute(
        notebook_path(DRAFTING), executed, {"input": str(path), "name": "book", "answers": "currency=INR", "save": True}
    )
    text = executed.read_text(encoding="utf-8")
    assert "PAR30 at 53.85 %" in text
    assert "Ana" not in text
    assert scraps_of(executed)[COMPLETED] is True
    assert mappings.load("book").currency == "INR"
    parameters = {"input": str(path), "name": "book", "answers": "currency=USD", "save": True}
    with pytest.raises(InputError, match=r"book\.yml is there"):
        execute(notebook_path(DRAFTING), executed, parameters)
    execute(notebook_path(DRAFTING), executed, parameters | {"replace": True})
    assert mappings.load("book").currency == "USD"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("interest_rate.as: fraction", "interest_rate.as: fraction is not an answer: write KEY=VALUE"),
        ("currency=", "currency= is not an answer: write KEY=VALUE"),
        ("currency=INR; currency=USD", "currency is answered by INR and by USD: give one of them"),
        ("{currency INR}", r"\{currency INR\} is not a list of answers: write \{KEY: VALUE\}"),
        ("{currency: [INR]}", "is not a list of answers"), ("{currency: INR", "is not a list of answers"),
    ],
)  # fmt: skip
def test_text_that_is_no_list_of_answers_is_refused_in_one_line(text, message):
    with pytest.raises(InputError, match=message) as refused:
        given(text)
    assert "\n" not in str(refused.value)


def test_notebook_starts_with_no_answers_so_that_any_file_can_be_drafted():
    assert notebook_parameters(notebook_path(DRAFTING))["answers"][1] == ""
    assert given(" currency = INR; dates=dmy; currency=INR") == {"currency": "INR", "dates": "dmy"}


def test_draft_that_waits_for_answers_stops_no_other_report_and_is_named(root):
    lines = ("A-1,1000.50,45,Ana", "A-2,10,0,Eva")
    drafting = Drafting(write(root / "tape.csv", "LAN,POS,DPD,Client", *lines), None, {})
    assert drafting.questions
    drafting.save(False)
    assert mappings.is_open("tape")
    known = write(root / "known.csv", LOANS, "A-1,C-1,2025-01-15,0.4,900,500,45")
    assert discovery.discover(known)[0][0].mapping_name == "loans"
    with pytest.raises(InputError, match=r"drafts that wait for answers: tape\.yml"):
        discovery.discover(root / "tape.csv")
    with pytest.raises(InputError, match=r"make map INPUT=… drafts a mapping of it$"):
        discovery.discover(write(root / "other.csv", "Loan Id,Owing,Late", "A-1,5.50,0"))
    answered = Drafting(root / "tape.csv", None, {question.key: "USD" for question in drafting.questions})
    answered.save(False)  # over the draft that waits
    assert discovery.discover(root / "tape.csv")[0][0].mapping_name == "tape"
    with pytest.raises(InputError, match="is there: give another NAME"):
        answered.save(False)


DATED = ("LN1,600.00,0", "LN2,500.00,31", "LN3,200.00,95")


@pytest.mark.parametrize(
    ("place", "title", "answer", "origin"),
    [
        ("book.csv", "Portfolio as of 31/12/2025", "cell A1", {"cell": "A1"}),
        ("book.csv", "Cut-off,05/12/2025", "cell B1 dmy", {"cell": "B1", "dates": "dmy"}),
        ("2025-12/book.csv", "", "folder", {"folder": "{year}-{month}"}),
        ("cartera dic 2025.csv", "", "file_name", {"file_name": "{month_name} {year}"}),
    ],
)
def test_date_above_the_table_or_in_a_name_is_asked_and_read(root, tmp_path, place, title, answer, origin):
    path = write(tmp_path / place, *([title] if title else []), "LAN,POS,Days in Arrears", *DATED)
    asked = Drafting(path, "book", ANSWERED)
    assert keys(asked) == ["measurement_date"] and answer in asked.questions[0].choices
    asked.answer("measurement_date", answer)
    assert columns(asked)["measurement_date"] == origin
    asked.save()
    day = dt.date(2025, 12, 5) if "dmy" in answer else dt.date(2025, 12, 31)
    assert figures_of(path, day).values["Outstanding"] == 1300.0


@pytest.mark.parametrize(
    ("title", "heading", "factor"),
    [
        ("", "POS (in thousands)", 1_000), ("Cifras en miles de dólares", "POS", 1_000), ("", "POS US$ '000", 1_000),
        ("", "POS (USD mn)", 1_000_000), ("Amounts in US$ lakhs", "POS", 100_000), ("", "Saldo (MM)", 1_000_000),
        ("", "balance_cents", Decimal("0.01")), ("", "Outstanding (paise)", Decimal("0.01")),
        ("Importes en centavos", "POS", Decimal("0.01")), ("Unit: 1,000", "POS", 1_000),
        ("(Unit: Lakh)", "POS", 100_000), ("Unit: USD 1.000.000", "POS", 1_000_000),
    ],
)  # fmt: skip
def test_amounts_of_a_scale_are_multiplied(root, tmp_path, title, heading, factor):
    path = write(tmp_path / "book.csv", *([title] if title else []), f"LAN,{heading},Days in Arrears", *DATED)
    drafting = Drafting(path, "book", {"currency": "USD"})
    assert columns(drafting)["outstanding_balance"] == {"compute": f"[{heading}] * {factor}"}
    drafting.save()
    found = figures_of(path)
    assert found.values["Outstanding"] == float(1300 * factor)
    told = f"Amounts of book.csv are multiplied by {factor:,}, as its mapping says: {heading}."
    assert told in found.notes


def test_amounts_of_a_scale_that_a_name_or_a_note_says_are_multiplied(root, tmp_path):
    lines = ("LAN,POS,Days in Arrears", *DATED)
    for path in (
        write(tmp_path / "a" / "book (USD thousands).csv", *lines),
        write(tmp_path / "b" / "book.csv", *lines, "", "Note: amounts in thousands"),
    ):
        drafting = Drafting(path, "book", {"currency": "USD"})
        assert columns(drafting)["outstanding_balance"] == {"compute": "[POS] * 1000"}
        drafting.save()
        assert figures_of(path).values["Outstanding"] == 1_300_000.0
        shutil.rmtree(path.parent)
        (root / "params/mappings/book.yml").unlink()


@pytest.mark.parametrize(
    ("title", "heading"),
    [("", "POS (M$)"), ("", "Saldo (M)"), ("Cifras en M", "POS"), ("In thousands", "POS (mn USD)")],
)
def test_amounts_that_are_in_one_of_two_scales_are_asked(root, tmp_path, title, heading):
    path = write(tmp_path / "book.csv", *([title] if title else []), f"LAN,{heading},Days in Arrears", *DATED)
    drafting = Drafting(path, "book", {"currency": "USD"})
    assert [str(question) for question in drafting.questions] == [
        f"outstanding_balance.scale: whole numbers 200 to 600 under {heading}, in thousands or millions: "
        "thousands: times 1,000, 1,300,000 in all; millions: times 1,000,000, 1,300,000,000 in all"
    ]
    with pytest.raises(InputError, match=r"outstanding_balance\.scale=lakhs: write one of thousands, millions"):
        drafting.answer("outstanding_balance.scale", "lakhs")
    drafting.answer("outstanding_balance.scale", "millions")
    assert columns(drafting)["outstanding_balance"] == {"compute": f"[{heading}] * 1000000"}


def test_column_that_says_the_unit_of_amounts_is_asked(root, tmp_path):
    rows = [f"{row},{'thousands' if i else ''}" for i, row in enumerate(DATED)]
    path = write(tmp_path / "book.csv", "LAN,POS,Days in Arrears,Unit", *rows)
    drafting = Drafting(path, "book", {"currency": "USD"})
    assert [str(question) for question in drafting.questions] == [
        "left_behind: Unit says in which unit amounts are: write whole amounts, or: Unit: it says nothing of the "
        "balances, and stays behind"
    ]
    path = write(tmp_path / "other.csv", "LAN,POS,Days in Arrears,Unit", *(f"{row},Thousand Oaks" for row in DATED))
    assert Drafting(path, "other", {"currency": "USD"}).questions == []


def test_word_of_a_scale_within_a_long_title_may_be_none(root, tmp_path):
    title = "Loan tape of Thousand Hills Microfinance, all amounts in US dollars"
    path = write(tmp_path / "book.csv", title, "LAN,POS,Days in Arrears", *DATED)
    drafting = Drafting(path, "book", {"currency": "USD"})
    assert [str(question) for question in drafting.questions] == [
        "outstanding_balance.scale: whole numbers 200 to 600 under POS, in thousands: thousands: times 1,000, "
        "1,300,000 in all; whole: as they are written, and the words mean no unit"
    ]
    drafting.answer("outstanding_balance.scale", "whole")
    drafting.save()
    assert figures_of(path).values["Outstanding"] == 1300.0


@pytest.mark.parametrize(
    ("title", "factor"), [("Amounts in thousands", 1000), ("All amounts in cents", Decimal("0.01"))]
)
def test_sums_of_an_aging_report_are_in_the_unit_of_its_title(root, tmp_path, title, factor):
    rows = ("C1,1000,0,500,0,0,1500", "C2,2000,300,0,0,200,2500")
    path = write(tmp_path / "a.csv", title, "As at 31 December 2025", "Code,Current,1-30,31-60,61-90,90+,Total", *rows)
    drafting = Drafting(path, "book", ANSWERED | {"loan_id": "Code", "measurement_date": "cell A2"})
    drafting.save()
    found = figures_of(path)
    assert (found.values["Outstanding"], found.values["PAR30"]) == (float(4000 * factor), 17.5)


PER_CENT, FRACTIONS = "75.00%,7.50%,12.50%,0.00%,5.00%,100.00%", "0.75,0.075,0.125,0,0.05,1"


@pytest.mark.parametrize(
    ("label", "shares"),
    [
        ("Percentage of total", PER_CENT), ("% of total", FRACTIONS), ("Porcentaje", PER_CENT),
        ("% del total", FRACTIONS), ("Pct. of Total", FRACTIONS), ("%", PER_CENT),
    ],
)  # fmt: skip
def test_shares_of_a_total_are_left_out_of_an_aging_report(root, tmp_path, label, shares):
    rows = ("Acme,1000,0,500,0,0,1500", "Beta,2000,300,0,0,200,2500", "Total,3000,300,500,0,200,4000")
    heading = "Contact,Current,< 1 Month,1 Month,2 Months,Older,Total"
    path = write(tmp_path / "a.csv", "Aged Receivables", "As at 31 December 2025", heading, *rows, f"{label},{shares}")
    drafting = Drafting(path, "book", ANSWERED | {"loan_id": "Contact", "measurement_date": "cell A2"})
    drafting.save()
    found = figures_of(path)
    assert (found.values["Outstanding"], found.values["PAR30"], found.rows["totals"]) == (4000.0, 17.5, 2)


def test_heading_that_is_there_twice_and_means_nothing_is_not_read(root, tmp_path):
    path = write(tmp_path / "book.csv", "LAN,Remark,POS,Remark,Days in Arrears", "L1,a,60,b,0", "L2,c,40,d,31")
    drafting = Drafting(path, "book", {"currency": "USD"})
    assert [row["heading"] for row in drafting.headings() if row["why"] == "no heading of its own"] == [
        "column 2",
        "column 4",
    ]
    drafting.save()
    assert figures_of(path).values["PAR30"] == 40.0
    path = write(tmp_path / "other.csv", "LAN,POS,POS,Days in Arrears", "L1,60,50,0")
    with pytest.raises(InputError, match="has the column POS more than once: keep one of them"):
        Drafting(path, "other")


def test_upper_row_tells_headings_apart_that_are_there_twice(root, tmp_path):
    lines = (
        "Member,,Loan,,,",
        "No,Name,No,Disbursed,Balance,Days in arrears",
        "M1,Ana,L1,100,60,0",
        "M2,Leo,L2,100,40,31",
    )
    drafting = Drafting(write(tmp_path / "book.csv", *lines), "book", {"currency": "USD"})
    assert {name: columns(drafting)[name] for name in ("borrower_id", "loan_id", "outstanding_balance")} == {
        "borrower_id": "Member No", "loan_id": "Loan No", "outstanding_balance": "Balance",
    }  # fmt: skip
    drafting.save()
    assert figures_of(tmp_path / "book.csv").values["PAR30"] == 40.0


@pytest.mark.parametrize(("heading", "word"), [("Aging bucket", "61-90"), ("Months in arrears", "4")])
def test_bucket_beside_the_days_that_are_read_is_compared_with_them(root, tmp_path, heading, word):
    path = write(tmp_path / "book.csv", f"loan_id,balance,dpd,{heading}", "L1,60,0,0", f"L2,40,3,{word}")
    drafting = Drafting(path, "book", {"currency": "USD", "days_past_due": "dpd"})
    assert drafting.draft.left_behind == [heading]
    drafting.save()
    told = f"Columns that are not read and call loans later than their days past due do: book.csv: {heading}."
    assert told in figures_of(path).notes


def test_decimals_of_thousands_are_kept(root, tmp_path):
    path = write(tmp_path / "book.csv", "loan_id,Balance (thousands),days_past_due", "L1,1.2345,0", "L2,0.00001,45")
    Drafting(path, "book", {"currency": "USD"}).save()
    assert figures_of(path).values["Outstanding"] == 1234.51


def test_cents_are_exact(root, tmp_path):
    lines = ("L1,12345,0", "L2,1,0", "L3,90,45")
    path = write(tmp_path / "book.csv", "loan_id,balance_cents,days_past_due", *lines)
    drafting = Drafting(path, "book", {"currency": "USD"})
    drafting.save()
    found = figures_of(path)
    told = "Amounts of book.csv are multiplied by 0.01, as its mapping says: balance_cents."
    assert (found.values["Outstanding"], told in found.notes) == (124.36, True)


def test_header_in_two_rows_is_that_which_means_more(tmp_path):
    groups = "Loan,Disbursement,Principal,,Days"
    header = "Number,Date,Lent,Outstanding,Past Due"
    lines = ["LN1,2025-01-31,900.00,600.00,0", "LN2,2025-02-28,900.00,500.00,31"]
    drafting = drafted(tmp_path, header, *lines, header=groups)
    assert columns(drafting) == {
        "loan_id": "Loan Number", "disburse_date": "Disbursement Date", "disburse_principal": "Principal Lent",
        "outstanding_balance": "Principal Outstanding", "days_past_due": "Days Past Due",
    }  # fmt: skip


@pytest.mark.parametrize(
    "header",
    [
        "Numero prestito,Codice cliente,Data erogazione,Importo erogato,Debito residuo,Giorni di ritardo",
        "Leningnummer,Klantnummer,Datum uitbetaling,Hoofdsom,Openstaand saldo,Dagen achterstand",
        "Darlehensnummer,Kundennummer,Auszahlungsdatum,Darlehensbetrag,Restschuld,Tage in Verzug",
        "N° Prêt,Code Client,Date de décaissement (YYYY-MM-DD),Montant décaissé (€),Encours (€),Jours de retard",
        "Loan#,Client ID,Disb. Dt (YYYY-MM-DD),Loan Amount,Balance,Days Past Due (#)",
    ],
)
def test_headings_of_the_loans_of_other_languages_are_known(tmp_path, header):
    lines = [f"LN{n},C{n},2025-0{n}-15,900.00,{n}00.00,{n}" for n in range(1, 5)]
    assert list(columns(drafted(tmp_path, *lines, header=header, answers={}))) == [
        "loan_id", "borrower_id", "disburse_date", "disburse_principal", "outstanding_balance", "days_past_due",
    ]  # fmt: skip


AGING = "Code,Name,Current,1 - 30,31 - 60,61 - 90,{},Total"


@pytest.mark.parametrize("last", ["> 90", "90+", "91+ days", "Over 90", "91 and over", "91 y más"])
def test_buckets_of_an_aging_report_are_summed(root, tmp_path, last):
    rows = ("C1,Ana,1000.00,0.00,500.00,0.00,0.00,1500.00", "C2,Leo,2000.00,300.00,0.00,0.00,200.00,2500.00")
    path = write(tmp_path / "aging.csv", "Aged receivables,as at 31 December 2025", "", AGING.format(last), *rows)
    drafting = Drafting(path, "book", ANSWERED | {"measurement_date": "cell B1"})
    buckets = [f"[{heading}]" for heading in ("Current", "1 - 30", "31 - 60", "61 - 90", last)]
    names = ("outstanding_balance_usd", *(f"par_{day}_balance_usd" for day in (1, 31, 61, 91)))
    sums = {name: {"compute": " + ".join(buckets[first:])} for first, name in enumerate(names)}
    assert columns(drafting) == {
        "measurement_date": {"cell": "B1"}, "loan_id": "Code", "borrower_name": "Name", **sums,
    }  # fmt: skip
    drafting.save()
    values = figures_of(path).values
    assert (values["Outstanding"], values["PAR30"], values["PAR90"]) == (4000.0, 17.5, 5.0)


def test_date_that_an_aging_report_lacks_is_asked_with_the_way_out(tmp_path):
    rows = [f"C{n},Ana,1000.00,0.00,500.00,0.00,0.00,1500.00" for n in range(2)]
    [question] = drafted(tmp_path, *rows, header=AGING.format("> 90")).questions
    assert str(question).startswith(
        "measurement_date: no heading says the date of the balances; if no column has it, write it above the table, or"
    )


def test_blank_buckets_of_an_aging_report_are_0(root, tmp_path):
    header = "PN No,Released,Outstanding,Current,1-30 days,31-60 days,61-90 days,Over 90 days"
    amounts = ("8000,8000,,,,", "5000,,5000,,,", "4000,,,4000,,", "3000,,,,,3000")
    rows = [f"PN{n},2025-02-01,{one}" for n, one in enumerate(amounts)]
    path = write(tmp_path / "tape_2025-12.csv", header, *rows)
    drafting = Drafting(path, "book", ANSWERED | {"measurement_date": "file_name", "loan_id": "PN No"})
    assert drafting.headings()[3]["why"] == "all buckets; a blank one is 0" and not drafting.questions
    drafting.save()
    values = figures_of(path).values
    assert (values["Outstanding"], values["PAR30"], values["PAR90"]) == (20000.0, 35.0, 15.0)
    wrong = write(tmp_path / "wrong_2025-12.csv", header, *rows, "PN9,2025-02-01,9000,,,,,1000")
    assert "outstanding_balance_usd" not in columns(Drafting(wrong, "wrong", ANSWERED))


@pytest.mark.parametrize(
    ("header", "payer"),
    [
        ("Loan No,Client Name,Payer,Facility,Pledge Date,Balance,DPD", "Payer"),
        ("Facility ID,Debtor,Account Debtor,Funding Facility,Pledged On,Balance,DPD", "Account Debtor"),
        ("Numero de Prestamo,Cliente,Pagador,Linea de Fondeo,Fecha de Prenda,Saldo,Dias de Mora", "Pagador"),
    ],
)
def test_facility_day_of_the_pledge_and_payer_are_proposed(tmp_path, header, payer):
    rows = ("A-1,Ana Lima,Acme SA,SENIOR,2025-10-01,100.00,0", "A-2,Leo Sol,Beta SA,SENIOR,2025-10-02,200.50,31")
    found, names = columns(drafted(tmp_path, *rows, header=header)), header.split(",")
    assert [found[name] for name in ("loan_id", "borrower_name", "payer_name", "facility", "pledge_date")] == names[:5]
    assert found["payer_name"] == payer


def test_status_that_stays_behind_by_answer_is_named_in_the_mapping_and_a_later_one_is_refused(root, tmp_path):
    lines = ("A-1,100.50,0,Active", "A-2,200.50,45,Written off")
    path = write(tmp_path / "first.csv", "LAN,POS,DPD,Loan Status", *lines)
    drafting = Drafting(path, "book", {"currency": "INR", "loan_status": "none"})
    assert drafting.draft.left_behind == ["Loan Status"]
    drafting.save()
    assert discovery.discover(path)[0][0].mapping_name == "book"
    Drafting(write(tmp_path / "narrow.csv", "LAN,POS,DPD", *(line.rsplit(",", 1)[0] for line in lines)), "book",
             {"currency": "INR"}).save(replace=True)  # fmt: skip
    with pytest.raises(InputError, match=r"first\.csv: the heading Loan Status says the status of the loan"):
        discovery.discover(path)


@pytest.mark.parametrize(
    ("off", "column"),
    [
        (("Y", "N"), "is_written_off"), (("0", "1"), "is_written_off"), (("2025-01-31", ""), "written_off_on"),
        (("lost", "kept"), None),
    ],
)  # fmt: skip
def test_what_tells_written_off_loans_is_proposed(tmp_path, off, column):
    lines = [f"A-{n},100.50,0,{word}" for n, word in enumerate(off)]
    drafting = drafted(tmp_path, *lines, header="LAN,POS,DPD,Charged Off")
    assert [name for name, heading in columns(drafting).items() if heading == "Charged Off"] == (
        [column] if column else []
    )
    assert drafting.draft.left_behind == ([] if column else ["Charged Off"])


def test_amount_lent_that_is_taken_for_the_balance_is_told(root, tmp_path):
    path = write(tmp_path / "book.csv", "LAN,Loan Amount,DPD", "A-1,900.50,0", "A-2,100.50,45")
    drafting = Drafting(path, "book", {"currency": "INR", "outstanding_balance": "Loan Amount"})
    assert columns(drafting)["disburse_principal"] == columns(drafting)["outstanding_balance"] == "Loan Amount"
    assert "the amount lent: nothing that was paid is taken off" in drafting.draft.columns["outstanding_balance"][1]
    drafting.save()
    found = figures_of(path)
    assert found.values["Outstanding"] == 1001.0
    assert (
        "The balances of book.csv are the amounts lent, Loan Amount: nothing that was paid is taken off." in found.notes
    )


def test_loan_that_is_there_twice_is_named_and_the_rows_are_asked(root, tmp_path):
    lines = [f"LN{n},{n}00.50,{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 2)]
    path = write(tmp_path / "book.csv", "Loan No,POS,DPD", *lines)
    drafting = Drafting(path, "book", ANSWERED)
    [question] = drafting.questions
    assert (question.key, list(question.choices)) == ("rows", ["loan", "loan and date"])
    assert question.text == "Loan No has values that are there more than once (LN2)"
    drafting.answer("rows", "loan")
    drafting.save()
    assert figures_of(path).values["ActiveLoans"] == 8
    asked = Drafting(path, "book", ANSWERED | {"rows": "loan and date"})
    assert keys(asked) == ["measurement_date"]


def test_file_that_a_mapping_reads_already_is_drafted_again_only_where_asked(root, tmp_path):
    path = write(tmp_path / "first.csv", HEADER, *LINES)
    Drafting.resumed(path, "book", ANSWERED).save()
    for name in (None, "book"):
        with pytest.raises(
            InputError,
            match=r"is read by params/mappings/book\.yml already: make check (INPUT=\S+ DATE=2025-12-31) shows"
            r" its figures, and make report \1 makes the report; make map INPUT=\S+ NAME=book REPLACE=1",
        ):
            Drafting.resumed(path, name, date="2025-12-31")
    for replace in (False, True):
        with pytest.raises(
            InputError, match=r"fits params/mappings/book\.yml as well as .*: nothing is saved; save it as"
        ):
            Drafting(path, "second", ANSWERED).save(replace)
    assert discovery.discover(path)[0][0].mapping_name == "book"
    Drafting(path, "book", ANSWERED).save(replace=True)
    known = write(tmp_path / "known.csv", LOANS, "A-1,C-1,2025-01-15,0.4,900,500,45")
    with pytest.raises(
        InputError, match=r"params/mappings/loans\.yml already: .*; REPLACE=1 or --replace drafts another"
    ):
        Drafting.resumed(known)


def test_draft_that_replaces_a_mapping_starts_from_its_answers_and_tells_edits(root, tmp_path):
    path = write(tmp_path / "book.csv", HEADER.replace("ROI (%) p.a.", "Yearly ROI"), *LINES)
    answers = {"interest_rate.as": "percent", "currency": "INR"}
    Drafting(path, None, answers).save()
    again = Drafting.replaced(path)
    assert (again.questions, again.notes) == ([], ["The former answers count: interest_rate.as=percent; currency=INR."])
    again = Drafting.replaced(path, None, {"currency": "USD"})
    assert again.answers == answers | {"currency": "USD"}
    mapping = root / "params/mappings/book.yml"
    mapping.write_text(
        mapping.read_text()
        .replace("\ncurrency: INR", "\ncurrency: EUR")
        .replace("Customer Name", "{heading: Customer Name}")
    )
    assert Drafting.replaced(path).notes[1:] == [
        "Edited by hand before, and not in this draft: borrower_name, currency."
    ]


def test_former_answers_that_contradict_the_file_or_are_of_another_one_do_not_count(root, tmp_path):
    path = write(tmp_path / "book.csv", HEADER, *LINES)
    Drafting(path, None, ANSWERED).save()
    mapping = root / "params/mappings/book.yml"
    mapping.write_text(mapping.read_text().replace("{currency: INR}", "{interest_rate.as: fraction}"))
    again = Drafting.replaced(path)
    assert (keys(again), again.answers) == (["currency"], {})
    assert again.notes[0].startswith("The former answers (interest_rate.as=fraction) do not count: interest_rate.as=fr")
    other = write(tmp_path / "other.csv", "LAN,POS,DPD", "A-1,1.50,0", "A-2,2.50,31")
    assert keys(Drafting.replaced(other, "book")) == ["currency"]


@pytest.mark.parametrize("total", [",,1300.00,", "TOTAL,,1300.00,", ",Gran total,1300.00,"])
def test_row_of_a_total_does_not_keep_the_others_from_being_proven(root, tmp_path, total):
    lines = ("LN1,Ana,600.00,0", "LN2,Leo,500.00,31", "LN3,Eva,200.00,95", total)
    path = write(tmp_path / "book.csv", "Loan No,Client,POS,DPD", *lines)
    drafting = Drafting(path, "book", ANSWERED)
    assert (keys(drafting), columns(drafting)["loan_id"]) == ([], "Loan No")
    assert "Not looked at: 1 row of totals, or without a loan's number." in [*drafting.lines()]
    drafting.save()
    assert figures_of(path).values["Outstanding"] == 1300.0


@pytest.mark.parametrize("word", ["-", "N/A"])
def test_word_among_days_is_asked_and_one_among_amounts_is_read_as_reports_read_it(root, tmp_path, word):
    lines = ("LN1,600.00,0,9.00", f"LN2,500.00,{word},{word}", "LN3,200.00,95,9.00", "LN4,9.00,1,9.00", "LN5,1.00,2,9")
    path = write(tmp_path / "book.csv", "Loan No,POS,Arrears Days,Loan Amount", *lines)
    drafting = Drafting(path, "book", ANSWERED)
    assert columns(drafting)["disburse_principal"] == "Loan Amount"
    assert keys(drafting) == [f"days_past_due.{word}"]
    drafting.answer(f"days_past_due.{word}", "0")
    assert columns(drafting)["days_past_due"] == {"heading": "Arrears Days", "words": {word: 0}}
    drafting.save()
    assert figures_of(path).values["PAR30"] == 15.2672  # 200 of 1,310


@pytest.mark.parametrize(
    ("amounts", "total"),
    [
        (("1 500,50", "12\u00a0000,00", "1\u202f234\u202f567,25"), "1248067.75"),
        (("$1,500.50", "USD 12,000.00", "(0.50)"), "13500.00"), (("1'500.50", "12’000.00", "500.00-"), "13000.50"),
        (("1,23,456.00", "12,34,567.50", "0.50"), "1358024.00"), (("1.500,50", "12.000,00", "−0,50"), "13500.00"),
        (("1,500.50 €", "€12,000.00", "0.5 EUR"), "13501.00"),
    ],
)  # fmt: skip
def test_amounts_are_proven_as_reports_read_them(root, tmp_path, amounts, total):
    lines = (f"LN{n};{amount};{n}" for n, amount in enumerate(amounts))
    path = write(tmp_path / "book.csv", "Loan No;POS;DPD", *lines)
    drafting = Drafting(path, "book", {"currency": "EUR"} if "€" in amounts[0] else {"currency": "USD"})
    assert columns(drafting)["outstanding_balance"] == "POS"
    [pos] = [one for one in drafting.evidence if one.heading == "POS"]
    assert f"{pos.total:.2f}" == total
    drafting.save()
    credit = min(0, *(one.low for one in [pos]))
    assert figures_of(path).values["Outstanding"] == float(pos.total - credit)


@pytest.mark.parametrize(
    ("heading", "day"), [("PAR 30+", 30), ("PAR30", 30), ("PAR > 30 days", 31), ("Cartera en riesgo (30 días)", 30)]
)
def test_columns_of_what_is_at_risk_are_proposed(root, tmp_path, heading, day):
    lines = ("A-1,600.00,0.00,Active,2025-12-31", "A-2,400.00,400.00,Active,2025-12-31")
    path = write(tmp_path / "book.csv", f"Loan No,POS,{heading},Status,As at", *lines)
    drafting = Drafting(path, "book", ANSWERED)
    assert (keys(drafting), columns(drafting)) == ([], {
        "loan_id": "Loan No", "measurement_date": "As at", "outstanding_balance_usd": "POS",
        f"par_{day}_balance_usd": heading, "loan_status": "Status",
    })  # fmt: skip
    drafting.save()
    assert figures_of(path).values["PAR30"] == 40.0


def test_what_no_mapping_can_give_is_said_beside_the_questions(tmp_path):
    told = "\n".join(drafted(tmp_path, "A-1,900.00,2025-01-05", header="Loan No,Approved Amount,Issued Date").lines())
    assert "No column has what is left of Approved Amount: add the balance of each loan, or the principal that" in told
    assert "a ledger of payments in another file is not taken off" in told
    told = "\n".join(drafted(tmp_path, "A-1,-1180,900", header="Loan No,DAYS_INSTALMENT,AMT_PAYMENT").lines())
    assert "Days such as DAYS_INSTALMENT, counted from a day of each loan, are not dates: export the dates." in told


def test_aging_report_whose_total_is_more_than_its_buckets_is_not_added_up(tmp_path):
    rows = ("C1,Ana,1000.00,0.00,500.00,7.00,1507.00", "C2,Leo,2000.00,300.00,0.00,9.00,2309.00")
    drafting = drafted(tmp_path, *rows, header="Code,Name,Current,1 - 30,31 - 60,The rest,Total")
    assert "outstanding_balance" in keys(drafting)


@pytest.mark.parametrize(
    ("header", "line", "expected"),
    [
        (
            "Contrato;Data da contratação;Valor contratado;Saldo devedor;Taxa de juros (% a.m.);Dias em atraso",
            "C-{n};1{n}/01/2025;R$ 10.000,00;R$ 7.500,50;2,5;{n}",
            {"interest_rate": {"heading": "Taxa de juros (% a.m.)", "as": "percent", "per": "month"}},
        ),
        (
            "Pagaré;Cédula;Fecha de disposición;Monto original;Saldo capital;Mora (días)",
            "P{n};7912345{n};4567{n};5.000.000;3.250.000;{n}",
            {"loan_id": "Pagaré", "borrower_tax_id": "Cédula", "disburse_date": "Fecha de disposición"},
        ),
        (
            "Cód. Operación;F. Desembolso;Monto Desembolsado;Saldo;Días Mora;Situación Contable",
            "00{n};0{n}/15/2025;900.00;800.00;{n};Vigente",
            {"loan_id": "Cód. Operación", "disburse_date": "F. Desembolso", "loan_status": "Situación Contable"},
        ),
        (
            "Loan A/C;Date Granted;Principal Granted;Outstanding (JPY);Days in arrears",
            "L{n};2025-01-1{n};1200000;900000;{n}",
            {"disburse_principal": "Principal Granted", "outstanding_balance": "Outstanding (JPY)"},
        ),
    ],
)  # fmt: skip
def test_tapes_of_other_countries_are_read_without_a_question_but_the_currency(root, tmp_path, header, line, expected):
    path = write(tmp_path / "book.csv", header, *(line.format(n=n) for n in (1, 2, 3)))
    drafting = Drafting(path, "book", {})
    assert keys(drafting) == ([] if "R$" in line or "JPY" in header else ["currency"])
    if drafting.questions:
        drafting.answer("currency", "COP")
    assert columns(drafting).items() >= expected.items()
    drafting.save()
    found = figures_of(path)
    assert (found.values["ActiveLoans"], found.rows["quarantined"]) == (3, 0)


def test_currency_of_a_title_is_left_to_each_file(root, tmp_path):
    path = write(tmp_path / "book.csv", "Portfolio (Amount in INR)", "LAN,POS,Days in Arrears", *DATED)
    drafting = Drafting(path, "book", {})
    assert (keys(drafting), drafting.draft.currency[0]) == ([], "")
    assert "Currency: INR, as each file says beside its table." in [*drafting.lines()]
    drafting.save()
    assert figures_of(path).currency == "INR"
    assert figures_of(write(path, "Portfolio (Amount in KES)", "LAN,POS,Days in Arrears", *DATED)).currency == "KES"


def test_month_and_day_without_a_year_are_no_date(tmp_path):
    drafting = Drafting(
        write(tmp_path / "book.csv", "As of December 31,", "LAN,POS,Days in Arrears", *DATED), None, ANSWERED
    )
    assert keys(drafting) == []


def test_headings_of_other_scripts_are_asked_and_read(root, tmp_path):
    lines = ("J1,2025/01/15,¥900000,0", 'J2,2025/03/31,"¥2,000,000",35')
    path = write(tmp_path / "book.csv", "貸付番号,実行日,残高,延滞日数", *lines)
    drafting = Drafting(path, "book", {"currency": "JPY"})
    assert keys(drafting) == ["loan_id", "outstanding_balance", "days_past_due"]
    for key, heading in (("loan_id", "貸付番号"), ("outstanding_balance", "残高"), ("days_past_due", "延滞日数")):
        drafting.answer(key, heading)
    drafting.answer("days_past_due.unit", "days")
    drafting.save()
    found = figures_of(path)
    assert (found.values["Outstanding"], found.values["PAR30"], found.currency) == (2900000.0, 68.9655, "JPY")


def test_column_that_names_people_is_no_number_of_loans(tmp_path):
    with pytest.raises(InputError, match=r"loan_id=Customer: it names people, and ids are not masked: add a column"):
        drafted(tmp_path, "Ana Lima,1.50,0", header="Customer,POS,DPD", answers={"loan_id": "Customer"})
    drafting = drafted(tmp_path, "C7,1.50,0", header="Customer No,POS,DPD", answers={"loan_id": "Customer No"})
    assert columns(drafting)["loan_id"] == "Customer No"


@pytest.mark.parametrize(
    ("heading", "cell", "currency"),
    [
        ("POS USD", "{}", ("USD", "the headings say it")),
        ("POS (miles de quetzales)", "{}", ("GTQ", "the headings say it")),
        ("POS (k€)", "{}", ("EUR", "the headings say it")),
        ("POS in TZS", "{}", ("TZS", "the headings say it")),
        ("POS", "₦{}", ("NGN", "the amounts say it")),
    ],
)
def test_currency_is_that_of_headings_and_amounts_and_no_answer_contradicts_it(tmp_path, heading, cell, currency):
    cells = [line.split(",") for line in LINES]
    lines = [",".join([*row[:4], cell.format(row[4]), *row[5:]]) for row in cells]
    drafting = drafted(tmp_path, *lines, header=HEADER.replace("POS", heading), answers={})
    assert drafting.draft.currency == currency
    with pytest.raises(InputError, match=rf"currency=INR: the file has .* (in|under) POS.*: write {currency[0]}"):
        drafting.answer("currency", "INR")


@pytest.mark.parametrize(
    ("heading", "lent", "text", "choices"),
    [
        ("POS (pesos)", "Sanctioned Amt", "pesos in POS (pesos)", ["ARS", "CLP", "COP", "CUP", "DOP", "MXN", "…"]),
        ("POS kr", "Sanctioned Amt", "kr in POS kr", ["DKK", "ISK", "NOK", "SEK", "…"]),
        ("POS EUR", "Sanctioned Amt USD", "EUR in POS EUR and USD in Sanctioned Amt USD, which differ", []),
    ],
)
def test_currency_with_several_readings_is_asked_with_them(tmp_path, heading, lent, text, choices):
    header = HEADER.replace("POS", heading).replace("Sanctioned Amt", lent)
    [question] = drafted(tmp_path, header=header, answers={}).questions
    assert (question.key, question.text.split(":")[0], list(question.choices)) == ("currency", text, choices)


def test_currency_of_a_heading_that_is_not_read_yet_is_asked_and_then_known(tmp_path):
    drafting = drafted(tmp_path, header=HEADER.replace("POS", "Zorp (MXN)"), answers={})
    assert [str(one) for one in drafting.questions if one.key == "currency"] == [
        "currency: MXN in Zorp (MXN): MXN: one of those that are so called; …: or another code of ISO 4217"
    ]
    drafting.answer("outstanding_balance", "Zorp (MXN)")
    assert (keys(drafting), drafting.draft.currency) == ([], ("MXN", "the headings say it"))


def test_column_of_words_of_currencies_is_one_of_the_answers(tmp_path):
    lines = [f"{line},{word}" for line, word in zip(LINES, ("Euro", "Euro", "Shillings"), strict=True)]
    drafting = drafted(tmp_path, *lines, header=f"{HEADER},Money", answers={})
    [question] = drafting.questions
    assert question.choices["Money"] == "2 words: Euro, Shillings"
    drafting.answer("currency", "Money")
    assert (keys(drafting), columns(drafting)["currency"]) == ([], "Money")


def test_column_of_debits_and_credits_is_asked_and_refused_where_it_is_not_read(root, tmp_path):
    lines = [f"{line},{word}" for line, word in zip(LINES, ("DR", "CR", "DR"), strict=True)]
    drafting = drafted(tmp_path, *lines, header=f"{HEADER},DrCr")
    [question] = drafting.questions
    assert str(question) == (
        "left_behind: DrCr says which amounts are debits and which are credits: write the balances that are credits as "
        "negative amounts, or: DrCr: it says nothing of the balances, and stays behind"
    )
    assert yaml.safe_load(drafting.draft.text)["left_behind"] == "?"
    drafting.answer("left_behind", "DrCr")
    assert (keys(drafting), yaml.safe_load(drafting.draft.text)["left_behind"]) == ([], ["DrCr"])
    drafting.save()
    assert figures_of(tmp_path / "book.csv").values["ActiveLoans"] == 3.0
    path = root / mappings.FOLDER / "book.yml"
    path.write_text(path.read_text().replace("left_behind: [DrCr]\n", ""))
    with pytest.raises(
        InputError, match=r"book\.csv: DrCr says which amounts are debits and which are credits, and is"
    ):
        figures_of(tmp_path / "book.csv")


def test_share_that_is_held_is_asked_in_drafts_and_refused_in_known_formats(tmp_path):
    lines = [f"{line},{share}%" for line, share in zip(LINES, (50, 100, 25), strict=True)]
    [question] = drafted(tmp_path, *lines, header=f"{HEADER},Participation %").questions
    assert str(question) == (
        "left_behind: Participation % says what share of a loan is held: multiply the balances by it in the file where "
        "they are those of whole loans, or: Participation %: it says nothing of the balances, and stays behind"
    )
    rows = [f"A-{i},C-1,2025-01-01,0.24,500,300,0," for i in range(2)]
    with pytest.raises(InputError, match="Share says what share of a loan is held, and is not read: multiply the bala"):
        figures_of(write(tmp_path / "loans.csv", f"{LOANS},Share", rows[0] + "0.5", rows[1] + "1"))
    path = write(tmp_path / "loans.csv", f"{LOANS},Share", rows[0] + "1", rows[1] + "1")
    assert figures_of(path).values["Outstanding"] == 600.0


def test_credits_beside_the_balances_of_a_known_format_are_refused(tmp_path):
    rows = [f"A-{i},C-1,2025-01-01,0.24,500,300,0," for i in range(2)]
    with pytest.raises(InputError, match="Sign says which amounts are debits and which are credits, and is not read"):
        figures_of(write(tmp_path / "loans.csv", f"{LOANS},Sign", rows[0] + "+", rows[1] + "-"))
    path = write(tmp_path / "loans.csv", f"{LOANS},Grade", rows[0] + "C", rows[1] + "D")
    assert figures_of(path).values["ActiveLoans"] == 2.0


def test_credit_notes_with_positive_amounts_are_asked_in_drafts_and_refused_in_known_formats(tmp_path):
    lines = [f"{line},{word}" for line, word in zip(LINES, ("Invoice", "Credit Note", "Invoice"), strict=True)]
    [question] = drafted(tmp_path, *lines, header=f"{HEADER},Doc Type").questions
    assert question.key == "left_behind"
    rows = ["A-1,C-1,2025-01-01,0.24,500,300,0,Factura", "A-2,C-1,2025-01-01,0.24,500,200,0,Nota de crédito"]
    with pytest.raises(InputError, match="Tipo Doc says which amounts are debits and which are credits, and is not"):
        figures_of(write(tmp_path / "loans.csv", f"{LOANS},Tipo Doc", *rows))
    path = write(tmp_path / "loans.csv", f"{LOANS},Tipo Doc", rows[0], rows[1].replace(",200,", ",-200,"))
    assert figures_of(path).values["Outstanding"] == 300.0


@pytest.mark.parametrize(
    "header",
    [
        "Contract No,Lessee,Contract date,Face,Exposure,Days in arrear",
        "Kreditnr,Holder,Auszahlung,Kreditsumme,Restkapital,Tage im Verzug",
        "Nr. umowy,Insured,Date given,Amount given,Closing bal,Days behind",
        "Acct,Account holder,Note date,Original UPB,UPB,DQ days",
        "N° contrat,Titular,Fecha de inicio,Capital prestado,Saldo vivo,Dias atraso",
        "A/c,Customer,Booked,Loan size,Curr Bal,Delq days",
        "Facility Ref,Nom emprunteur,Funding date,Montant accordé,O/S balance,Nb jours retard",
    ],
)
def test_headings_of_other_lenders_are_known(tmp_path, header):
    lines = [f"LN{n},Ana Lima,2025-0{n}-15,900.00,{n}00.00,{n}" for n in range(1, 5)]
    names = ("loan_id", "borrower_name", "disburse_date", "disburse_principal", "outstanding_balance", "days_past_due")
    found = columns(drafted(tmp_path, *lines, header=header, answers={}))
    assert found == dict(zip(names, header.split(","), strict=True))


def test_words_that_repeat_are_shown_and_names_are_not(tmp_path):
    words = ["M0"] * 6 + ["M1", "M4"] + ["Passé en perte"] * 3 + ["Ana de Lima"] * 3 + ["7777-8888"] * 3
    header = "LAN,POS,Days in Arrears,Status"
    lines = [f"LN{n},{n}00.50,{n},{word}" for n, word in enumerate(words)]
    drafting = drafted(tmp_path, *lines, header=header)
    assert keys(drafting) == [f"loan_status.{label}" for label in (
        "AAA AA AAAA", "M0", "M1", "M4", "Passé en perte")]  # fmt: skip
    assert "7777" not in drafting.draft.text and "Ana" not in drafting.draft.text
    assert "M0, M1" in drafting.headings()[3]["examples"]
    drafting.answer("loan_status.M4", "late")
    few = drafted(tmp_path, *lines[5:7], header=header)
    assert keys(few) == ["loan_status.M0", "loan_status.M1"]


def test_statuses_that_are_there_once_each_are_no_names(tmp_path):
    lines = ["A1,3000,0,Active", "A2,2000,45,Active In Arrears", "A3,1500,0,Closed Written Off"]
    status = drafted(tmp_path, *lines, header="Account ID,Principal Balance,Days Late,Account State").headings()[3]
    assert (status["column"], status["examples"]) == ("loan_status", "Active, Active In Arrears")


FOUR = (*LINES, "LN4,Ida Rey,2025-04-30,300.00,250.00,21.00,0,")
PEOPLE = ("Socio", "Geschäftspartner", "Klient", "Asociado", "Partner", "Tomador", "Beneficiario", "Party", "Aval",
          "Group Leader")  # fmt: skip


@pytest.mark.parametrize(
    ("heading", "is_shown"),
    [(heading, False) for heading in PEOPLE]
    + [(heading, True) for heading in ("Sucursal", "Rating Class", "Collateral Type", "Purpose")],
)
def test_family_names_that_repeat_are_shown_only_where_the_heading_says_a_category(tmp_path, heading, is_shown):
    lines = [f"{line},{word}" for line, word in zip(FOUR, ("García", "Pérez") * 2, strict=True)]
    drafting = drafted(tmp_path, *lines, header=f"{HEADER},{heading}")
    [row] = [row for row in drafting.headings() if row["heading"] == heading]
    assert row["column"] == "stays behind"
    assert ("García" in row["examples"]) == is_shown
    text = "\n".join(drafting.lines()) + drafting.draft.text
    assert ("García" in text, "Pérez" in text) == (is_shown, is_shown)


def test_known_words_that_repeat_are_shown_whatever_the_heading_says(tmp_path):
    lines = [f"{line},{word}" for line, word in zip(FOUR, ("Cash", "Y") * 2, strict=True)]
    [*_, last] = drafted(tmp_path, *lines, header=f"{HEADER},Zorp").headings()
    assert last["examples"] == "Cash, Y"


def test_column_without_a_heading_is_among_those_that_stay_behind(tmp_path):
    lines = [f"{line},,x{n}" for n, line in enumerate(LINES)]
    *_, last = drafted(tmp_path, *lines, header=f"{HEADER},,").headings()
    assert last == {"heading": "column 10", "column": "stays behind", "why": "no heading of its own", "examples": "…"}
