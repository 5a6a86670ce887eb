"""Mappings make the columns of a lender's own file what they are on our side, or are refused in one line."""

from decimal import Decimal

import pytest
import yaml

from abaco.core.errors import InputError
from abaco.ingest import discovery, mappings, roles
from tests.support.exports import DATE, LOANS, ingest, write
from tests.support.figures import figures_of

HEADER = "Loan No,Client,Lent,Paid,Rate,Late,Due,State"
LINES = (
    "A-1,Ana Lima,1000.00,400.00,2,31-60,2025-11-20,Active",
    "A-2,Eva Paz,500.00,,24%,Current,2026-01-15,Active",
    "A-3,Leo Sol,300.00,100.00,1.5,95,2025-12-31,Castigo",
)
COLUMNS = {
    "loan_id": "Loan No",
    "borrower_name": ["Customer", "Client"],
    "disburse_principal": "Lent",
    "outstanding_balance": {"compute": "Lent - Paid"},
    "days_past_due": {"heading": "Late", "words": {"Current": 0, "31-60": 31, "61+": 61}},
    "interest_rate": {"heading": "Rate", "as": "percent", "per": "month"},
    "loan_status": {"heading": "State", "words": {"castigo": "written off"}},
    "product": {"constant": "Gold loan"},
}
MAPPING = {"title": "Small lender", "rows": "loan", "recognise": ["Loan No", "Lent", "Late"], "columns": COLUMNS}


def save(root, content=MAPPING, name="small"):
    path = root / mappings.FOLDER / f"{name}.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def tape(root, content=MAPPING, header=HEADER, lines=LINES, name="book.csv", date=DATE):
    save(root, content)
    return ingest(write(root / name, header, *lines), date)


def test_columns_are_read_computed_counted_and_constant(root):
    found = tape(root)
    first, third = found.accepted["loans"]
    assert first["total_receivable_usd"] == Decimal("600.00")
    assert (first["days_past_due"], first["dpd_30_60_usd"]) == (None, Decimal("600.00"))
    assert (first["interest_rate"], first["product"]) == (Decimal("0.24"), "Gold loan")
    assert found.faults == [(3, "Lent - Paid: missing")]
    assert third["total_receivable_usd"] == 0
    assert third["written_off_usd"] == Decimal("200.00")


def test_lateness_is_counted_from_a_due_date(root):
    columns = COLUMNS | {"outstanding_balance": "Lent", "days_past_due": {"since": "Due"}}
    rows = tape(root, MAPPING | {"columns": columns}).accepted["loans"]
    assert [row["days_past_due"] for row in rows] == [41, 0, 0]


def test_personal_value_of_a_mapped_column_is_masked_and_the_file_has_its_own_headings(root):
    found = tape(root)
    assert {row["borrower_name"] for row in found.accepted["loans"]} == {"redacted"}
    assert '"Client":"redacted"' in found.rejects[0]["original"]
    assert '"Paid":null' in found.rejects[0]["original"]
    assert "Eva" not in found.rejects[0]["original"]


def test_file_that_lacks_a_heading_of_a_mapping_is_not_its(root):
    save(root)
    lacking = write(root / "lacking" / "book.csv", HEADER.replace("Late", "Later"), *LINES)
    with pytest.raises(InputError, match=r"book\.csv fits no known format"):
        discovery.discover(lacking)
    known = write(root / "known.csv", LOANS, "A-1,C-1,2025-01-15,0.4,900,500,45")
    assert discovery.discover(known)[0][0].mapping_name == "loans"


def test_mapping_with_a_typo_in_one_heading_is_named(root):
    with pytest.raises(
        InputError, match=r"mappings/small\.yml is nearest, and also needs the heading Lnet; .*make map"
    ):
        tape(root, MAPPING | {"recognise": ["Loan No", "Lnet", "Late"]})


