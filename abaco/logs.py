"""The log: logs/pipeline.log has what happened and every traceback, the screen only with LOG_LEVEL=DEBUG."""

import logging
import os
import sys
from logging.handlers import RotatingFileHandler

from dotenv import load_dotenv

from abaco import project
from abaco.errors import InputError

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
FORM = "%(asctime)s %(levelname)s %(name)s %(message)s"


def start(level: str | None = None) -> None:
    """Begin to log, and take settings from .env.local where the environment does not have them.

    Parameters
    ----------
    level
        One of `LEVELS`; by default the variable ``LOG_LEVEL``, else ``WARNING``: what the screen shows. The
        file has INFO and above.

    Raises
    ------
    InputError
        When there is no such level, or the log cannot be written.
    """
    load_dotenv(project.root() / ".env.local")
    level = (level or os.environ.get("LOG_LEVEL") or "WARNING").upper()
    if level not in LEVELS:
        raise InputError(f"Log level {level} is not one of {', '.join(LEVELS)}")
    folder = project.root() / "logs"
    try:
        folder.mkdir(exist_ok=True)
        file = RotatingFileHandler(
            folder / "pipeline.log", maxBytes=5_000_000, backupCount=5, encoding="utf-8"
        )
    except OSError as error:
        raise InputError(f"Cannot write to {folder}: {error.strerror}: make it writable") from error
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(level)
    own = logging.getLogger("abaco")
    own.setLevel(min(logging.getLevelName(level), logging.INFO))
    own.propagate = False
    own.handlers = [file, screen]
    # What libraries warn of belongs in the file; left alone, Python would print it on the screen.
    logging.getLogger().handlers = own.handlers if level == "DEBUG" else [file]
    for handler in own.handlers:
        handler.setFormatter(logging.Formatter(FORM))


def keep_traceback(error: BaseException) -> None:
    """Write the traceback of `error` to the log file, and to the screen at level DEBUG."""
    own = logging.getLogger("abaco")
    trace = (type(error), error, error.__traceback__)
    for handler in own.handlers:
        if isinstance(handler, RotatingFileHandler) or handler.level <= logging.DEBUG:
            handler.handle(
                own.makeRecord(own.name, logging.ERROR, __file__, 0, "the run ended with an error", (), trace)
            )
