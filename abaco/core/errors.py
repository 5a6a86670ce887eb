"""Errors that a user can act on: one line that says what is wrong, what was found and what to do."""

from typing import Any

from abaco.core.quoting import visible
from abaco.core.reasons import Reason


class AbacoError(Exception):
    """Base of all errors that are shown without a traceback; ``exit_code`` is that of the command."""

    exit_code = 1

    def __init__(self, text: str = ""):
        super().__init__(visible(text))


class InputError(AbacoError):
    """The input or a parameter cannot be used as it is."""

    exit_code = 2


class UsageError(InputError):
    """An option of the command line cannot be used: a slip of whoever typed it."""


class DateError(InputError):
    """The input has no rows for the requested date; such a run is not kept."""


class RunError(AbacoError):
    """The run started and failed."""


class StoppedError(AbacoError):
    """Somebody stopped a run after its report was published."""

    exit_code = 130


class DamagedError(RunError, ValueError):
    """A file of a report is damaged: empty, cut off, changed or gone."""


class DatabaseError(AbacoError):
    """The database cannot be reached or refuses a write."""


class DamagedDatabaseError(DatabaseError):
    """The file of the database is damaged: the folders of the runs have what it is made of."""


ERRORS = {cls.__name__: cls for cls in (InputError, DateError, RunError)}


class NotComputableError(AbacoError):
    """A figure has no value; ``reason`` says why, and the message is its English."""

    def __init__(self, code: str, **values: Any):
        self.reason = Reason(code, **values)
        super().__init__(str(self.reason))


def said(error: Exception) -> str:
    """Return an error in words: one of ours, or what the system says of a file.

    Examples
    --------
    >>> said(InputError("no rows")), said(OSError(28, "No space left on device", "reports/a.json"))
    ('no rows', 'reports/a.json: No space left on device')
    """
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) if isinstance(error, AbacoError) else repr(error)
