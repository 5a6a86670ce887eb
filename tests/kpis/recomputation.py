"""Every KPI of the sample a second time, from its files alone, as docs/KPIS.md and params/kpis.yml define it.

Nothing of abaco.kpis is imported: amounts are whole cents, quotients are fractions, and months are numbered.
"""

import csv
import math
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from types import SimpleNamespace

import yaml

from tests.support.projects import ROOT

SAMPLE = ROOT / "data/sample"
DECEMBER = date(2025, 12, 31)
DEFINED = yaml.safe_load((ROOT / "params/kpis.yml").read_text(encoding="utf-8"))
# What the sample leaves out, so that the KPIs that need it have a value as well.
EXPENSES = {date(2025, 11, 30): 480_000, date(2025, 12, 31): 512_345}
RESERVES = {date(2025, 12, 31): -1_250_050}  # taken off the assets
ADDED = {"Gastos operativos": EXPENSES, "Reserva de saneamiento": RESERVES}
CHANCES = [Fraction(chance) for chance in ("0.5", "2", "10", "30", "100")]
CASH = "Efectivo y equivalentes"
SEVERITY = Fraction("45.5")
BOUNDS = (0, 7, 30, 60, 90)


# The files


def cents(text):
    """Return an amount in whole cents, half a cent rounded up."""
    return int((Decimal(text) * 100).to_integral_value(ROUND_HALF_UP))


