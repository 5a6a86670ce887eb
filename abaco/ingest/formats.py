"""The contract of every input format: its headings, the columns that it keeps, and the personal ones."""

from abaco.core.errors import InputError
from abaco.ingest.columns import Column, Format, normalise


def _amount(name, *headings, **more):
    return Column(name, "amount", headings, **more)


LOAN_ID = Column(
    "loan_id", headings=("loan_id_raw", "numero_de_prestamo", "id_prestamo", "codigo_prestamo"), filled=True
)
COMPANY = Column("company", headings=("empresa", "compania"))
DATE_HEADINGS = ("reporting_date", "measurement_date", "fecha_corte", "fecha_de_corte", "snapshot_date")

# Columns that identify a person or a firm, under the headings that English and Spanish exports give them.
BORROWER = (
    Column(
        "borrower_id",
        headings=("customer_id", "client_id", "id_cliente", "codigo_cliente", "cod_cliente"),
        personal=True,
    ),
    Column(
        "borrower_name",
        headings=("customer_name", "client_name", "full_name", "name", "cliente", "nombre",
                  "nombre_cliente", "nombre_completo", "apellido", "apellidos", "razon_social", "borrower"),
        personal=True,
    ),
    Column("payer_name", headings=("payer", "pagador", "nombre_pagador", "debtor", "deudor"), personal=True),
    Column(
        "borrower_email",
        headings=("email", "e_mail", "customer_email", "correo", "correo_electronico"),
        personal=True,
    ),
    Column(
        "borrower_phone",
        headings=("phone", "phone_number", "mobile", "customer_phone", "telefono", "celular", "movil"),
        personal=True,
    ),
    Column(
        "borrower_tax_id",
        headings=("tax_id", "tin", "ssn", "national_id", "passport", "nit", "dui", "nrc", "rfc", "ruc", "dni",
                  "cedula", "pasaporte", "documento", "numero_documento"),
        personal=True,
    ),
    Column(
        "borrower_address",
        headings=("address", "customer_address", "direccion", "domicilio"),
        personal=True,
    ),
    Column(
        "borrower_birth_date",
        headings=("birth_date", "date_of_birth", "fecha_nacimiento", "fecha_de_nacimiento"),
        personal=True,
    ),
)  # fmt: skip
SEGMENTS = (
    COMPANY,
    Column("product", headings=("product_type", "producto", "tipo_producto", "tipo_de_producto")),
    Column("segment", headings=("segmento",)),
    Column("region", headings=("location_state_province", "departamento", "provincia", "estado")),
)
BUCKETS = ("dpd_0_7_usd", "dpd_7_30_usd", "dpd_30_60_usd", "dpd_60_90_usd", "dpd_90_plus_usd")
# The day from which a balance counts in each bucket.
FIRST_DAY = dict(zip(BUCKETS, (0, 7, 30, 60, 90), strict=True))
BUCKET_NAMES = dict(zip(BUCKETS, ("0–7", "7–30", "30–60", "60–90", "90+"), strict=True))
PAR_BALANCES_USD = ("par_7_balance_usd", "par_30_balance_usd", "par_60_balance_usd", "par_90_balance_usd")

SNAPSHOT = Format(
    "snapshot",
    "canonical snapshot",
    (
        Column("measurement_date", "date", required=True, filled=True),
        LOAN_ID,
        *BORROWER,
        *SEGMENTS,
        _amount("total_receivable_usd", required=True, filled=True),
        _amount("total_eligible_usd", required=True),
        _amount("discounted_balance_usd", required=True),
        _amount("cash_available_usd", required=True),
        *(_amount(name, required=True, filled=True) for name in BUCKETS),
        _amount("dpd_120_plus_usd"),
        _amount("written_off_usd"),
        Column("days_past_due", "days", ("dpd",)),
    ),
    key=("loan_id", "measurement_date"),
    date="measurement_date",
    amount="total_receivable_usd",
    is_tape=True,
)

PAR = Format(
    "par_balances",
    "PAR balances",
    (
        Column("measurement_date", "date", DATE_HEADINGS, required=True, filled=True),
        LOAN_ID,
        *BORROWER,
        *SEGMENTS,
        _amount("outstanding_balance_usd", required=True, filled=True),
        *(_amount(name, required=True, filled=True) for name in PAR_BALANCES_USD),
        _amount("writeoff_outstanding_balance_usd"),
        Column("days_past_due", "days", ("dpd",)),
        Column("overdue_on", "date", ("dpd_date",)),
    ),
    key=("loan_id", "measurement_date"),
    date="measurement_date",
    amount="outstanding_balance_usd",
    is_tape=True,
)

LOANS = Format(
    "loans",
    "loans",
    (
        Column("loan_id", headings=LOAN_ID.headings, required=True, filled=True),
        *(
            Column(c.name, headings=c.headings, required=c.name == "borrower_id", personal=True)
            for c in BORROWER
        ),
        *SEGMENTS,
        Column("disburse_date", "date", required=True, filled=True),
        Column("maturity_date", "date"),
        Column("interest_rate", "rate", required=True, signed=True),
        _amount("disburse_principal", required=True, filled=True),
        _amount("outstanding_balance", required=True, filled=True),
        Column("days_past_due", "days", ("dpd",), required=True, filled=True),
        Column("term", "days"),
        Column("frequency"),
        Column("loan_status"),
        Column("currency"),
        _amount("total_fees"),
        _amount("total_interest"),
    ),
    key=("loan_id",),
    date="disburse_date",
    amount="outstanding_balance",
    is_tape=True,
)

