"""Every input format is recognised from its header, and says what is personal in it."""

import pytest

from abaco.core.errors import InputError
from abaco.ingest import mappings, statements
from abaco.ingest.columns import BORROWER, Column, normalise
from abaco.ingest.formats import FORMATS
from abaco.ingest.recognition import recognise
from tests.support.exports import BY_DATE, LOANS, PAR, PAYMENTS, SCHEDULES, SNAPSHOT, TRANSACTIONS

HEADERS = {
    SNAPSHOT: "snapshot",
    BY_DATE: "snapshot",
    SNAPSHOT + ",dpd_120_plus_usd,period,customer_id,collector_note": "snapshot",
    PAR: "par_balances",
    PAR.removeprefix("loan_id_raw,"): "par_balances",
    PAR + ",dpd,dpd_date,is_writeoff,writeoff_outstanding_balance_usd": "par_balances",
    LOANS: "loans",
    LOANS + ",loan_status,total_fees,company,location_state_province": "loans",
    f"reporting_date,{LOANS}": "dated_loans",
    "fecha_corte,loan_id,outstanding_balance_usd,dpd": "dated_loans",
    "reporting_date,outstanding_balance_usd,par_30_balance_usd": "par_balances",
    PAR.replace("PAR_60_balance_usd,", ""): "par_balances",
    SCHEDULES: "schedules",
    TRANSACTIONS: "transactions",
    PAYMENTS: "payments",
    "reporting_date,metric,value": "statements",
    "fecha,cuenta,monto": "statements",
    "fecha_corte,concepto,saldo": "statements",
    "date,cash,total_assets,equity": "statements_wide",
    "fecha_corte,efectivo,activos,pasivos,patrimonio,utilidad": "statements_wide",
    "Fecha de Corte,Caja": "statements_wide",
    "date,from,to,rate": "rates",
    "date,facility,drawn,cash": "drawings",
    "fecha_corte,linea_de_credito,monto_girado": "drawings",
    "fecha,moneda_origen,moneda_destino,tipo_de_cambio": "rates",
}
WRITTEN = {
    "as it is": lambda h: h,
    "upper case": lambda h: [x.upper() for x in h],
    "reversed": lambda h: h[::-1],
    "stray blanks": lambda h: [f"  {x.replace('_', ' ')} " for x in h],
    "accents": lambda h: [x.replace("a", "á").replace("o", "ó") for x in h],
}


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("header", HEADERS)
def test_format_is_recognised_however_its_header_is_written(header, written):
    name = recognise(WRITTEN[written](header.split(",")), "x.csv")
    assert mappings.load(name).format.name == HEADERS[header]


def test_every_format_is_recognised_by_some_header_above():
    assert set(HEADERS.values()) == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_no_heading_means_two_columns_of_a_format(name):
    known = mappings.load(name).known
    headings = [h for c in FORMATS[name].columns for h in known.of(c)]
    assert sorted(headings) == sorted(set(headings))
    assert [h for h in headings if normalise(h) != h] == []


@pytest.mark.parametrize(
    ("header", "nearest", "lacks"),
    [
        (
            "loan_id,measurement_date,total_receivable_usd,total_eligible_usd",
            "canonical snapshot",
            "discounted_balance_usd, cash_available_usd, dpd_0_7_usd, dpd_7_30_usd, dpd_30_60_usd, "
            "dpd_60_90_usd, dpd_90_plus_usd",
        ),
        ("reporting_date,loan_id,outstanding_balance,disburse_date", "dated loans", "days_past_due"),
        (LOANS.replace(",dpd", ""), "loans", "days_past_due"),
        (PAYMENTS.replace("True Payment Date,", ""), "real payments", "paid_on"),
        ("loan_id,date_paid,principal,interest", "transactions", "transaction_type"),
        ("reporting_date,metric", "financial statements, long", "value"),
    ],
)
def test_error_names_file_columns_nearest_format_and_what_it_lacks(header, nearest, lacks):
    with pytest.raises(InputError) as error:
        recognise(header.split(","), "exports/x.csv")
    assert str(error.value) == (
        f"exports/x.csv fits no known format: it has the columns {', '.join(header.split(','))}; "
        f"the nearest format, {nearest}, also needs {lacks}; make map INPUT=… drafts a mapping of it"
    )


@pytest.mark.parametrize("header", ["fecha,Total", "fecha,Total general", "fecha,activos circulantes"])
def test_account_headings_are_matched_whole(header):
    with pytest.raises(InputError, match="fits no known format"):
        recognise(header.split(","), "x.csv")


def test_no_account_goes_by_the_bare_word_total():
    assert "total" not in statements.account_of()


# Personal columns


PERSONAL = [
    "customer_id", "Customer ID", "Código Cliente", "Cliente", "Customer Name", "Nombre", "Nombre Completo",
    "Apellidos", "Razón Social", "borrower_name", "Pagador", "Payer", "Deudor", "Email", "E-mail",
    "Correo Electrónico", "borrower_email", "Phone", "Teléfono", "Celular", "Móvil", "borrower_phone",
    "TIN", "Tax ID", "NIT", "DUI", "RFC", "RUC", "DNI", "Cédula", "Pasaporte", "Passport", "SSN", "Address",
    "Dirección", "Domicilio", "Date of Birth", "Fecha de nacimiento",
]  # fmt: skip


@pytest.mark.parametrize("name", ["snapshot", "par_balances", "loans", "payments"])
@pytest.mark.parametrize("heading", PERSONAL)
def test_personal_heading_belongs_to_a_personal_column(name, heading):
    assert mappings.load(name).known.column_of[normalise(heading)].personal


@pytest.mark.parametrize("name", ["snapshot", "par_balances", "loans", "payments"])
def test_every_borrower_column_is_personal(name):
    assert set(FORMATS[name].personal) == {c.name for c in BORROWER}


@pytest.mark.parametrize("name", FORMATS)
def test_dates_amounts_and_loan_ids_are_not_personal(name):
    harmless = [
        c for c in FORMATS[name].columns if c.kind not in ("text", "id") or c.name in ("loan_id", "company", "product")
    ]
    assert [c.name for c in harmless if c.personal] == []
    assert not mappings.load(name).known.column_of.get("reporting_date", Column("")).personal


def test_snapshot_without_one_column_is_no_financial_statement():
    headings = [c.name for c in FORMATS["snapshot"].columns if c.name != "dpd_90_plus_usd"]
    with pytest.raises(InputError, match=r"the nearest format, canonical snapshot, also needs dpd_90_plus_usd; make"):
        recognise(headings, "snapshot.csv")
