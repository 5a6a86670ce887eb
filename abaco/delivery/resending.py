"""Finished reports, delivered again."""

from pathlib import Path
from typing import Any

from abaco.core import files, project, settings
from abaco.core.errors import InputError
from abaco.core.text import show
from abaco.database import synchronise
from abaco.database.connection import writing
from abaco.delivery import commands, corrections, outbox, planning
from abaco.delivery.registry import create_channel
from abaco.run import folders


def resend(
    channel_name: str,
    date: str,
    to: str | None = None,
    repeat: bool = False,
    params: Any = None,
    output: Path | None = None,
) -> list[dict[str, Any]]:
    """Deliver a finished report again, print the outcomes, and return the undelivered rows.

    Parameters
    ----------
    channel_name
        A channel that takes reports.
    to
        Comma-separated recipients, instead of those of the environment.
    repeat
        Whether recipients who have the report already get it once more.

    Raises
    ------
    InputError
        When the date has no report, nobody would receive it, or the channel is not set up.
    """
    loaded, reports = settings.load(params), folders.reports_folder(output)
    folder, run = _finished_report(reports, date)
    channel = create_channel(channel_name, loaded)
    deliveries = channel.address(planning.report_delivery(channel_name, folder, run, to, repeat))
    if not deliveries:
        raise InputError(f"Nobody to send the report to: name somebody with TO, or set {channel.recipients}")
    if missing := channel.missing():
        raise InputError(f"{channel_name} is not set up: set {missing}")
    deliveries = corrections.with_content(deliveries, folder) if channel.recipients else deliveries
    engine = synchronise.open_synchronised(reports, loaded["delivery"]["timeout_seconds"])
    keys = {delivery.key for delivery in deliveries}
    with writing(engine) as connection:
        outbox.enqueue(connection, reports, deliveries)
        outbox.enqueue_again(connection, keys)
    rows = list(commands.send(engine, reports, loaded, only=keys))
    for row in rows:
        show(f"{row['channel']}  {row['run_id']}  {row['status']}")
    return [row for row in rows if row["status"] != outbox.DONE]


def _finished_report(reports: Path, date: str) -> tuple[Path, dict[str, Any]]:
    path = reports / date / "run.json"
    if not path.is_file():
        latest_dates = ", ".join(list(folders.visible(reports))[-5:]) or "none"
        raise InputError(f"No finished report of {date} in {project.display_path(reports)}; there are: {latest_dates}")
    return path.parent.resolve(), files.read_object(path)
