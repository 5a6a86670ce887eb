"""Text for terminals: lines that rule nothing, aligned columns, and values with unit and status."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from abaco.core import currencies
from abaco.core.precision import change_decimals, shown_decimals
from abaco.core.quoting import visible

# the KPIs at the centre, in their order wherever figures are listed
FIRST_KPIS = ("PAR30", "PAR90", "CollectionRate", "PortfolioHealth")


def show(*lines: str, error: bool = False) -> None:
    """Print lines on standard output, or standard error, whatever strangers' text they quote (see `quoting`)."""
    for line in lines:
        print("\n".join(map(visible, line.split("\n"))), file=sys.stderr if error else sys.stdout, flush=True)


def did_you_mean(name: str, names: Iterable[str], otherwise: str, cutoff: float = 0.6) -> str:
    """Return the name of those that there are which was meant, if one is like it, and what to do otherwise.

    Parameters
    ----------
    cutoff
        How much of the names has to be alike, from 0 to 1.

    Examples
    --------
    >>> did_you_mean("par31", ["PAR30", "NPL"], "choose one of PAR30, NPL")
    'did you mean PAR30? Else choose one of PAR30, NPL'
    """
    by_case = {one.lower(): one for one in names}
    near = get_close_matches(name.lower(), by_case, n=1, cutoff=cutoff)
    return f"did you mean {by_case[near[0]]}? Else {otherwise}" if near else otherwise


def nearest(name: str, names: Iterable[str]) -> str:
    """Return which of many names may be meant, three at most; all of them where none is like it.

    Examples
    --------
    >>> nearest("par31", ["PAR30", "PAR1", "NPL"]), nearest("XYZ", ["PAR30", "NPL"])
    ('did you mean PAR1 or PAR30?', 'choose one of PAR30, NPL')
    """
    by_case = {one.lower(): one for one in names}
    name = name.lower()
    near = [by_case[one] for one in ([name] if name in by_case else get_close_matches(name, by_case, n=3))]
    return f"did you mean {' or '.join(near)}?" if near else f"choose one of {', '.join(by_case.values())}"


