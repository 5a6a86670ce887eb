"""Upkeep: backups that nobody watches, whose failure is told and whose success resolves that."""

import datetime as dt
from pathlib import Path

from abaco.core import logs, settings
from abaco.core.errors import AbacoError
from abaco.database.connection import connected, writing
from abaco.delivery import alerting, commands, direct, outbox, rules
from abaco.operations.backup import backup
from abaco.run import folders


def back_up(to: str | None = None, output: Path | None = None, params: str | None = None) -> str:
    """Back up as `backup` does, and open an alert if that fails, or clear it; return the result in words.

    Raises
    ------
    AbacoError
        As `backup`.
    """
    try:
        said = backup(to, output, params)
    except AbacoError as error:
        _tell(output, params, rules.backup_failed(str(error)))
        raise
    _tell(output, params, None)
    return said


def _tell(output: Path | None, params: str | None, alert: rules.Alert | None) -> None:
    loaded, reports = settings.load(params), folders.reports_folder(output)
    try:
        with connected(reports, loaded["delivery"]["timeout_seconds"]) as engine, writing(engine) as connection:
            now = dt.datetime.now(dt.UTC)
            deliveries = alerting.alert_of(connection, rules.BACKUP, alert, "The backup succeeded", loaded, now)
            outbox.enqueue(connection, reports, deliveries)
        if deliveries:
            commands.deliver_due(reports, loaded)
    except AbacoError as error:  # the database may be what failed
        logs.keep_traceback(error)
        if alert:
            direct.tell(reports, loaded, alert, alerting.NO_RUN)
