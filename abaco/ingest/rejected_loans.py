"""The loans of the tape whose row of a date was rejected: what became of them is not known."""

from collections.abc import Iterable

import narwhals as nw
import pyarrow as pa

from abaco.core.parquet import arrow_schema
from abaco.core.tables import DATE, TEXT, Field, Table
from abaco.engines import Engine
from abaco.ingest.quarantine import rejected_rows
from abaco.ingest.staging import Batch

TABLE = Table(
    "rejected_loans",
    "one row per date and loan of the tape whose row of that date was rejected",
    (Field("measurement_date", DATE, "the date of the rejected row"), Field("loan_id", TEXT, "the loan")),
)
KEY = ["measurement_date", "loan_id"]


def rejected_loans(batches: Iterable[Batch], accepted: nw.LazyFrame, engine: Engine) -> pa.Table:
    """Return the loans whose row of a date was rejected and that have no other row of it.

    A rejected row may hold anything in place of a loan id, so only ids that an accepted row of some date has count.

    Parameters
    ----------
    accepted
        The accepted rows of the tape.

    Returns
    -------
    pyarrow.Table
        One row per date and loan, in that order.
    """
    rows = [row for batch in batches if batch.is_tape for row in rejected_rows(batch, engine)]
    # rows of a whole date have no loan
    keys = {tuple(row[name] for name in KEY) for row in rows if all(row.get(name) for name in KEY)}
    found = [{"measurement_date": date, "loan_id": loan} for date, loan in sorted(keys)]
    table = pa.Table.from_pylist(found, schema=arrow_schema(TABLE))
    rejected, loans = engine.from_arrow(table), accepted.lazy().select(*KEY)
    known = rejected.join(loans.select("loan_id"), on="loan_id", how="semi").join(loans, on=KEY, how="anti")
    return known.sort(*KEY).collect("pyarrow").to_native().cast(arrow_schema(TABLE))
