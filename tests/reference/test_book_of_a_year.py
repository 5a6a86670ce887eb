"""A book of eight loans over thirteen month-ends, in PAR balances, loans, schedules, transactions and a statement.

Each KPI is worked out below from the loans, by hand; the computation must give the same digits.
"""

from datetime import date, timedelta

import pytest

from tests.support.computation import computed
from tests.support.exports import LOANS, PAR, SCHEDULES, TRANSACTIONS, write

from .arithmetic import D, half_up, pct

DECEMBER = date(2025, 12, 31)
ENDS = [date(2025 + (month > 12), (month - 1) % 12 + 1, 1) - timedelta(1) for month in range(1, 14)]
RISK = {"default_probability_pct": "0.5, 2, 10, 30, 100", "loss_given_default_pct": 45.5}

# What is owed, days late and written off, at the ends of the last months up to December.
OWED = {
    "L1": [1200, 1150, 1100, 1050, 1000, 950, 900, 850, 800, 750, 700, 650, 500],
    "L2": [800] * 11 + [300, 300],  # November: 500 of 800 are written off; December: 50 of them are recovered
    "L3": [600, 600, 600, 600, 300, 300],
    "L4": [1000] * 4,
    "L5": ["250.50"],
    "L6": [500, 400, 400, 400, 0],
    "L7": [120] * 7,
    "L8": [90, 90, 0],  # written off in December
}
LATE = {
    "L2": [0] * 7 + [31, 62, 92, 123, 153, 184], "L3": [0, 0, 0, 0, 0, 21], "L4": [0, 0, 15, 46],
    "L6": [0, 0, 10, 40, 0], "L7": [0, 0, 0, 14, 45, 75, 106], "L8": [0, 20, 51],
}  # fmt: skip
OFF = {"L2": [0] * 11 + [500, 450], "L8": [0, 0, 90]}
# Interest over principal, annualised by 360 days, is the rate: the rates hold no fees.
TERMS = """loan_id,customer_id,disburse_date,interest_rate,disburse_principal,outstanding_balance,dpd
L1,B1,2024-12-05,0.24,1200.00,500.00,0,North,Line,Coast,Retail,720,576.00,120.00
L2,B2,2024-12-20,0.36,800.00,300.00,184,South,Invoice,Coast,Retail,180,144.00,14.40
L3,B1,2025-07-10,0.30,600.00,300.00,21,North,Invoice,Inland,Retail,180,90.00,9.00
L4,B3,2025-09-01,0.24,1000.00,1000.00,46,South,Line,Inland,Trade,120,80.00,8.00
L5,B4,2025-12-03,0.18,250.50,250.50,0,North,Line,Coast,Trade,90,11.27,0.00
L6,B4,2025-08-01,0.24,500.00,0.00,0,North,Line,Coast,Trade,90,30.00,3.00
L7,B5,2025-06-15,0.42,120.00,120.00,106,North,Invoice,Coast,Retail,90,12.60,6.30
L8,B6,2025-10-01,0.36,90.00,0.00,51,South,Line,Inland,Retail,60,5.40,0.54""".splitlines()[1:]
MATURES = {"L1": "2026-11-25", "L2": "2025-06-18", "L3": "2026-01-06", "L4": "2025-12-30", "L5": "2026-03-03"}
PAYERS = {"L2": "Firma Uno", "L3": "Firma Dos", "L7": "Firma Dos"}
# Day, principal, interest, fees and tax.
DUE = {
    "L1": [(f"2025-{month:02}-15", 50, 20, 5, 3) for month in range(1, 13)] + [("2026-06-15", 600, 240, 60, 36)],
    "L2": [("2025-06-30", 800, 144, "14.40", 0)],
    "L3": [("2025-10-31", 300, 45, "4.50", 0), ("2025-12-10", 300, 45, "4.50", 2)],
    "L4": [("2025-11-15", 400, 40, 4, 0), ("2026-01-15", 600, 40, 4, 0)],
    "L5": [("2026-03-03", "250.50", "11.27", 0, 0)],
    "L6": [("2025-09-15", 100, 10, 1, 0), ("2025-10-21", 400, 20, 2, 0)],
    "L7": [("2025-09-16", 120, "12.60", "6.30", 0)],
    "L8": [("2025-11-10", 90, "5.40", "0.54", 0)],
}
PAID = {
    "L1": [(f"2025-{month:02}-15", 50, 20, 5, 3) for month in range(1, 12)] + [("2025-12-15", 150, "20.25", 5, 3)],
    "L3": [("2025-11-20", 300, 45, "4.50", 0)],
    "L6": [("2025-09-15", 100, 10, 1, 0), ("2025-12-12", 400, "25.75", 2, 0)],
}
LENT = {line.split(",")[0]: (line.split(",")[2], line.split(",")[4]) for line in TERMS}


