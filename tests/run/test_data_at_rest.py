"""Personal values at rest: no file under the output folder holds one, whenever a run ends."""

import os
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from abaco.run.pipeline import NullProgress, Pipeline
from tests.support.exports import SNAPSHOT, snapshot, write

PLANTED = ("Inventada", "maria.inv", "5550-0001", "C-0815-personal")
PERSONAL = "customer_id,cliente,email,telefono,nota"
VALUES = "C-0815-personal,María Inventada,maria.inv@example.org,+503 5550-0001,pagó Inventada"


def plant(folder):
    """Write exports in every form in which ingestion makes copies, with bad, broken and conflicting rows."""
    rows = [f"{snapshot(f'A-{number}')},{VALUES}" for number in range(60)]
    conflict = f"{snapshot('A-1', amount='2.00')},{VALUES}"
    write(
        folder / "plain.csv",
        f"{SNAPSHOT},{PERSONAL}",
        *rows,
        conflict,
        f"{snapshot('A-99', amount='Inventada')},{VALUES}",
    )
    write(folder / "windows.csv", f"{SNAPSHOT},{PERSONAL}", f"{snapshot('A-73')},{VALUES}", encoding="cp1252")
    broken = f'A-98,"{VALUES}'
    write(folder / "broken.csv", f"{SNAPSHOT},{PERSONAL}", f"{snapshot('A-70')},{VALUES}", broken)
    heads, cells = f"{SNAPSHOT},{PERSONAL}".split(","), f"{snapshot('A-71')},{VALUES}".split(",")
    book = openpyxl.Workbook()
    book.active.append(heads)
    book.active.append(cells)
    book.save(folder / "book.xlsx")
    twice = [[cell, cell] for cell in f"{snapshot('A-72', amount='7.00')},{VALUES}".split(",")]
    twice[heads.index("cash_available_usd")] = ["1.00", "2.00"]
    pq.write_table(pa.table(dict(zip(heads, twice, strict=True))), folder / "twice.parquet")
    return folder


def values(path: Path) -> str:
    """Return what a file holds, as text; of Parquet the values, whole or not."""
    raw = path.read_bytes().decode(errors="replace")
    if path.suffix == ".parquet" and path.stat().st_size > 12 and raw.endswith("PAR1"):
        return str(pq.read_table(path).to_pylist())
    return raw


class Watching(NullProgress):
    """Looks at all files of the output folder at each cell of each phase."""

    def __init__(self, output: Path):
        self.output, self.looks, self.seen, self.leaks = output, 0, set(), []

    def cell(self, *_):
        self.looks += 1
        for path in (Path(folder) / name for folder, _, names in os.walk(self.output) for name in names):
            try:
                text = values(path)
            except OSError:  # removed meanwhile
                continue
            self.seen.add(path.name)
            self.leaks += [f"{path.name}: {word}" for word in PLANTED if word in text]

    def end(self, *_):
        self.cell()


@pytest.mark.parametrize("key", ["", "a key of sixteen letters"])
def test_no_file_of_a_run_holds_a_personal_value_at_any_cell(tmp_path, monkeypatch, key):
    monkeypatch.setenv("ABACO_PII_KEY", key)
    (tmp_path / "in").mkdir()
    watching = Watching(tmp_path / "reports")
    limits = {"ingestion": {"max_reject_pct": 50.0, "max_reject_amount_pct": 50.0}}
    result = Pipeline(limits, output=tmp_path / "reports", progress=watching).execute(
        plant(tmp_path / "in"), "2025-12-31"
    )
    watching.cell()
    assert watching.leaks == []
    assert watching.looks > 40 and {"plan.json", "staged_00.parquet", "tape.parquet"} <= watching.seen
    rejects = pq.read_table(Path(result["path"]) / "tables/quarantine.parquet").to_pylist()
    assert len(rejects) >= 6 and any("AAAAAAAAA" in (row["original"] or "") for row in rejects)
