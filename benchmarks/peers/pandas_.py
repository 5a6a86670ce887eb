"""The job in plain pandas: `read_csv` as it comes, the whole file in memory, amounts as whole cents.

The reader is the default one, which is what people write; ``engine="pyarrow"`` would read on every core.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

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

USD = pa.decimal128(18, 2)
KEY = ["loan_id", "measurement_date"]


def run(job: Job) -> None:
    """Do the job."""
    raw, broken = read(job)
    rows = typed(raw)
    later = (rows["measurement_date"] > pd.Timestamp(job.date)).to_numpy()
    suspect = suspects(raw, rows) & ~later
    bad = {i: reasons(raw_values(raw, i), values(rows, i)) for i in np.flatnonzero(suspect)}
    conflicts, duplicates = shared_keys(raw, rows, later)
    for i in conflicts:
        bad[i] = f"{bad[i]}; {CONFLICT}" if i in bad else CONFLICT
    bad = {i: bad[i] for i in sorted(bad) if i not in duplicates}
    write_quarantine(job, raw, rows, bad, broken)
    good = ~later
    good[[*bad, *duplicates]] = False
    raw = None
    accepted = rows[good]
    by_date = accepted.groupby("measurement_date")[list(AMOUNTS)]
    sums = {day.date(): {c: usd(cents) for c, cents in row.items()} for day, row in by_date.sum().iterrows()}
    limits = {day: outlier_limit(sums[day.date()]["total_receivable_usd"], n) for day, n in by_date.size().items()}
    pq.write_table(tape(accepted, limits), job.folder / "tape.parquet", compression="zstd")
    counts = {"rows_in": len(rows) + len(broken), "accepted": len(accepted), "quarantined": len(bad) + len(broken),
              "duplicates": len(duplicates), "later": later.sum()}  # fmt: skip
    job.finish(counts, sums)


def read(job: Job) -> tuple[pd.DataFrame, dict[int, str]]:
    """Return the contract's columns as they stand, and line and fault of each broken line."""
    if job.is_parquet:
        return pd.read_parquet(job.input, columns=list(READ), dtype_backend="pyarrow"), {}
    with job.input.open(encoding="utf-8", newline="") as lines:  # the reader would fill what a line lacks
        width = next(lines).count(",")
        faults = {
            n: "too many columns" if commas > width else "missing columns"
            for n, line in enumerate(lines, 2)
            if (commas := line.count(",")) != width
        }
    raw = pd.read_csv(
        job.input, dtype=str, usecols=list(READ), keep_default_na=False, na_values=NULL_WORDS,
        skiprows=[n - 1 for n in faults],
    )  # fmt: skip
    return raw, faults


def typed(raw: pd.DataFrame) -> pd.DataFrame:
    """Return the columns as what they are; a value that is none becomes missing."""
    columns = {"measurement_date": pd.to_datetime(raw["measurement_date"], format="%Y-%m-%d", errors="coerce")}
    for c in TEXTS:
        text = raw[c].str.strip()
        columns[c] = text.mask(text == "")
    for c in AMOUNTS:
        if isinstance(raw[c].dtype, pd.ArrowDtype):
            whole = pa.chunked_array([rescaled(a, pa.decimal128(18, 0)) for a in raw[c].array.__arrow_array__().chunks])
            columns[c] = pd.Series(whole.cast(pa.int64()), dtype=pd.ArrowDtype(pa.int64()), index=raw.index)
        else:
            number = pd.to_numeric(raw[c], errors="coerce")
            cents = (number * 100).round()  # exact up to 90 billion dollars
            columns[c] = cents.where(np.isfinite(cents)).astype("Int64")
    rows = pd.DataFrame(columns)
    overpaid = (rows["total_receivable_usd"] < 0).fillna(False).to_numpy(bool)
    for c in CREDITS:
        rows.loc[overpaid, c] = rows.loc[overpaid, c].clip(lower=0)
    return rows