def par(end, loan):
    """Return the row of a loan at a month's end; the last figures of a list are December's."""
    back = 12 - ENDS.index(end)
    owed, late, off = (of.get(loan, [0] * 13)[-1 - back] for of in (OWED, LATE, OFF))
    past = [owed if late >= days else 0 for days in (7, 30, 60, 90)]
    return ",".join(map(str, (loan, end, owed, *past, late, off, "yes" if loan == "L1" else "no")))


def flow(loan, kind, day, principal, interest=0, fees=0, tax=0):
    cells = (loan, *kind, day, principal, interest, 0, fees, tax, 0, 0, "USD")
    return ",".join(map(str, cells))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("year")
    rows = [par(end, loan) for i, end in enumerate(ENDS) for loan in OWED if len(OWED[loan]) > 12 - i]
    write(folder / "par.csv", f"{PAR},dpd,writeoff_outstanding_balance_usd,is_restructured", *rows)
    heads = f"{LOANS},company,product,region,segment,term,total_interest,total_fees,maturity_date,payer"
    terms = (f"{line},{MATURES.get(line[:2], '')},{PAYERS.get(line[:2], '')}" for line in TERMS)
    write(folder / "loans.csv", heads, *terms)
    write(folder / "schedules.csv", SCHEDULES, *(flow(loan, (), *row) for loan, rows in DUE.items() for row in rows))
    lent = [flow(loan, ("DISBURSEMENT",), *row) for loan, row in LENT.items()]
    paid = [flow(loan, ("PAYMENT",), *row) for loan, rows in PAID.items() for row in rows]
    write(folder / "transactions.csv", TRANSACTIONS, *lent, *paid)
    write(folder / "statement.csv", "fecha_corte,cuenta,valor", *(
        f"2025-12-31,{account},{usd}" for account, usd in (
            ("Efectivo y equivalentes", "61.23"), ("Total pasivos", "2000.00"), ("Patrimonio", "512.00"),
            ("Gastos operativos", "20.00"), ("Reserva de saneamiento", "-71.00"))))  # fmt: skip
    return computed(folder, DECEMBER, **RISK)


