"""The job in Polars: lazy and streaming, with the typed rows staged as Parquet."""

import polars as pl

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
    line_of,
    original,
    outlier_limit,
    reasons,
)  # fmt: skip

USD = pl.Decimal(18, 2)
KEY = ["loan_id", "measurement_date"]
WIDTH = len(READ) + 1  # the file has one more, which is left behind


def run(job: Job) -> None:
    """Do the job."""
    stage = job.folder / "staged.parquet"
    raw, broken = read(job)
    checked(raw, job).sink_parquet(stage, compression="zstd")
    staged = pl.scan_parquet(stage)
    rows_in, later = staged.select(pl.len(), pl.col("is_later").sum()).collect(engine="streaming").row(0)
    bad = {
        row["record"]: (reasons(row["raw"], row), row["total_receivable_usd"], original(row["raw"]))
        for row in staged.filter(pl.col("raw").is_not_null() & ~pl.col("is_later"))
        .collect(engine="streaming")
        .to_dicts()
    }
    duplicates = judge(staged, bad)
    lost = sorted(broken)
    rejects = [(i + 1 if job.is_parquet else line_of(i, lost), *bad[i]) for i in sorted(bad)]
    rejects += [(n, f"line: {fault}", None, None) for n, fault in broken.items()]
    schema = {"line": pl.Int64, "reasons": pl.String, "amount_usd": USD, "original": pl.String}
    quarantine = pl.DataFrame(sorted(rejects), schema, orient="row")
    quarantine.select(pl.lit(job.input.name).alias("file"), *schema).write_parquet(job.folder / "quarantine.parquet")
    out = pl.Series("record", [*bad, *duplicates], pl.UInt32).to_frame().lazy()
    accepted = staged.filter(~pl.col("is_later")).join(out, on="record", how="anti")
    totals = accepted.group_by("measurement_date").agg(pl.len().alias("n"), *(pl.col(c).sum() for c in AMOUNTS))
    sums = {row["measurement_date"]: row for row in totals.collect(engine="streaming").to_dicts()}
    limits = [(day, outlier_limit(row["total_receivable_usd"], row["n"])) for day, row in sums.items()]
    limits = pl.LazyFrame(limits, {"measurement_date": pl.Date, "limit": USD}, orient="row")
    tape(accepted, limits).sink_parquet(job.folder / "tape.parquet", compression="zstd")
    stage.unlink()
    counts = {"rows_in": rows_in + len(broken), "accepted": sum(row["n"] for row in sums.values()),
              "quarantined": len(rejects), "duplicates": len(duplicates), "later": later}  # fmt: skip
    job.finish(counts, sums)


def read(job: Job) -> tuple[pl.LazyFrame, dict[int, str]]:
    """Return the contract's columns as they stand, and line and fault of each broken line."""
    if job.is_parquet:
        return pl.scan_parquet(job.input).select(READ).with_row_index("record"), {}
    width = pl.col("lines").str.count_matches(",", literal=True) + 1  # no cell of this export is quoted
    lines = pl.scan_lines(job.input, name="lines").select(width=width).with_row_index("line", offset=1)
    found = lines.filter(pl.col("width") != WIDTH).collect(engine="streaming").rows()
    broken = {line: "too many columns" if wide > WIDTH else "missing columns" for line, wide in found}
    raw = pl.scan_csv(job.input, infer_schema=False, null_values=list(NULL_WORDS), truncate_ragged_lines=True)
    raw = raw.select(READ).with_row_index("record", offset=2).filter(~pl.col("record").is_in(list(broken)))
    return raw.drop("record").with_row_index("record"), broken


def checked(raw: pl.LazyFrame, job: Job) -> pl.LazyFrame:
    """Return the rows typed; of one that breaks a rule also its values as they stood."""
    day, texts = pl.col("measurement_date"), {c: pl.col(c).str.strip_chars() for c in TEXTS}
    typed = raw.select(
        "record",
        day if job.is_parquet else day.str.to_date("%Y-%m-%d", strict=False),
        *(pl.when(text != "").then(text).alias(c) for c, text in texts.items()),
        *(pl.col(c).cast(USD, strict=False) for c in AMOUNTS),
        raw=pl.struct(pl.col(c).cast(pl.String) for c in READ),
    )  # fmt: skip
    overpaid = (pl.col("total_receivable_usd") < 0).fill_null(False)
    owed = [pl.when(overpaid & (pl.col(c) < 0)).then(pl.lit(0).cast(USD)).otherwise(c).alias(c) for c in CREDITS]
    typed = typed.with_columns(owed)
    suspect = [pl.col(c).is_null() for c in FILLED]
    suspect += [pl.col(c).is_null() & pl.col("raw").struct.field(c).is_not_null() for c in AMOUNTS]
    suspect += [(pl.col(c) < 0).fill_null(False) for c in AMOUNTS]
    return typed.with_columns(
        raw=pl.when(pl.any_horizontal(suspect)).then(pl.col("raw")),
        is_later=(pl.col("measurement_date") > job.date).fill_null(False),
    )


def judge(staged: pl.LazyFrame, bad: dict[int, tuple]) -> set[int]:
    """Return the rows that repeat an identical one, and put those into `bad` that share a key and differ."""
    keyed = staged.filter(
        pl.col("loan_id").is_not_null() & pl.col("measurement_date").is_not_null() & ~pl.col("is_later")
    )
    repeated = keyed.group_by(KEY).len().filter(pl.col("len") > 1).select(KEY)
    shared = keyed.join(repeated, on=KEY, how="semi").sort("record").collect(engine="streaming")
    duplicates = set()
    for _, same in shared.group_by(KEY, maintain_order=True):
        if same.drop("record").unique().height == 1:
            duplicates.update(same["record"][1:])
            continue
        for row in same.to_dicts():
            own = bad.get(row["record"], ("", row["total_receivable_usd"], original(row)))
            bad[row["record"]] = (f"{own[0]}; {CONFLICT}" if own[0] else CONFLICT, *own[1:])
    for record in duplicates:
        bad.pop(record, None)
    return duplicates


def tape(accepted: pl.LazyFrame, limits: pl.LazyFrame) -> pl.LazyFrame:
    """Return the accepted rows as the tape has them."""
    balance = pl.col("total_receivable_usd")
    own = {new: pl.when(pl.col(old).is_not_null()).then(pl.lit("redacted")) for old, new in PERSONAL.items()}
    own |= {c: pl.lit(None, pl.String) for c in NO_TEXT}
    own |= {"days_past_due": pl.lit(None, pl.Int64), "overdue_on": pl.lit(None, pl.Date)}
    own |= {"is_outlier": balance > pl.col("limit"), "is_dust": (balance > 0) & (balance < DUST_USD)}
    return accepted.join(limits, on="measurement_date").select(own.get(c, pl.col(c)).alias(c) for c in TAPE)


if __name__ == "__main__":
    run(Job.from_arguments())
