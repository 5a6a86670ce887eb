"""Duplicates: rows that share a key, identical or conflicting."""

from dataclasses import replace
from pathlib import Path

import narwhals as nw

from abaco.engines import Engine
from abaco.ingest.staging import IS_LATER, Batch, count


def classify_duplicates(batch: Batch, engine: Engine, work: Path) -> Batch:
    """Return a batch with a verdict on rows that share a key: of identical rows the first is kept, conflicting
    rows are all rejected."""
    key = list(batch.format.key)
    rows = batch.rows(engine)
    key = [name for name in key if name in rows.collect_schema().names()]
    if not key:
        return batch
    known = rows.filter(nw.col("has_key") & ~IS_LATER)
    # a file with a row a date has no loan id: its rows share the empty one
    texts = [name for name, dtype in known.collect_schema().items() if dtype == nw.String]
    known = known.with_columns(
        nw.col(name).fill_null("").alias(f"key_{name}") if name in texts else nw.col(name).alias(f"key_{name}")
        for name in key
    )
    by = [f"key_{name}" for name in key]
    # grouping by hashes is faster; a key that only shares another's hash is on its own below
    known = engine.hashed(known, by, "key_hash")
    repeated = work / f"repeated_{batch.format.name}.parquet"
    engine.write(known.group_by("key_hash").agg(copies=nw.len()).filter(nw.col("copies") > 1), repeated)
    if not count(engine.scan(repeated)):
        return batch
    # only the keys of the other rows are read
    places = work / f"shared_{batch.format.name}.parquet"
    engine.write(known.join(engine.scan(repeated), on="key_hash", how="semi").select("source", "record"), places)
    shared = known.join(engine.scan(places), on=["source", "record"], how="semi")
    # a row that fails its contract differs from one that passes, even with equal values
    internal = {"is_later", "has_key", "source", "record", "row_id", "key_hash", *by}
    values = [name for name in shared.collect_schema().names() if name not in internal]
    low = [nw.col(v).min().alias(f"low_{v}") for v in values]
    high = [nw.col(v).max().alias(f"high_{v}") for v in values]
    filled = [nw.col(v).count().alias(f"filled_{v}") for v in values]
    groups = shared.group_by(by).agg(*low, *high, *filled, first=nw.col("row_id").min(), copies=nw.len())
    differs = [nw.col(f"low_{v}") != nw.col(f"high_{v}") for v in values]
    differs += [(nw.col(f"filled_{v}") > 0) & (nw.col(f"filled_{v}") < nw.col("copies")) for v in values]
    groups = groups.select(*by, "first", nw.any_horizontal(*differs, ignore_nulls=True).alias("conflicts"))
    verdict = nw.when(nw.col("conflicts")).then(nw.lit("conflict"))
    verdict = verdict.otherwise(nw.when(nw.col("row_id") != nw.col("first")).then(nw.lit("duplicate")))
    verdicts = work / f"verdicts_{batch.format.name}.parquet"
    classified = shared.join(groups, on=by, how="inner").with_columns(verdict=verdict)
    engine.write(classified.filter(~nw.col("verdict").is_null()).select("row_id", "verdict", "amount_usd"), verdicts)
    return replace(batch, verdicts=verdicts)
