"""Every input format: what is kept, what is personal, and how it becomes a tape."""

from dataclasses import replace

from abaco.ingest.balances import STAND_INS, from_loans, from_par, from_snapshot
from abaco.ingest.columns import (
    AGING,
    BORROWER,
    CASH,
    COMPANY,
    CURRENCY,
    DAYS_PAST_DUE,
    DISCOUNTED,
    ELIGIBLE,
    INTEREST_RATE,
    IS_RESTRUCTURED,
    IS_REVERSED,
    IS_WRITTEN_OFF,
    LOAN_ID,
    LOAN_STATUS,
    MATURITY_DATE,
    MEASUREMENT_DATE,
    NEXT_DUE,
    OVERDUE,
    OVERDUE_ON,
    PAYMENT_ID,
    PLEDGE,
    RECEIVABLE,
    SEGMENTS,
    WRITTEN_OFF,
    WRITTEN_OFF_ON,
    Column,
    amount,
)
from abaco.ingest.contract import Format
from abaco.ingest.formats_beside import DRAWINGS, RATES, STATEMENTS_LONG, STATEMENTS_WIDE
from abaco.ingest.lateness import GIVEN, par_balance

# Canonical snapshot


SNAPSHOT = Format(
    "snapshot",
    "canonical snapshot",
    "one row per loan and date, or one per date",
    (
        MEASUREMENT_DATE,
        LOAN_ID,
        *BORROWER,
        *SEGMENTS,
        replace(RECEIVABLE, required=True, filled=True),
        *(replace(c, required=True, optional=True) for c in (ELIGIBLE, DISCOUNTED, CASH)),
        *(replace(c, required=True, filled=True) for c in AGING),
        amount("dpd_120_plus_usd", credit=True, meaning="the balance 120 or more days late"),
        WRITTEN_OFF,
        LOAN_STATUS,
        IS_WRITTEN_OFF,
        WRITTEN_OFF_ON,
        IS_RESTRUCTURED,
        OVERDUE,
        NEXT_DUE,
        DAYS_PAST_DUE,
        MATURITY_DATE,
        *PLEDGE,
        CURRENCY,
    ),
    tape_rank=1,
    to_tape=from_snapshot,
    key=("loan_id", "measurement_date"),
    date="measurement_date",
    amount="total_receivable_usd",
)

# One row per loan and date, or per loan

_FIXED = (
    Column("disburse_date", "date", optional=True, meaning="the disbursement date"),
    MATURITY_DATE,
    replace(INTEREST_RATE, signed=True),
    amount("disburse_principal", optional=True, meaning="the disbursed amount"),
    Column("term", "days", optional=True, meaning="the agreed term"),
    Column("frequency", meaning="how often an instalment is due"),
    amount("total_fees", optional=True, meaning="the fees of the whole term"),
    amount("total_interest", optional=True, meaning="the interest of the whole term"),
)
_LATE = (OVERDUE, NEXT_DUE, OVERDUE_ON)
_STATUS = (LOAN_STATUS, IS_WRITTEN_OFF, WRITTEN_OFF_ON, IS_RESTRUCTURED, *_LATE, *PLEDGE, CURRENCY)
_OUTSTANDING = amount("outstanding_balance", required=True, filled=True, credit=True, meaning="the outstanding balance")
_OFF = amount("writeoff_outstanding_balance_usd", optional=True, meaning="the written-off balance")
_DAYS = replace(DAYS_PAST_DUE, required=True, filled=True, optional=False)