_FLOWS = (
    _amount("principal", signed=True),
    _amount("interest", signed=True),
    _amount("other", signed=True),
    _amount("fees", signed=True),
    _amount("to_tax", "tax", signed=True),
    _amount("add_balance", signed=True),
    _amount("reduce_balance", signed=True),
    Column("currency"),
)
SCHEDULES = Format(
    "schedules",
    "payment schedules",
    (
        Column("loan_id", headings=LOAN_ID.headings, required=True, filled=True),
        Column("date_due", "date", required=True, filled=True),
        *_FLOWS,
    ),
    amount="principal",
)
TRANSACTIONS = Format(
    "transactions",
    "transactions",
    (
        Column("loan_id", headings=LOAN_ID.headings, required=True, filled=True),
        Column("transaction_type", required=True, filled=True),
        Column("date_paid", "date", required=True, filled=True),
        *_FLOWS,
    ),
    date="date_paid",
    amount="principal",
)
PAYMENTS = Format(
    "payments",
    "real payments",
    (
        COMPANY,
        *BORROWER,
        Column("loan_id", headings=LOAN_ID.headings, required=True, filled=True),
        Column("paid_on", "date", ("true_payment_date",), required=True, filled=True),
        Column("status", headings=("true_payment_status",)),
        Column("currency", headings=("true_payment_currency",)),
        *(
            _amount(f"paid_{name}", f"true_{name}", *more, signed=True)
            for name, *more in (
                ("devolution",), ("total_payment", "true_total_payment_amount"),
                ("principal", "true_principal_payment"), ("interest", "true_interest_payment"),
                ("fees", "true_fee_payment", "true_fees_payment"), ("other", "true_other_payment"),
                ("tax", "true_tax_payment"), ("fees_tax", "true_fee_tax_payment"),
                ("rebates", "true_rabates", "true_rebates"), ("balance", "true_outstanding_loan_value"),
            )
        ),
    ),
    date="paid_on",
    amount="paid_principal",
)  # fmt: skip

# Account headings of financial statements, matched whole.
ACCOUNTS = {
    "cash_usd": ("cash", "cash_and_cash_equivalents", "cash_and_equivalents", "cash_balance", "efectivo",
                 "caja", "efectivo_y_equivalentes", "efectivo_y_equivalentes_de_efectivo", "caja_y_bancos",
                 "cash_available_usd"),
    "assets_usd": ("assets", "total_assets", "activos", "activo", "total_activos", "total_activo",
                   "activos_totales"),
    "liabilities_usd": ("liabilities", "total_liabilities", "pasivos", "pasivo", "total_pasivos",
                        "total_pasivo", "pasivos_totales"),
    "equity_usd": ("equity", "total_equity", "shareholders_equity", "patrimonio", "total_patrimonio",
                   "patrimonio_neto", "capital_contable"),
    "net_income_usd": ("net_income", "net_profit", "profit", "utilidad", "utilidad_neta", "resultado_neto"),
    "operating_expense_usd": ("operating_expense", "operating_expenses", "opex", "gastos",
                              "gastos_operativos", "gastos_de_operacion"),
}  # fmt: skip
_STATEMENT_DATE = Column(
    "measurement_date", "date", (*DATE_HEADINGS, "date", "fecha"), required=True, filled=True
)
STATEMENTS_LONG = Format(
    "statements",
    "financial statements, long",
    (
        _STATEMENT_DATE,
        Column("metric", headings=("account", "cuenta", "concepto", "metrica"), required=True, filled=True),
        _amount("value", "amount", "valor", "monto", "saldo", required=True, filled=True, signed=True),
    ),
    key=("measurement_date", "metric"),
    date="measurement_date",
    amount="value",
)
STATEMENTS_WIDE = Format(
    "statements_wide",
    "financial statements, wide",
    (_STATEMENT_DATE, *(_amount(name, *headings, signed=True) for name, headings in ACCOUNTS.items())),
    key=("measurement_date",),
    date="measurement_date",
    any_of=tuple(ACCOUNTS),
)

FORMATS = {
    f.name: f
    for f in (SNAPSHOT, PAR, LOANS, SCHEDULES, TRANSACTIONS, PAYMENTS, STATEMENTS_LONG, STATEMENTS_WIDE)
}  # fmt: skip


def recognise(headings: list[str], file: str) -> Format:
    """Return the format that a header belongs to, whatever the case, order and stray blanks of its headings.

    Parameters
    ----------
    headings
        The header's cells as they stand in the file.
    file
        What to call the file in an error.

    Raises
    ------
    InputError
        Naming the file, its columns, and the nearest format with the columns that it lacks.
    """
    given = [normalise(h) for h in headings]
    fits = [f for f in FORMATS.values() if not f.lacks(given)]
    best = max(fits, key=lambda f: (f.matched(given), sum(c.required for c in f.columns)), default=None)
    most = max(f.matched(given) for f in FORMATS.values())
    # a snapshot that lacks a column still has a date and cash, as a financial statement has
    if best is None or most > 2 * best.matched(given):
        nearest = min(FORMATS.values(), key=lambda f: (-f.matched(given), len(f.lacks(given))))
        raise InputError(
            f"{file} fits no known format: it has the columns {', '.join(h.strip() for h in headings)}; "
            f"the nearest format, {nearest.title}, also needs {', '.join(nearest.lacks(given))}"
        )
    return best
