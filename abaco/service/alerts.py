"""Open alerts as people need them: what happened, since when, how urgent it is, and the runbook's section."""

from functools import cache
from pathlib import Path
from typing import Any

from nbconvert.filters import markdown2html

from abaco.core import project
from abaco.delivery.rules import SECTIONS
from abaco.page.markup import Html
from abaco.service.tables import moment

URGENCY = {"P1": "act at once", "P2": "act today", "P3": "look at it this week", "P4": "for information"}

INCIDENTS = "incident-response"  # the section of causes that have none of their own


def explained(alerts: list[dict[str, Any]], runbook: str) -> list[dict[str, Any]]:
    """Return rows of the table ``alerts`` with ``urgency, since, of, lines, address`` and ``section`` of the runbook.

    Parameters
    ----------
    runbook
        An address, to which the page links; or a file of the project, whose section the page shows.
    """
    return [alert | _more(alert, runbook) for alert in alerts]


def _more(alert: dict[str, Any], runbook: str) -> dict[str, Any]:
    anchor = SECTIONS.get(alert["cause"].partition(":")[0], INCIDENTS)
    is_address = runbook.startswith(("http://", "https://"))
    path = project.resolve(runbook)
    heading, section = (None, None) if is_address or not path.is_file() else _section(path, anchor)
    lines = [line for line in (alert["text"] or "").splitlines() if line.strip() and line != alert["title"]]
    since, worse = moment(alert["opened_at"]), alert["severity_since"]
    return {
        "urgency": URGENCY[alert["severity"]], "lines": lines,
        "since": f"{since} UTC, {alert['severity']} since {moment(worse)}" if worse else since,
        "address": f"{runbook}#{anchor}" if is_address else None, "section": section,
        "heading": heading or anchor.replace("-", " "),
        "of": alert["input"] and project.display_path(alert["input"]),
    }  # fmt: skip


@cache
def _section(path: Path, anchor: str) -> tuple[str | None, Html | None]:
    """Return the heading of a section of a Markdown file and what stands below it; None when it is not there."""
    heading, taken, depth = None, [], 0
    for line in path.read_text(encoding="utf-8").splitlines():
        marks, _, title = line.partition(" ")
        is_heading = bool(marks) and set(marks) == {"#"}
        if depth and is_heading and len(marks) <= depth:
            break
        if depth:
            taken.append(line)
        elif is_heading and _anchor(title) == anchor:
            heading, depth = title, len(marks)
    return heading, Html(markdown2html("\n".join(taken))) if taken else None


def _anchor(title: str) -> str:
    """Return how a heading is linked to.

    >>> _anchor("KPI past its threshold")
    'kpi-past-its-threshold'
    """
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c == "-")
