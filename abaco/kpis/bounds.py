"""Between which values a KPI lies when part of the book was rejected."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from abaco.ingest.columns import BUCKETS
from abaco.ingest.lateness import DAYS, at_risk
from abaco.kpis.catalog import Definition
from abaco.kpis.totals import Totals
from abaco.kpis.values import evaluate

BOOK = ("total_receivable_usd", "total_eligible_usd")
# What the rejected balances may belong to: to no loan that is late, or all to one that is very late.
SOUND = (*BOOK, BUCKETS[0])
PAST_DUE = (*BOOK, BUCKETS[-1], *map(at_risk, DAYS), "par_1_usd", "npl_usd")
LATE = (*PAST_DUE, "top_borrower_usd", "top_10_borrowers_usd")

# What an unknown balance may come to: beside it every book is nothing.
PAR30 = "PAR30"
UNBOUNDED_USD = Decimal(10) ** 24


def bounds(
    definitions: Mapping[str, Definition], totals: Mapping[dt.date, Totals], date: dt.date, rejected: Mapping[str, Any]
) -> dict[str, dict[str, Decimal]]:
    """Return the lowest and highest value of each KPI that the rejected balances could move past a limit.

    Parameters
    ----------
    totals
        Measures by date, of the accepted rows.
    rejected
        ``rejected_usd``, the balances of rejected rows of the date, also as text; and ``rejected_unknown``, how many of
        them have a balance that cannot be read: it may be larger than all others.

    Returns
    -------
    dict
        ``low`` and ``high`` by KPI; none where the status is the same wherever the balances belong.
    """
    rejected_usd = UNBOUNDED_USD if rejected["rejected_unknown"] else Decimal(rejected["rejected_usd"])
    if not rejected_usd:
        return {}
    cases = [totals[date], *(_with(totals[date], measures, rejected_usd) for measures in (SOUND, LATE))]
    values = [evaluate(definitions, case, date, totals) for case in cases]
    found = {}
    for name in definitions:
        entries = [value[name] for value in values if value[name]["value"] is not None]
        if len({entry["status"] for entry in entries}) > 1:
            figures = [entry["value"] for entry in entries]
            found[name] = {"low": min(figures), "high": max(figures)}
    return found


def is_past_limit(
    definitions: Mapping[str, Definition], totals: Mapping[dt.date, Totals], date: dt.date, late_usd: Decimal
) -> bool:
    """Return whether a KPI would pass one of its limits if the book held so much more that is very late."""
    cases = (totals[date], _with(totals[date], PAST_DUE, late_usd))
    now, then = (evaluate(definitions, case, date, totals) for case in cases)
    return any(now[name]["status"] != then[name]["status"] for name in definitions)


def if_late(
    definitions: Mapping[str, Definition],
    totals: Mapping[dt.date, Totals],
    date: dt.date,
    usd: Decimal,
    added_usd: Decimal = Decimal(0),
) -> tuple[dict[str, Decimal], bool]:
    """Return ``low`` and ``high`` of PAR30, and whether a KPI passes a limit, if so much more of the book is late.

    Parameters
    ----------
    added_usd
        What the book may hold besides, late or not; below 0: what may not be part of it, of which `usd` is not late.
    """
    late = _with(_with(totals[date], PAST_DUE, usd + added_usd), SOUND, -usd)
    cases = (totals[date], _with(totals[date], SOUND, max(added_usd, Decimal(0))), late)
    now, *ends = (evaluate(definitions, case, date, totals) for case in cases)
    par = {entries[PAR30]["value"] for entries in ends if PAR30 in entries}
    is_past = any(now[name]["status"] != end[name]["status"] for end in ends for name in definitions)
    return ({"low": min(par), "high": max(par)} if par and None not in par else {}), is_past


def _with(total: Totals, measures: tuple[str, ...], usd: Decimal) -> Totals:
    known = {name: total.sums[name] + usd for name in measures if total.sums.get(name) is not None}
    return replace(total, sums={**total.sums, **known})
