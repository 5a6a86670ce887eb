"""Lookup of loans in the exports: a report names them only by a number or a token."""

import datetime as dt
import tempfile
from collections.abc import Iterable
from pathlib import Path

import narwhals as nw

from abaco.core.errors import InputError
from abaco.engines.duckdb import DuckDB
from abaco.ingest import discovery, quarantine, roles, staging
from abaco.ingest.masking import Masking


def places(
    input: Path, wanted: Iterable[str], dates: list[dt.date], known: dict[str, str], engine: DuckDB
) -> dict[str, str]:
    """Return ``file:line`` of each loan, on the first of the dates for which it has a row.

    Parameters
    ----------
    input
        The file or folder of exports that the report was made from.
    wanted
        Loan ids as the tape has them.
    dates
        Measurement dates, in order of preference.
    known
        SHA-256 by file, from the report's manifest.

    Raises
    ------
    InputError
        When a file of the tape has changed since the report was made.
    """
    files, _ = discovery.discover(input)
    rows = {}
    with tempfile.TemporaryDirectory(prefix="abaco-") as work:
        for index, source in enumerate(roles.tape_sources(files)):
            if known.get(source.name) != source.sha256:
                raise InputError(
                    f"{source.name} is not the file that the report was made from: its lines say nothing of its loans; "
                    "make the report again, or put that file back"
                )
            staged = staging.stage_one(source, index, True, max(dates), engine, Path(work), Masking.of_pass(None))
            rows |= _rows(staged, list(wanted), dates, engine)
    return {
        loan: next(rows[loan, day] for day in dates if (loan, day) in rows) for loan in {loan for loan, _ in rows}
    }  # fmt: skip


def _rows(
    staged: staging.Staged, wanted: list[str], dates: list[dt.date], engine: DuckDB
) -> dict[tuple[str, dt.date], str]:
    rows = engine.scan(staged.path, row_number="record").filter(
        nw.col("reasons").is_null() & nw.col("loan_id").is_in(wanted) & nw.col("measurement_date").is_in(dates)
    )  # fmt: skip
    columns = rows.select("record", "loan_id", "measurement_date").sort("record").collect("pyarrow")
    records = columns.to_native().to_pylist()
    lines = quarantine.lines(staged, [row["record"] for row in records])
    return {
        (row["loan_id"], row["measurement_date"]): f"{staged.source.name}:{lines[row['record']]}"
        for row in reversed(records)  # the first of exact copies wins
    }
