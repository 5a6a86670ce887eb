"""A small book over two dates without a fault, as the files of an input: variants of it must give the same figures."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from tests.support.computation import computed
from tests.support.exports import LOANS, PAR, SCHEDULES, TRANSACTIONS, write

OCTOBER, NOVEMBER = dt.date(2025, 10, 31), dt.date(2025, 11, 30)
FILES = {
    "loan_par_balances.csv": (
        f"{PAR},dpd,writeoff_outstanding_balance_usd",
        "X - 1,2025-10-31,1000,1000,1000,0,0,45,0",
        "X - 2,2025-10-31,9000,0,0,0,0,0,0",
        "X - 1,2025-11-30,10,0,0,0,0,0,0",
        "X - 2,2025-11-30,9000,9000,0,0,0,10,0",
    ),
    "loans.csv": (
        f"{LOANS},company",
        "X - 1,C1,2025-08-01,0.36,1000,10,0,X",
        "X - 2,C2,2025-10-01,0.36,9000,9000,0,X",
        "X - 3,C3,2025-12-03,0.36,5000,5000,0,X",
    ),
    "schedules.csv": (
        SCHEDULES,
        "X - 1,2025-11-16,1000,35,0,10,5,0,0,USD",
        "X - 2,2025-11-20,9000,350,0,90,57,0,0,USD",
        "X - 3,2026-01-15,5000,200,0,50,32,0,0,USD",
    ),
    "transactions.csv": (
        TRANSACTIONS,
        "X - 1,DISBURSEMENT,2025-08-01,1000,0,0,0,0,0,0,USD",
        "X - 2,DISBURSEMENT,2025-10-01,9000,0,0,0,0,0,0,USD",
        "X - 1,PAYMENT,2025-11-28,990,35,0,10,5,0,0,USD",
    ),
}


@dataclass
class Figures:
    """What a report would say of an input: values by KPI, sums by measure, notes, and what each file is used for."""

    values: dict
    sums: dict
    notes: list[str]
    used_for: dict[str, str]


def folder(path: Path, changes: dict) -> Path:
    """Write the files of the book into a folder, and `changes`: lines by file, or None for a file to leave out."""
    for name, lines in {**FILES, **changes}.items():
        if lines is not None:
            write(path / name, *lines)
    return path


def figures(path: Path, date: dt.date = NOVEMBER) -> Figures:
    """Return the figures of an input on a date, as the phases compute them."""
    found = computed(path, date)
    return Figures(
        {name: None if value is None else float(value) for name, value in found.kpis.items()},
        {name: None if usd is None else float(usd) for name, usd in found.sums.items()},
        found.notes,
        found.used_for,
    )
