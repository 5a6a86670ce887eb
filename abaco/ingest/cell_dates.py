"""Dates in a cell above a table, such as "Report date: 31/12/2025"."""

import datetime as dt
import re
from collections.abc import Sequence

import pyarrow as pa

from abaco.core.errors import InputError
from abaco.engines import Engine
from abaco.engines.forms import BY_ORDER, Writing
from abaco.ingest.extent import MONTH, Row
from abaco.ingest.mappings import Mapping
from abaco.ingest.reshaping import month_in

NAME = r"[^\W\d_]{3,10}\.?"
AS_OF = re.compile(
    r"\b(?:as (?:of|at|on)|cut-?off(?: date)?|reporting date|(?:fecha de )?corte(?: al)?|al|stand(?: vom)?|per)\b"
    r"(.{6,})",
    re.IGNORECASE,
)
SHORT_YEAR = re.compile(rf"{NAME}[-/'’ ]*[-/'’]\s*\d\d\b")  # of a month such as Dec-25
DAY_WITHIN = re.compile(r"([^\W\d_]{3,10})\.?[ _-]+\d{1,2}(?:st|nd|rd|th)?,?[ _-]+((?:19|20)\d\d)(?!\d)")
DATE = re.compile(
    rf"\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{2,4}}|(?:19|20)\d{{6}}"
    rf"|\d{{1,2}}[-/. ]{NAME}[-/., ]+\d{{2,4}}|{NAME} \d{{1,2}},? \d{{4}}"
)


def date_of(mapping: Mapping, rows: Sequence[Row], left: int, name: str, engine: Engine) -> str:
    """Return the date in the cell that a mapping names.

    Parameters
    ----------
    rows
        The first rows of the file.
    left
        The position of their first column.
    name
        What to call the file in an error.

    Raises
    ------
    InputError
        When the cell has no date, or one that may be read in several ways.
    """
    letters, line = re.fullmatch(r"([A-Z]+)(\d+)", mapping.cell).groups()
    place = sum((ord(letter) - 64) * 26**i for i, letter in enumerate(reversed(letters))) - 1 - left
    cells = dict(rows).get(int(line), [])
    text = cells[place] if 0 <= place < len(cells) else ""
    order = next(origin.dates for origin in mapping.columns.values() if origin.cell) or mapping.dates
    found = dates_in(text, order, engine)
    if not found:
        raise InputError(f"{name}: cell {mapping.cell} has no date: correct it in the mapping, or write the date there")
    if len(found) > 1:
        readings = " or ".join(f"{day.day} {day:%B %Y}" for day in found)
        raise InputError(f"{name}: the date in cell {mapping.cell} is {readings}: say dates: dmy or mdy in the mapping")
    return str(found[0])


def said_in(above: Sequence[Row], engine: Engine) -> str | None:
    """Return the date that rows above a header say the table is of; None where they say none, or one of several.

    Parameters
    ----------
    above
        The rows, of which one may be "Loan portfolio as at 31-Dec-2025".
    """
    texts = (AS_OF.search(" ".join(cells)) for _, cells in above)
    found = {day for text in texts if text for day in dates_in(text[1], None, engine)}
    return str(found.pop()) if len(found) == 1 else None


def named_in(name: str) -> str | None:
    """Return the date or month that a name of a file or sheet says, the latest of several; None: it says none.

    Examples
    --------
    >>> [named_in(name) for name in ("loans_2025-11-30.csv", "Cartera nov 2025", "2024-12 to 2025-12", "loans")]
    ['2025-11-30', '2025-11-30', '2025-12-31', None]
    >>> named_in("Loan Tape December 31, 2025"), named_in("tape_may_3rd_2025"), named_in("31 de diciembre de 2025")
    ('2025-12-31', '2025-05-31', '2025-12-31')
    """
    plain = DAY_WITHIN.sub(r"\1 \2", re.sub(r"(?<![^\W_])de[ _]", "", name))
    return max(filter(None, (month_in(found[0]) for found in MONTH.finditer(plain))), default=None)


def dates_in(text: str, order: str | None, engine: Engine) -> list[dt.date]:
    """Return the dates that a text may say, each once; of a month its last day."""
    plain = re.sub(r"\b(?:de|of)\b ?", "", " ".join(text.split()))
    if not (place := DATE.search(plain)):
        month = month_in(plain)
        is_said = month and (month[:4] in plain or SHORT_YEAR.search(plain))  # "December 31" has no year
        return [dt.date.fromisoformat(month)] if is_said else []
    writings = {f"as {one}": Writing(dates=one) for one in ([order] if order else BY_ORDER)}
    rows = engine.from_arrow(pa.table({name: [place[0]] for name in writings}))
    [row] = engine.typed(rows, dict.fromkeys(writings, "date"), writings).collect("pyarrow").to_native().to_pylist()
    return sorted({row[name] for name in writings} - {None})