@cache
def export(name):
    """Return the rows of a file of the sample."""
    with (SAMPLE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def loans():
    """Return the loans by id."""
    return {
        row["loan_id"]: SimpleNamespace(
            borrower=row["customer_id"], company=row["company"], product=row["product_type"],
            region=row["location_state_province"], lent_on=date.fromisoformat(row["disburse_date"]),
            lent=cents(row["disburse_principal"]), rate=Fraction(row["interest_rate"]), term=int(row["term"]),
            interest=cents(row["total_interest"]), fees=cents(row["total_fees"]), payer=row["payer"] or None,
            matures_on=date.fromisoformat(row["maturity_date"]),
        )
        for row in export("loans")
    }  # fmt: skip


@cache
def balances():
    """Return the usable balances by date and loan; a row that is there twice counts once."""
    found = defaultdict(dict)
    for row in export("loan_par_balances"):
        late = [cents(row[f"PAR_{days}_balance_usd"]) for days in (7, 30, 60, 90)]
        owed = max(cents(row["outstanding_balance_usd"]), 0)  # an overpaid loan owes nothing
        try:
            day = date.fromisoformat(row["reporting_date"])
        except ValueError:  # 30 February
            continue
        if owed >= late[0] >= late[1] >= late[2] >= late[3] >= 0:
            found[day][row["loan_id_raw"]] = SimpleNamespace(
                owed=owed, off=cents(row["writeoff_outstanding_balance_usd"]), days=int(row["dpd"]), late=late,
                is_gone=False, loan=loans().get(row["loan_id_raw"]),
            )  # fmt: skip
    return found


@cache
def flows(name, day):
    """Return payments or instalments as (loan, date, principal, interest, fees, tax)."""
    rows = export(name)
    if name == "transactions":
        rows = [row for row in rows if row["transaction_type"] == "PAYMENT"]
    money = ("principal", "interest", "fees", "to_tax")
    return [(row["loan_id"], date.fromisoformat(row[day]), *(cents(row[c]) for c in money)) for row in rows]


def paid():
    return flows("transactions", "date_paid")


def due():
    return flows("schedules", "date_due")


@cache
def account(day, name):
    """Return a line of the financial statement of a date, in cents."""
    if name in ADDED:
        return ADDED[name].get(day)
    rows = [row for row in export("financials") if row["reporting_date"] == str(day)]
    return next((cents(row["value"]) for row in rows if row["metric"] == name), None)


def book(day):
    return list(balances()[day].values())


def outstanding(day):
    return sum(row.owed for row in book(day))


def month(day):
    """Return the number of a date's month."""
    return day.year * 12 + day.month


def opening(day):
    """Return the balances at the end of the month before, by loan."""
    return next((rows for other, rows in balances().items() if month(other) == month(day) - 1), None)


def transitions(day):
    """Return what each loan was at the month's start and is at its end; without a row it owes nothing."""
    nothing, gone = (SimpleNamespace(owed=0, off=0, days=0, is_gone=is_gone) for is_gone in (False, True))
    if (before := opening(day)) is None:
        return []
    now, unpaid = balances()[day], gone_unpaid(day)
    return [(before.get(loan, nothing), now.get(loan, gone if loan in unpaid else nothing)) for loan in {*before, *now}]


def gone_unpaid(day):
    """Return the loans of the month before that have no row now and have paid less than half of what they owed."""
    against = max((other for other in balances() if other < day), default=None)
    if against is None or not any(against < when <= day for _, when, *_ in paid()):
        return set()
    slack, came_in = timedelta(3), Counter()
    for loan, when, *amounts in paid():
        if against - slack < when <= day + slack:
            came_in[loan] += sum(amounts)
    left = {loan: row for loan, row in balances()[against].items() if loan not in balances()[day]}
    return {loan for loan, row in left.items() if 2 * came_in[loan] < row.owed + row.off}


def share(part, whole, scale=100):
    """Return a part of a whole, or None where there is nothing to divide by."""
    return None if part is None or not whole or whole < 0 else Fraction(part) / whole * scale


def published(name, day):
    """Return a KPI as the report rounds it, as a fraction."""
    value = RECOMPUTED[name](day)
    return None if value is None else rounded(value, DEFINED[name]["precision"])


def rounded(value, places):
    return Fraction(math.floor(abs(value) * 10**places + Fraction(1, 2)), 10**places) * (1 if value >= 0 else -1)


# The KPIs, one function each


def past(column):
    """PAR7, PAR30, PAR60 or PAR90, from the cumulative balances of the export."""
    return lambda day: share(sum(row.late[column] for row in book(day)), outstanding(day))


def par1(day):
    return share(sum(row.owed for row in book(day) if row.days >= 1), outstanding(day))


def npl(day):
    return share(sum(row.owed for row in book(day) if row.days > 90), outstanding(day))


def par90_gross(day):
    late = sum(row.owed + row.off for row in book(day) if row.days >= 90)
    return share(late, sum(row.owed + row.off for row in book(day)))


def collection_rate(day):
    return share(account(day, CASH), outstanding(day))


def portfolio_health(day):
    par30, collected = published("PAR30", day), published("CollectionRate", day)
    return min(max((10 - par30 / 10) * (collected / 10), 0), 10)


def written_off(day):
    return Fraction(sum(row.off for row in book(day)), 100)


def write_off_rate(day):
    return share(
        sum(max(now.off - was.off, 0) for was, now in transitions(day)), sum(was.owed for was, _ in transitions(day))
    )


def recovery_rate(day):
    return share(
        sum(max(was.off - now.off, 0) for was, now in transitions(day)), sum(was.off for was, _ in transitions(day))
    )


def moved(day, low, high, ends):
    """Return the share of the opening balance at least `low` and less than `high` days late that ends so."""
    at_start = [(was, now) for was, now in transitions(day) if was.owed and low <= was.days < high]
    return share(sum(was.owed for was, now in at_start if ends(now)), sum(was.owed for was, _ in at_start))


def monthly_default_rate(day):
    return moved(day, 0, 90, lambda now: (now.owed and now.days >= 90) or (not now.owed and now.off))


def roll_rate_30(day):
    return moved(day, 7, 30, lambda now: (now.owed and now.days >= 30) or (not now.owed and now.off))


def cure_rate(day):
    return moved(day, 30, math.inf, lambda now: now.days < 30 if now.owed else not now.off)


def months_to(day, span):
    """Return so many month-ends up to a date, the latest first; None where the balances do not have them all."""
    ends = {month(other): other for other in balances()}
    wanted = [ends.get(month(day) - back) for back in range(span)]
    return None if None in wanted else wanted


def over(rate, span):
    """Return the rate of a year that the monthly rates of a span come to, compounded."""

    def found(day):
        ends = months_to(day, span)
        if ends is None or None in (rates := [rate(end) for end in ends]):
            return None
        return (1 - math.prod(1 - one / 100 for one in rates) ** (12 // span)) * 100

    return found


def write_offs(name):
    """Return what was written off in 12 months, or with recoveries taken off, of the mean balance."""

    def found(day):
        ends = months_to(day, 12)
        if ends is None or None in map(opening, ends):
            return None
        moves = [(now.off - was.off) for end in ends for was, now in transitions(end)]
        return share(sum(moves if name == "net" else (move for move in moves if move > 0)), mean_balance(day))

    return found


def rdr90(day):
    old = [loan for loan, terms in loans().items() if month(day) - month(terms.lent_on) >= 12]
    rows = [balances()[day][loan] for loan in old if loan in balances()[day]]
    return share(sum(r.owed + r.off for r in rows if r.days >= 90), sum(loans()[loan].lent for loan in old))


def of_month(rows, day, columns=slice(2, None)):
    return sum(sum(row[columns]) for row in rows if month(row[1]) == month(day))


PRINCIPAL, INTEREST, FEES = slice(2, 3), slice(3, 4), slice(4, 5)


def collected_of_due(day):
    return share(of_month(paid(), day), of_month(due(), day))


@cache
def by_loan(flow):
    """Return (day, principal) of payments or instalments by loan, the earliest first."""
    found = defaultdict(list)
    for loan, when, principal, *_ in sorted(flow(), key=lambda row: row[1]):
        found[loan].append((when, principal))
    return found


def paid_by(loan, day):
    return sum(principal for when, principal in by_loan(paid)[loan] if when <= day)


def kept_by(loan, day):
    """Return what a loan had paid by a day, without what was reversed in the rest of that month."""
    later = [when for when, _ in by_loan(paid)[loan] if when > day and month(when) == month(day)]
    return min(paid_by(loan, when) for when in [day, *later])


def on_time(day, later=0):
    """Return the principal due in a month that was paid by so many days after it was due.

    What a loan has ever paid serves its instalments from the first on.
    """
    served = 0
    for loan, instalments in by_loan(due).items():
        before = 0
        for when, principal in instalments:
            if month(when) == month(day):
                served += min(max(kept_by(loan, when + timedelta(later)) - before, 0), principal)
            before += principal
    return served


def prepaid(day):
    """Return what loans lent before the month paid in it on instalments due after it."""
    start, end = day.replace(day=1) - timedelta(1), day
    early = 0
    for loan, instalments in by_loan(due).items():
        if loan in loans() and month(loans()[loan].lent_on) < month(day):
            by_end = sum(principal for when, principal in instalments if when <= end)
            later = sum(principal for when, principal in instalments if when > end)
            early += sum(
                sign * min(max(paid_by(loan, when) - by_end, 0), later) for when, sign in ((end, 1), (start, -1))
            )
    return early


def principal_on_time(day):
    return share(on_time(day), of_month(due(), day, PRINCIPAL))


def apr(day):
    rated = [row for row in book(day) if row.loan]
    return share(sum(row.owed * row.loan.rate for row in rated), sum(row.owed for row in rated))


def lent(day, first=0):
    """Return the loans that were lent from so many months before a date's month to the end of it."""
    return [loan for loan in loans().values() if 0 <= month(day) - month(loan.lent_on) <= first]


def apr_disbursed(day, first=0):
    return share(sum(loan.lent * loan.rate for loan in lent(day, first)), sum(loan.lent for loan in lent(day, first)))


def apr_with_fees(day):
    """The sample's rates hold no fees: interest over principal, annualised by 360 days, is the rate of most loans."""
    paid_at_once = [
        loan.lent
        for loan in loans().values()
        if abs(Fraction(loan.interest, loan.lent) * 360 / loan.term - loan.rate) < Fraction(1, 1000)
    ]
    assert sum(paid_at_once) > sum(loan.lent for loan in loans().values()) / 2
    rated = [row for row in book(day) if row.loan]
    rates = [row.owed * row.loan.rate * (1 + Fraction(row.loan.fees, row.loan.interest)) for row in rated]
    return share(sum(rates), sum(row.owed for row in rated))


def months_back(day, months):
    """Stand in for a date so many months before."""
    return SimpleNamespace(year=0, month=month(day) - months)


def of_year(day, columns):
    return sum(of_month(paid(), months_back(day, back), columns) for back in range(12))


def mean_balance(day):
    ends = [other for other in balances() if 0 <= month(day) - month(other) < 12]
    return Fraction(sum(outstanding(end) for end in ends), 12) if len(ends) == 12 else None


def realised_apr(day):
    return share(of_year(day, INTEREST), mean_balance(day))


def yield_with_fees(day):
    return share(of_year(day, slice(3, 5)), mean_balance(day))


def disbursed(day):
    return Fraction(sum(loan.lent for loan in lent(day)), 100)


def average_ticket(day):
    return share(disbursed(day), len(lent(day)), scale=1)


def throughput(day):
    return Fraction(of_year(day, PRINCIPAL), 100)


def rotation(day):
    return share(throughput(day) * 100, mean_balance(day), scale=1)


def days_to_collect(day):
    return None if rotation(day) is None else 365 / rotation(day)


def days_to_payment(day):
    rows = [row for row in paid() if 0 <= month(day) - month(row[1]) < 12 and row[0] in loans()]
    lent_for = sum(principal * (when - loans()[loan].lent_on).days for loan, when, principal, *_ in rows)
    return share(lent_for, sum(row[2] for row in rows), scale=1)


def active_loans(day):
    return sum(row.owed > 0 for row in book(day))


def borrowed(day):
    """Return what borrowers owe, largest first; None when somebody who owes is not known."""
    owed = Counter()
    for row in book(day):
        if row.owed:
            owed[row.loan and row.loan.borrower] += row.owed
    return None if None in owed else sorted(owed.values(), reverse=True)


def active_borrowers(day):
    return None if borrowed(day) is None else len(borrowed(day))


def top(number):
    return lambda day: None if borrowed(day) is None else share(sum(borrowed(day)[:number]), outstanding(day))


def herfindahl(day):
    if borrowed(day) is None:
        return None
    return sum(share(owed, outstanding(day)) ** 2 for owed in borrowed(day))


def by(dimension, day):
    """Return what is owed by the value of a dimension, None for loans that nobody knows."""
    owed = Counter()
    for row in book(day):
        owed[dimension(row.loan) if row.loan else None] += row.owed
    return owed


def largest(name):
    def found(day):
        owed = by(lambda loan: getattr(loan, name), day)
        return share(max(usd for value, usd in owed.items() if value), outstanding(day))

    return found


def top_payers(count):
    def found(day):
        owed = by(lambda loan: loan.payer, day)
        known = sorted((usd for payer, usd in owed.items() if payer), reverse=True)
        return share(sum(known[:count]), sum(known))

    return found


def weighted(days_of):
    """Return days of the loans, weighted by what each owes."""

    def found(day):
        rows = [row for row in book(day) if row.loan]
        return share(sum(row.owed * days_of(row.loan, day) for row in rows), sum(row.owed for row in rows), scale=1)

    return found


def smm(day):
    if opening(day) is None:
        return None
    old = [row for row in due() if row[0] in loans() and month(loans()[row[0]].lent_on) < month(day)]
    start = sum(row.owed for row in opening(day).values())
    return share(prepaid(day), start - of_month(old, day, PRINCIPAL))


def cash(day):
    return Fraction(account(day, CASH), 100)


def debt_to_equity(day):
    return share(account(day, "Total Pasivos"), account(day, "Patrimonio"), scale=1)


def runway(day):
    return share(account(day, CASH), account(day, "Gastos operativos"), scale=1)


def risk_coverage(day):
    reserve = account(day, "Reserva de saneamiento")
    return share(reserve and abs(reserve), sum(row.owed for row in book(day) if row.days >= 30))


def expected_loss(day):
    lost = 0
    for row in book(day):
        bucket = max(i for i, low in enumerate(BOUNDS) if row.days >= low)
        lost += row.owed * CHANCES[bucket] / 100 * SEVERITY / 100
    return lost / 100


def expected_loss_rate(day):
    return share(rounded(expected_loss(day), 2) * 100, outstanding(day))


RECOMPUTED = {
    "PAR30": past(1),
    "PAR90": past(3),
    "CollectionRate": collection_rate,
    "PortfolioHealth": portfolio_health,
    "PAR1": par1,
    "PAR7": past(0),
    "PAR60": past(2),
    "PAR30Restructured": lambda day: None,  # the exports say of no loan whether it is
    "RiskCoverage": risk_coverage,
    "PAR90Gross": par90_gross,
    "NPL": npl,
    "WrittenOff": written_off,
    "WriteOffRate": write_off_rate,
    "WriteOffRate12": write_offs("gross"),
    "NetWriteOffRate12": write_offs("net"),
    "MonthlyDefaultRate": monthly_default_rate,
    "CDR": over(monthly_default_rate, 1),
    "CDR3": over(monthly_default_rate, 3),
    "CDR12": over(monthly_default_rate, 12),
    "RecoveryRate": recovery_rate,
    "CureRate": cure_rate,
    "RollRate30": roll_rate_30,
    "RDR90": rdr90,
    "CollectedOfDue": collected_of_due,
    "PrincipalOnTime": principal_on_time,
    "APR": apr,
    "APRDisbursed": apr_disbursed,
    "APRThisYear": lambda day: apr_disbursed(day, day.month - 1),
    "APR12": lambda day: apr_disbursed(day, 11),
    "APRWithFees": apr_with_fees,
    "APRWithoutFees": apr,
    "RealisedAPR": realised_apr,
    "YieldWithFees": yield_with_fees,
    "Outstanding": lambda day: Fraction(outstanding(day), 100),
    "ActiveLoans": active_loans,
    "ActiveBorrowers": active_borrowers,
    "Disbursed": disbursed,
    "AverageTicket": average_ticket,
    "Throughput": throughput,
    "Rotation": rotation,
    "DaysToCollect": days_to_collect,
    "DaysToPayment": days_to_payment,
    "AverageTerm": weighted(lambda loan, day: loan.term),
    "RemainingMaturity": weighted(lambda loan, day: max((loan.matures_on - day).days, 0)),
    "TopPayer": top_payers(1),
    "Top10Payers": top_payers(10),
    "TopBorrower": top(1),
    "Top10Borrowers": top(10),
    "HHI": herfindahl,
    "LargestCompany": largest("company"),
    "LargestProduct": largest("product"),
    "LargestSegment": lambda day: None,  # no file of the sample has a segment
    "LargestRegion": largest("region"),
    "SMM": smm,
    "CPR": over(smm, 1),
    "CPR3": over(smm, 3),
    "CPR12": over(smm, 12),
    "Cash": cash,
    "DebtToEquity": debt_to_equity,
    "Runway": runway,
    "ExpectedLoss": expected_loss,
    "ExpectedLossRate": expected_loss_rate,
}