def suspects(raw: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """Return which rows break a rule."""
    found = np.zeros(len(rows), bool)
    for c in FILLED:
        found |= rows[c].isna().to_numpy()
    for c in AMOUNTS:
        found |= (rows[c].isna() & raw[c].notna()).to_numpy()
        found |= (rows[c] < 0).fillna(False).to_numpy(bool)
    return found


def shared_keys(raw: pd.DataFrame, rows: pd.DataFrame, later: np.ndarray) -> tuple[list[int], set[int]]:
    """Return the rows that share a key and differ, and those that repeat an identical one."""
    keyed = rows.loc[~later, KEY].dropna()
    shared = keyed[keyed.duplicated(KEY, keep=False)]
    conflicts, duplicates = [], set()
    for same in shared.groupby(KEY).groups.values():
        contents = {tuple(raw_values(raw, i).values()) for i in same}
        if len(contents) > 1:
            conflicts.extend(same)
        else:
            duplicates.update(sorted(same)[1:])
    return conflicts, duplicates


def raw_values(raw: pd.DataFrame, i: int) -> dict[str, object]:
    """Return one row as it stood."""
    return {c: None if pd.isna(v := raw[c].iat[i]) else v for c in READ}


def values(rows: pd.DataFrame, i: int) -> dict[str, object]:
    """Return one row as it was read."""
    return {c: None if pd.isna(v := rows[c].iat[i]) else v for c in READ}


def write_quarantine(job: Job, raw, rows, bad: dict[int, str], broken: dict[int, str]) -> None:
    """Write the rejected rows and the broken lines."""
    lost = sorted(broken)
    rejects = [
        {"file": job.input.name, "line": i + 1 if job.is_parquet else line_of(i, lost), "reasons": text,
         "amount_usd": usd(rows["total_receivable_usd"].iat[i]), "original": original(raw_values(raw, i))}
        for i, text in bad.items()
    ]  # fmt: skip
    rejects += [{"file": job.input.name, "line": n, "reasons": f"line: {fault}"} for n, fault in broken.items()]
    schema = pa.schema({"file": pa.string(), "line": pa.int64(), "reasons": pa.string(), "amount_usd": USD,
                        "original": pa.string()})  # fmt: skip
    table = pa.Table.from_pylist(sorted(rejects, key=lambda r: r["line"]), schema=schema)
    pq.write_table(table, job.folder / "quarantine.parquet", compression="zstd")


def tape(rows: pd.DataFrame, limits: dict) -> pa.Table:
    """Return the accepted rows as the tape has them, amounts as decimals."""
    balance = rows["total_receivable_usd"]
    limit = rows["measurement_date"].map({day: int(usd * 100) for day, usd in limits.items()})
    columns = {c: pa.array(rows[c], pa.string()) for c in TEXTS if c not in PERSONAL}
    for old, new in PERSONAL.items():
        columns[new] = pa.array(np.where(rows[old].notna(), "redacted", None), pa.string())
    columns |= {c: rescaled(pa.array(rows[c], pa.int64()).cast(pa.decimal128(19, 0)), USD) for c in AMOUNTS}
    columns["measurement_date"] = pa.array(rows["measurement_date"]).cast(pa.date32())
    columns |= {c: pa.nulls(len(rows), pa.string()) for c in NO_TEXT}
    columns |= {"days_past_due": pa.nulls(len(rows), pa.int64()), "overdue_on": pa.nulls(len(rows), pa.date32())}
    columns |= {
        "is_outlier": pa.array(balance > limit),
        "is_dust": pa.array((balance > 0) & (balance < DUST_USD * 100)),
    }
    return pa.table({c: columns[c] for c in TAPE})


def rescaled(decimals: pa.Array, type_: pa.DataType) -> pa.Array:
    """Return decimals with their point elsewhere: cents as dollars, or dollars as cents."""
    return pa.Array.from_buffers(type_, len(decimals), decimals.buffers(), offset=decimals.offset)


def usd(cents: int):
    """Return whole cents as dollars."""
    return None if pd.isna(cents) else DUST_USD * int(cents) / 100


if __name__ == "__main__":
    run(Job.from_arguments())
