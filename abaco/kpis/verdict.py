"""The verdict of a report: its state, and how complete the figures are that it rests on.

The states, the most severe first:

    critical        a figure is past its critical limit, or was in the former report and cannot be checked any more
    incomplete      a limit could not be checked, the input holds less than that of the former report, or nobody knows
                    what became of loans that the date before has, or whether loans are late
    warning         a figure is past its warning limit
    ok              every limit was checked, and none is passed
    none            no figure has limits
    not_computable  there is no figure

Incomplete is more severe than a warning because a limit that was not checked may be passed by any amount, even
critically. If it were milder, a report would look better after the file with the bad figure was removed. A figure known
to be critical stays above it, as that needs attention at once; the number of checked limits stands beside every state.
A figure that does not decide is checked and named like all others, but makes no state critical or a warning.
A facility counts like a figure: a deficiency and a covenant past its default level are critical.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any

from abaco.core.reasons import Reason
from abaco.ingest.discovery import LOANS_NOT_USED
from abaco.ingest.findings import ENDED_WITH_BALANCE, LATE_WITHOUT_DAYS
from abaco.ingest.matching import UNPAID_FILES
from abaco.ingest.precedence import BESIDE, DIFFERENT
from abaco.kpis.absences import APART, GONE, REJECTED, VANISHED, VANISHED_EARLY, unexplained
from abaco.kpis.book import Book
from abaco.kpis.bounds import if_late, is_past_limit
from abaco.kpis.catalog import Definition
from abaco.kpis.movement import LATE
from abaco.kpis.totals import Totals
from abaco.kpis.transitions import LATENESS, Transition, book_transitions

EARLIER, DOUBTFUL, ELSEWHERE, ENDED = "earlier dates", "late without days", "in another export", "ended"
UNUSED, UNPAID = "not used", "without payments"
# kind of what an input lost → its reason
LOST = {
    "file": "file_lost", "column": "column_lost", "emptied": "column_emptied", "rows": "rows_changed",
    "bytes": "bytes_changed", "facility": "facilities_lost",
}  # fmt: skip
ABSENT = {
    REJECTED: "loans_rejected", GONE: "loans_gone", VANISHED: "loans_vanished", APART: "loans_apart",
    VANISHED_EARLY: "loans_vanished_early", EARLIER: "earlier_dates_rejected", DOUBTFUL: "lateness_in_doubt",
    ELSEWHERE: "balances_elsewhere", ENDED: "balances_in_doubt", UNUSED: "loans_unused",
    UNPAID: UNPAID_FILES,
}  # fmt: skip
# code of a note → what the files or dates that it names are
NAMED = {ABSENT[EARLIER]: EARLIER, LOANS_NOT_USED: UNUSED, UNPAID_FILES: UNPAID}
# code of a note → what it puts in doubt
DOUBTS = {LATE_WITHOUT_DAYS: DOUBTFUL, BESIDE: ELSEWHERE, DIFFERENT: ELSEWHERE, ENDED_WITH_BALANCE: ENDED}
STATES = ("critical", "incomplete", "warning", "ok", "none", "not_computable")


def verdict(
    kpis: Mapping[str, Mapping[str, Any]],
    lost: Mapping[str, Any] | None = None,
    shrunk: Mapping[str, Any] | None = None,
    absent: Mapping[str, Mapping[str, Any]] | None = None,
    facilities: Mapping[str, str] | None = None,
    had: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the ``verdict`` of metrics.json.

    Parameters
    ----------
    kpis
        The ``kpis`` of metrics.json.
    lost
        What the former report's input held and this one's does not (see `abaco.run.contents`).
    shrunk
        The rows of the book where they are far fewer than at the date before (see `shrunk`).
    absent
        Loans that are rejected or gone without payment, where they hold too much (see `absent`).
    facilities
        The statuses of facilities by key: critical, incomplete, warning or ok.
    had
        What the former report had, with the statuses of its facilities (see `abaco.run.contents`).

    Returns
    -------
    dict
        ``state``; ``limits`` and ``checked``, the number of KPIs with limits and of those with a value; ``unchecked``,
        the ids of the others; ``critical`` and ``warning``, the ids past that limit; ``was_critical``, the ids of
        ``unchecked`` that were critical in the former report; ``lost``, with facilities that are none now, ``shrunk``
        and ``absent``; and ``findings``, a `Reason` for each thing that is missing.

    Examples
    --------
    >>> par = {"title": "PAR 30", "thresholds": {"warning": 5, "critical": 8}, "decides": True}
    >>> verdict({"PAR30": {**par, "status": "ok"}})["state"]
    'ok'
    >>> verdict({"PAR30": {**par, "status": "not_computable"}})["state"]
    'incomplete'
    """
    limited = {name: kpi["status"] for name, kpi in kpis.items() if kpi["thresholds"]}
    past = {level: [name for name, status in limited.items() if status == level] for level in ("critical", "warning")}
    unchecked = [name for name, status in limited.items() if status == "not_computable"]
    deciding = {level: any(kpis[name]["decides"] for name in names) for level, names in past.items()}
    was_critical = [name for name in unchecked if lost and name in lost["critical"] and kpis[name]["decides"]]
    standing, before = facilities or {}, (had or {}).get("facilities") or {}
    if had and (gone := [key for key in before if key not in standing]):
        known = lost or {"date": had["date"], "run_id": had["run_id"], "items": [], "critical": []}
        lost = {**known, "items": [*known["items"], {"kind": "facility", "names": gone}]}
    unknown = [key for key in before if before[key] == "critical" and standing.get(key, "incomplete") == "incomplete"]
    if deciding["critical"] or was_critical or unknown or "critical" in standing.values():
        state = "critical"
    elif unchecked or lost or shrunk or absent or "incomplete" in standing.values():
        state = "incomplete"
    elif deciding["warning"] or "warning" in standing.values():
        state = "warning"
    elif limited:
        state = "ok"
    else:
        state = "none" if any(kpi["status"] == "none" for kpi in kpis.values()) else "not_computable"
    return {
        "state": state, "limits": len(limited), "checked": len(limited) - len(unchecked), "unchecked": unchecked,
        **past, "was_critical": was_critical, "lost": lost, "shrunk": shrunk, "absent": absent,
        "findings": [*_findings(kpis, unchecked, was_critical, lost, shrunk, unknown), *reasons(absent)],
    }  # fmt: skip


