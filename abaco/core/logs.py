"""Logging to logs/ with every traceback, and to the screen, with tracebacks only at LOG_LEVEL=DEBUG."""

import json
import logging
import os
import sys
import time
from contextvars import ContextVar
from logging.handlers import RotatingFileHandler
from typing import Any

from dotenv import load_dotenv

from abaco.core import project, secrets
from abaco.core.errors import AbacoError, InputError
from abaco.core.quoting import visible, visible_lines

MAX_CAUSES = 1000  # that are counted
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
FORM = "%(asctime)s %(run_id)s %(levelname)s %(name)s %(message)s"
_run_id: ContextVar[str | None] = ContextVar("run_id", default=None)


class Lines(logging.Formatter):
    """Lines of text with the id of the current run and without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        record.run_id = _run_id.get() or "-"
        return secrets.hide(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        return visible(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        return visible_lines(super().formatException(ei))


class Objects(logging.Formatter):
    """One JSON object a line: time in UTC, level, logger, run id, message and traceback."""

    def format(self, record: logging.LogRecord) -> str:
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        content = {
            "time": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "run_id": _run_id.get(),
            "message": secrets.hide(visible_lines(record.getMessage())),
        }
        if record.exc_info:
            content["traceback"] = secrets.hide(visible_lines(self.formatException(record.exc_info)))
        return json.dumps(content, ensure_ascii=False)


FORMS = {"text": Lines(FORM), "json": Objects()}


class LogFile(RotatingFileHandler):
    """A file in logs/. Where it cannot be written, as on a full disk, what is logged is lost, and nothing else."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Do nothing: whoever cannot write here tells of it, and Python would print a traceback."""


class Limit(logging.Filter):
    """Lets only some lines of one cause pass in a minute; the next one after it says how many were left out.

    The cause is the attribute ``cause`` of a line, else the text of a warning or an error before its values are filled
    in. Other lines always pass.
    """

    def __init__(self, lines: int = 20, seconds: float = 60.0):
        super().__init__()
        self._lines, self._seconds = lines, seconds
        self.counts: dict[Any, tuple[float, int]] = {}  # start of the minute and lines since, by cause

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line passes."""
        is_fault = record.levelno >= logging.WARNING
        cause = getattr(record, "cause", None) or (f"{record.name} {record.msg}" if is_fault else None)
        if cause is None:
            return True
        start, count = self.counts.get(cause, (record.created, 0))
        if not 0 <= record.created - start < self._seconds:  # a clock may be set back
            if count > self._lines:
                omitted = f"{count - self._lines} more of {cause!r} since the last one"
                record.msg, record.args = f"{record.getMessage()} ({omitted})", ()
            start, count = record.created, 0
        if len(self.counts) >= MAX_CAUSES and cause not in self.counts:
            del self.counts[next(iter(self.counts))]  # the one that was seen first
        self.counts[cause] = (start, count + 1)
        return count < self._lines


def start(level: str | None = None, name: str = "pipeline.log", default: str = "WARNING") -> None:
    """Start logging, and load .env.local for variables that the environment does not set.

    Parameters
    ----------
    level
        Level of the screen, one of `LEVELS`; by default the variable ``LOG_LEVEL``, else `default`. The file has INFO
        and above.
    name
        The file in logs/. Two long-running processes must not share one, as each rotates it.

    Raises
    ------
    InputError
        When the level is not valid, or the log cannot be written.
    """
    load_dotenv(project.root() / ".env.local")
    level = (level or os.environ.get("LOG_LEVEL") or default).upper()
    if level not in LEVELS:
        raise InputError(f"Log level {level} is not one of {', '.join(LEVELS)}")
    folder = project.root() / "logs"
    try:
        folder.mkdir(exist_ok=True)
        file = LogFile(folder / name, maxBytes=5_000_000, backupCount=5, encoding="utf-8")
    except OSError as error:
        raise InputError(f"Cannot write to {folder}: {error.strerror}: make it writable") from error
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(level)
    own = logging.getLogger("abaco")
    own.setLevel(min(logging.getLevelName(level), logging.INFO))
    own.propagate = False
    own.handlers = [file, screen]
    # Warnings of libraries go to the file; by default Python would print them on the screen.
    logging.getLogger().handlers = own.handlers if level == "DEBUG" else [file]
    shape("text")


def shape(form: str) -> None:
    """Set the form of log lines, one of `FORMS`."""
    for handler in logging.getLogger("abaco").handlers:
        handler.setFormatter(FORMS[form])


def limit() -> None:
    """Let only some lines of one cause pass, so that no flood of them pushes others out of the file."""
    for handler in logging.getLogger("abaco").handlers:
        handler.addFilter(Limit())


def begin_run(run_id: str) -> None:
    """Set the run id of the log lines that follow."""
    _run_id.set(run_id)


def keep_traceback(error: BaseException) -> None:
    """Write an error with its traceback to the log file, and at level DEBUG to the screen."""
    own = logging.getLogger("abaco")
    text = str(error) if isinstance(error, AbacoError) else f"{type(error).__name__}: {error}"
    trace = (type(error), error, error.__traceback__)
    for handler in own.handlers:
        if isinstance(handler, LogFile) or handler.level <= logging.DEBUG:
            handler.handle(
                own.makeRecord(own.name, logging.ERROR, __file__, 0, "failed: %s", (" ".join(text.split()),), trace)
            )
