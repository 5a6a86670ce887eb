"""How contracts read headings."""

import pytest

from abaco.ingest.columns import Column, normalise
from abaco.ingest.contract import Format
from abaco.ingest.headings import Headings, Known

FORMAT = Format(
    "letters",
    "letters",
    "one row a letter",
    (
        Column("loan_id", required=True),
        Column("email", personal=True),
        Column("cash_usd", "amount"),
        Column("debt_usd", "amount"),
    ),
)
KNOWN = Headings(FORMAT, {"loan_id": Known(headings=["numero", "codigo"]), "email": Known(headings=["correo"])})


@pytest.mark.parametrize(
    ("heading", "plain"),
    [
        ("loan_id", "loan_id"),
        ("  Loan ID  ", "loan_id"),
        ("LOAN-ID", "loan_id"),
        ("Préstamo  Número", "prestamo_numero"),
        ("Compañía", "compania"),
        ("True Rabates", "true_rabates"),
        ("total (USD)", "total_usd"),
        ("", ""),
        (" _ ", ""),
    ],
)
def test_heading_loses_case_accents_and_stray_blanks(heading, plain):
    assert normalise(heading) == plain


def test_column_is_found_under_any_of_its_headings_wherever_it_stands():
    assert KNOWN.assign(["other", "correo", "codigo"]) == {"loan_id": 2, "email": 1}


@pytest.mark.parametrize("headings", [["codigo", "numero"], ["numero", "codigo"]])
def test_of_two_headings_for_one_column_the_one_listed_first_counts(headings):
    assert KNOWN.assign(headings) == {"loan_id": headings.index("numero")}


def test_a_file_without_headings_gives_no_column():
    assert KNOWN.assign([]) == {}
    assert KNOWN.present([]) == set()


@pytest.mark.parametrize("headings", [["loan_id", "cash_usd"], ["numero", "cash_eur"]])
def test_columns_are_there_under_any_heading_and_in_any_currency(headings):
    assert KNOWN.present(headings) == {"loan_id", "cash_usd"}


def test_only_known_headings_count_as_matched():
    assert KNOWN.matched(["numero", "correo", "colour"]) == 2


def test_personal_columns_are_those_that_the_contract_calls_so():
    assert FORMAT.personal == ("email",)
