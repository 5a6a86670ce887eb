"""Verbs that deliver finished reports."""

import re
from typing import Annotated

import typer

from abaco.cli.options import DELIVERY, Finished, Level, Output, Params, report_undelivered, verb
from abaco.core import dates, logs
from abaco.core.errors import InputError
from abaco.core.text import aligned, show


@verb(DELIVERY, "deliver --pending")
def deliver(
    pending: Annotated[bool, typer.Option("--pending", help="Try all pending deliveries.")] = False,
    dead: Annotated[bool, typer.Option("--dead", help="Also try the deliveries that were given up.")] = False,
    held: Annotated[
        str | None, typer.Option(help="Also try those held since a restore: dates with commas between, or all.")
    ] = None,
    drop: Annotated[
        str | None, typer.Option(help="A run id: drop the deliveries of that run that were given up or are held.")
    ] = None,
    params: Params = None, output: Output = None, log_level: Level = None,
) -> None:  # fmt: skip
    """Try undelivered items again; what was delivered is not sent twice."""
    from abaco.core import settings
    from abaco.database.queries import group_deliveries
    from abaco.delivery import commands
    from abaco.run import folders

    logs.start(log_level)
    if not (pending or dead or held or drop):
        raise InputError(
            "Say what to deliver: --pending, --dead for what was given up, --held DATE (or all) for what is held since "
            "a restore, or --drop RUN to give it up for good"
        )
    days = re.split(r"[,\s]+", (held or "").strip(", "))
    wanted = [day if day == "all" else str(dates.parse_date(day, "--held")) for day in days if day]
    reports, loaded = folders.reports_folder(output), settings.load(params)
    rows = commands.drop(reports, loaded, drop) if drop else []
    if pending or dead or held:
        rows += commands.deliver_pending(reports, loaded, dead, wanted)
    lines = aligned((row["place"], row["run_id"] or row["key"], row["status"]) for row in group_deliveries(rows))
    show(*lines or ["Nothing was to be delivered"])
    report_undelivered([row for row in rows if row["status"] in ("pending", "dead")])


@verb(DELIVERY, "upload --date 2025-12-31")
def upload(date: Finished, params: Params = None, output: Output = None, log_level: Level = None) -> None:
    """Upload a finished report to Azure Blob again; files that are there already are skipped."""
    from abaco.delivery import resending

    logs.start(log_level)
    report_undelivered(resending.resend("azure", date, params=params, output=output))


@verb(DELIVERY, "email --date 2025-12-31 --to ana@example.org")
def email(
    date: Finished,
    to: Annotated[str | None, typer.Option(help="Recipients with commas between; else REPORT_RECIPIENTS.")] = None,
    params: Params = None, output: Output = None, log_level: Level = None,
) -> None:  # fmt: skip
    """Send a finished report by email, even if it was sent before."""
    from abaco.delivery import resending

    logs.start(log_level)
    report_undelivered(resending.resend("email", date, to, repeat=True, params=params, output=output))