# December's book: L1 500, L2 300 (184 days), L3 300 (21), L4 1000 (46), L5 250.50, L7 120 (106)
OUTSTANDING = D(500) + 300 + 300 + 1000 + D("250.50") + 120
# November's: L1 650, L2 300 (153 days), L3 300, L4 1000 (15), L6 400 (40), L7 120 (75), L8 90 (20)
OPENING = D(650) + 300 + 300 + 1000 + 400 + 120 + 90
# Sums of the month-ends from January to December.
YEAR = [
    1150 + 800, 1100 + 800, 1050 + 800, 1000 + 800, 950 + 800, 900 + 800 + 120, 850 + 800 + 600 + 120,
    800 + 800 + 600 + 500 + 120, 750 + 800 + 600 + 1000 + 400 + 120, 700 + 800 + 600 + 1000 + 400 + 120 + 90,
    OPENING, OUTSTANDING,
]  # fmt: skip
MEAN = half_up(sum(YEAR, D(0)) / 12, 2)
# L1 paid 11 × 50 + 150, L3 300, L6 100 + 400; their interest and fees likewise
PRINCIPAL = D(700) + 300 + 500
INTEREST = 11 * D(20) + D("20.25") + 45 + 10 + D("25.75")
FEES = 12 * D(5) + D("4.50") + 1 + 2
# From 90 days late at an end, or written off in the month, of what was less than 90 days late at its start.
DEFAULTED = {  # opening performing balance, and what of it defaulted
    "September": (YEAR[7], 800),  # L2: 62 days in August, 92 in September
    "October": (YEAR[8] - 800, 0),
    "November": (YEAR[9] - 800, 0),  # L2 is written off, but was late before
    "December": (OPENING - 300, 120 + 90),  # L7: 75 days, then 106; L8 is written off
}
KEPT = {month: 1 - D(lost) / D(whole) for month, (whole, lost) in DEFAULTED.items()}
PAR30, CASH = pct(300 + 1000 + 120, OUTSTANDING, 4), pct(D("61.23"), OUTSTANDING, 2)
# Of the interest rates: a year's interest on what is owed by each loan, and on what was lent
RATED = (
    500 * D("0.24") + 300 * D("0.36") + 300 * D("0.30") + 1000 * D("0.24") + D("250.50") * D("0.18") + 120 * D("0.42")
)
WITH_FEES = (
    500 * D("0.24") * (1 + D(120) / 576) + 300 * D("0.36") * (1 + D("14.40") / 144) + 300 * D("0.30") * (1 + D(9) / 90)
    + 1000 * D("0.24") * (1 + D(8) / 80) + D("250.50") * D("0.18") + 120 * D("0.42") * (1 + D("6.30") / D("12.60"))
)  # fmt: skip
THIS_YEAR = (
    600 * D("0.30") + 1000 * D("0.24") + D("250.50") * D("0.18") + 500 * D("0.24") + 120 * D("0.42") + 90 * D("0.36")
)
LENT_THIS_YEAR = D(600) + 1000 + D("250.50") + 500 + 120 + 90
# B1 owes L1 and L3, B3 L4, B2 L2, B4 L5, B5 L7
BORROWERS = [D(1000), D(800), D(300), D("250.50"), D(120)]
LOST = D("0.455") * (
    D("0.005") * (500 + D("250.50")) + D("0.02") * 300 + D("0.10") * 1000 + D("0.30") * 0 + 1 * (300 + 120)
)
UNPREPAID = 1 - D(100) / (OPENING - 350)  # L1 paid 100 more than its 50 in December, when L1 and L3 owed 50 + 300
DAYS = sum(
    D(principal) * (date.fromisoformat(day) - date.fromisoformat(LENT[loan][0])).days
    for loan, rows in PAID.items() for day, principal, *_ in rows
)  # fmt: skip

