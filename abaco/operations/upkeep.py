"""Upkeep: backups that nobody watches, whose failure is told and whose success resolves that."""

from pathlib import Path

from abaco.core import settings
from abaco.core.errors import AbacoError
from abaco.delivery import failed_starts, rules
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
    failed_starts.tell_alert(reports, loaded, alert, rules.BACKUP, "The backup succeeded")
