"""metrics.json: the figures of a report and nothing else, the same bytes for the same input."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from abaco.core import currencies
from abaco.core.reason_words import HEADLINES
from abaco.core.reasons import Reason
from abaco.ingest import sample_mark
from abaco.ingest.lateness import OWN_BUCKETS
from abaco.kpis.bridge import first_day
from abaco.kpis.buckets import COUNTED_FROM
from abaco.kpis.catalog import Definition
from abaco.kpis.history import ranked
from abaco.kpis.totals import Totals
from abaco.kpis.values import evaluate, is_of_month


def number(value: Decimal | None) -> float | int | None:
    """Return a published figure as a JSON number."""
    return None if value is None else float(value)


def text(amount: Decimal | None) -> str | None:
    """Return an amount in USD as exact text."""
    return None if amount is None else str(amount)


def kpi_entries(
    definitions: Mapping[str, Definition],
    now: Mapping[str, dict],
    before: tuple[dt.date, Mapping[str, dict]] | None,
    partial_through: dt.date | None = None,
    uncompared: Collection[str] = (),
    bounds: Mapping[str, Mapping[str, Decimal]] | None = None,
    counted_from: Mapping[int, int] = COUNTED_FROM,
) -> dict[str, dict[str, Any]]:
    """Return the ``kpis`` of metrics.json.

    Parameters
    ----------
    now
        Values of the date (see `values.evaluate`).
    before
        The previous date in the input and its values, or None when there is none.
    partial_through
        The day up to which the date's month is known, or None when the month is whole.
    uncompared
        KPIs whose change is left out (see `history.uncompared`).
    bounds
        Lowest and highest value of KPIs that rejected balances could move past a limit (see `bounds.bounds`).
    counted_from
        The day from which on the input counts each limit of days past due; another one than the limit is in
        ``counted_from`` of a PAR, in its title and in its note.
    """

    entries = {}
    for name, kpi in definitions.items():
        entry = now[name]
        former = before[1][name]["value"] if before else None
        known = entry["value"] is not None and former is not None
        of_month, unit = is_of_month(definitions, name), currencies.in_current(kpi.unit)
        entries[name] = {
            "title": kpi.title,
            "group": kpi.group,
            "value": number(entry["value"]),
            "unit": unit,
            "direction": kpi.direction,
            "status": entry["status"],
            "reason": entry["reason"] and str(entry["reason"]),
            "numerator": text(entry["numerator"]),
            "denominator": text(entry["denominator"]),
            "rows": entry["rows"],
            "previous": {"date": str(before[0]), "value": number(former)} if before else None,
            "change": number(entry["value"] - former) if known and name not in uncompared else None,
            "partial_through": str(partial_through) if partial_through and of_month else None,
            "bounds": {side: number(value) for side, value in bounds[name].items()} if name in (bounds or {}) else None,
            "thresholds": kpi.thresholds,
            "decides": kpi.decides,
            "formula": kpi.shown_formula,
            "precision": min(kpi.precision, currencies.decimals(unit)) if unit in currencies.CODES else kpi.precision,
            "owner": kpi.owner,
            "note": kpi.note,
            "convention": kpi.convention,
            **({"window": kpi.window.model_dump()} if kpi.window else {}),
        } | _counted(kpi, counted_from)
    return entries


def _counted(kpi: Definition, counted_from: Mapping[int, int]) -> dict[str, Any]:
    """Return what to say of a PAR whose days the input counts from another day than it is named by."""
    days = first_day(kpi)
    if days is None or counted_from[days] == days:
        return {}
    texts = {"title": (f"{days} days", "{} days"), "note": (f"{days} or more days", "{} or more days")}
    changed = {k: getattr(kpi, k).replace(old, new.format(counted_from[days])) for k, (old, new) in texts.items()}
    return changed | {"convention": OWN_BUCKETS, "counted_from": counted_from[days]}


def book(total: Totals) -> dict[str, Any]:
    """Return the size of the book: USD outstanding, loans with a balance (None without loan ids), rows."""
    loans = total.sums.get("active_loans")
    return {
        "outstanding": text(total.sums["total_receivable_usd"]),
        "loans_with_balance": None if loans is None else int(loans),
        "rows": total.rows,
    }


def previous(
    definitions: Mapping[str, Definition], totals: Mapping[dt.date, Totals], date: dt.date
) -> tuple[dt.date, dict[str, dict]] | None:
    """Return the nearest earlier date in the input with its values, or None when there is none."""

    earlier = max((d for d in totals if d < date), default=None)
    return None if earlier is None else (earlier, evaluate(definitions, totals[earlier], earlier, totals))


def assemble(
    *,
    plan: dict,
    ingested: dict,
    transformed: dict,
    kpis: dict,
    values: Mapping[str, dict],
    verdict: dict,
    book: dict,
    aging: list,
    anomalies: list,
    missing: list,
    notes: Collection[Reason] = (),
    facilities: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return the content of metrics.json.

    Parameters
    ----------
    plan, ingested, transformed
        What the pipeline, ingestion and transformation handed over.
    kpis, verdict, book, aging, anomalies, missing
        Figures of the date, see the functions of this package that make them.
    values
        Values of the date (see `values.evaluate`), whose reasons are kept as codes too.
    notes
        What a reader should know besides.
    facilities
        How each facility stands (see `facilities.standing.standings`); without any there is no part of that name.
    """
    rejects = [(Reason.from_dict(reason), rows) for reason, rows in ingested["quality"]["rejects"]]
    rejects.sort(key=lambda reject: str(reject[0]))
    notes = [*map(Reason.from_dict, ingested["quality"]["notes"]), *notes]
    told = {
        key: one | {"verdict": [str(reason) for reason in one["verdict"]]} for key, one in (facilities or {}).items()
    }
    codes = {key: [reason.as_dict() for reason in one["verdict"]] for key, one in (facilities or {}).items()}
    quality = {**ingested["quality"], "rejects": {str(reason): rows for reason, rows in rejects}}
    return {
        "schema_version": 1,
        "date": ingested["date"],
        "as_of": ingested["as_of"],
        "currency": ingested["currency"],
        **({"exchange_rates": rates} if (rates := ingested.get("exchange_rates")) else {}),
        "run_id": plan["run_id"],
        "verdict": verdict | {"findings": [str(finding) for finding in verdict["findings"]]},
        "kpis": kpis,
        **({"facilities": told} if told else {}),
        "book": book,
        "aging": [{**row, "amount": text(row["amount"]), "share": number(row["share"])} for row in aging],
        "anomalies": [
            {**a, **{k: number(a[k]) for k in ("previous", "value", "change_pct")}} for a in ranked(anomalies, kpis)
        ],
        "reconciliation": ingested["reconciliation"],
        "quality": {
            **quality,
            **transformed,
            "notes": [str(note) for note in notes if note.code not in HEADLINES],
            "headlines": [str(note) for note in notes if note.code in HEADLINES],
        },
        "missing": missing,
        "inputs": ingested["inputs"],
        "synthetic": sample_mark.is_sample(ingested["inputs"]),
        "reason_codes": {
            "verdict": [finding.as_dict() for finding in verdict["findings"]],
            "kpis": {name: kpi["reason"].as_dict() for name, kpi in values.items() if kpi["reason"]},
            "rejects": [{"reason": reason.as_dict(), "rows": rows} for reason, rows in rejects],
            "notes": [note.as_dict() for note in notes],
            **({"facilities": codes} if codes else {}),
        },
    }
