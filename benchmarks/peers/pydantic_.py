"""The job with a validator a row in Pydantic."""

import csv
import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, BeforeValidator, Field, ValidationError, create_model

from benchmarks.peers.job import (
    AMOUNTS,
    CONFLICT,
    CREDITS,
    DUST_USD,
    FILLED,
    NO_TEXT,
    NULL_WORDS,
    PERSONAL,
    READ,
    TAPE,
    TEXTS,
    Job,
    original,
    outlier_limit,
)  # fmt: skip

USD = pa.decimal128(18, 2)
FAULTS = {"decimal_parsing": "not a number", "finite_number": "not a finite number", "greater_than_equal": "negative",
          "date_from_datetime_parsing": "not a date", "date_parsing": "not a date"}  # fmt: skip


def _known(value: object) -> object:
    return None if isinstance(value, str) and value.strip() in NULL_WORDS else value


Amount = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=2, allow_inf_nan=False)]
KINDS = {"measurement_date": dt.date} | dict.fromkeys(TEXTS, str) | dict.fromkeys(AMOUNTS, Amount)
FIELDS = {
    c: (Annotated[kind if c in FILLED else kind | None, BeforeValidator(_known)], ... if c in FILLED else None)
    for c, kind in KINDS.items()
}
Row: type[BaseModel] = create_model("Row", **FIELDS)


def run(job: Job) -> None:
    """Do the job."""
    good, bad, later = {}, {}, 0
    by_key = defaultdict(list)
    rows_in = 0
    for rows_in, (line, values) in enumerate(records(job), 1):  # noqa: B007
        if isinstance(values, str):
            bad[line] = (f"line: {values}", None, None)
            continue
        row, reasons = judged(values)
        if (day := row["measurement_date"]) and day > job.date:
            later += 1
            continue
        if reasons:
            bad[line] = (reasons, row["total_receivable_usd"], original(values))
        else:
            good[line] = row
        if row["loan_id"] and day:
            by_key[row["loan_id"], day].append((line, values))
    duplicates = 0
    for same in by_key.values():
        if len(same) == 1:
            continue
        if any(values != same[0][1] for _, values in same):
            for line, values in same:
                own = bad.get(line) or ("", good.pop(line)["total_receivable_usd"], original(values))
                bad[line] = (f"{own[0]}; {CONFLICT}" if own[0] else CONFLICT, *own[1:])
        else:
            duplicates += len(same) - 1
            for line, _ in same[1:]:
                good.pop(line, None)
                bad.pop(line, None)
    write_quarantine(job, bad)
    sums, counts = defaultdict(lambda: dict.fromkeys(AMOUNTS, Decimal(0))), defaultdict(int)
    for row in good.values():
        counts[row["measurement_date"]] += 1
        total = sums[row["measurement_date"]]
        for c in AMOUNTS:
            total[c] += row[c] or 0
    limits = {day: outlier_limit(sums[day]["total_receivable_usd"], n) for day, n in counts.items()}
    write_tape(job, good.values(), limits)
    parts = {"accepted": len(good), "quarantined": len(bad), "duplicates": duplicates, "later": later}
    job.finish({"rows_in": rows_in, **parts}, sums)


def records(job: Job) -> Iterator[tuple[int, dict[str, object] | str]]:
    """Yield the line of each record and its values as they stand, or what is wrong with the line."""
    if job.is_parquet:
        batches = pq.ParquetFile(job.input).iter_batches(columns=list(READ))
        yield from enumerate((row for batch in batches for row in batch.to_pylist()), 1)
        return
    with job.input.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        for cells in reader:
            if len(cells) != len(header):
                yield reader.line_num, "too many columns" if len(cells) > len(header) else "missing columns"
            else:
                row = dict(zip(header, cells, strict=True))
                yield reader.line_num, {c: None if row[c] in NULL_WORDS else row[c] for c in READ}


def judged(values: dict[str, object]) -> tuple[dict[str, object], str]:
    """Return a row as the validator read it, and every reason that it is bad."""
    try:
        return Row.model_validate(values).__dict__, ""
    except ValidationError as error:
        faults = {e["loc"][0]: e for e in error.errors()}
    row = {c: None if c in faults and faults[c]["type"] != "greater_than_equal" else values[c] for c in READ}
    row |= {c: Decimal(row[c]) for c in AMOUNTS if row[c] is not None}
    if (day := row["measurement_date"]) is not None and not isinstance(day, dt.date):
        row["measurement_date"] = dt.date.fromisoformat(day)
    if row["total_receivable_usd"] is not None and row["total_receivable_usd"] < 0:  # overpaid
        for c in [c for c in CREDITS if c in faults and faults[c]["type"] == "greater_than_equal"]:
            row[c] = Decimal(0)
            del faults[c]
    known = (f"{c}: {'missing' if values[c] is None else FAULTS[faults[c]['type']]}" for c in READ if c in faults)
    return row, "; ".join(known)


def write_quarantine(job: Job, bad: dict[int, tuple]) -> None:
    """Write the rejected rows and the broken lines."""
    schema = pa.schema({"file": pa.string(), "line": pa.int64(), "reasons": pa.string(), "amount_usd": USD,
                        "original": pa.string()})  # fmt: skip
    rows = [dict(zip(schema.names, (job.input.name, line, *bad[line]), strict=True)) for line in sorted(bad)]
    pq.write_table(pa.Table.from_pylist(rows, schema), job.folder / "quarantine.parquet", compression="zstd")


def write_tape(job: Job, rows, limits: dict[dt.date, Decimal]) -> None:
    """Write the accepted rows as the tape has them."""
    old = {new: name for name, new in PERSONAL.items()}
    types = dict.fromkeys(TAPE, pa.string()) | dict.fromkeys(AMOUNTS, USD) | {"days_past_due": pa.int64()}
    types |= dict.fromkeys(("measurement_date", "overdue_on"), pa.date32())
    types |= dict.fromkeys(("is_outlier", "is_dust"), pa.bool_())
    columns = {c: [row[c] for row in rows] for c in TAPE if c in READ and c not in PERSONAL}
    columns |= {c: [None if row[old[c]] is None else "redacted" for row in rows] for c in old}
    columns |= {c: [None] * len(rows) for c in (*NO_TEXT, "days_past_due", "overdue_on")}
    columns["is_outlier"] = [row["total_receivable_usd"] > limits[row["measurement_date"]] for row in rows]
    columns["is_dust"] = [0 < row["total_receivable_usd"] < DUST_USD for row in rows]
    table = pa.table({c: pa.array(columns[c], types[c]) for c in TAPE})
    pq.write_table(table, job.folder / "tape.parquet", compression="zstd")


if __name__ == "__main__":
    run(Job.from_arguments())
