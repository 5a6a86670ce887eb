"""The tables of the pages: reports, files, runs, and the differences between two runs."""

import datetime as dt
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from abaco.core.currencies import USD
from abaco.core.precision import shown_decimals
from abaco.core.tables import Table
from abaco.database import queries
from abaco.database.connection import Connection
from abaco.kpis.dictionary import TABLES, sentence
from abaco.page.column_names import KPI_TEXTS
from abaco.page.facilities import LEVELS
from abaco.page.kpi_text import FIRST_KPIS, concise, marked
from abaco.page.kpi_text import change as kpi_change
from abaco.page.language import phrase, say
from abaco.page.markup import Html, fill
from abaco.page.masthead import partial
from abaco.page.tables import figures
from abaco.page.words import NBSP, NOTHING, day, month, number
from abaco.review import comparison

TEMPLATES = Path(__file__).parent / "templates"
# Descriptions of files, the most opened first; other files are described by their folder.
FILES = {
    "report.html": "the report",
    "front.html": "its first page alone, to forward",
    "front.pdf": "its first page alone, printed",
    "report.pdf": "the same, printed",
    "report.xlsx": "the same as a workbook, with formulas",
    "email.html": "its short form for mail programs",
    "email.eml": "the same as a message",
    "metrics.json": "the figures",
    "run.json": "what happened",
    "manifest.json": "every input and output, with hashes",
}
CERTIFICATE = "the compliance certificate of a facility, to be signed"
FOLDERS = {"tables": "table", "notebooks": "executed notebook", "email": "picture of the short form"}


def reports(connection: Connection, runs: list[dict[str, Any]]) -> Html:
    """Return a table of reports, one row per run: date, the first four KPIs, time of completion."""
    rows = []
    for run in runs:
        kpis, date = entries(connection, run), str(run["date"])
        values = [_value(kpis.get(name)) for name in FIRST_KPIS]
        more = _link(f"/reports/{date}/", phrase("Files and runs"), of=day(date))
        rows.append([_link(f"/reports/{date}/report.html", day(date)), *values, moment(run["finished_at"]), more])
    heads = [phrase("Report"), "PAR30, %", "PAR90, %", "CollectionRate, %", "PortfolioHealth"]
    heads += [phrase("Made, UTC"), phrase("More")]
    note = phrase("! past the warning limit; ✕ past the critical limit; – not computable.")
    kinds = ("", "n", "n", "n", "n", "t", "t")
    return figures(
        phrase("Reports by date, newest first"), heads, rows, kinds=kinds, quiet=True, note=note, look="reports"
    )


def entries(connection: Connection, run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the KPIs of a run by id, with their texts in the language of the service."""
    return worded(queries.figures(connection, run))


def worded(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return figures by id with their texts in the language of the service."""
    return {name: kpi | {text: phrase(kpi[text]) for text in KPI_TEXTS if kpi.get(text)} for name, kpi in found.items()}


def _value(kpi: dict[str, Any] | None) -> Html | str:
    if kpi is None:
        return NOTHING
    value = marked(kpi["status"], None if kpi["value"] is None else number(kpi["value"], shown_decimals(kpi)))
    return fill("past.html.j2", title=value, partial=partial(kpi))


def files(sizes: dict[str, int], base: str) -> Html | None:
    """Return a table of the files of a run; None when there are none."""
    if not sizes:
        return None
    rows = []
    for name in (*(n for n in FILES if n in sizes), *sorted(sizes.keys() - FILES.keys())):
        what = FILES.get(name) or FOLDERS.get(name.partition("/")[0], "")
        what = what or (CERTIFICATE if name.startswith("certificate_") else "")
        is_table = name.startswith("tables/") and name.endswith(".parquet") and name.count("/") == 1
        table = Path(name).stem
        shown = _link(f"{base}rows/{table}", phrase("Rows"), of=table) if is_table else ""
        rows.append([_link(base + name, name), phrase(what), shown, size(sizes[name])])
    heads = [phrase(name) for name in ("File", "What it is", "Look inside", "Size")]
    return figures(phrase("Files"), heads, rows, texts=3, quiet=True, look="files")


def runs(of_date: list[dict[str, Any]], current: dict[str, Any], visible: str) -> Html:
    """Return a table of the runs of a date, to compare with the `current` one; `visible` is a run id."""
    rows = []
    for run in of_date:
        name = run["run_id"]
        pair = urlencode({"one": name, "other": current["run_id"]})
        versus = _link(f"/compare?{pair}", phrase("Compare"), of=name)
        versus = versus if name != current["run_id"] else phrase("this one")
        is_visible = phrase("yes" if name == visible else "no")
        rows.append([_link(f"/runs/{name}/", name), is_visible, moment(run["finished_at"]), versus])
    heads = [phrase(name) for name in ("Run", "Shown", "Ended, UTC", "Against this one")]
    return figures(phrase("Runs of this date"), heads, rows, texts=4, quiet=True)


def differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Html | str]:
    """Return the differences between two runs by part: a table, or a sentence when there are none.

    Parameters
    ----------
    one, other
        Rows of the table ``runs``, with ``kpis`` and ``inputs``.
    """
    code = [(name, str(one[f"code_{name}"]), str(other[f"code_{name}"])) for name in ("commit", "sha256")]
    parts = (
        ("Inputs", "File", comparison.inputs(one["inputs"], other["inputs"]), "The same files."),
        ("Parameters", "Setting", comparison.parameters(one["parameters"], other["parameters"]), "The same."),
        ("Code", "Part", code if one["code_sha256"] != other["code_sha256"] else [], "The same."),
    )
    found = {
        phrase(title): _part(phrase(title), phrase(head), rows) if rows else phrase(otherwise)
        for title, head, rows, otherwise in parts
    }
    return {phrase("Figures"): _sides(one, other) or phrase("Every figure is the same."), **found}


