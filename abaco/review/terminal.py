"""Caveats of a report, for terminals."""

from collections.abc import Mapping
from typing import Any

from abaco.core import text
from abaco.ingest import sample_mark
from abaco.page.kpi_text import unsound, verdict
from abaco.page.words import NBSP


def caveats(figures: Mapping[str, Any]) -> list[str]:
    """Return the verdict and what makes figures doubtful.

    Parameters
    ----------
    figures
        The content of metrics.json.
    """
    date, as_of, later = figures["date"], figures["as_of"], figures["reconciliation"]["later"]
    # reports of earlier versions lack the key
    sentences = [sample_mark.SENTENCE] if figures.get("synthetic") else []
    if found := figures.get("verdict"):
        sentences += [f"{text.state(found)}: {verdict(figures).replace(NBSP, ' ')}", *found["findings"]]
        sentences += unsound(figures)
        if settings := text.acceptance(found):
            sentences.append(f"If all of this is right, make the report with PARAMS={settings}.")
    sentences += figures.get("quality", {}).get("headlines", [])
    if as_of is None:
        sentences += [
            f"These are not the figures of {date}: the loans export carries no date, so balances and days past due "
            "are those of the day it was made."
        ]
        if later:
            loans = "1 loan" if later == 1 else f"{later:,} loans"
            sentences.append(f"That day is later than {date}: the export holds {loans} lent after it, left out here.")
        return sentences
    if as_of < date:
        sentences.append(
            f"The balances are labelled {date}, but the overdue dates of their loans show that they are those of "
            f"{as_of}; the month is counted up to that day."
        )
    return sentences