def aligned(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return one line a row, with aligned columns.

    Examples
    --------
    >>> for line in aligned([("date", "PAR30"), ("2025-12-31", "3.7471 %")]):
    ...     print(line)
    date        PAR30
    2025-12-31  3.7471 %
    """
    rows = list(rows)
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(n) for cell, n in zip(row, widths, strict=True)).rstrip() for row in rows]


def counted(amount: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "row"), counted(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{amount:,} {noun}" if amount == 1 else f"{amount:,} {noun}s"


def signed(value: Decimal, decimals: int) -> str:
    """Return a change with its sign; no change has none.

    Examples
    --------
    >>> signed(Decimal("1234.5"), 2), signed(Decimal("-0.0450"), 4), signed(Decimal("0.00"), 2)
    ('+1,234.50', '-0.0450', '0.00')
    """
    return f"{'+' if value > 0 else ''}{currencies.number(value, decimals)}"


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]], texts: int) -> list[str]:
    """Return a heading and rows with aligned columns; all but the first `texts` columns are figures, aligned right.

    Examples
    --------
    >>> table(("", "USD"), [("paid", "9.00"), ("cured", "10.00")], texts=1)
    ['         USD', 'paid    9.00', 'cured  10.00']
    """
    columns = list(zip(headings, *rows, strict=True))
    right = [[cell.rjust(max(map(len, column))) for cell in column] for column in columns[texts:]]
    return aligned(zip(*columns[:texts], *right, strict=True))


def format_value(kpi: Mapping[str, Any]) -> str:
    """Return the value of an entry of metrics.json with its unit.

    Examples
    --------
    >>> format_value({"value": 1.3, "precision": 4, "unit": "%"})
    '1.30 %'
    >>> format_value({"value": 7275898.35, "precision": 2, "unit": "USD"})
    '7,275,898.35 USD'
    >>> format_value({"value": 500010, "precision": 2, "unit": "INR"})
    '₹ 5,00,010.00'
    >>> format_value({"value": None, "unit": "%"})
    'not computable'
    """
    value, unit = kpi["value"], kpi["unit"]
    if value is None:
        return "not computable"
    if unit in currencies.CODES:
        return currencies.amount(value, kpi["precision"], unit)
    return f"{currencies.number(value, shown_decimals(kpi))} {unit}"


def value_and_status(kpi: Mapping[str, Any]) -> str:
    """Return the value of an entry of metrics.json with its status, if it has limits."""
    value = format_value(kpi)
    return value if kpi["status"] in ("none", "not_computable") else f"{value} {kpi['status']}"


def late_days(name: str, kpi: Mapping[str, Any]) -> str:
    """Return the days past due from which a PAR counts: those of its id, or of the input's own buckets.

    Examples
    --------
    >>> late_days("PAR30", {}), late_days("PAR30", {"counted_from": 31})
    ('30', '31')
    """
    return str(kpi.get("counted_from", name.removeprefix("PAR")))


def par_name(name: str, kpi: Mapping[str, Any]) -> str:
    """Return the id of a KPI, of a PAR with the day from which the input's own buckets count.

    Examples
    --------
    >>> par_name("PAR30", {}), par_name("PAR30", {"counted_from": 31})
    ('PAR30', 'PAR30 (31+)')
    """
    return f"{name} ({kpi['counted_from']}+)" if "counted_from" in kpi else name


STATES = {
    "critical": "Critical",
    "incomplete": "Incomplete",
    "warning": "Warning",
    "ok": "OK",
    "none": "No limits set",
    "not_computable": "Not computable",
}
# what makes a report incomplete besides limits that were not checked
CAUSES = {
    "lost": "the input lacks what the former one had",
    "shrunk": "the book has far fewer rows than at the date before",
    "absent": "loans are rejected, gone without payment, or in doubt",
}


def causes(verdict: Mapping[str, Any]) -> list[str]:
    """Return what makes a report incomplete besides limits that were not checked.

    Parameters
    ----------
    verdict
        That of metrics.json, or its rows in the database.
    """
    return [words for key, words in CAUSES.items() if verdict.get(key)]


def acceptance(verdict: Mapping[str, Any] | None) -> str:
    """Return the settings that accept what an input lacks, as PARAMS takes them; "" where it lacks nothing.

    Examples
    --------
    >>> acceptance({"lost": None, "shrunk": True, "absent": {}})
    'calculation.max_rows_change_pct=0'
    """
    found = verdict or {}
    settings = ["calculation.max_rows_change_pct=0"] if found.get("lost") or found.get("shrunk") else []
    return ",".join([*settings, *(["calculation.max_absent_pct=100"] if found.get("absent") else [])])


def is_incomplete(verdict: Mapping[str, Any]) -> bool:
    """Return whether a limit was not checked, or the input lacks something."""
    return verdict["checked"] < verdict["limits"] or bool(causes(verdict))


def state(verdict: Mapping[str, Any]) -> str:
    """Return the state of a report in words, which every place uses.

    Examples
    --------
    >>> state({"state": "critical", "limits": 8, "checked": 3})
    'Critical, and incomplete'
    """
    if verdict["state"] == "critical" and is_incomplete(verdict):
        return "Critical, and incomplete"
    return STATES[verdict["state"]]


def completeness(verdict: Mapping[str, Any] | None) -> str:
    """Return the state of a report that is not complete; "" for other reports, and for those of earlier versions.

    Examples
    --------
    >>> completeness({"state": "incomplete", "limits": 8, "checked": 3})
    'Incomplete: 3 of 8 limits checked'
    >>> completeness({"state": "critical", "limits": 8, "checked": 8, "shrunk": True})
    'Critical, and incomplete: 8 of 8 limits checked, but the book has far fewer rows than at the date before'
    >>> completeness({"state": "warning", "limits": 8, "checked": 8})
    ''
    """
    return standing(verdict) if verdict and is_incomplete(verdict) else ""


def standing(verdict: Mapping[str, Any]) -> str:
    """Return the state of a report, how many of its limits were checked, what is missing, and what is past a limit.

    Examples
    --------
    >>> standing({"state": "warning", "limits": 8, "checked": 8, "past_limits": {"PAR30": "warning"}})
    'Warning: 8 of 8 limits checked; past a limit: PAR30 (warning)'
    """
    found = causes(verdict)
    reasons = f", but {' and '.join(found)}" if found else ""
    past = ", ".join(f"{name} ({level})" for name, level in verdict.get("past_limits", {}).items())
    told = f"{state(verdict)}: {verdict['checked']} of {verdict['limits']} limits checked{reasons}"
    return f"{told}; past a limit: {past}" if past else told


def partial(kpi: Mapping[str, Any]) -> str:
    """Return a remark for a figure of a month that is not over; "" for other figures.

    Parameters
    ----------
    kpi
        An entry of metrics.json, or its row in the database.

    Examples
    --------
    >>> partial({"value": 0.8343, "partial_through": "2025-12-10"})
    ', month to date, until 2025-12-10'
    """
    last = kpi.get("partial_through")  # reports of earlier versions have none
    return f", month to date, until {last}" if last and kpi["value"] is not None else ""


def finding(steps: Sequence[Mapping[str, Any]]) -> str:
    """Return a bridge in a sentence: the change of the PAR and its largest cause; empty without a bridge.

    Examples
    --------
    >>> day = {"date": "2025-02-28", "against": "2025-01-31", "kpi": "PAR30"}
    >>> points = {"opening": "3.50", "new arrears": "1.00", "paid": "-0.25", "closing": "4.25"}
    >>> finding([{**day, "term": term, "points": Decimal(value)} for term, value in points.items()])
    'PAR30 moved by +0.75 points, from 3.50 % on 2025-01-31 to 4.25 % on 2025-02-28; most by new arrears (+1.00).'
    """
    if not steps:
        return ""
    opening, *causes, closing = steps
    change, precision = closing["points"] - opening["points"], -closing["points"].as_tuple().exponent
    moved = signed(change, change_decimals({"precision": precision}, change))
    most = max(causes, key=lambda row: abs(row["points"] or 0))
    return (
        f"{closing['kpi']} moved by {moved} points, from {currencies.number(opening['points'], 2)} % on "
        f"{opening['against']} to {currencies.number(closing['points'], 2)} % on {closing['date']}; "
        f"most by {most['term']} ({signed(most['points'], 2)})."
    )
