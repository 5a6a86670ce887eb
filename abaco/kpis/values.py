"""KPI values of one date: from totals and definitions to published figures with a status."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

from abaco.core.dates import month_end, months_before
from abaco.core.decimals import rounded
from abaco.core.errors import NotComputableError
from abaco.core.reasons import Reason
from abaco.ingest.columns import BUCKETS
from abaco.ingest.lateness import DAYS, at_risk
from abaco.kpis.catalog import FUNCTIONS, OF_PUBLISHED, Definition
from abaco.kpis.measures import MEASURES
from abaco.kpis.totals import Measure, Totals

# what is late by the first day of each aging bucket, and more
FROM_BUCKET = ("total_receivable_usd", *map(at_risk, DAYS))


def status(value: Decimal | None, *, direction: str | None, thresholds: Mapping[str, float] | None) -> str:
    """Return how a value stands to its limits; exactly on a limit is not yet past it.

    Examples
    --------
    >>> limits = {"warning": 5, "critical": 8}
    >>> [status(Decimal(v), direction="lower", thresholds=limits) for v in ("5", "5.0001", "8", "8.1")]
    ['ok', 'warning', 'warning', 'critical']
    >>> status(None, direction="lower", thresholds=limits)
    'not_computable'
    """
    if value is None:
        return "not_computable"
    if thresholds is None:
        return "none"
    for name in ("critical", "warning"):
        if thresholds[name] is None:
            continue
        limit = Decimal(str(thresholds[name]))
        if (value > limit) if direction == "lower" else (value < limit):
            return name
    return "ok"


def evaluate(
    definitions: Mapping[str, Definition], total: Totals, date: dt.date, totals: Mapping[dt.date, Totals] | None = None
) -> dict[str, dict[str, Any]]:
    """Return every KPI of one date, by id.

    Parameters
    ----------
    total
        The date's measures (see `measures.measure`).
    totals
        The measures of every date, which the months of a window are taken from. Without them a window reaches no month
        but that of the date.

    Returns
    -------
    dict
        ``value`` (Decimal, or None with a `Reason`), ``exact``, the value before it was rounded, ``status``,
        ``numerator`` and ``denominator`` in their unit,
        and ``rows``, how many rows of the input have the values that it needs.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, kpi in definitions.items():
        entry = {"value": None, "exact": None, "reason": None, "numerator": None, "denominator": None}
        counts = [
            total.counts.get(name, 0)
            for part in (kpi.numerator, kpi.denominator, kpi.inputs)
            for name in resolved(total, part)[0]
        ]
        counts += [found[other]["rows"] for other in kpi.kpis]
        entry["rows"] = min(filter(None, counts), default=0)
        try:
            if kpi.window:
                entry |= _windowed(kpi, found[kpi.window.kpi], definitions, date, totals or {})
            else:
                entry |= _composite(kpi, found, total) if kpi.function else _quotient(kpi, total)
        except NotComputableError as error:
            entry["reason"] = Reason("on_date", reason=error.reason, date=date)
        entry["status"] = status(entry["value"], direction=kpi.direction, thresholds=kpi.thresholds)
        found[name] = entry
    return found


def known(total: Totals, measure: str) -> Decimal:
    """Return a measure of one date.

    Raises
    ------
    NotComputableError
        When the input does not give it.
    """
    if (amount := total.sums.get(measure)) is not None:
        return amount
    if reason := total.reasons.get(measure):
        raise NotComputableError(reason.code, **reason.values)
    raise NotComputableError("not_given", what=(MEASURES[measure].title,))


