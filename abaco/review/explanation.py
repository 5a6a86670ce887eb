"""Explanation of a KPI in a finished report: its formula in figures, what moved it, and its history."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from abaco.core import files, project, text
from abaco.core.currencies import CODES
from abaco.core.dates import month_end, months_before, parse_date
from abaco.core.decimals import WIDE, rounded
from abaco.core.errors import InputError
from abaco.core.files import read_rows
from abaco.core.precision import change_decimals
from abaco.core.text import aligned
from abaco.kpis import catalog
from abaco.kpis.bridge import first_day
from abaco.page.language import phrase, say
from abaco.review import movement, terminal
from abaco.review.facility_explanation import explain_facility
from abaco.run import folders, manifest

Kpi = Mapping[str, Any]
DATES = 13  # a year of months, and the month that it is held against
PAST = {"lower": "above", "higher": "below"}


def explain(
    name: str, date: str | None = None, against: str | None = None, output: Path | None = None,
    lines: bool = False, every: bool = False,
) -> Iterator[str]:  # fmt: skip
    """Yield lines that explain a KPI or a facility.

    Parameters
    ----------
    name
        A KPI or a facility of the report; case does not matter.
    date
        The date of a finished report; by default the latest.
    against
        An earlier date in that report to compare with, of a facility too; by default the one before.
    output
        The folder of the reports.
    lines
        Whether to add the lines of the exports that the contributing loans come from.
    every
        Whether to list all dates instead of the last `DATES`.

    Raises
    ------
    InputError
        When the report, KPI or date does not exist.
    DamagedError
        When its figures or tables are not what the run wrote.
    """
    folder = _report(folders.reports_folder(output), date)
    manifest.check(folder, "metrics.json", "tables")
    figures = terminal.worded(files.read_object(folder / "metrics.json", "date", "kpis"))
    if key := next((key for key in figures.get("facilities", ()) if key.casefold() == name.casefold()), None):
        yield from explain_facility(key, folder, figures, against)
        return
    name = _known(name, figures)
    history = [row for row in _rows(folder, "history") if row["kpi"] == name]
    former, kpi = _former(against, figures["date"], history), figures["kpis"][name]
    facts = aligned(_facts(name, folder, figures))
    yield f"{name}: {kpi['title']}"
    standing = {"value": _value(kpi["value"], kpi), "status": _status(kpi)}
    yield say("{value} on {date}, {status}", date=figures["date"], **standing) + terminal.partial(kpi)
    yield from terminal.caveats(figures)
    yield ""
    yield from facts
    yield ""
    yield from _why(name, folder, history, former, kpi, lines)
    yield ""
    shown = history if every else history[-DATES:]
    yield from aligned([(phrase("date"), name, phrase("status")), *(_entry(row, kpi) for row in shown)])
    if len(shown) < len(history):
        yield say("The last {shown} of {dates} dates; --all shows the others.", shown=DATES, dates=len(history))


def _report(folder: Path, date: str | None) -> Path:
    finished = folders.visible(folder)
    wanted = str(parse_date(date)) if date else max(finished, default="")
    if wanted not in finished:
        raise InputError(
            f"No finished report for {wanted or 'any date'} in {project.display_path(folder)}: run make report"
            + (f" DATE={wanted}" if wanted else "")
        )
    return (folder / wanted).resolve()


def _known(name: str, figures: Mapping[str, Any]) -> str:
    by_name = {kpi.casefold(): kpi for kpi in figures["kpis"]}
    if name.casefold() not in by_name:
        hint = text.nearest(name, [*figures["kpis"], *figures.get("facilities", ())])
        without = "" if figures.get("facilities") else "; it has no facilities, whose file is named by run.facilities"
        raise InputError(f"No KPI {name} in the report of {figures['date']}: {hint}{without}")
    return by_name[name.casefold()]


def _former(against: str | None, date: str, history: Iterable[Mapping[str, Any]]) -> dt.date | None:
    earlier = [row["date"] for row in history if str(row["date"]) < date]
    if against is None:
        return max(earlier, default=None)
    wanted = parse_date(against)
    if str(wanted) >= date:
        raise InputError(f"--against {wanted} is not before {date}: name an earlier date")
    if wanted not in earlier:
        raise InputError(f"The report of {date} has no figures of {wanted}{_nearest(earlier, wanted)}")
    return wanted


def _nearest(dates: list[dt.date], wanted: dt.date) -> str:
    before, after = [d for d in dates if d < wanted], [d for d in dates if d > wanted]
    nearest = " and ".join(map(str, [*before[-1:], *after[:1]]))
    return f"; the nearest earlier dates are {nearest}" if nearest else ", nor of any other earlier date"


def _rows(folder: Path, table: str) -> list[dict[str, Any]]:
    path = folder / "tables" / f"{table}.parquet"
    if not path.exists():
        raise InputError(
            f"The report of {folder.parent.name} has no table {table}: run make report DATE={folder.parent.name}"
        )
    return read_rows(path)


def _why(
    name: str, folder: Path, history: list[dict[str, Any]], former: dt.date | None, kpi: Kpi, lines: bool
) -> Iterator[str]:
    if former is None:
        yield phrase("The report has no earlier date to compare it with.")
        return
    before, now = next(row for row in history if row["date"] == former), history[-1]
    if unknown := next((row["reason"] for row in (before, now) if row["value"] is None), None):
        yield say("What moved it since {date} cannot be said: {reason}.", date=former, reason=unknown)
        return
    moved = now["value"] - before["value"]
    better = ""
    if moved and kpi.get("direction"):
        better = f", {phrase('better') if (moved > 0) == (kpi['direction'] == 'higher') else phrase('worse')}"
    change = text.signed(moved, change_decimals(kpi, moved)) + better
    start = _value(before["value"], kpi)
    yield say("Since {date} it moved by {change}, from {start}.", date=former, change=change, start=start)
    definition = catalog.load().get(name)
    if definition and first_day(definition):
        yield from movement.why(definition, name, folder, now["date"], former, lines)
    elif definition and (definition.inputs or definition.window):
        yield from _inputs(definition.inputs or definition.kpis, folder, former, now["date"])
    else:
        yield phrase("Loan by loan, the portfolio at risk alone is explained, such as PAR30 and PAR90.")


def _inputs(names: Iterable[str], folder: Path, former: dt.date, day: dt.date) -> list[str]:
    values = {(row["measure"], row["date"]): _amount(row) for row in _rows(folder, "measures")}
    kpis = (row for row in _rows(folder, "history") if row["value"])
    values |= {(row["kpi"], row["date"]): row["value"].normalize(WIDE) for row in kpis}
    rows = []
    for name in names:
        before, now = (values.get((name, date), Decimal(0)) for date in (former, day))
        places = max(0, *(-value.as_tuple().exponent for value in (before, now)))
        rows.append((name, f"{before:,.{places}f}", f"{now:,.{places}f}", text.signed(now - before, places)))
    heading = phrase("It is made of other figures, each with an explanation of its own:")
    return [heading, "", *text.table(("", *map(phrase, ("before", "now", "change"))), rows, texts=1)]


def _places(row: Mapping[str, Any]) -> int:
    return 2 if row["unit"] in CODES else {"share": 6, "months": 2}.get(row["unit"], 0)


def _amount(row: Mapping[str, Any]) -> Decimal | None:
    return None if row["value"] is None else rounded(row["value"], _places(row))


def _used(kpi: Kpi, book: Mapping[str, Any]) -> str:
    """Return the rows of a KPI; where they are those of the book, also how many of them have a balance."""
    owing = book["loans_with_balance"]
    if owing in (None, kpi["rows"]) or kpi["rows"] != book.get("rows"):  # reports of earlier versions have no rows
        return f"{kpi['rows']:,}"
    return say("{rows}, of which {owing} with a balance", rows=f"{kpi['rows']:,}", owing=f"{owing:,}")


def _facts(name: str, folder: Path, figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    kpi = figures["kpis"][name]
    measured = {r["measure"]: r for r in _rows(folder, "measures") if str(r["date"]) == figures["date"]}
    values = {other: _plain(entry["value"], entry["precision"]) for other, entry in figures["kpis"].items()}
    for measure, row in measured.items():
        amount = _plain(row["value"], _places(row))
        values |= {measure: amount, measure.removesuffix("_usd"): amount}
    limits = kpi["thresholds"] or {}
    past = [
        say(f"{level} {PAST[kpi['direction']]} {{limit}}", limit=f"{limit:g}")
        for level, limit in limits.items()
        if limit is not None
    ]
    facts = [(phrase("formula"), kpi["formula"])]
    if window := kpi.get("window"):
        facts += _months(window, folder, figures["date"])
    elif formula := _with_figures(kpi, values):
        facts.append((phrase("with figures"), formula))
    definition = catalog.load().get(name)
    for source in definition.inputs if definition else ():
        other = figures["kpis"].get(source)
        value = phrase("not computable") if other and other["value"] is None else values.get(source, phrase("unknown"))
        facts.append((f"  {source}", _with_figures(other, values) or value if other else value))
    limit = ", ".join(past) or phrase("none")
    facts += [(phrase("rows used"), _used(kpi, figures["book"])), (phrase("limits"), limit)]
    facts.append((phrase("owner"), kpi["owner"]))
    return facts + [(phrase(key), kpi[key]) for key in ("note", "convention") if kpi.get(key)]


def _months(window: Mapping[str, Any], folder: Path, date: str) -> list[tuple[str, str]]:
    """Return the value of each month of a window, the latest first."""
    rows = [row for row in _rows(folder, "history") if row["kpi"] == window["kpi"] and str(row["date"]) <= date]
    last = {month_end(row["date"]): row for row in sorted(rows, key=lambda row: row["date"])}
    found = []
    for end in (months_before(parse_date(date), back) for back in range(window["months"])):
        value = last[end]["value"] if end in last else None
        shown = phrase("unknown") if value is None else f"{value.normalize(WIDE):,f}"
        found.append((f"  {window['kpi']} {end:%Y-%m}", shown))
    return found


def _with_figures(kpi: Kpi, values: Mapping[str, str]) -> str | None:
    """Return the formula in figures with its result, or None if none of its figures is known."""
    result = _value(kpi["value"], kpi)
    if (figures := filled(kpi["formula"], values)) == filled(kpi["formula"], {}):
        if kpi["denominator"] is None:
            return None
        above, below = (f"{Decimal(kpi[side]):,}" for side in ("numerator", "denominator"))
        figures = f"{above} / {below}" + (" × 100" if kpi["unit"] == "%" else "")
    return result if result.startswith(f"{figures} ") else f"{figures} = {result}"


def filled(formula: str, values: Mapping[str, str]) -> str:
    """Return a formula with the values of KPIs and measures in place of their names.

    Examples
    --------
    >>> filled("Σ(dpd_60_90 + dpd_90_plus) / Σ total_receivable × 100",
    ...        {"dpd_60_90": "1.00", "dpd_90_plus": "2.00", "total_receivable": "300.00"})
    '(1.00 + 2.00) / 300.00 × 100'
    """
    figures = re.sub(r"[A-Za-z]\w*", lambda match: values.get(match[0], match[0]), formula)
    return re.sub(r"Σ ?", "", figures)


def _plain(value: Any, decimals: int) -> str:
    return phrase("unknown") if value is None else f"{value:,.{decimals}f}"


def _status(kpi: Kpi) -> str:
    if kpi["reason"]:
        return kpi["reason"]
    return phrase("without limits") if kpi["status"] == "none" else terminal.status(kpi["status"])


def _entry(row: Mapping[str, Any], kpi: Kpi) -> tuple[str, str, str]:
    value = "–" if row["value"] is None else _value(row["value"], kpi)
    return str(row["date"]), value, row["reason"] or terminal.status(row["status"])


def _value(value: Any, kpi: Kpi) -> str:
    return text.format_value({**kpi, "value": value}) if value is not None else phrase("not computable")
