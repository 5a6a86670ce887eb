"""Caveats of a report, for terminals."""

from collections.abc import Mapping
from typing import Any

from abaco.core import text
from abaco.ingest import sample_mark

ACCEPT = "If that is right, make the report with PARAMS=calculation.max_rows_change_pct=0."


def caveats(figures: Mapping[str, Any]) -> list[str]:
    """Return sentences about figures that are incomplete, synthetic, of a doubtful input, or not of the report's date.

    Parameters
    ----------
    figures
        The content of metrics.json.
    """
    date, as_of, later = figures["date"], figures["as_of"], figures["reconciliation"]["later"]
    # reports of earlier versions lack the key
    sentences = [sample_mark.SENTENCE] if figures.get("synthetic") else []
    if remark := text.completeness(figures.get("verdict")):
        sentences += [f"{remark.capitalize()}.", *figures["verdict"]["findings"]]
        sentences += [ACCEPT] if figures["verdict"]["lost"] else []
    sentences += figures.get("quality", {}).get("headlines", [])
    if as_of is None:
        sentences += [
            f"These are not the figures of {date}: the loans export carries no date, so balances and days past due "
            "are those of the day it was made."
        ]
        if later:
            loans = "1 loan" if later == 1 else f"{later:,} loans"
            sentences.append(f"That day is later than {date}: the export holds {loans} lent after it, left out here.")
        return [*sentences, f"Add balances of {date} to see the book of that date."]
    if as_of < date:
        sentences.append(
            f"The figures are as of {as_of}: balances are those of that day, and the month is counted up to it."
        )
    return sentences