def with_emptied(
    lost: Mapping[str, Any] | None,
    had: Mapping[str, Any] | None,
    present: Mapping[str, Collection[str]],
    files: Mapping[str, Collection[str]],
) -> Mapping[str, Any] | None:
    """Return what an input lost, and its files and columns that had values in the former report and have none now.

    Parameters
    ----------
    lost, had
        What the former report's input held (see `abaco.run.contents`).
    present
        The columns that have values, by title of the format.
    files
        The files whose rows are used, likewise (see `used_files.with_rows`).

    Examples
    --------
    >>> had = {"date": "2025-11-30", "run_id": "…", "columns": {"loans": {"product": "Producto", "region": "Zona"}},
    ...        "files": {"loans": ["north.csv", "south.csv"]}}
    >>> [item["names"] for item in with_emptied(None, had, {"loans": ["region"]}, {"loans": ["north.csv"]})["items"]]
    [['south.csv'], ['Producto']]
    """
    if had is None:
        return lost
    said = {name for item in (lost["items"] if lost else ()) for name in item.get("names", ())}
    missed = {item["format"] for item in (lost["items"] if lost else ()) if item["kind"] == "file"}
    found = [
        {"kind": "file", "format": title, "names": [name for name in names if name not in files.get(title, ())]}
        for title, names in had["files"].items()
        if title not in missed and len(files.get(title, ())) < len(names)
    ]
    for title, columns in had["columns"].items():
        names = [heading for name, heading in columns.items() if name not in present.get(title, (name,))]
        if names := [heading for heading in names if heading not in said]:
            found.append({"kind": "emptied", "format": title, "names": names})
    known = lost or {"date": had["date"], "run_id": had["run_id"], "items": [], "critical": []}
    return {**known, "items": [*known["items"], *found]} if found else lost


def _findings(
    kpis: Mapping, unchecked: list[str], was_critical: list[str], lost: Mapping | None, shrunk: Mapping | None,
    facilities: list[str],
) -> Iterator[Reason]:  # fmt: skip
    if facilities:
        yield Reason("facilities_critical_before", names=tuple(facilities))
    if was_critical:
        yield Reason("critical_before", titles=_titles(kpis, was_critical), date=lost["date"])
    for item in lost["items"] if lost else ():
        values = {key: tuple(value) if key == "names" else value for key, value in item.items() if key != "kind"}
        yield Reason(LOST[item["kind"]], **values, date=lost["date"])
    if shrunk:
        yield Reason("book_shrunk", **shrunk)
    if unchecked:
        yield Reason("limits_not_checked", titles=_titles(kpis, unchecked))


def _titles(kpis: Mapping, names: list[str]) -> tuple[str, ...]:
    return tuple(kpis[name]["title"] for name in names)


def shrunk(rows: int, before: int, *, max_rows_change_pct: float) -> dict[str, int] | None:
    """Return the rows of the book at the date before and now, if they fell by more than the limit; 0: no limit.

    A book that grows does not suggest missing rows.

    Examples
    --------
    >>> shrunk(69, 100, max_rows_change_pct=30), shrunk(70, 100, max_rows_change_pct=30)
    ({'before': 100, 'now': 69}, None)
    """
    fell = max_rows_change_pct and (before - rows) * 100 > before * max_rows_change_pct
    return {"before": before, "now": rows} if fell else None


