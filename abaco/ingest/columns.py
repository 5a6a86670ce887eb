"""Columns of input formats: what they are called, what is checked on them, and those that several formats share."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import narwhals as nw

from abaco.core.tables import COUNT, DATE, FLAG, TEXT, Field

# Arrow type and unit of each kind of column.
KINDS = {
    "text": (TEXT, ""),
    "id": (TEXT, ""),
    "date": (DATE, ""),
    "amount": ("decimal(18, 2)", "USD"),
    "rate": ("decimal(18, 6)", "a year, 1 = 100 %"),
    "days": (COUNT, "days"),
    "flag": (FLAG, ""),
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
        (decimal 18,6), ``days`` (whole number) or, of the tape alone, ``flag``.
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
    required: bool = False
    filled: bool = False
    signed: bool = False
    credit: bool = False
    optional: bool = False
    personal: bool = False
    meaning: str = ""

    @property
    def field(self) -> Field:
        """The column as a table of the report has it."""
        type_, unit = KINDS[self.kind]
        return Field(self.name, type_, self.meaning, unit)


def amount(name: str, **more: bool | str) -> Column:
    """Return a column of amounts."""
    return Column(name, "amount", **more)


def normalise(heading: str) -> str:
    """Return a heading in the form that contracts use: no accents, no stray blanks, lower case, underscores.

    Examples
    --------
    >>> normalise("  Préstamo  Número "), normalise("残高 (円)")
    ('prestamo_numero', '残高_円')
    """
    if not heading.isascii():
        heading = "".join(c for c in unicodedata.normalize("NFKD", heading) if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", "_", heading.lower()).strip("_")


def heading_at(headings: Sequence[str], place: int) -> str:
    """Return the heading of a column as it is shown: of one without, its place.

    Examples
    --------
    >>> heading_at([" Loan ", " "], 0), heading_at([" Loan ", " "], 1)
    ('Loan', 'column 2')
    """
    return headings[place].strip() or f"column {place + 1}"


LOAN_ID = Column("loan_id", "id", filled=True, meaning="the loan's number")
COMPANY = Column("company", meaning="the company that lent")
DAYS_PAST_DUE = Column("days_past_due", "days", optional=True, meaning="the days past due")
MEASUREMENT_DATE = Column("measurement_date", "date", required=True, filled=True, meaning="the measurement date")
CURRENCY = Column("currency", meaning="the currency")
MATURITY_DATE = Column("maturity_date", "date", optional=True, meaning="the maturity date")
# What a lender of the lender asks of a loan.
FACILITY = Column("facility", meaning="the facility that loans are pledged to")
PLEDGE = (
    FACILITY,
    Column("pledge_date", "date", optional=True, meaning="the day from which on the loan is pledged"),
    Column("documents", meaning="the state of the loan's documents"),
)

# Columns that identify a person or a firm.
BORROWER = (
    Column("borrower_id", "id", personal=True, meaning="the borrower's number"),
    Column("borrower_name", personal=True, meaning="the borrower's name"),
    Column("payer_name", personal=True, meaning="the payer's name"),
    Column("borrower_email", personal=True, meaning="the borrower's email"),
    Column("borrower_phone", personal=True, meaning="the borrower's phone"),
    Column("borrower_tax_id", personal=True, meaning="the borrower's tax number"),
    Column("borrower_address", personal=True, meaning="the borrower's address"),
    Column("borrower_birth_date", personal=True, meaning="the borrower's date of birth"),
)
# In Spanish an estado is a part of a country, and the state of a loan: the values tell which.
REGION_OR_STATUS = "estado"
REGION = Column("region", meaning="the region")
SEGMENTS = (
    COMPANY,
    Column("product", meaning="the product"),
    Column("segment", meaning="the segment of the business"),
    REGION,
)
BUCKETS = ("dpd_0_7_usd", "dpd_7_30_usd", "dpd_30_60_usd", "dpd_60_90_usd", "dpd_90_plus_usd")
# The day from which a balance counts in each bucket.
FIRST_DAY = dict(zip(BUCKETS, (0, 7, 30, 60, 90), strict=True))
ZERO = nw.lit(Decimal("0.00"))
BUCKET_NAMES = dict(zip(BUCKETS, ("0–7", "7–30", "30–60", "60–90", "90+"), strict=True))
# The same as people read them: without a day that two of them share.
BUCKET_DAYS = dict(zip(BUCKET_NAMES.values(), ("0–6", "7–29", "30–59", "60–89", "90+"), strict=True))

RECEIVABLE = Column("total_receivable_usd", "amount", credit=True, meaning="the outstanding balance")
ELIGIBLE = Column("total_eligible_usd", "amount", credit=True, meaning="the eligible receivables")
DISCOUNTED = Column("discounted_balance_usd", "amount", credit=True, meaning="the discounted balance")
CASH = Column("cash_available_usd", "amount", meaning="cash on hand")
AGING = tuple(
    Column(name, "amount", credit=True, meaning=f"the balance {days.replace('+', ' or more')} days late")
    for name, days in zip(BUCKETS, BUCKET_DAYS.values(), strict=True)
)
LOAN_STATUS = Column("loan_status", meaning="the status of the loan")
IS_WRITTEN_OFF = Column("is_written_off", meaning="whether the loan is written off")
WRITTEN_OFF_ON = Column("written_off_on", "date", optional=True, meaning="the day that the loan was written off")
IS_RESTRUCTURED = Column("is_restructured", meaning="whether the loan is restructured")
RESTRUCTURED = "restructured"  # what flag and status say, in the tape
WRITTEN_OFF = Column("written_off_usd", "amount", optional=True, meaning="the written-off balance")
OVERDUE_ON = Column("overdue_on", "date", optional=True, meaning="the first day overdue")
NEXT_DUE = Column("next_due_on", "date", optional=True, meaning="the day of the next instalment")
OVERDUE = Column("overdue_usd", "amount", optional=True, meaning="the overdue amount")
INTEREST_RATE = Column("interest_rate", "rate", optional=True, meaning="the interest rate")

IS_REVERSED = Column("is_reversed", meaning="whether, or when, the payment was reversed")
PAYMENT_ID = Column("payment_id", "id", meaning="the number of the payment")

# Accounts of financial statements.
ACCOUNTS = (
    "cash_usd", "assets_usd", "liabilities_usd", "equity_usd", "net_income_usd", "operating_expense_usd",
    "loan_loss_reserve_usd",
)  # fmt: skip