def test_mapping_in_another_encoding_is_named(root):
    save(root, name="small").write_bytes(save(root).read_bytes() + "# año".encode("cp1252"))
    with pytest.raises(InputError, match=r"mappings/small\.yml is not UTF-8 text: save it as UTF-8"):
        mappings.load("small")
    with pytest.raises(InputError, match=r"mappings/small\.yml is not UTF-8 text: save it as UTF-8"):
        discovery.discover(write(root / "book.csv", HEADER, *LINES))


def test_two_mappings_that_fit_alike_are_refused_by_name(root):
    save(root), save(root, name="other")
    with pytest.raises(InputError, match="fits the mappings other and small alike"):
        discovery.discover(write(root / "book.csv", HEADER, *LINES))


def test_mapping_that_changes_before_its_file_is_read_is_noticed(root):
    save(root)
    [source], _ = discovery.discover(write(root / "book.csv", HEADER, *LINES))
    save(root, MAPPING | {"title": "Another"})
    with pytest.raises(InputError, match=r"params/mappings/small\.yml changed meanwhile"):
        _ = source.mapping


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"row": "loan"}, "row is not a key of a mapping: write one of title, rows"),
        ({"without_header": "*.txt"}, "the columns of a file without a header are numbers"),
        ({"dates": "dd/mm"}, "dates is 'dd/mm': write 'ymd', 'dmy' or 'mdy'"),
        ({"rows": "loans"}, "rows is 'loans': write one of loan, loan and date"),
        ({"currency": "DOLLARS"}, "currency: DOLLARS is not a code of ISO 4217"),
        ({"columns": {"loan_id": "x"}}, "columns: a loan also needs outstanding_balance, days_past_due"),
        ({"columns": COLUMNS | {"balance": "x"}}, "columns: balance is not a column of a loan: write one of loan_id"),
        ({"columns": COLUMNS | {"loan_id": {"header": "x"}}}, "columns.loan_id.header is not a key of a mapping"),
        ({"columns": COLUMNS | {"loan_id": {"heading": "a", "constant": "b"}}}, "give one of heading, compute"),
        ({"columns": COLUMNS | {"days_past_due": {"heading": "a", "words": {"x": "late"}}}}, "'late' is not a whole"),
        ({"columns": COLUMNS | {"outstanding_balance": {"compute": "a / b"}}}, "'a / b' cannot be read from"),
        ({"columns": COLUMNS | {"days_past_due": "Months late"}}, "says months: add unit: months, or unit: days"),
        ({"columns": COLUMNS | {"borrower_name": {"constant": "Ana"}}}, "borrower_name is personal"),
        ({"columns": COLUMNS | {"product": {"compute": "a + b"}}}, "product is not a number"),
        ({"columns": COLUMNS | {"loan_id": {"heading": "a", "as": "percent"}}}, "loan_id is not a rate: leave out as"),
        ({"columns": COLUMNS | {"outstanding_balance": {"heading": "a", "words": {"No": True}}}}, "in quotes"),
    ],
)
def test_mistake_in_a_mapping_is_one_line_with_its_key_and_what_is_allowed(root, change, told):
    save(root, MAPPING | change)
    with pytest.raises(InputError) as error:
        mappings.load("small")
    assert str(error.value).startswith("params/mappings/small.yml: ")
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_way_of_writing_is_that_of_a_column_before_that_of_the_mapping(root):
    columns = COLUMNS | {
        "disburse_date": {"heading": "Given", "dates": "mdy"},
        "maturity_date": "Due",
        "disburse_principal": {"heading": "Lent", "decimal_mark": "comma"},
        "outstanding_balance": "Owed",
    }
    header = "Loan No,Client,Lent,Owed,Rate,Late,Due,State,Given"
    line = "A-1,Ana Lima,1.000,1.000,2,31-60,01/02/2026,Active,01/02/2025"
    mapping = MAPPING | {"columns": columns, "dates": "dmy", "decimal_mark": "point"}
    [row] = tape(root, mapping, header, [line]).accepted["loans"]
    assert (str(row["disbursed_on"]), row["disbursed_usd"]) == ("2025-01-02", Decimal("1000.00"))
    assert row["total_receivable_usd"] == Decimal("1.00")


