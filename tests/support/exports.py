"""Small literal exports, and what ingestion makes of them."""

import datetime as dt
import functools
import tempfile
import weakref
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa

from abaco.core.secrets import masking_key
from abaco.engines.duckdb import DuckDB
from abaco.ingest import coverage, discovery, quarantine, reconciliation, roles, statements
from abaco.ingest.staging import Batch

DATE = dt.date(2025, 12, 31)
SNAPSHOT = (
    "loan_id,measurement_date,total_receivable_usd,total_eligible_usd,discounted_balance_usd,"
    "cash_available_usd,dpd_0_7_usd,dpd_7_30_usd,dpd_30_60_usd,dpd_60_90_usd,dpd_90_plus_usd"
)
BY_DATE = SNAPSHOT.removeprefix("loan_id,")
PAR = (
    "loan_id_raw,reporting_date,outstanding_balance_usd,PAR_7_balance_usd,PAR_30_balance_usd,"
    "PAR_60_balance_usd,PAR_90_balance_usd"
)
LOANS = "loan_id,customer_id,disburse_date,interest_rate,disburse_principal,outstanding_balance,dpd"
SCHEDULES = "loan_id,date_due,principal,interest,other,fees,to_tax,add_balance,reduce_balance,currency"
TRANSACTIONS = f"loan_id,transaction_type,date_paid,{SCHEDULES.split(',', 2)[2]}"
PAYMENTS = (
    "Company,Customer ID,Cliente,Pagador,Loan ID,True Payment Date,True Payment Status,True Payment Currency,"
    "True Devolution,True Total Payment,True Principal Payment,True Interest Payment,True Fee Payment,"
    "True Other Payment,True Tax Payment,True Fee Tax Payment,True Rabates,True Outstanding Loan Value"
)


def snapshot(loan="A-1", date="2025-12-31", amount="100.00", cash="", current=None):
    """Return a line of a snapshot whose balance is not late."""
    return f"{loan},{date},{amount},{amount},{amount},{cash},{amount if current is None else current},0,0,0,0"


def write(path: Path, *lines: str, end="\n", encoding="utf-8") -> Path:
    """Write lines of text as a file and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(line + end for line in lines).encode(encoding))
    return path


class Ingested:
    """What ingestion made of an input, in memory; tables by format. What a test does not ask for is not worked out."""

    def __init__(self, path: Path, date: dt.date):
        key = masking_key()
        found, _ = discovery.discover(path)
        with ExitStack() as places:
            work = Path(places.enter_context(tempfile.TemporaryDirectory(prefix="abaco-test-")))
            self._engine = places.enter_context(DuckDB(spill=work))
            self.batches: list[Batch] = roles.stage(found, date, self._engine, work, key)
            self._rejects, self._reasons = quarantine.quarantine(self.batches, self._engine, key)
            weakref.finalize(self, places.pop_all().close)

    @functools.cached_property
    def rejects(self) -> list[dict]:
        return self._rejects.to_pylist()

    @functools.cached_property
    def accepted(self) -> dict[str, list[dict]]:
        return {batch.format.name: rows_of(batch.accepted(self._engine)) for batch in self.batches}

    @functools.cached_property
    def books(self) -> dict[str, dict]:
        return {b.format.name: reconciliation.reconcile(b, self._rejects, self._engine) for b in self.batches}

    @functools.cached_property
    def reasons(self) -> dict[str, dict[str, int]]:
        return {name: {str(reason): rows for reason, rows in found.items()} for name, found in self._reasons.items()}

    @functools.cached_property
    def dates(self) -> list[dt.date]:
        return [day for day, is_usable in coverage.dates(self.batches, self._engine).items() if is_usable]

    @functools.cached_property
    def accounts(self) -> dict:
        return statements.accounts(self.batches, self._engine)

    @functools.cached_property
    def unknown_accounts(self) -> list[str]:
        return statements.unknown(self.batches, self._engine)

    @property
    def tape(self) -> list[dict]:
        """Rows of the tape, by loan and date."""
        rows = [row for batch in self.batches if batch.is_tape for row in self.accepted[batch.format.name]]
        return sorted(rows, key=lambda r: (r["loan_id"] or "", r["measurement_date"]))

    @property
    def book(self) -> dict:
        """Reconciliation of the tape's batch."""
        return reconciliation.merged(self.books[b.format.name] for b in self.batches if b.is_tape)

    @property
    def faults(self) -> list[tuple[int, str]]:
        """Line and reasons of each rejected row."""
        return [(row["line"], row["reasons"]) for row in self.rejects]


def ingest(path: Path, date: dt.date = DATE) -> Ingested:
    """Ingest a file or folder as the first phase does."""
    return Ingested(path, date)


def rows_of(frame) -> list[dict]:
    """Return the rows of a Narwhals frame of any engine, exact."""
    return arrow_of(frame).to_pylist()


def arrow_of(frame) -> pa.Table:
    """Return a Narwhals frame of any engine as an Arrow table."""
    collected = frame.lazy().collect("pyarrow")
    return collected.to_native()
