"""The sheets of the figures: every KPI with its formula, the sums that they come from, and the KPIs over time."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from abaco.core.currencies import current
from abaco.core.decimals import WIDE, rounded
from abaco.core.text import STATES
from abaco.kpis import catalog
from abaco.kpis.catalog import FUNCTIONS, OF_PUBLISHED, Definition
from abaco.kpis.measures import MEASURES
from abaco.page.column_names import capital
from abaco.page.kpi_text import in_order
from abaco.page.language import phrase
from abaco.workbook.book import Book, compute, place, put, put_row
from abaco.workbook.tables import widths

FIGURES, SUMS, HISTORY = "Figures", "Sums", "History"
HEADINGS = (
    "Figure", "Title", "Value", "Unit", "Status", "Warning", "Critical", "Value before", "Change", "Numerator",
    "Denominator", "Rows", "Formula", "Remark",
)  # fmt: skip
VALUE, STATUS, BEFORE, CHANGE, ABOVE, BELOW, ROWS = map(
    HEADINGS.index, ("Value", "Status", "Value before", "Change", "Numerator", "Denominator", "Rows")
)
# Functions of KPIs and measures as a spreadsheet computes them, by their names.
COMPUTED = {
    "portfolio_health": "MAX(0,MIN(10,(10-{}/10)*({}/10)))",
    "annual_rate": "(1-{}^(12/{}))*100",
    "days_to_collect": "365/{}",
}


class Figures:
    """The figures of a report and the cells that they stand in.

    Parameters
    ----------
    metrics
        The content of metrics.json, in words.
    measures
        The rows of the table ``measures`` of the report's date.
    """

    def __init__(self, metrics: Mapping[str, Any], measures: Sequence[Mapping[str, Any]]):
        self._kpis = in_order(metrics)
        self._definitions = catalog.load()
        self._sums = [row for row in measures if row["value"] is not None]
        self._sum_of = {row["measure"]: row["value"] for row in self._sums}
        self._rows = {name: row for row, (name, _) in enumerate(self._kpis, 1)}
        self._sum_rows = {row["measure"]: at for at, row in enumerate(self._sums, 1)}

    def value_of(self, name: str) -> str:
        """Return the cell that holds the value of a KPI, as other sheets name it."""
        return place(self._rows[name], VALUE, phrase(FIGURES))

    def add(self, book: Book) -> None:
        """Add the sheet of all KPIs."""
        headings = [phrase(heading) for heading in HEADINGS]
        cells = [self._texts(name, kpi) for name, kpi in self._kpis]
        sheet = book.sheet(FIGURES, headings, widths(headings, cells), frozen=2)
        for row, ((name, kpi), texts) in enumerate(zip(self._kpis, cells, strict=True), 1):
            style = self._style(book, kpi, VALUE)
            put_row(sheet, row, texts, [self._style(book, kpi, column) for column in range(len(texts))])
            definition = self._definitions.get(name)
            if kpi["value"] is not None and definition:
                if formula := self._formula(definition, name, kpi):
                    compute(sheet, row, VALUE, formula, kpi["value"], style)
                for column, names in ((ABOVE, definition.numerator), (BELOW, definition.denominator)):
                    if names and self._is_sum(names, texts[column]):
                        compute(sheet, row, column, self._sum(names), texts[column], book.number("", 2))
            if kpi["change"] is not None:
                formula = f"ROUND({place(row, VALUE)}-{place(row, BEFORE)},{kpi['precision']})"
                compute(sheet, row, CHANGE, formula, kpi["change"], style)
        sheet.autofilter(0, 0, len(cells), len(headings) - 1)

    @staticmethod
    def _style(book: Book, kpi: Mapping[str, Any], column: int) -> Any:
        if column in (ABOVE, BELOW, ROWS):
            return book.number("", 0 if column == ROWS else 2)
        is_value = column in (VALUE, *range(STATUS + 1, CHANGE + 1))
        return book.number(kpi["unit"], kpi["precision"]) if is_value else book.text

    def _texts(self, name: str, kpi: Mapping[str, Any]) -> list[Any]:
        limits = kpi["thresholds"] or {}
        before = kpi["previous"] or {}
        above, below = (None if kpi[key] is None else Decimal(kpi[key]) for key in ("numerator", "denominator"))
        return [
            name, kpi["title"], kpi["value"], kpi["unit"], phrase(STATES[kpi["status"]]), limits.get("warning"),
            limits.get("critical"), before.get("value"), kpi["change"], above, below, kpi["rows"], kpi["formula"],
            kpi["reason"] or kpi["note"],
        ]  # fmt: skip

    def _is_sum(self, names: Sequence[str], published: Decimal | None) -> bool:
        amounts = [self._sum_of.get(name) for name in names]
        return published is not None and None not in amounts and sum(amounts) == published

    def _sum(self, names: Sequence[str]) -> str:
        return "+".join(place(self._sum_rows[name], 2, phrase(SUMS)) for name in names)

    def _quotient(self, definition: Definition, name: str) -> str:
        """Return a ratio of sums as a formula, not rounded."""
        above, below = (place(self._rows[name], column) for column in (ABOVE, BELOW))
        factor = "100*" if definition.scale == 100 else ""
        return f"{factor}{above}/{below}" if definition.denominator else f"{factor}{above}"

    def _formula(self, definition: Definition, name: str, kpi: Mapping[str, Any]) -> str:
        """Return the formula of a KPI; none where it would not give the published value."""
        if definition.function is None:
            exact, text = _divided(definition, kpi), self._quotient(definition, name)
        elif definition.function in COMPUTED:
            arguments = [self._argument(definition, one) for one in definition.inputs]
            if None in arguments:
                return ""
            exact = FUNCTIONS[definition.function](*(value for value, _ in arguments))
            text = COMPUTED[definition.function].format(*(cell for _, cell in arguments))
        else:
            return ""
        is_published = exact is not None and rounded(exact, kpi["precision"]) == Decimal(str(kpi["value"]))
        return f"ROUND({text},{kpi['precision']})" if is_published else ""

    def _argument(self, definition: Definition, name: str) -> tuple[Decimal, str] | None:
        """Return a measure or a KPI that a function takes: its value and its cell, or what gives it."""
        if name in self._sum_rows:
            return self._sum_of[name], place(self._sum_rows[name], 2, phrase(SUMS))
        kpi, inner = dict(self._kpis).get(name), self._definitions.get(name)
        if kpi is None or kpi["value"] is None or inner is None:
            return None
        if FUNCTIONS[definition.function] in OF_PUBLISHED:
            return Decimal(str(kpi["value"])), place(self._rows[name], VALUE)
        exact = _divided(inner, kpi)
        return None if exact is None or inner.function else (exact, f"({self._quotient(inner, name)})")

    def add_sums(self, book: Book) -> None:
        """Add the sheet of the sums that the figures are computed from."""
        headings = [phrase(heading) for heading in ("Sum", "Title", "Value", "Unit", "Rows")]
        cells = [self._sum_cells(row) for row in self._sums]
        sheet = book.sheet(SUMS, headings, widths(headings, cells), frozen=2)
        for at, values in enumerate(cells, 1):
            decimals = max(-values[2].as_tuple().exponent, 0)
            amount, count = book.number(self._sums[at - 1]["unit"], decimals), book.number("", 0)
            put_row(sheet, at, values, (book.text, book.text, amount, book.text, count))

    def _sum_cells(self, row: Mapping[str, Any]) -> list[Any]:
        value = row["value"].normalize(WIDE)
        if row["unit"] == current() or value.as_tuple().exponent > 0:
            value = rounded(row["value"], 2 if row["unit"] == current() else 0)
        title = capital(phrase(MEASURES[row["measure"]].title))
        return [row["measure"], title, value, phrase(row["unit"]), row["rows"]]

    def add_history(self, book: Book, history: Sequence[Mapping[str, Any]]) -> None:
        """Add the sheet of the KPIs over time: a row per date and a column per KPI."""
        by_date: dict[Any, dict[str, Any]] = {}
        for row in history:
            by_date.setdefault(row["date"], {})[row["kpi"]] = row["value"]
        headings = [phrase("Date"), *(f"{name}, {kpi['unit']}".rstrip(", ") for name, kpi in self._kpis)]
        sheet = book.sheet(HISTORY, headings, [12, *(14 for _ in self._kpis)])
        styles = [book.number(kpi["unit"], kpi["precision"]) for _, kpi in self._kpis]
        for at, (day, values) in enumerate(sorted(by_date.items()), 1):
            put(sheet, at, 0, day, book.date)
            for column, ((name, _), style) in enumerate(zip(self._kpis, styles, strict=True), 1):
                put(sheet, at, column, values.get(name), style)


def _divided(definition: Definition, kpi: Mapping[str, Any]) -> Decimal | None:
    """Return the ratio of the published sums in the KPI's unit; None where there are none."""
    if kpi["numerator"] is None or (definition.denominator and not Decimal(kpi["denominator"] or 0)):
        return None
    above = Decimal(kpi["numerator"]) * definition.scale
    return above / Decimal(kpi["denominator"]) if definition.denominator else above