def resolved(total: Totals, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return which measures of one date to add up, and which to take away, for the sum of the named ones.

    Of aging buckets side by side the sum may be known though they are not: it is what is late by the first day of the
    first, less what is late by the first day after the last.
    """
    places = [i for i, bucket in enumerate(BUCKETS) if bucket in names]
    is_unknown = any(total.sums.get(BUCKETS[i]) is None for i in places) and FROM_BUCKET[1] in total.sums
    if not is_unknown or places[-1] - places[0] >= len(places):
        return list(names), []
    others = [name for name in names if name not in BUCKETS]
    return [*others, FROM_BUCKET[places[0]]], list(FROM_BUCKET[places[-1] + 1 : places[-1] + 2])


def summed(total: Totals, names: Sequence[str]) -> Decimal:
    """Return the sum of measures of one date (see `resolved`).

    Raises
    ------
    NotComputableError
        When the input does not give it.
    """
    more, less = resolved(total, names)
    return sum((known(total, n) for n in more), Decimal(0)) - sum((known(total, n) for n in less), Decimal(0))


def _quotient(kpi: Definition, total: Totals) -> dict[str, Any]:
    above, below = (summed(total, names) for names in (kpi.numerator, kpi.denominator))
    if not kpi.denominator:
        return _value(kpi, above * kpi.scale) | {"numerator": above}
    if below <= 0:
        titles = tuple(MEASURES[name].title for name in kpi.denominator)
        raise NotComputableError("nothing_to_divide_by", what=titles, sum=below)
    with localcontext(prec=50):
        return _value(kpi, above / below * kpi.scale) | {"numerator": above, "denominator": below}


def _value(kpi: Definition, exact: Decimal) -> dict[str, Decimal]:
    return {"value": rounded(exact, kpi.precision), "exact": exact}


def _composite(kpi: Definition, found: Mapping[str, dict[str, Any]], total: Totals) -> dict[str, Any]:
    for name in kpi.inputs:
        if name in found and found[name]["value"] is None:
            return {"reason": Reason("input_not_computable", kpi=name, reason=found[name]["reason"])}
    function = FUNCTIONS[kpi.function]
    kind = "value" if function in OF_PUBLISHED else "exact"
    arguments = (found[name][kind] if name in found else known(total, name) for name in kpi.inputs)
    return _value(kpi, function(*arguments))


def _windowed(
    kpi: Definition,
    now: Mapping[str, Any],
    definitions: Mapping[str, Definition],
    date: dt.date,
    totals: Mapping[dt.date, Totals],
) -> dict[str, Decimal]:
    """Return the mean or the sum of a KPI over the months up to a date, each at its last date."""
    name, months = kpi.window.kpi, kpi.window.months
    last = {month_end(day): day for day in sorted(totals) if day < date} | {month_end(date): date}
    exact = []
    for end in (months_before(date, back) for back in range(months)):
        if (day := last.get(end)) is None:
            raise NotComputableError("window_month_missing", kpi=name, months=months, month=f"{end:%Y-%m}")
        entry = now if day == date else evaluate(needed(definitions, name), totals[day], day, totals)[name]
        if entry["value"] is None:
            raise NotComputableError("window_month_unknown", kpi=name, months=months, reason=entry["reason"])
        exact.append(entry["exact"])
    with localcontext(prec=50):
        return _value(kpi, sum(exact) / (months if kpi.window.take == "mean" else 1))


def needed(definitions: Mapping[str, Definition], *names: str) -> dict[str, Definition]:
    """Return the definitions of KPIs with those that they are computed from, in the catalogue's order."""
    wanted = {other for name in names for other in (name, *_inner(definitions, name))}
    return {name: kpi for name, kpi in definitions.items() if name in wanted}


def _inner(definitions: Mapping[str, Definition], name: str) -> list[str]:
    """Return the KPIs that a KPI is computed from, and those that they are computed from."""
    return [inner for other in definitions[name].kpis for inner in (other, *_inner(definitions, other))]


def missing(definitions: Mapping[str, Definition], values: Mapping[str, dict[str, Any]], total: Totals) -> list[dict]:
    """Return what to add to the input so that a KPI that could not be computed can be."""
    wanted = {}
    has = {part for m, amount in total.sums.items() if amount is not None and m in MEASURES
           for part in MEASURES[m].parts or (MEASURES[m].add,)}  # fmt: skip
    for name in definitions:
        if values[name]["value"] is None:
            needed, _ = resolved(total, all_measures(definitions, name))
            lacking = [MEASURES[m] for m in needed if total.sums.get(m) is None]
            for add in dict.fromkeys(_without(measure, has) for measure in lacking):
                wanted[name, add] = {"kpi": name, "add": add}
    return list(wanted.values())


def _without(measure: Measure, has: Collection[str]) -> str:
    """Return what to add for a measure, without the parts that the input has."""
    parts = [part for part in measure.parts if part not in has]
    return ", and ".join(parts) if 0 < len(parts) < len(measure.parts) else measure.add


def all_measures(definitions: Mapping[str, Definition], name: str) -> list[str]:
    """Return the measures that a KPI is made of, those of the KPIs in it included."""
    return [measure for kpi in (name, *_inner(definitions, name)) for measure in definitions[kpi].measures]


def is_of_month(definitions: Mapping[str, Definition], name: str) -> bool:
    """Return whether a KPI adds up what happened since the month began, and is partial until the month is over."""
    return any(MEASURES[measure].of_month for measure in all_measures(definitions, name))


def inconsistent(definitions: Mapping[str, Definition], found: Mapping[str, dict[str, Any]]) -> list[str]:
    """Return the KPIs whose value does not lie within half a last digit of what their sums give."""
    wrong = []
    for name, entry in found.items():
        if entry["value"] is not None and entry["denominator"] is not None:
            exact = entry["numerator"] * definitions[name].scale
            half = Decimal(5).scaleb(-definitions[name].precision - 1) * entry["denominator"]
            if abs(entry["value"] * entry["denominator"] - exact) > half:
                wrong.append(name)
    return wrong
