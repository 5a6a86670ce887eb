"""Delivery again: a finished report uploaded or sent once more because somebody asks for it."""

from pathlib import Path
from typing import Any

from abaco.core import project, settings
from abaco.core.errors import InputError
from abaco.delivery import commands
from abaco.delivery.registry import channel
from abaco.review import status
from abaco.run import folders


def upload(date: str, params: Any = None, output: Path | None = None) -> list[dict[str, Any]]:
    """Upload a finished report, print what became of it, and return what is undelivered.

    Raises
    ------
    InputError
        When the date has no report, or Azure is not set up.
    """
    loaded, reports = settings.load(params), status.reports_folder(output)
    folder, run = _finished(reports, date)
    return _deliver(reports, loaded, "azure", [commands.upload(folder, run)])


def email(
    date: str, to: str | None = None, params: Any = None, output: Path | None = None
) -> list[dict[str, Any]]:
    """Send a finished report by email, print what became of it, and return what is undelivered.

    Parameters
    ----------
    to
        Recipients with commas between; by default those of ``REPORT_RECIPIENTS``.

    Raises
    ------
    InputError
        When the date has no report, there is no recipient, or no mail server is set up.
    """
    from abaco.delivery.email import items

    loaded, reports = settings.load(params), status.reports_folder(output)
    folder, run = _finished(reports, date)
    found = items(run, folder, to, again=True)
    if not found:
        raise InputError("Nobody to send the report to: name somebody with TO, or set REPORT_RECIPIENTS")
    return _deliver(reports, loaded, "email", found)


def _finished(reports: Path, date: str) -> tuple[Path, dict[str, Any]]:
    folder = (reports / date).resolve()
    if not (reports / date / "run.json").is_file():
        there = ", ".join(list(status.visible(reports))[-5:]) or "none"
        raise InputError(f"No finished report of {date} in {project.shown(reports)}; there are: {there}")
    return folder, folders.read_json(folder / "run.json")


def _deliver(reports: Path, loaded: dict[str, Any], name: str, items: list) -> list[dict[str, Any]]:
    if missing := channel(name, loaded).missing():
        raise InputError(f"{name} is not set up: set {missing}")
    rows = commands.deliver_again(reports, loaded, items)
    for row in rows:
        print(f"{row['channel']}  {row['run_id']}  {row['status']}")
    return [row for row in rows if row["status"] != "done"]
