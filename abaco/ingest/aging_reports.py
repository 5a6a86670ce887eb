"""Aging reports: tables with a column of amounts for each bucket of days late, or for what is so many days late."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from abaco.ingest.bucket_words import first_days
from abaco.ingest.columns import DAYS_PAST_DUE, normalise
from abaco.ingest.heading_words import Dictionary
from abaco.ingest.lateness import GIVEN, par_balance
from abaco.ingest.proposals import Proposal, Proposals
from abaco.ingest.value_evidence import Evidence
from abaco.ingest.value_kinds import BLANK, NUMBER

TOTALS = (
    "total", "total_due", "total_balance", "total_outstanding", "outstanding", "outstanding_balance", "balance",
    "saldo", "saldo_total",
)  # fmt: skip
PAR = re.compile(
    r"(?i)\W*(?:par|portfolio at risk|cartera en riesgo)[^\w>]*(?P<more>>(?!=)|over|more than|m[aá]s de)?"
    r"(?:>=)?\s*(?P<days>\d{1,2})\W*(?:days?|d[ií]as?)?\W*(?:balance|amount|saldo)?\W*"
)
MIN_BUCKETS = 2


def of_aging(found: Sequence[Evidence], words: Dictionary, balance: Proposal | None = None) -> dict[str, Proposal]:
    """Return what the buckets of an aging report propose, which has a column of amounts for each: sums of them.

    Where a total is not their sum, or none of them is of what is not late and no balance is more than they are, they
    are not all of the balance, and nothing is proposed.
    """
    amounts = [one for one in found if (one.kind == NUMBER and one.is_pure) or one.kind == BLANK]
    first = first_days([one.heading for one in amounts], words)
    late = {*first.values()} - {0}
    buckets = [one for one in amounts if one.heading in first]
    blank = {"words": {"": "0"}} if any(one.filled < one.rows for one in buckets) else {}
    sums = [0 if one.kind == BLANK else one.total for one in buckets]
    if len(late) < MIN_BUCKETS or None in sums:
        return {}
    if 0 not in first.values():
        more = next(
            (one for one in found if balance and one.heading == balance.heading and one.total is not None), None
        )
        return _of_buckets(first, balance, blank) if more and more.total >= sum(sums) else {}
    whole = next((one for one in found if normalise(one.heading) in TOTALS and one.total is not None), None)
    if whole and whole.total != sum(sums):
        return {}  # a bucket is not among them
    why = "all buckets; a blank one is 0" if blank else "all buckets"
    return _of_buckets(first, Proposal(_sum_of([*first]) | blank, why), blank)


def _of_buckets(first: Mapping[str, int], balance: Proposal, blank: Mapping[str, Any]) -> dict[str, Proposal]:
    """Return what a balance and buckets of it propose, of which the first days are known, and what a blank one is."""
    columns = {"outstanding_balance_usd": balance}
    for day in sorted({*first.values()} & {*GIVEN}):
        from_day = [heading for heading in first if first[heading] >= day]
        columns[par_balance(day)] = Proposal(_sum_of(from_day) | blank, f"buckets from day {day} on")
    return columns


def of_par(proposed: Proposals) -> dict[str, Proposal]:
    """Return what a balance proposes, and columns of what of it is so many days late or more, such as ``PAR 30+``.

    Nothing is proposed where a column has days past due.
    """
    balance, columns = proposed.columns.get("outstanding_balance"), {}
    if balance is None or DAYS_PAST_DUE.name in {*proposed.columns, *proposed.open}:
        return {}
    for heading, one in proposed.known.items():
        if (said := PAR.fullmatch(heading)) and one.kind == NUMBER and one.is_pure and one.high is not None:
            day = int(said["days"]) + bool(said["more"])
            if day in GIVEN and one.high > 1 and not one.is_percent:  # an amount, and no share
                columns[par_balance(day)] = Proposal({"heading": heading}, f"{one.told()}; {day} or more days late")
    return {"outstanding_balance_usd": balance, **columns} if columns else {}


def _sum_of(headings: Sequence[str]) -> dict[str, Any]:
    """Return where a sum of headings comes from, as a mapping writes it."""
    return {"compute": " + ".join(f"[{heading}]" for heading in headings)}
