"""How each facility stands on the report's date: what may be drawn, its covenants, and the one text that says so."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from abaco.core.precision import covenant_decimals
from abaco.core.reasons import Reason
from abaco.kpis.facilities.borrowing_base import Base
from abaco.kpis.facilities.covenant import CURING, DEFAULT, LIMITS, OK, TERMS, TRIGGER, UNKNOWN, WARNING
from abaco.kpis.facilities.lines import NOTHING

# How severe the level of a covenant is for the report. Its cure period has not ended a default: until then it warns.
STATUS = {
    DEFAULT: "critical",
    UNKNOWN: "incomplete",
    CURING: "warning",
    TRIGGER: "warning",
    WARNING: "warning",
    OK: "ok",
}
SEVEREST = ("critical", "incomplete", "warning", "ok")
PAST = {
    DEFAULT: "covenant_default",
    CURING: "covenant_curing",
    TRIGGER: "covenant_trigger",
    WARNING: "covenant_warning",
}
NEXT = {TRIGGER: "trigger_next", DEFAULT: "default_next"}
NUMBERS = ("value", "warning_at", "trigger_at", "default_at", "headroom_points", "headroom_months")
TOTALS = ("pool", "net_eligible", "borrowing_base", "drawn", "availability")


def standings(
    bases: Iterable[Base], covenants: Iterable[Mapping[str, Any]], date: dt.date
) -> dict[str, dict[str, Any]]:
    """Return the ``facilities`` of metrics.json: those that are open on a date, by key.

    Parameters
    ----------
    covenants
        See `covenants.covenants`.

    Returns
    -------
    dict
        ``status``, critical, incomplete, warning or ok; ``verdict``, a list of `Reason`; ``title``, ``lender`` and
        ``commitment``; the lines `TOTALS` of the borrowing base, as text; and ``covenants`` by their key.
    """
    of_date: dict[str, list[Mapping[str, Any]]] = {}
    for row in covenants:
        if row["date"] == date:
            of_date.setdefault(row["facility"], []).append(row)
    return {base.key: _standing(base, of_date.get(base.key, []), date) for base in bases if date in base.lines}


def statuses(standings: Mapping[str, Mapping[str, Any]], facilities: Iterable[str]) -> dict[str, str]:
    """Return the status of each facility; one that does not run on the date is ok.

    Examples
    --------
    >>> statuses({"SENIOR": {"status": "warning"}}, ["SENIOR", "ENDED"])
    {'SENIOR': 'warning', 'ENDED': 'ok'}
    """
    return {key: standings[key]["status"] if key in standings else "ok" for key in facilities}


def _standing(base: Base, covenants: list[Mapping[str, Any]], date: dt.date) -> dict[str, Any]:
    lines = {line["kind"]: line["amount_usd"] for line in base.lines[date] if line["kind"] in TOTALS}
    available, owed = lines["availability"], _owed_back(lines)
    statuses = [STATUS[row["level"]] for row in covenants]
    statuses.append("incomplete" if available is None else "critical" if owed else "ok")
    return {
        "title": base.facility.title,
        "lender": base.facility.lender,
        "commitment": str(base.facility.commitment),
        "status": min(statuses, key=SEVEREST.index),
        "verdict": [_available(base.facility.title, available, owed), *_covenants(covenants)],
        **{kind: None if lines[kind] is None else str(lines[kind]) for kind in TOTALS},
        "covenants": {row["covenant"]: _entry(row) for row in covenants},
    }


def _owed_back(lines: Mapping[str, Decimal | None]) -> Decimal:
    """Return what is drawn above the borrowing base: where reserves are more than the advances, all that is drawn."""
    available = lines["availability"]
    return NOTHING if available is None else min(max(-available, NOTHING), lines["drawn"])


def _available(title: str, available: Decimal | None, owed: Decimal) -> Reason:
    if available is None:
        return Reason("facility_unknown", facility=title)
    if owed:
        return Reason("facility_deficient", facility=title, usd=owed)
    return Reason("facility_available", facility=title, usd=max(available, NOTHING))


def _covenants(rows: list[Mapping[str, Any]]) -> Iterator[Reason]:
    """Yield what to say of covenants: those that are past a level or unknown, the most severe first, or the closest."""
    levels = list(STATUS)
    for row in sorted(rows, key=lambda row: levels.index(row["level"])):
        if row["level"] == UNKNOWN:
            yield Reason("covenant_unknown", covenant=row["covenant"], reason=row["reason"])
        elif row["level"] != OK:
            limit = row[f"{DEFAULT if row['level'] == CURING else row['level']}_at"]
            more = {"last": row["cure_until"]} if row["level"] == CURING else {}
            yield Reason(PAST[row["level"]], covenant=row["covenant"], **_figures(row, limit), **more)
            yield from _next(row)
    if rows and all(row["level"] == OK for row in rows):
        closest = min(rows, key=lambda row: row["headroom_points"] / (abs(row[f"{row['headroom_to']}_at"]) or 1))
        level = closest["headroom_to"]
        figures = _figures(closest, closest[f"{level}_at"])
        yield Reason("covenants_hold", covenant=closest["covenant"], level=level, **figures)


def _next(row: Mapping[str, Any]) -> Iterator[Reason]:
    """Yield the level that comes after the one that a covenant is past, if there is one."""
    beyond = LIMITS[LIMITS.index(row["level"]) + 1 :] if row["level"] in LIMITS else ()
    for level in [name for name in beyond if row[f"{name}_at"] is not None][:1]:
        limit = _figures(row, row[f"{level}_at"])["limit"]
        yield Reason(NEXT[level], covenant=row["covenant"], limit=limit)


def _figures(row: Mapping[str, Any], limit: Decimal) -> dict[str, str]:
    """Return a value and its limit with their unit."""
    decimals, _ = covenant_decimals(row)
    return {
        "value": f"{row['value']:,.{decimals}f} {row['unit']}", "limit": f"{limit.normalize():,f} {row['unit']}"
    }  # fmt: skip


def _entry(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a covenant as metrics.json has it: figures as numbers, amounts as text, dates in ISO form."""
    plain = {key: row.get(key) for key in (*TERMS, "cohort", "unit", "precision", "better", "level", "headroom_to")}
    plain |= {key: None if row.get(key) is None else float(row[key]) for key in NUMBERS}
    plain |= {key: row.get(key) and str(row[key]) for key in ("past_since", "cure_until")}
    usd, reason = row.get("headroom_usd"), row["reason"]
    return plain | {"headroom_usd": None if usd is None else str(usd), "reason": reason and reason.as_dict()}
