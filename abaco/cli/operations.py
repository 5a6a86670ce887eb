"""Verbs for operators: serve, doctor, backup, restore, rebuild, rollback."""

from typing import Annotated

import typer

from abaco.cli.options import OPERATIONS, Finished, Level, Output, Params, report_undelivered, verb
from abaco.core import logs
from abaco.core.text import show


@verb(OPERATIONS, "serve --port 8000")
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; by default service.host.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0: any free port.", min=0, max=65535)
    ] = None,
    params: Params = None, output: Output = None, log_level: Level = None,
) -> None:  # fmt: skip
    """Serve reports, health and metrics by HTTP, and make the scheduled reports, until stopped."""
    logs.start(log_level, "service.log", default="INFO")
    from abaco.service import server

    server.serve(params, output and output.absolute(), host, port)


@verb(OPERATIONS, "doctor")
def doctor(params: Params = None, output: Output = None, log_level: Level = None) -> None:
    """Examine the installation and say what to do, one line a part; exit code 1 if something is broken."""
    from abaco.operations.doctor import examine

    levels = []
    for name, finding in examine(params, output and output.expanduser().absolute(), log_level):
        show(f"{finding.level:<9}{name:<12}{finding.text}")
        levels.append(finding.level)
    if "problem" in levels:
        raise typer.Exit(1)


@verb(OPERATIONS, "backup --to backups/")
def backup(
    to: Annotated[
        str | None, typer.Option(help="A file.tar.gz, a folder, or azure; by default service.backup_to.")
    ] = None,
    params: Params = None, output: Output = None, log_level: Level = None,
) -> None:  # fmt: skip
    """Write the reports and the database into one archive, each file with its hash, and verify it."""
    logs.start(log_level)
    from abaco.operations import backup as operations_backup

    show(operations_backup.back_up(to, output, params))


@verb(OPERATIONS, "restore backups/reports.tar.gz")
def restore(
    archive: Annotated[str, typer.Argument(help="A file that backup wrote, or azure:NAME.")],
    output: Output = None, log_level: Level = None,
) -> None:  # fmt: skip
    """Restore reports and database from an archive, after checking all of it; the replaced ones are kept."""
    from abaco.operations import restore as operations_restore

    logs.start(log_level)
    show(*operations_restore.restore(archive, output))


@verb(OPERATIONS, "rebuild")
def rebuild(output: Output = None, log_level: Level = None) -> None:
    """Make the database again from the folders of the runs; its former file is kept."""
    from abaco.operations import rebuild as operations_rebuild

    logs.start(log_level)
    show(*operations_rebuild.rebuild(output))


@verb(OPERATIONS, "rollback --date 2025-12-31")
def rollback(
    date: Finished,
    to: Annotated[str | None, typer.Option(help="A run id; by default the good run before the visible one.")] = None,
    output: Output = None, log_level: Level = None,
) -> None:  # fmt: skip
    """Make a former successful run of a date its report again; the visible one is kept."""
    from abaco.core import settings
    from abaco.delivery import commands
    from abaco.operations import rollback as switch
    from abaco.run import folders

    logs.start(log_level)
    show(*switch.rollback(date, to, output))
    deliveries = commands.deliver_due(folders.reports_folder(output), settings.load())
    report_undelivered([row for row in deliveries if row["status"] == "pending"])
