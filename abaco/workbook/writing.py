"""The workbook of a report: the front page, the figures with their sums, the tables, and what all of it means."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from abaco.core.reasons import Reason
from abaco.ingest.quarantine import JOINT
from abaco.page.column_names import in_words
from abaco.page.language import reasons, speaking, spoken
from abaco.page.masthead import title
from abaco.workbook.book import Book
from abaco.workbook.figures import Figures
from abaco.workbook.formulas import Rows
from abaco.workbook.front import add_front
from abaco.workbook.tables import SHEETS, add_dictionary, add_table, read

NAME = "report.xlsx"


def write(metrics: Mapping[str, Any], folder: Path, *, language: str = "en") -> Path:
    """Write the workbook of a report into its folder and return its path; the same report gives the same bytes.

    Parameters
    ----------
    metrics
        The content of metrics.json.
    folder
        The folder of the report, with its tables.
    language
        The language of the report.
    """
    path, tables = folder / NAME, folder / "tables"
    with speaking(language, metrics["currency"]):
        words = in_words(dict(metrics))
        day = dt.date.fromisoformat(metrics["date"])
        figures = Figures(words, [row for row in read(tables, "measures") if row["date"] == day])
        found = {sheet.table: read(tables, sheet.table) for sheet in SHEETS}
        found["quarantine"] = _told(metrics, found["quarantine"])
        filled = [sheet for sheet in SHEETS if found[sheet.table]]
        history = read(tables, "history")
        with Book(path, day, title(words)) as book:
            add_front(book, words, figures, history, found)
            figures.add(book)
            figures.add_sums(book)
            figures.add_history(book, history)
            for sheet in filled:
                add_table(book, sheet, found[sheet.table])
            add_dictionary(book, filled)
    return path


def _told(metrics: Mapping[str, Any], rejected: Rows) -> Rows:
    """Return the rejected rows with their reasons in the language that is spoken, and the headings of the file."""
    found = [Reason.from_dict(one["reason"]) for one in metrics["reason_codes"]["rejects"]]
    told = {str(reason): reason.told(reasons(spoken())) for reason in found}
    return [
        row | {"reasons": JOINT.join(told.get(one, one) for one in row["reasons"].split(JOINT))} for row in rejected
    ]
