"""docs/TABLES.md is what the code says today, and what the files of a report are."""

import pyarrow.dataset as ds
import pytest

from abaco.core.parquet import arrow_schema
from abaco.ingest.formats import FORMATS
from abaco.kpis.dictionary import EXPORTS, OF_FACILITIES, REPORT, TABLES
from tests.support.projects import PII_KEY, ROOT, Project
from tools import table_docs


def test_page_is_current():
    written = table_docs.document(REPORT, OF_FACILITIES, EXPORTS)
    assert (ROOT / table_docs.PATH).read_text(encoding="utf-8") == written, "run make docs"


def test_no_table_is_described_twice():
    assert len(TABLES) == len((*REPORT, *OF_FACILITIES, *EXPORTS))


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_table_has_a_grain_and_every_column_a_meaning(table):
    assert table.grain.startswith("one row per ")
    assert all(field.meaning for field in table.fields)
    assert len({field.name for field in table.fields}) == len(table.fields)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_amounts_of_columns_named_usd_are_in_usd(table):
    assert {field.unit for field in table.fields if field.name.endswith("_usd")} <= {"USD"}


def test_a_column_means_the_same_in_every_format():
    meanings = {}
    for column in (column for format_ in FORMATS.values() for column in format_.columns):
        assert meanings.setdefault(column.name, column.meaning) == column.meaning


@pytest.mark.parametrize("source", ["file", "folder"])
def test_files_of_a_report_are_as_described(finished, tmp_path, source):
    project = finished.pristine
    if source == "folder":
        project = Project(ROOT, tmp_path / "reports")
        made = project.report("--input", ROOT / "data/sample", ABACO_PII_KEY=PII_KEY)
        assert made.returncode == 0, made.stderr
    files = {path.stem: ds.dataset(path).schema for path in project.output.glob("2025-12-31/tables/*.parquet")}
    assert {table.name for table in REPORT} <= set(files) <= set(TABLES)
    for name, schema in files.items():
        described = arrow_schema(TABLES[name])
        if TABLES[name] in EXPORTS:  # without the columns that the file lacks
            assert [c for c in described.names if c in schema.names] == schema.names, name
        else:
            assert schema.names == described.names, name
        assert all(described.field(field.name).type == field.type for field in schema), name
