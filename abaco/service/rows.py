"""The page of a table's rows: some at a time, sorted and filtered by the service itself, without a script."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from abaco.kpis.dictionary import TABLES, sentence
from abaco.page.language import say
from abaco.page.tables import cell, figures
from abaco.page.words import count, day
from abaco.service import pages

AT_ONCE = 100
MOST = 200_000  # rows that are sorted and filtered; of larger tables the rows are only shown, in their order


def page(run: dict[str, Any], base: str, path: Path, number: int, sort: str, down: bool, wanted: str) -> str | None:
    """Return a page of rows of a table; None when it has no such page or column.

    Parameters
    ----------
    run
        The run that wrote the table.
    base
        What the addresses of the run's files begin with.
    path
        The table, a file or, where a cluster wrote it, a folder of files.
    number
        Which page, from 1.
    sort, down
        The column to sort by, if any, and whether the largest comes first.
    wanted
        A text that a value of each row has to hold.
    """
    data = ds.dataset(path, format="parquet")
    names, whole = data.schema.names, data.count_rows()
    is_small = whole <= MOST
    if (sort and sort not in names) or number < 1:
        return None
    found = _chosen(data.to_table(), sort, down, wanted) if is_small else data
    rows = found.num_rows if is_small else whole
    start, end = (number - 1) * AT_ONCE, min(number * AT_ONCE, rows)
    if start >= max(rows, 1):
        return None
    shown = found.slice(start, AT_ONCE) if is_small else data.take(list(range(start, end)))
    asked = {"sort": sort, "down": int(down), "wanted": wanted} if is_small else {}
    pages_of = {"earlier": number - 1 if number > 1 else 0, "later": number + 1 if end < rows else 0}
    table = TABLES.get(path.stem)
    first = count(start + 1 if rows else 0)
    told = say("{first}–{last} of {rows} rows", first=first, last=count(end), rows=count(rows))
    told += say(", of {count} in the table", count=count(whole)) if rows < whole else ""
    return pages.framed(
        "rows.html.j2", say("Rows of {name}", name=path.stem), base=base, run=run, name=path.stem, names=names,
        is_small=is_small, what=sentence(table) if table else "", rows=_table(path.stem, shown), sort=sort, down=down,
        wanted=wanted, told=told, day=day(run["date"]),
        **{name: place and "?" + urlencode({"page": place} | asked) for name, place in pages_of.items()},
    )  # fmt: skip


def _chosen(table: pa.Table, sort: str, down: bool, wanted: str) -> pa.Table:
    """Return the rows that hold a text in any column, in any case, sorted by a column."""
    if wanted:
        texts = [pc.cast(column, pa.string()) for column in table.columns]
        holds = [pc.fill_null(pc.match_substring(text, wanted, ignore_case=True), False) for text in texts]
        table = table.filter(_any(holds))
    return table.sort_by([(sort, "descending" if down else "ascending")]) if sort else table


def _any(masks: list[pa.ChunkedArray]) -> pa.ChunkedArray:
    first, *others = masks
    for other in others:
        first = pc.or_(first, other)
    return first


def _table(name: str, shown: pa.Table) -> Any:
    kinds = tuple("n" if _is_number(field.type) else "" for field in shown.schema)
    cells = [[cell(value) for value in row.values()] for row in shown.to_pylist()]
    return figures(say("Rows of {name}", name=name), shown.schema.names, cells, kinds=kinds, quiet=True, look="files")


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
