"""The same rows in any order, encoding, delimiter and kind of file give the same tape, to the last cent."""

import json
import random
from datetime import date
from decimal import Decimal

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.exports import PAR, ingest, write

HEADINGS = [*PAR.split(","), "dpd", "product"]
ROWS = [
    ["A-1", "2025-12-31", "1500.50", "1500.50", "1500.50", "0.00", "0.00", "35", "Crédito"],
    ["A-2", "2025-12-31", "499.50", "499.50", "499.50", "499.50", "499.50", "120", "Línea"],
    ["A-3", "2025-12-31", "2000.07", "0.00", "0.00", "0.00", "0.00", "0", "Línea"],
    ["A-4", "2025-12-31", "0.01", "0.01", "0.00", "0.00", "0.00", "7", "Crédito"],
    ["A-3", "2025-11-30", "2100.10", "0.00", "0.00", "0.00", "0.00", "0", "Línea"],
]
SHUFFLED = random.Random(1).sample(ROWS, len(ROWS))


def csv(path, rows, delimiter=",", encoding="utf-8", end="\n"):
    comma = delimiter == ";"
    cells = [[c.replace(".", ",") if comma and 1 < i < 7 else c for i, c in enumerate(row)] for row in rows]
    return write(path, *map(delimiter.join, [HEADINGS, *cells]), end=end, encoding=encoding)


def typed(row):
    return [row[0], date.fromisoformat(row[1]), *map(Decimal, row[2:7]), int(row[7]), row[8]]


def workbook(path, rows):
    book = openpyxl.Workbook()
    book.active.append(HEADINGS)
    for name, day, *amounts, late, product in rows:
        book.active.append([name, date.fromisoformat(day), *map(float, amounts), int(late), product])
    book.save(path)
    return path


def objects(path, rows):
    made = [dict(zip(HEADINGS, [*row[:2], *map(float, row[2:7]), int(row[7]), row[8]], strict=True)) for row in rows]
    if path.suffix == ".json":
        return write(path, json.dumps(made[::-1], indent=1))
    return write(path, *map(json.dumps, made))


def parquet(path, rows):
    columns = zip(HEADINGS, zip(*map(typed, rows), strict=True), strict=True)
    pq.write_table(pa.table({name: list(cells) for name, cells in columns}), path)
    return path


FORMS = {
    "shuffled": lambda folder: csv(folder / "a.csv", SHUFFLED),
    "semicolons and decimal commas": lambda folder: csv(folder / "a.csv", SHUFFLED, ";", "cp1252", "\r\n"),
    "tabs with a byte order mark": lambda folder: csv(folder / "a.tsv", ROWS, "\t", "utf-8-sig"),
    "two files": lambda folder: csv(folder / "a.csv", ROWS[:2]).parent and csv(folder / "b.csv", ROWS[2:]).parent,
    "columns turned": lambda folder: write(folder / "a.csv", *(",".join(row[::-1]) for row in [HEADINGS, *ROWS])),
    "json": lambda folder: objects(folder / "a.json", SHUFFLED),
    "jsonl": lambda folder: objects(folder / "a.jsonl", ROWS),
    "parquet": lambda folder: parquet(folder / "a.parquet", SHUFFLED),
    "xlsx": lambda folder: workbook(folder / "a.xlsx", SHUFFLED),
}  # fmt: skip


def rows(found):
    return [{name: cell for name, cell in row.items() if name != "row_id"} for row in found.tape]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return ingest(csv(tmp_path_factory.mktemp("plain") / "a.csv", ROWS))


@pytest.mark.parametrize("form", FORMS)
def test_form_gives_the_same_tape(form, plain, tmp_path):
    found = ingest(FORMS[form](tmp_path))
    assert rows(found) == rows(plain)
    assert found.book == plain.book
