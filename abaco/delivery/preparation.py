"""The settlement of a run's end, for which imports and database are prepared while the run is at work."""

import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from abaco.core import logs
from abaco.core.errors import AbacoError

SETTLEMENT = "abaco.delivery.commands"  # imported by its name, when there is time: the database takes long


class Settling:
    """The recording and delivery of runs, which can be prepared beforehand.

    Parameters
    ----------
    output
        Folder of the reports.
    settings
        See `abaco.core.settings`.
    """

    def __init__(self, output: Path, settings: dict[str, Any]):
        self._output, self._settings, self._preparing = output, settings, None

    def prepare(self) -> None:
        """Begin to import what the end of a run needs, and to make its database, unless that has been done."""
        if self._preparing is None:
            self._preparing = threading.Thread(target=self._open, daemon=True)
            self._preparing.start()

    def _open(self) -> None:
        timeout = self._settings["delivery"]["timeout_seconds"]
        with suppress(Exception), import_module(SETTLEMENT).opened(self._output, timeout):
            pass  # who needs it later says what is wrong with it

    def settle(self, folder: Path) -> list[dict[str, Any]]:
        """Record a run that has ended and deliver it; return what could not be delivered yet."""
        try:
            if self._preparing is not None:
                self._preparing.join()
            return import_module(SETTLEMENT).settle(self._output, folder, self._settings)
        except (Exception, KeyboardInterrupt) as error:  # the run has ended as it has, whatever happens here
            logs.keep_traceback(error)
            text, run_id = (
                str(error) if isinstance(error, AbacoError) else repr(error),
                folder.name.split("_")[1],
            )
            return [{"channel": "deliveries", "run_id": run_id, "status": "pending", "error": text}]