PAR = Format(
    "par_balances",
    "PAR balances",
    "one row per loan and date",
    (
        MEASUREMENT_DATE,
        LOAN_ID,
        *BORROWER,
        *SEGMENTS,
        replace(_OUTSTANDING, name="outstanding_balance_usd"),
        *(
            amount(par_balance(days), filled=True, credit=True, meaning=f"the balance {days} or more days late")
            for days in GIVEN
        ),
        _OFF,
        DAYS_PAST_DUE,
        *_FIXED,
        *_STATUS,
    ),
    tape_rank=2,
    to_tape=from_par,
    stands_in=STAND_INS,
    key=("loan_id", "measurement_date"),
    date="measurement_date",
    amount="outstanding_balance_usd",
    decreasing=("outstanding_balance_usd", *map(par_balance, GIVEN)),
)
DATED_LOANS = replace(
    PAR,
    name="dated_loans",
    title="dated loans",
    columns=(
        MEASUREMENT_DATE, replace(LOAN_ID, required=True), *BORROWER, *SEGMENTS, _OUTSTANDING, _OFF, _DAYS, *_FIXED,
        *_STATUS,
    ),
    tape_rank=3,
    to_tape=from_loans,
    amount="outstanding_balance",
    decreasing=(),
    least=("measurement_date", "loan_id", "outstanding_balance"),
)  # fmt: skip
LOANS = Format(
    "loans",
    "loans",
    "one row per loan",
    (
        replace(LOAN_ID, required=True),
        *BORROWER,
        *SEGMENTS,
        Column("disburse_date", "date", required=True, filled=True, meaning="the disbursement date"),
        MATURITY_DATE,
        replace(INTEREST_RATE, required=True, signed=True),
        amount("disburse_principal", required=True, optional=True, meaning="the disbursed amount"),
        _OUTSTANDING,
        _DAYS,
        Column("term", "days", optional=True, meaning="the agreed term"),
        Column("frequency", meaning="how often an instalment is due"),
        LOAN_STATUS,
        IS_WRITTEN_OFF,
        WRITTEN_OFF_ON,
        IS_RESTRUCTURED,
        OVERDUE,
        NEXT_DUE,
        *PLEDGE,
        CURRENCY,
        amount("total_fees", optional=True, meaning="the fees of the whole term"),
        amount("total_interest", optional=True, meaning="the interest of the whole term"),
    ),
    purpose="what is fixed of each loan",
    tape_rank=4,
    to_tape=from_loans,
    stands_in=STAND_INS,
    tape_notes=("loans_undated", "balances_of_loans"),
    key=("loan_id",),
    date="disburse_date",
    amount="outstanding_balance",
    least=("loan_id", "outstanding_balance", "days_past_due"),
)

# Flows

_FLOWS = (
    amount("principal", signed=True, meaning="principal"),
    amount("interest", signed=True, optional=True, meaning="interest"),
    amount("other", signed=True, optional=True, meaning="other charges"),
    amount("fees", signed=True, optional=True, meaning="fees"),
    amount("to_tax", signed=True, optional=True, meaning="tax"),
    amount("add_balance", signed=True, optional=True, meaning="what was added to the balance"),
    amount("reduce_balance", signed=True, optional=True, meaning="what was taken off the balance"),
    CURRENCY,
)
SCHEDULES = Format(
    "schedules",
    "payment schedules",
    "one row per instalment",
    (
        replace(LOAN_ID, required=True),
        Column("date_due", "date", required=True, filled=True, meaning="the day that the instalment is due"),
        Column("instalment", "id", meaning="the number of the instalment"),
        *_FLOWS,
    ),
    purpose="what was due",
    identity="instalment",
    amount="principal",
)
TRANSACTIONS = Format(
    "transactions",
    "transactions",
    "one row per disbursement, payment or correction",
    (
        replace(LOAN_ID, required=True),
        Column("transaction_type", required=True, filled=True, meaning="the type: DISBURSEMENT, PAYMENT and so on"),
        Column("date_paid", "date", required=True, filled=True, meaning="the day that the money moved"),
        Column("status", meaning="the state of the payment"),
        IS_REVERSED,
        PAYMENT_ID,
        *_FLOWS,
    ),
    purpose="what was paid",
    identity="payment_id",
    date="date_paid",
    amount="principal",
)
PAYMENTS = Format(
    "payments",
    "real payments",
    "one row per payment",
    (
        COMPANY,
        *BORROWER,
        replace(LOAN_ID, required=True),
        Column("paid_on", "date", required=True, filled=True, meaning="the day of the payment"),
        Column("status", meaning="the state of the payment"),
        IS_REVERSED,
        PAYMENT_ID,
        CURRENCY,
        *(
            amount(f"paid_{name}", signed=True, optional=name != "principal", meaning=meaning)
            for name, meaning in (
                ("devolution", "what was paid back to the borrower"),
                ("total_payment", "the whole payment"),
                ("principal", "principal paid"),
                ("interest", "interest paid"),
                ("fees", "fees paid"),
                ("other", "other charges paid"),
                ("tax", "tax paid"),
                ("fees_tax", "tax on fees paid"),
                ("rebates", "rebates granted"),
                ("balance", "the balance after the payment"),
            )
        ),
    ),
    purpose="what was paid",
    replaced_by="transactions",
    identity="payment_id",
    date="paid_on",
    amount="paid_principal",
)  # fmt: skip

FORMATS = {
    f.name: f
    for f in (
        SNAPSHOT, PAR, DATED_LOANS, LOANS, SCHEDULES, TRANSACTIONS, PAYMENTS, STATEMENTS_LONG, STATEMENTS_WIDE, RATES,
        DRAWINGS,
    )
}  # fmt: skip
TAPE_FORMATS = sorted((f for f in FORMATS.values() if f.tape_rank), key=lambda f: f.tape_rank)
