"""Health: whether the service can do its work, and whether the last run and the next are as they should be."""

from typing import Any

from abaco.core.errors import AbacoError
from abaco.database import queries
from abaco.database.connection import reading
from abaco.run import folders
from abaco.service.reports import Book, Outcome


def health(book: Book) -> dict[str, Any]:
    """Return what /health says; ``status`` is ``unhealthy`` when the service cannot do its work."""
    due = book.schedule.next_run
    content = {"status": "unhealthy", "last_run": None, "next_run": due and folders.stamp(due)}
    content |= {"metrics_computed": None, "last_error": None}
    try:
        with reading(book.engine) as connection:
            latest, outcomes = queries.latest(connection), book.outcomes(connection)
            kpis = queries.figures(connection, latest) if latest else {}
        outcome = outcomes[-1] if outcomes else None
        content["last_run"] = outcome and folders.stamp(outcome.at)
        content["metrics_computed"] = sum(kpi["value"] is not None for kpi in kpis.values())
        folders.check_writable(book.output)
    except AbacoError as error:
        return content | {"last_error": str(error)}
    if not book.schedule.is_alive:
        return content | {"last_error": "The schedule has stopped: start the service again"}
    reason = (outcome and outcome.error) or _overdue(book, outcome)
    return content | {"status": "degraded" if reason else "healthy", "last_error": reason}


def _overdue(book: Book, outcome: Outcome | None) -> str | None:
    due = book.schedule.overdue(outcome and outcome.at)
    return due and f"The run that was due at {folders.stamp(due)} has not ended: see logs/service.log"
