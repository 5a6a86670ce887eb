"""Columns of input formats: what they are called, what is checked on them, and those that several formats share."""

import re
import unicodedata
from dataclasses import dataclass

from abaco.core.tables import COUNT, DATE, TEXT, Field

# Arrow type and unit of each kind of column.
KINDS = {
    "text": (TEXT, ""),
    "id": (TEXT, ""),
    "date": (DATE, ""),
    "amount": ("decimal(18, 2)", "USD"),
    "rate": ("decimal(18, 6)", "a year, 1 = 100 %"),
    "days": (COUNT, "days"),
}

TEXTS = ("text", "id")


@dataclass(frozen=True)
class Column:
    """One named column of a format.

    Parameters
    ----------
    name
        What the column is called on our side.
    kind
        ``text``, ``id`` (text in which a word such as N/A is blank), ``date``, ``amount`` (decimal 18,2), ``rate``
        (decimal 18,6) or ``days`` (whole number).
    headings
        Other headings it goes by, normalised (see `normalise`).
    words, beside
        A file without these headings may have one that is made of at least one of `words`, and of `beside`.
    required
        The format is not recognised without it.
    filled
        A row without a value in it is rejected.
    signed
        Negative values are valid (rebate credits, equity).
    credit
        A balance: negative where the borrower has paid too much.
    optional
        A value that cannot be used is unknown: it does not cost the row.
    personal
        It identifies a person or a firm and is masked.
    meaning
        What a value says, as a phrase.
    """

    name: str
    kind: str = "text"
    headings: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()
    required: bool = False
    filled: bool = False
    signed: bool = False
    credit: bool = False
    optional: bool = False
    personal: bool = False
    meaning: str = ""

    def is_meant_by(self, heading: str) -> bool:
        """Return whether a heading, normalised, is made of the words of this column.

        Examples
        --------
        >>> [CURRENCY.is_meant_by(heading) for heading in ("tipo_moneda", "saldo_en_moneda_local")]
        [True, False]
        """
        found = set(heading.split("_"))
        return not found.isdisjoint(self.words) and found <= self.words | self.beside

    @property
    def field(self) -> Field:
        """The column as a table of the report has it."""
        type_, unit = KINDS[self.kind]
        return Field(self.name, type_, self.meaning, unit)


def normalise(heading: str) -> str:
    """Return a heading in the form that contracts use: no accents, no stray blanks, lower case, underscores.

    Examples
    --------
    >>> normalise("  Préstamo  Número ")
    'prestamo_numero'
    """
    plain = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain.strip().lower()).strip("_")


LOAN_ID = Column(
    "loan_id", "id", headings=("loan_id_raw", "numero_de_prestamo", "id_prestamo", "codigo_prestamo"), filled=True,
    meaning="the loan's number",
)  # fmt: skip
COMPANY = Column("company", headings=("empresa", "compania"), meaning="the company that lent")
DAYS_PAST_DUE = Column("days_past_due", "days", ("dpd",), optional=True, meaning="the days past due")
MEASUREMENT_DATE = Column("measurement_date", "date", required=True, filled=True, meaning="the measurement date")
CURRENCY = Column(
    "currency",
    headings=("currency_code", "ccy", "moneda", "divisa"),
    words=frozenset(("currency", "curr", "ccy", "moneda", "divisa")),
    beside=frozenset((
        "code", "codigo", "cod", "iso", "type", "tipo", "name", "nombre", "symbol", "simbolo", "de", "del", "la", "of",
        "the", "loan", "credit", "account", "contract", "payment", "transaction", "invoice", "original", "reporting",
        "true", "prestamo", "credito", "cuenta", "contrato", "pago", "transaccion", "operacion", "factura", "reporte",
    )),
    meaning="the currency",
)  # fmt: skip

