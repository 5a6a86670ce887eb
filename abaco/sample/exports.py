"""The sample book as a loan system exports it: balances, loans, schedules, transactions, statements.

The balances of every month-end follow from the disbursements and payments: principal lent less principal paid
equals the outstanding plus the written-off balance.
"""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np

from abaco.sample import simulation
from abaco.sample.simulation import EPOCH, HISTORY, MONTH_ENDS

# The true date of the last snapshot's figures; an earlier one makes the snapshot's label too late.
LAST_AS_OF = date(2025, 12, 31)
TINY_FEE_EVERY = 97  # one loan in so many has fees below a millionth, as a rounding error
TAX_PERCENT = 13
PAR_BALANCES = (
    "loan_id_raw,reporting_date,dpd,dpd_date,is_writeoff,writeoff_type,loan_ccy,outstanding_balance,"
    "writeoff_outstanding_balance,xchg_rate_to_usd,outstanding_balance_usd,writeoff_outstanding_balance_usd,"
    "PAR_7_balance_usd,PAR_30_balance_usd,PAR_60_balance_usd,PAR_90_balance_usd"
)
LOANS = (
    "loan_id,maturity_date,customer_id,application_date,disburse_date,pledge_date,product_type,loan_grade,lender,"
    "facility,total_fees,total_other,total_interest,credit_bureau_score,term,frequency,interest_rate,"
    "disburse_principal,outstanding_balance,currency,dpd,ratio_paid,loan_status,amount_buckets,company,loan_counts,"
    "term_buckets,location_state_province,payer"
)
_MONEY = "principal,interest,other,fees,to_tax,add_balance,reduce_balance,currency"
SCHEDULES = f"loan_id,date_due,{_MONEY}"
TRANSACTIONS = f"loan_id,transaction_type,date_paid,{_MONEY}"
FINANCIALS = "reporting_date,metric,value"
DRAWINGS = "date,facility,drawn,cash"
# The facility of each of the ten lots of a loan; the last ones are pledged to none.
PLEDGED_TO = ("SENIOR",) * 5 + ("TAIL",) * 3 + ("",) * 2
# What is drawn and held in cash, per thousand of the balance of the loans that are pledged: one is drawn half, the
# other almost to the full.
DRAWN = {"SENIOR": (520, 20), "TAIL": (550, 0)}
# Invented firms whose invoices are factored, the first of which come up most.
PAYERS = ("Almacenes Ejemplo", "Distribuidora Ficticia", "Supermercados Muestra", "Textiles Inventados",
          "Farmacias Supuestas", "Constructora Imaginaria", "Hoteles Simulados", "Talleres de Prueba")  # fmt: skip
AMOUNT_BUCKETS = (
    (500, "0-0.5K"), (1_000, "0.5K-1K"), (2_500, "1K-2.5K"), (5_000, "2.5K-5K"), (10_000, "5K-10K"),
    (50_000, "10K-50K"),
)  # fmt: skip
TERM_BUCKETS = (
    (30, "21-30 Days"), (45, "31-45 Days"), (60, "46-60 Days"), (90, "61-90 Days"), (120, "91-120 Days"),
    (180, "121-180 Days"), (360, ">180 Days"),
)  # fmt: skip
COUNT_BUCKETS = ((1, "1"), (2, "2"), (3, "3"), (4, "4"), (10, "5-10"), (1 << 30, "11+"))
# Loans that are only in the balances: two whose buckets do not add up in the snapshot, and faulty ones.
# Loan, date, outstanding, balance at or past 7, 30, 60 and 90 days, days past due.
EXTRA_BALANCES = (
    ("ALF - X00013", "2025-01-31", "120.00", ("0.00", "0.00", "0.00", "0.00"), 0),
    ("ALF - X00014", "2025-02-28", "80.00", ("0.00", "0.00", "0.00", "0.00"), 0),
    ("ALF - X00021", "2025-10-31", "900.00", ("400.00", "500.00", "0.00", "0.00"), 45),
    ("ALF - X00022", "2025-10-31", "900.00", ("950.00", "0.00", "0.00", "0.00"), 10),
    ("ALF - X00023", "2025-10-31", "-900.00", ("0.00", "0.00", "0.00", "0.00"), 0),
    ("ALF - X00024", "2025-02-30", "900.00", ("0.00", "0.00", "0.00", "0.00"), 0),
)


def exports(book, cash_by_date):
    """The export files of a book.

    Parameters
    ----------
    book : Lives
        From `abaco.sample.simulation.simulate`.
    cash_by_date : list of int
        Cash on hand at each snapshot, in cents.

    Returns
    -------
    dict
        File name → (header, list of rows of texts).
    """
    loans = [_Loan(book, place) for place in np.nonzero(book.is_reported[HISTORY:].any(axis=0))[0]]
    people = {name: column.to_pylist() for name, column in simulation.borrower_columns(book).items()}
    return {
        "loan_par_balances.csv": (PAR_BALANCES, _par_balances(loans)),
        "loans.csv": (LOANS, _loans(loans, people)),
        "schedules.csv": (SCHEDULES, _schedules(loans)),
        "transactions.csv": (TRANSACTIONS, sorted(_transactions(loans), key=lambda row: row[2])),
        "financials.csv": (FINANCIALS, _financials(loans, cash_by_date)),
        "drawings.csv": (DRAWINGS, _drawings(loans)),
    }