def test_way_of_writing_that_a_column_cannot_have_is_refused(root):
    save(root, MAPPING | {"columns": COLUMNS | {"outstanding_balance": {"heading": "Lent", "dates": "dmy"}}})
    with pytest.raises(InputError, match=r"columns: outstanding_balance is not a date: leave out dates$"):
        mappings.load("small")


NARROW = {"title": "Narrow", "rows": "loan", "columns": {
    "loan_id": "Ref", "outstanding_balance": "Owing", "days_past_due": "Late"}}  # fmt: skip


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("Loan Status", "loan_status"), ("Estado del crédito", "loan_status"), ("Charge-off date", "written_off_on"),
        ("Moneda", "currency"), ("As of date", "measurement_date"), ("Situation", "loan_status"),
        ("Loan Status Code", "loan_status"), ("WO flag", "is_written_off"), ("CO flag", "is_written_off"),
        ("W/O", "is_written_off"),
    ],
)  # fmt: skip
def test_column_that_changes_figures_and_that_the_mapping_does_not_know_is_refused(root, heading, column):
    save(root, NARROW)
    path = write(root / "book.csv", f"Ref,Owing,Late,{heading}", "A-1,100.50,0,x")
    with pytest.raises(
        InputError, match=rf"the heading {heading} says .*small\.yml does not know it: write {column}: "
    ):
        discovery.discover(path)
    save(root, NARROW | {"left_behind": [heading.upper()]})
    assert discovery.discover(path)[0][0].left_behind == [heading]


def test_other_columns_of_ours_that_the_mapping_does_not_know_are_told(root):
    save(root, NARROW)
    path = write(
        root / "book.csv", "Ref,Owing,Late,DPD,Tenor,State,Client,Remark,Colour", "A-1,100.50,0,0,12,NY,Ana,x,y"
    )
    [source], _ = discovery.discover(path)
    [note] = [note for note in roles.notes([source], [], [], []) if note.code == "columns_unmentioned"]
    assert str(note) == (
        "book.csv has DPD, Tenor, State, Client, which may be columns of ours, and its mapping small does not know "
        "them: add them to its columns, or to left_behind."
    )
    save(root, NARROW | {"left_behind": ["DPD", "Tenor", "State", "Client"]})
    [source], _ = discovery.discover(path)
    assert not source.unmentioned


def test_heading_that_is_read_is_not_left_behind(root):
    save(root, NARROW | {"left_behind": ["owing"]})
    with pytest.raises(InputError, match=r"small\.yml: left_behind: owing is read: leave it out here"):
        mappings.load("small")


@pytest.mark.parametrize(("per", "high"), [("month", "1.5"), ("year", "2.5")])
def test_rates_that_are_per_cent_and_fractions_are_refused_whatever_the_mapping_says(root, per, high):
    rate = {"heading": "Rate", "as": "percent", "per": per}
    save(root, MAPPING | {"columns": COLUMNS | {"interest_rate": rate}})
    lines = [line.replace(",2,", ",0.02,").replace(",1.5,", f",{high},") for line in LINES]
    with pytest.raises(
        InputError, match=rf"Rate is {high} in line 4 and 0\.02 in line 2, which is less than 1 %, or a "
    ):
        figures_of(write(root / "book.csv", HEADER, *lines), max_reject_pct=100)


@pytest.mark.parametrize(
    ("header", "title"), [(HEADER.replace("Lent", "Lent EUR"), ""), (HEADER, "All amounts in EUR")]
)
def test_currency_that_a_mapping_says_is_none_that_the_file_contradicts(root, header, title):
    columns = COLUMNS | {"disburse_principal": "Lent EUR"} if not title else COLUMNS
    columns |= {"outstanding_balance": "Lent EUR" if not title else "Lent"}
    save(root, {"title": "t", "rows": "loan", "currency": "INR", "columns": columns})
    path = write(root / "book.csv", *([title, ""] if title else []), header, *LINES)
    with pytest.raises(InputError, match=r"Amounts in several currencies \(EUR in book\.csv; INR in book\.csv\)"):
        figures_of(path)