# Columns that identify a person or a firm, under the headings that English and Spanish exports give them.
BORROWER = (
    Column(
        "borrower_id",
        "id",
        headings=("customer_id", "client_id", "id_cliente", "codigo_cliente", "cod_cliente"),
        personal=True, meaning="the borrower's number",
    ),
    Column(
        "borrower_name",
        headings=("customer_name", "client_name", "full_name", "name", "cliente", "nombre",
                  "nombre_cliente", "nombre_completo", "apellido", "apellidos", "razon_social", "borrower"),
        personal=True, meaning="the borrower's name",
    ),
    Column(
        "payer_name",
        headings=("payer", "pagador", "nombre_pagador", "debtor", "deudor"),
        personal=True, meaning="the payer's name",
    ),
    Column(
        "borrower_email",
        headings=("email", "e_mail", "customer_email", "correo", "correo_electronico"),
        personal=True, meaning="the borrower's email",
    ),
    Column(
        "borrower_phone",
        headings=("phone", "phone_number", "mobile", "customer_phone", "telefono", "celular", "movil"),
        personal=True, meaning="the borrower's phone",
    ),
    Column(
        "borrower_tax_id",
        headings=("tax_id", "tin", "ssn", "national_id", "passport", "nit", "dui", "nrc", "rfc", "ruc", "dni",
                  "cedula", "pasaporte", "documento", "numero_documento"),
        personal=True, meaning="the borrower's tax number",
    ),
    Column(
        "borrower_address",
        headings=("address", "customer_address", "direccion", "domicilio"),
        personal=True, meaning="the borrower's address",
    ),
    Column(
        "borrower_birth_date",
        headings=("birth_date", "date_of_birth", "fecha_nacimiento", "fecha_de_nacimiento"),
        personal=True, meaning="the borrower's date of birth",
    ),
)  # fmt: skip
# In Spanish an estado is a part of a country, and the state of a loan: the values tell which.
REGION_OR_STATUS = "estado"
REGION = Column(
    "region", headings=("location_state_province", "departamento", "provincia", REGION_OR_STATUS), meaning="the region"
)
SEGMENTS = (
    COMPANY,
    Column("product", headings=("product_type", "producto", "tipo_producto", "tipo_de_producto"),
           meaning="the product"),
    Column("segment", headings=("segmento",), meaning="the segment of the business"),
    REGION,
)  # fmt: skip
BUCKETS = ("dpd_0_7_usd", "dpd_7_30_usd", "dpd_30_60_usd", "dpd_60_90_usd", "dpd_90_plus_usd")
# The day from which a balance counts in each bucket.
FIRST_DAY = dict(zip(BUCKETS, (0, 7, 30, 60, 90), strict=True))
BUCKET_NAMES = dict(zip(BUCKETS, ("0–7", "7–30", "30–60", "60–90", "90+"), strict=True))

RECEIVABLE = Column("total_receivable_usd", "amount", credit=True, meaning="the outstanding balance")
ELIGIBLE = Column("total_eligible_usd", "amount", credit=True, meaning="the eligible receivables")
DISCOUNTED = Column("discounted_balance_usd", "amount", credit=True, meaning="the discounted balance")
CASH = Column("cash_available_usd", "amount", meaning="cash on hand")
AGING = tuple(
    Column(name, "amount", credit=True, meaning=f"the balance {days.replace('+', ' or more')} days late")
    for name, days in BUCKET_NAMES.items()
)
LOAN_STATUS = Column(
    "loan_status",
    headings=(
        "status",
        "estatus",
        "loan_state",
        "account_status",
        "account_state",
        "credit_status",
        "estado_prestamo",
        "estado_del_prestamo",
        "estado_de_prestamo",
        "estado_credito",
        "estado_del_credito",
        "estatus_prestamo",
        "estatus_credito",
        "situacion",
        "situacion_credito",
        "situacion_del_credito",
    ),
    meaning="the status of the loan",
)
IS_WRITTEN_OFF = Column(
    "is_written_off",
    headings=("is_writeoff", "is_write_off", "writeoff", "write_off", "writeoff_flag", "write_off_flag",
              "written_off_flag", "is_charged_off", "is_chargeoff", "charged_off", "chargeoff", "charge_off_flag",
              "castigado", "castigada", "es_castigado", "es_castigo", "esta_castigado"),
    meaning="whether the loan is written off",
)  # fmt: skip
WRITTEN_OFF = Column("written_off_usd", "amount", optional=True, meaning="the written-off balance")
OVERDUE_ON = Column("overdue_on", "date", optional=True, meaning="the first day overdue")
INTEREST_RATE = Column("interest_rate", "rate", optional=True, meaning="the interest rate")

IS_REVERSED = Column(
    "is_reversed",
    headings=("reversed", "was_reversed", "manually_reversed", "reversal_flag", "reversed_on", "reversed_on_date",
              "is_voided", "voided", "voided_on", "is_cancelled", "is_canceled", "reversado", "anulado", "revertido",
              "fecha_reverso", "fecha_anulacion"),
    words=frozenset((
        "reversed", "reversal", "void", "voided", "cancelled", "canceled", "returned", "bounced", "refunded",
        "reverso", "reversado", "reversada", "reversion", "revertido", "revertida", "anulado", "anulada", "anulacion",
        "devuelto", "devuelta",
    )),
    beside=frozenset((
        "is", "was", "has", "been", "manually", "payment", "repayment", "transaction", "flag", "indicator", "date",
        "day", "on", "at", "es", "esta", "fue", "pago", "abono", "cuota", "transaccion", "indicador", "fecha", "de",
        "del", "el",
    )),
    meaning="whether, or when, the payment was reversed",
)  # fmt: skip
PAYMENT_ID = Column(
    "payment_id",
    "id",
    headings=("transaction_id", "transaction_number", "id_transaccion", "numero_transaccion", "id_pago"),
    meaning="the number of the payment",
)

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
