"""The entry point: run a verb, and turn an error into one line and an exit code."""

import gc
import signal
import sys

import typer

from abaco.cli.options import app
from abaco.core import logs
from abaco.core.errors import AbacoError
from abaco.core.quoting import visible
from abaco.core.text import show

from abaco.cli import unattended, reports, mapping, review, delivery, operations  # noqa: F401  # isort: skip  in the order of --help

INTERRUPTED = 130  # the exit code of typer after Ctrl-C


def main() -> None:
    """Run the command line: an error is printed as one line, its traceback goes to logs/pipeline.log."""
    gc.set_threshold(50_000)  # the imports of a verb take a sixth less time than with 700 new objects a collection
    # SIGTERM, such as a scheduler's, and the end of a terminal end a run like Ctrl-C, but for nohup's
    for name in (name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)):
        if signal.getsignal(number := getattr(signal, name)) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    try:
        exit_code = app(standalone_mode=False)
        if exit_code == INTERRUPTED:
            _fail("interrupted; the former report is unchanged", INTERRUPTED)
        sys.exit(exit_code or 0)
    except AbacoError as error:
        logs.keep_traceback(error)
        _fail(str(error), error.exit_code)
    except typer.TyperException as error:
        if error.exit_code:
            unattended.tell_mistyped(sys.argv[1:2], error.format_message())
        text = error.format_message()  # empty when help was shown
        _fail(text and f"{text}{'' if text[-1] in '.?' else '.'} See abaco --help.", error.exit_code)
    except Exception as error:
        logs.keep_traceback(error)
        _fail(f"{type(error).__name__}: {error}: see logs/pipeline.log", AbacoError.exit_code)


def _fail(text: str, exit_code: int) -> None:
    if text:
        show(f"Error: {visible(text)}", error=True)
    sys.exit(exit_code)