class _Loan:
    """One loan of a book as plain integers (days since 1970, cents), with its contract terms."""

    def __init__(self, book, place):
        columns = (book.number, book.disbursed, book.period, book.instalments, book.principal)
        terms = (int(column[place]) for column in columns)
        self.number, self.disbursed, self.period, self.instalments, self.principal = terms
        self.place = place
        self.balance, self.overdue = book.balance[:, place].tolist(), book.days_past_due[:, place].tolist()
        self.is_off = book.is_written_off[:, place].tolist()
        self.is_reported = book.is_reported[:, place].tolist()
        self.lot = simulation.draw(book.key[place : place + 1], 9).item()
        self.loan_id = simulation.loan_ids(book)[place].as_py()
        self.facility = PLEDGED_TO[self.lot // 7 % len(PLEDGED_TO)]
        self.pledged_on = self.disbursed + self.lot // 70 % 20 if self.facility else None
        # per thousand a year; a few exceed 200 %
        self.rate = 2300 if self.lot % 60 == 0 else 180 + self.lot % 420
        self.term = self.period * self.instalments
        self.schedule = list(self._instalments())
        self.interest, self.fees = (sum(column) for column in list(zip(*self.schedule, strict=True))[2:4])

    def _instalments(self):
        """Due day, principal, interest, fees and tax of each instalment."""
        left = self.principal
        for turn in range(1, self.instalments + 1):
            rest = self.principal - self.principal * turn // self.instalments
            interest = left * self.rate * self.period // 360_000
            fees = (left - rest) * (self.lot % 11 + 5) // 1000
            yield self.disbursed + turn * self.period, left - rest, interest, fees, _tax(interest + fees)
            left = rest


def _par_balances(loans):
    """One row per loan and month-end; the PAR columns are cumulative."""
    rows = []
    for month in range(HISTORY, len(MONTH_ENDS) - 1):
        for loan in loans:
            if loan.is_reported[month]:
                off, late, owed = loan.is_off[month], loan.overdue[month], loan.balance[month]
                balance, lost = (0, owed) if off else (owed, 0)
                pars = [_usd(balance if late >= days else 0) for days in (7, 30, 60, 90)]
                closing = MONTH_ENDS[month + 1]
                ends = (_iso(closing), _usd(balance), pars, late, _as_of(closing), _usd(lost))
                rows.append(_par_row(loan.loan_id, *ends))
    extra = [_par_row(*row, as_of=MONTH_ENDS[-3]) for row in EXTRA_BALANCES]
    for place, row in enumerate([*extra, rows[0]], 1):
        rows.insert(place * len(rows) // (len(extra) + 2), row)
    return rows


def _par_row(loan_id, reporting_date, balance, pars, late, as_of, lost="0.00"):
    """A row of balances; ``dpd_date`` is the first overdue day, counted back from ``as_of``."""
    first_overdue, is_off = _iso(as_of - late) if late else "", lost != "0.00"
    flag, kind = ("true", "DPD") if is_off else ("false", "")
    usd = (balance, lost)
    return (loan_id, reporting_date, late, first_overdue, flag, kind, "USD", *usd, 1, *usd, *pars)


def _loans(loans, people):
    """One row per loan, as of the last month-end; the balance includes write-offs."""
    rows, borrowed = [], {}
    for loan in sorted(loans, key=lambda loan: (loan.disbursed, loan.number)):
        customer, left, late = people["customer_id"][loan.place], loan.balance[-1], loan.overdue[-1]
        borrowed[customer] = borrowed.get(customer, 0) + 1
        kind, often = ("factoring", "One-time") if loan.instalments == 1 else ("business_loan", "Monthly")
        paid_share = (loan.principal - left) * 10_000 // loan.principal
        status = "Complete" if left == 0 else "Default" if late else "Current"
        rows.append((
            loan.loan_id, _iso(loan.disbursed + loan.term), customer, "", _paid_iso(loan.disbursed),
            _iso(loan.pledged_on) if loan.facility else "", kind,
            "", "", loan.facility, _usd(loan.fees), "0.00", _usd(loan.interest), "",
            loan.term, often, _decimal(loan.rate, 3),
            _usd(loan.principal), _usd(left), "USD", late, _decimal(paid_share, 4), status,
            _band(loan.principal // 100 + 1, AMOUNT_BUCKETS), loan.loan_id[:3],
            _band(borrowed[customer], COUNT_BUCKETS), _band(loan.term, TERM_BUCKETS),
            people["region"][loan.place] or "Not Provided", _payer(loan) if kind == "factoring" else "",
        ))  # fmt: skip
    return rows


def _schedules(loans):
    """One row per instalment."""
    for loan in loans:
        for due, principal, interest, fees, tax in loan.schedule:
            yield loan.loan_id, _iso(due), *_money(principal, interest, _usd(fees), tax)


def _transactions(loans):
    """The disbursements, and a payment for each month in which a balance fell."""
    for loan in loans:
        yield loan.loan_id, "DISBURSEMENT", _paid_iso(loan.disbursed), *_money(loan.principal, 0, "0.00", 0)
        before = loan.principal
        for month, (opening, closing) in enumerate(pairwise(MONTH_ENDS)):
            if loan.disbursed <= closing and loan.balance[month] < before:
                paid_on = _payment_day(loan, month, opening, closing)
                for money in _payments(loan, before - loan.balance[month], paid_on, loan.balance[month] == 0):
                    yield loan.loan_id, "PAYMENT", _paid_iso(paid_on), *money
                before = loan.balance[month]


def _payments(loan, fall, paid_on, is_last):
    """The money columns of a payment that lowers the balance by ``fall``; an early pay-off earns a rebate."""
    interest, fees = loan.interest * fall // loan.principal, loan.fees * fall // loan.principal
    fees_text = "0.0000004" if loan.lot % TINY_FEE_EVERY == 0 else _usd(fees)
    spared_days = max(loan.disbursed + loan.term - paid_on, 0) if is_last else 0
    rebate = interest * spared_days // loan.term
    credit = rebate + _tax(rebate)
    yield _money(fall - credit, interest, fees_text, _tax(interest + fees))
    if rebate:
        yield _money(credit, -rebate, "0.00", -_tax(rebate))


def _payment_day(loan, month, opening, closing):
    """The due day of a payment on time, another day of the month for a late or early one."""
    due = loan.disbursed + loan.period * min((closing - loan.disbursed) // loan.period, loan.instalments)
    is_early = loan.balance[month] == 0 and loan.disbursed + loan.term > closing
    if opening < due <= closing and not loan.overdue[month - 1] and not is_early:
        return due
    start = max(opening, loan.disbursed) + 1
    return start + (loan.lot + 7 * month) % (closing - start + 1)


def _payer(loan):
    """The firm that pays a factored invoice; the product of two draws makes the first ones the most frequent."""
    return PAYERS[(loan.lot // 1_000 % 8) * (loan.lot // 8_000 % 8) // 8]


def _drawings(loans):
    """What is drawn from each facility at each month-end, in whole hundreds of dollars, and its cash."""
    for month in range(HISTORY, len(MONTH_ENDS) - 1):
        day = MONTH_ENDS[month + 1]
        for facility, shares in DRAWN.items():
            pledged = (loan for loan in loans if loan.facility == facility and loan.pledged_on <= day)
            owed = sum(loan.balance[month] for loan in pledged if not loan.is_off[month])
            drawn, cash = (owed * share // 10_000_000 * 10_000 for share in shares)
            yield _iso(day), facility, _usd(drawn), _usd(cash)


def _financials(loans, cash_by_date):
    """Four balance-sheet lines a month-end, in Spanish."""
    for month, cash in enumerate(cash_by_date, HISTORY):
        lent = sum(loan.balance[month] for loan in loans if not loan.is_off[month])
        assets = cash + lent + 1_850_000
        debts = assets * 62 // 100
        lines = ("Efectivo y equivalentes", cash), ("Total Activos", assets), ("Total Pasivos", debts)
        for metric, cents in (*lines, ("Patrimonio", assets - debts)):
            yield _iso(MONTH_ENDS[month + 1]), metric, _usd(cents)


def _money(principal, interest, fees, tax):
    """The money columns that schedules and transactions share."""
    return _usd(principal), _usd(interest), "0.00", fees, _usd(tax), "0.00", "0.00", "USD"


def _tax(cents):
    return cents * TAX_PERCENT // 100


def _band(value, bands):
    """The label of the first band that contains the value, or of the last."""
    return next((label for top, label in bands if value <= top), bands[-1][1])


def _usd(cents):
    """Cents as dollars, exactly."""
    return f"-{_decimal(-cents, 2)}" if cents < 0 else _decimal(cents, 2)


def _decimal(number, places):
    """A whole number of units of 10**-places, written out without a float."""
    whole, part = divmod(number, 10**places)
    return f"{whole}.{part:0{places}d}"


def _iso(day):
    return str(EPOCH + timedelta(days=int(day)))


def _as_of(closing):
    """The day a month-end's figures are from."""
    return (LAST_AS_OF - EPOCH).days if closing == MONTH_ENDS[-1] else closing


def _paid_iso(day):
    """The day of a payment, at the latest the day the figures are from."""
    return _iso(min(day, (LAST_AS_OF - EPOCH).days))