def absent(
    book: Book,
    definitions: Mapping[str, Definition],
    totals: Mapping[dt.date, Totals],
    *,
    max_absent_pct: float,
    notes: Collection[Mapping[str, Any]] = (),
) -> tuple[dict[str, dict[str, Any]], bool]:
    """Return the loans of the date before that are rejected now, or gone without payment, and whether they matter.

    Parameters
    ----------
    definitions, totals
        The catalog, and the measures by date.
    max_absent_pct
        Per cent of the balances of the date before, or of those 30 or more days late, that they may hold.
    notes
        What is known of the input, as JSON holds it: earlier dates of which more was rejected than may be (see
        `rejections.of_earlier_dates`), balances that are late but for their days past due (see `findings.notes`),
        those that another export has, or says are late (see `precedence.compare_loans`), tables of loans that could
        not be read (see `roles.notes`), and files whose loans no payment knows (see `matching.note_unpaid_files`).

    Returns
    -------
    dict
        By `REJECTED`, `GONE`, `VANISHED`, `VANISHED_EARLY` and `APART`, where there are any: ``loans``; ``usd``, what
        they owed at the date before, and ``late_usd``, the part of it that was 30 or more days late (of
        `VANISHED_EARLY` fewer), as text; and that ``date``. By `EARLIER`, the ``names`` of such dates, and by `UNUSED`
        and `UNPAID` those of such tables and files; by `DOUBTFUL`, `ELSEWHERE` and `ENDED`, ``usd``, and ``low`` and
        ``high`` of PAR30, of the last one only where they differ.
    bool
        Whether they held more than the limit, or, where no payments were seen, could move a KPI past one of its own.
    """
    moved = book.cached(book_transitions).get((book.date, *book.dates[-2:-1]), [])
    found = {}
    for cause in (REJECTED, GONE):
        lacking = [one for one in moved if one.closing == cause and one.opening in LATENESS]
        if loans := sum(one.loans for one in lacking):
            usd, late = (str(_owed(lacking, states)) for states in (LATENESS, LATE))
            found[cause] = {"loans": loans, "date": str(book.dates[-2]), "usd": usd, "late_usd": late}
    lacking, limit = [one for one in moved if one.closing in found], Decimal(str(max_absent_pct))
    matters = any(100 * _owed(lacking, states) > limit * _owed(moved, states) for states in (LATENESS, LATE))
    seen_no_more = unexplained(book)
    if limit < 100 and not matters:
        vanished = [seen_no_more[cause] for cause in (VANISHED, VANISHED_EARLY) if cause in seen_no_more]
        late = sum((Decimal(one["late_usd"]) for one in vanished), Decimal(0))
        matters = APART in seen_no_more or bool(vanished and is_past_limit(definitions, totals, book.date, late))
    named: dict[str, list[str]] = {}
    doubts: dict[str, list[tuple[Decimal, Decimal]]] = {}
    for note in notes:
        if cause := NAMED.get(note["code"]):
            named.setdefault(cause, []).extend(note.get("names") or [note["name"]])
        elif cause := DOUBTS.get(note["code"]):
            late_usd = note["usd" if cause == DOUBTFUL else "late_usd"]
            doubts.setdefault(cause, []).append((Decimal(late_usd), Decimal(note.get("added_usd", 0))))
    found |= {cause: {"names": tuple(names)} for cause, names in named.items()}
    matters = matters or bool(named and limit < 100)
    for cause, sums in doubts.items():
        late_usd, added_usd = map(sum, zip(*sums, strict=True))
        usd, owed = max(late_usd + added_usd, -added_usd), totals[book.date].sums["total_receivable_usd"]
        ends, is_past = if_late(definitions, totals, book.date, late_usd, added_usd)
        if cause == ENDED and ends and ends["low"] == ends["high"]:
            ends = {}
        if (ends or cause == ENDED) and limit < 100 and (is_past or 100 * usd > limit * owed):
            found, matters = found | {cause: {"usd": str(usd)} | {k: str(v) for k, v in ends.items()}}, True
    return found | seen_no_more, matters


def reasons(found: Mapping[str, Mapping[str, Any]] | None) -> list[Reason]:
    """Return what to say of absent loans (see `absent`)."""
    told = [
        (ABSENT[cause] if cause != ENDED or "low" in values else "owed_in_doubt", values)
        for cause, values in (found or {}).items()
    ]
    return [Reason(code, **values) for code, values in told]


def _owed(transitions: Collection[Transition], states: Collection[str]) -> Decimal:
    return sum((one.usd["opening"] for one in transitions if one.opening in states), Decimal("0.00"))
