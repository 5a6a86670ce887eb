"""What the peers share: the names of the job, the KPI arithmetic, and the file of figures that is compared.

The job is what notebooks 01 to 03 do with a canonical snapshot: type every contract column (amounts as decimals, dates
as dates), check every rule, put bad rows and conflicting duplicates into quarantine with every reason and their values,
drop identical duplicates, leave out rows later than the date, mask personal columns, mark outliers and dust, write tape
and quarantine as Parquet, and compute four KPIs at each date. A peer is written for this one export alone: it
recognises nothing, and takes no number or date but those written the plain way.
"""

import datetime as dt
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

PERSONAL = {"customer_id": "borrower_id", "borrower_name": "borrower_name", "borrower_email": "borrower_email",
            "borrower_phone": "borrower_phone"}  # fmt: skip
TEXTS = ("loan_id", *PERSONAL, "company", "product", "region")
BUCKETS = ("dpd_0_7_usd", "dpd_7_30_usd", "dpd_30_60_usd", "dpd_60_90_usd", "dpd_90_plus_usd")
TOTALS = ("total_receivable_usd", "total_eligible_usd", "discounted_balance_usd", "cash_available_usd")
AMOUNTS = (*TOTALS, *BUCKETS, "written_off_usd")
CREDITS = (*TOTALS[:3], *BUCKETS)  # 0 where a loan is overpaid: its balance is negative
READ = ("measurement_date", *TEXTS, *AMOUNTS)  # of the file's columns, in the contract's order
FILLED = ("measurement_date", "loan_id", "total_receivable_usd", *BUCKETS)
NULL_WORDS = ("", "null", "NULL", "Null")
NO_TEXT = ("payer_name", "borrower_tax_id", "borrower_address", "borrower_birth_date", "segment")
TAPE = ("loan_id", "measurement_date", "borrower_id", "borrower_name", "payer_name", "borrower_email", "borrower_phone",
        "borrower_tax_id", "borrower_address", "borrower_birth_date", "company", "product", "segment", "region",
        *AMOUNTS, "days_past_due", "overdue_on", "is_outlier", "is_dust")  # fmt: skip
CONFLICT = "loan_id and measurement_date: another row has the same, with other values"
OUTLIER_MULTIPLE, DUST_USD = 25, Decimal("1.00")


@dataclass(frozen=True)
class Job:
    """One run: the export, the measurement date, and the folder for the results."""

    input: Path
    date: dt.date
    folder: Path

    @classmethod
    def from_arguments(cls) -> "Job":
        """Return the job that the command line asks for: INPUT DATE FOLDER."""
        input_, date, folder = sys.argv[1:]
        return cls(Path(input_), dt.date.fromisoformat(date), Path(folder))

    @property
    def is_parquet(self) -> bool:
        """Whether the export is Parquet."""
        return self.input.suffix == ".parquet"

    def finish(self, counts: Mapping[str, int], sums: Mapping[dt.date, Mapping[str, Decimal]]) -> None:
        """Write figures.json.

        Parameters
        ----------
        counts
            Rows in, accepted, quarantined, duplicates and later.
        sums
            USD by date and amount column, of the accepted rows.
        """
        figures = {str(date): {k: str(v) for k, v in kpis(sums[date]).items()} for date in sorted(sums)}
        content = {"reconciliation": {k: int(v) for k, v in counts.items()}, "kpis": figures}
        (self.folder / "figures.json").write_text(json.dumps(content, indent=1))


def kpis(sums: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return the four KPIs of one date from its sums."""
    late = sum(sums[c] for c in BUCKETS[2:])
    par30 = rounded(late / sums["total_receivable_usd"] * 100)
    par90 = rounded(sums["dpd_90_plus_usd"] / sums["total_receivable_usd"] * 100)
    collection = rounded(sums["cash_available_usd"] / sums["total_eligible_usd"] * 100, "0.01")
    health = min(max(Decimal(0), (10 - par30 / 10) * (collection / 10)), Decimal(10))
    return {"PAR30": par30, "PAR90": par90, "CollectionRate": collection, "PortfolioHealth": rounded(health)}


def rounded(value: Decimal, unit: str = "0.0001") -> Decimal:
    """Round half up."""
    return value.quantize(Decimal(unit), rounding=ROUND_HALF_UP)


def outlier_limit(total: Decimal, rows: int) -> Decimal:
    """Return the USD beyond which a balance of a date is an outlier."""
    return rounded(total / rows * OUTLIER_MULTIPLE, "0.01")


def reasons(raw: Mapping[str, object], typed: Mapping[str, object]) -> str:
    """Return every reason why a row is bad, from its values as they stood and as they were read; the few that are."""
    found = []
    for c in READ:
        text = "" if raw[c] is None else str(raw[c]).strip().lower()
        if c in FILLED and not text:
            found.append(f"{c}: missing")
        elif text and typed[c] is None and c == "measurement_date":
            found.append(f"{c}: not a date")
        elif text and typed[c] is None and c in AMOUNTS:
            infinite = text.lstrip("+-") in ("nan", "inf", "infinity")
            found.append(f"{c}: not a finite number" if infinite else f"{c}: not a number")
        elif c in AMOUNTS and typed[c] is not None and typed[c] < 0:
            found.append(f"{c}: negative")
    return "; ".join(found)


def original(row: Mapping[str, object]) -> str:
    """Return the values of a rejected row as JSON, personal ones redacted; None stays null."""
    shown = {c: "redacted" if c in PERSONAL and row[c] is not None else row[c] for c in READ}
    return json.dumps({c: None if v is None else str(v) for c, v in shown.items()}, separators=(",", ":"))


def line_of(record: int, broken: list[int]) -> int:
    """Return the line of a record, by its place from 0 among those that could be split into columns."""
    line = record + 2
    for lost in broken:
        if lost <= line:
            line += 1
    return line
