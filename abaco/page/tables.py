"""Small tables: a caption, headings with a scope, numbers aligned right, a box to scroll in."""

import datetime
from decimal import Decimal
from numbers import Integral, Real

from abaco.page.language import phrase
from abaco.page.markup import Html, fill
from abaco.page.words import NOTHING, count, day, money, number


def figures(
    caption: str,
    heads: list[str],
    rows: list[list],
    *,
    texts: int = 1,
    kinds: tuple[str, ...] = (),
    total: list | None = None,
    note: str = "",
    quiet: bool = False,
    look: str = "",
) -> Html:
    """Return a table of ready-made cells.

    Parameters
    ----------
    caption
        What the table shows; read out before it.
    heads
        The column headings.
    rows
        One list of cells a row, texts or `Html`; the first cell heads its row.
    texts
        How many columns from the left hold text; those after them hold numbers.
    kinds
        Instead of `texts`, a kind a column: "n" a number, "t" a small text, "b" a bar, "c" another drawing,
        "" a text.
    total
        The cells of a last, stronger row.
    note
        A sentence below the table.
    quiet
        Whether the caption is read out only, as a heading says the same.
    look
        A class for the table.
    """
    kinds = kinds or ("",) * texts + ("n",) * (len(heads) - texts)
    return fill(
        "table.html.j2",
        caption=caption, heads=heads, rows=rows, kinds=kinds, total=total, note=note, quiet=quiet, look=look,
    )  # fmt: skip


def bar(share: float | None, most: float = 100, limit: float | None = None) -> Html:
    """Return a bar in a cell, `share` of `most` long, with a line at a limit; its value stands beside it."""
    width, mark = (
        0 if value is None or not most else max(0, min(100, float(value) / float(most) * 100))
        for value in (share, limit)
    )
    return fill("bar.html.j2", width=f"{width:.1f}", mark=f"{mark:.1f}" if limit else "")


def cell(value) -> str:
    """Return one value as a table shows it: money to the cent, ratios to four decimals, dates in words."""
    if value is None or value != value:
        return NOTHING
    if isinstance(value, bool | str):
        return phrase(str(value))
    if isinstance(value, Decimal):
        return money(value)
    if isinstance(value, Integral):
        return count(int(value))
    if isinstance(value, Real):
        return number(float(value), 4)
    return day(value) if isinstance(value, datetime.date) else str(value)


def frame_table(frame, caption: str) -> Html:
    """Return a pandas frame as a table in the page's look; its text columns should come first."""
    is_text = [any(isinstance(value, str | datetime.date) for value in frame[name]) for name in frame.columns]
    texts = max(1, is_text.index(False) if False in is_text else len(is_text))
    rows = [[cell(value) for value in row] for row in frame.itertuples(index=False)]
    return figures(caption, [phrase(str(name)) for name in frame.columns], rows, texts=texts)


class Tables(dict):
    """The tables of a run by name, each read when it is first asked for; one that was not written is an empty list.

    Parameters
    ----------
    phase
        The `abaco.run.phase.Phase` that reads them.
    """

    def __init__(self, phase):
        super().__init__()
        self._phase = phase

    def __missing__(self, name: str):
        is_written = (self._phase.tables / f"{name}.parquet").exists()
        self[name] = self._phase.read_table(name) if is_written else []
        return self[name]


def rows_of(table, **wanted) -> list[dict]:
    """Return the rows of a frame, or of a list of dicts, whose columns are as `wanted`; dates may be ISO texts.

    >>> rows_of([{"date": "2025-12-31", "usd": float("nan")}], date="2025-12-31")
    [{'date': '2025-12-31', 'usd': None}]
    """
    rows = table.to_dict("records") if hasattr(table, "to_dict") else table
    known = ({name: None if value != value else value for name, value in row.items()} for row in rows)
    return [row for row in known if all(str(row[name]) == str(value) for name, value in wanted.items())]