def _sides(one: dict[str, Any], other: dict[str, Any]) -> Html | None:
    """Return the KPIs that differ: both values, the change, and whether it is better or worse."""
    rows = []
    for name, *_ in comparison.figures(one["kpis"], other["kpis"]):
        before, after = one["kpis"].get(name), other["kpis"].get(name)
        known = before and after and None not in (before["value"], after["value"])
        change = round(after["value"] - before["value"], after["precision"]) if known else None
        moved = kpi_change({**after, "change": change}) if after else None
        title = fill("figure.html.j2", TEMPLATES, title=(after or before)["title"].partition(" (")[0], name=name)
        rows.append([title, _side(before), _side(after), fill("moved.html.j2", TEMPLATES, change=moved)])
    heads = [phrase("Figure")]
    heads += [
        say("First, {date}", date=day(one["date"])),
        say("Second, {date}", date=day(other["date"])),
        phrase("Change"),
    ]
    note = phrase("! past the warning limit; ✕ past the critical limit; – not computable or not there.")
    return figures(phrase("Figures"), heads, rows, quiet=True, note=note, look="sides") if rows else None


def _side(kpi: dict[str, Any] | None) -> Html | str:
    if kpi is None or kpi["value"] is None:
        return NOTHING
    shown = concise(kpi)
    if "level" in kpi:
        shown = say("{value}, {level}", value=shown, level=phrase(LEVELS[kpi["level"]]))
    return fill("past.html.j2", title=marked(kpi["status"], shown), partial=partial(kpi))


def _part(title: str, head: str, rows: list[tuple[str, ...]]) -> Html:
    cells = [[cell for cell in row if cell != "→"] for row in rows]
    heads = {2: [head, phrase("Difference")], 3: [head, phrase("First"), phrase("Second")]}
    return figures(title, heads[len(cells[0])], cells, texts=len(cells[0]), quiet=True, look="differ")


def dictionary() -> list[tuple[str, str, Html]]:
    """Return each table of a report: its name, what one row is, and its columns with type, unit and meaning."""
    heads = [phrase(name) for name in ("Column", "Type", "Unit", "Meaning")]
    return [(table.name, sentence(table), figures(table.name, heads, _columns(table), texts=4, quiet=True))
            for table in TABLES.values()]  # fmt: skip


def _columns(table: Table) -> list[list[str]]:
    return [
        [field.name, field.type, field.unit.replace(USD, "report's currency"), field.meaning] for field in table.fields
    ]


def _link(address: str, text: str, of: str = "") -> Html:
    return fill("link.html.j2", TEMPLATES, address=quote(address, safe="/?&="), text=text, of=of)


def moment(time: dt.datetime) -> str:
    """Return a time in words, in UTC.

    >>> moment(dt.datetime(2025, 12, 31, 2, 5, tzinfo=dt.UTC))
    '31 Dec 2025, 02:05'
    """
    time = time.astimezone(dt.UTC)
    return f"{time.day} {month(time.date())}, {time:%H:%M}".replace(NBSP, " ")


def size(count: int) -> str:
    r"""Return a number of bytes with a readable unit.

    >>> size(512), size(20_480)
    ('512\xa0B', '20\xa0kB')
    """
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f}{NBSP}{unit}"
        amount /= 1000
    return f"{amount:.1f}{NBSP}GB"