BY_HAND = {
    "PAR30": PAR30,
    "PAR90": pct(300 + 120, OUTSTANDING, 4),
    "CollectionRate": CASH,
    "PortfolioHealth": half_up((10 - PAR30 / 10) * (CASH / 10), 4),
    "PAR1": pct(300 + 300 + 1000 + 120, OUTSTANDING, 4),
    "PAR7": pct(300 + 300 + 1000 + 120, OUTSTANDING, 4),
    "PAR60": pct(300 + 120, OUTSTANDING, 4),
    "PAR30Restructured": pct(300 + 1000 + 120 + 500, OUTSTANDING, 4),  # L1
    "RiskCoverage": pct(71, 300 + 1000 + 120, 2),
    "PAR90Gross": pct(300 + 450 + 120, OUTSTANDING + 450 + 90, 4),
    "NPL": pct(300 + 120, OUTSTANDING, 4),
    "WrittenOff": D("540.00"),
    "WriteOffRate": pct(90, OPENING, 4),
    "WriteOffRate12": pct(500 + 90, MEAN, 4),
    "NetWriteOffRate12": pct(500 + 90 - 50, MEAN, 4),
    "MonthlyDefaultRate": pct(120 + 90, OPENING - 300, 4),
    "CDR": half_up(100 * (1 - KEPT["December"] ** 12), 2),
    "CDR3": half_up(100 * (1 - (KEPT["October"] * KEPT["November"] * KEPT["December"]) ** 4), 2),
    "CDR12": half_up(100 * (1 - KEPT["September"] * KEPT["October"] * KEPT["November"] * KEPT["December"]), 2),
    "RecoveryRate": pct(50, 500, 4),
    "CureRate": pct(400, 300 + 400 + 120, 4),  # L6 of L2, L6 and L7
    "RollRate30": pct(1000 + 90, 1000 + 90, 4),  # L4, and L8, which is written off
    "RDR90": pct(300 + 450, 1200 + 800, 4),  # lent in December 2024: L1 and L2
    "CollectedOfDue": pct(
        150 + D("20.25") + 5 + 3 + 400 + D("25.75") + 2, 50 + 20 + 5 + 3 + 300 + 45 + D("4.50") + 2, 2
    ),
    "PrincipalOnTime": pct(50, 50 + 300, 2),
    "APR": pct(RATED, OUTSTANDING, 2),
    "APRDisbursed": D("18.00"),
    "APRThisYear": pct(THIS_YEAR, LENT_THIS_YEAR, 2),
    "APR12": pct(THIS_YEAR, LENT_THIS_YEAR, 2),
    "APRWithFees": pct(WITH_FEES, OUTSTANDING, 2),
    "APRWithoutFees": pct(RATED, OUTSTANDING, 2),
    "RealisedAPR": pct(INTEREST, MEAN, 2),
    "YieldWithFees": pct(INTEREST + FEES, MEAN, 2),
    "Outstanding": OUTSTANDING,
    "ActiveLoans": D(6),
    "ActiveBorrowers": D(5),
    "Disbursed": D("250.50"),
    "AverageTicket": D("250.50"),
    "Throughput": PRINCIPAL,
    "Rotation": half_up(PRINCIPAL / MEAN, 4),
    "DaysToCollect": half_up(365 / (PRINCIPAL / MEAN), 1),
    "DaysToPayment": half_up(DAYS / PRINCIPAL, 1),
    "AverageTerm": half_up((500 * 720 + 600 * 180 + 1000 * 120 + D("370.50") * 90) / OUTSTANDING, 1),
    "RemainingMaturity": half_up((500 * 329 + 300 * 6 + D("250.50") * 62) / (OUTSTANDING - 120), 1),  # L7: not known
    "TopPayer": pct(300 + 120, 720, 2),
    "Top10Payers": D("100.00"),
    "TopBorrower": pct(1000, OUTSTANDING, 2),
    "Top10Borrowers": D("100.00"),
    "HHI": half_up(sum((100 * owed / OUTSTANDING) ** 2 for owed in BORROWERS), 0),
    "LargestCompany": pct(300 + 1000, OUTSTANDING, 2),
    "LargestProduct": pct(500 + 1000 + D("250.50"), OUTSTANDING, 2),
    "LargestSegment": pct(1000 + D("250.50"), OUTSTANDING, 2),
    "LargestRegion": pct(300 + 1000, OUTSTANDING, 2),
    "SMM": pct(100, OPENING - 350, 4),
    "CPR": half_up(100 * (1 - UNPREPAID**12), 4),
    "CPR3": half_up(100 * (1 - UNPREPAID**4), 4),
    "CPR12": half_up(100 * (1 - UNPREPAID), 4),
    "Cash": D("61.23"),
    "DebtToEquity": half_up(D(2000) / 512, 2),
    "Runway": half_up(D("61.23") / 20, 1),
    "ExpectedLoss": half_up(LOST, 2),
    "ExpectedLossRate": pct(half_up(LOST, 2), OUTSTANDING, 4),
}


def test_every_kpi_is_worked_out(found):
    assert sorted(BY_HAND) == sorted(found.kpis)


@pytest.mark.parametrize("name", BY_HAND)
def test_kpi_is_what_it_is_by_hand(found, name):
    assert (found.kpis[name], found.reasons.get(name)) == (BY_HAND[name], None)


def test_bridge_of_par30_is_what_it_is_by_hand(found):
    terms = {row["term"]: row["amount_usd"] for row in found.bridges
             if row["kpi"] == "PAR30" and row["date"] == DECEMBER}  # fmt: skip
    assert found.gaps == []
    assert {name: usd for name, usd in terms.items() if usd is not None} == {
        "opening": D(300 + 400 + 120), "new arrears": D(0), "rolled on": D(1000), "cured": D(0),
        "paid": D(-400), "written off": D(0), "closing": D(300 + 1000 + 120),
    }  # fmt: skip
