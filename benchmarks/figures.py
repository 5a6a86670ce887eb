"""Comparable results of a run: counts, KPIs at every date, and digests of both tables."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from benchmarks.peers.job import TAPE

PARTS = ("rows_in", "accepted", "quarantined", "duplicates", "later")
FOUR = ("PAR30", "PAR90", "CollectionRate", "PortfolioHealth")
REJECTS = ("line", "reasons", "amount_usd", "original")
AS_TEXT = "(COLUMNS(*))::VARCHAR"


def of_run(folder: Path) -> dict[str, Any]:
    """Return the results of a run of abaco from its folder."""
    kpis: dict[str, dict[str, Decimal]] = {}
    for row in pq.read_table(folder / "tables" / "history.parquet").to_pylist():
        if row["kpi"] in FOUR:
            kpis.setdefault(str(row["date"]), {})[row["kpi"]] = Decimal(row["value"])
    book = json.loads((folder / "metrics.json").read_text())["reconciliation"]
    return {"counts": {part: book[part] for part in PARTS}, "kpis": kpis, **tables(folder / "tables")}


def of_peer(folder: Path) -> dict[str, Any]:
    """Return the results of a peer from its folder."""
    found = json.loads((folder / "figures.json").read_text())
    kpis = {date: {name: Decimal(v) for name, v in of.items()} for date, of in found["kpis"].items()}
    return {"counts": {part: found["reconciliation"][part] for part in PARTS}, "kpis": kpis, **tables(folder)}


def tables(folder: Path) -> dict[str, Any]:
    """Return the number of rows and an order-independent digest of all values of tape and quarantine."""
    with duckdb.connect() as db:
        return {
            name: db.execute(
                f"SELECT count(*), sum(hash(row)) FROM (SELECT {AS_TEXT} FROM "
                f"(SELECT {', '.join(columns)} FROM '{folder}/{name}.parquet')) AS row"
            ).fetchall()
            for name, columns in (("tape", TAPE), ("quarantine", REJECTS))
        }


def check(found: Mapping[str, dict[str, Any]]) -> None:
    """Check that all results equal the first.

    Raises
    ------
    AssertionError
        With the names of the results and the part that differs.
    """
    (first, expected), *others = found.items()
    for name, figures in others:
        for part, value in figures.items():
            assert value == expected[part], f"{name} and {first} differ in {part}: {value} and {expected[part]}"
