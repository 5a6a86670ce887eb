"""docs/TABLES.md: the data dictionary, generated from the descriptions beside the schemas."""

from collections.abc import Iterable
from pathlib import Path

from abaco.core import project
from abaco.core.currencies import USD
from abaco.core.tables import Table
from abaco.kpis.dictionary import EXPORTS, OF_FACILITIES, REPORT, sentence

PATH = Path("docs") / "TABLES.md"
INTRODUCTION = """\
# Tables

Made by `make docs` from the descriptions beside the schemas in `abaco/ingest/` and `abaco/kpis/`; edit those, not this
page.

Every report keeps its tables as `tables/<name>.parquet`. Amounts are exact decimals, percentages run from 0 to 100, and
an empty value means that the input does not tell; it is never 0. Loan ids stand in the tables as they came, personal
columns only as tokens or as `redacted`. Amounts are in the report's currency, which `currency` in the metadata of each
file names; `_usd` in a name means that currency, whichever it is: names are keys, and a query that reads one report
reads every other.
"""
FACILITIES_INTRODUCTION = """\
## Facilities

Only where `params/facilities.yml`, or the file that `run.facilities` names, has a facility.
"""
EXPORTS_INTRODUCTION = """\
## Exports

The accepted rows of each export that is not the tape itself. A column that the file lacks is left out.
"""


def document(report: Iterable[Table], facilities: Iterable[Table], exports: Iterable[Table]) -> str:
    """Return the dictionary in Markdown: each table with its grain, and type, unit and meaning of its columns."""
    parts = [INTRODUCTION, *(_entry(table, "##") for table in report)]
    parts += [FACILITIES_INTRODUCTION, *(_entry(table, "###") for table in facilities)]
    parts += [EXPORTS_INTRODUCTION, *(_entry(table, "###") for table in exports)]
    return "\n".join(parts)


def _entry(table: Table, level: str) -> str:
    rows = [f"| `{field.name}` | {field.type} | {_unit(field.unit)} | {field.meaning} |" for field in table.fields]
    heads = "| column | type | unit | meaning |\n|---|---|---|---|"
    return "\n".join([f"{level} {table.name}\n\n{sentence(table)}\n", heads, *rows, ""])


def _unit(unit: str) -> str:
    return unit.replace(USD, "report's currency")


def write() -> Path:
    """Write docs/TABLES.md and return its path."""
    path = project.root() / PATH
    path.write_text(document(REPORT, OF_FACILITIES, EXPORTS), encoding="utf-8")
    return path


if __name__ == "__main__":
    print(project.display_path(write()))
