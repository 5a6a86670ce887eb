"""The server: checks what it needs, listens, and stops tidily, also in the middle of a run."""

import logging
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn

from abaco.core import logs, project, settings
from abaco.core.errors import DatabaseError, InputError
from abaco.delivery import commands
from abaco.run import folders
from abaco.service.app import create_app
from abaco.service.reports import Book
from abaco.service.schedule import Schedule, trigger
from abaco.service.security import Access

log = logging.getLogger(__name__)
GRACE_SECONDS = 10  # for answers that are on their way when the service is told to stop


def serve(
    params: str | None = None, output: Path | None = None, host: str | None = None, port: int | None = None
) -> None:
    """Serve the reports until the process is told to stop.

    Parameters
    ----------
    params
        Changes to the settings; runs of the schedule get them, too.
    output, host, port
        Changes to ``run.output``, ``service.host`` and ``service.port``.

    Raises
    ------
    InputError
        When the settings cannot be used, others could read without a secret, or the address is taken.
    """
    configured = settings.load(params, output=output and str(output))
    logs.shape(configured["run"]["log_format"])
    host = host or configured["service"]["host"]
    access = Access.from_environment()
    access.check_host(host)
    book = _book(configured, params)
    sock = _listen(host, configured["service"]["port"] if port is None else port)
    try:
        print(f"Reports at {_address(sock)}", flush=True)
        log.info("serving %s at %s", book.output, _address(sock))
        uvicorn.Server(
            uvicorn.Config(
                create_app(book, access),
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        ).run(sockets=[sock])
    except KeyboardInterrupt:  # uvicorn raises the signal that stopped it anew when all is done
        log.info("stopped")


def _book(configured: dict[str, Any], params: str | None) -> Book:
    """Return the reports with their schedule, whose runs get the same settings and folder."""
    output = project.resolve(configured["run"]["output"])
    folders.check_writable(output)
    report = [sys.executable, "-m", "abaco", "report", "--output", str(output)]
    report += ["--params", params] if params else []
    times = trigger(configured["service"]["cron"])
    hours = configured["service"]["overdue_hours"]
    schedule = Schedule(
        times, output, report, hours, lambda began, why: _tell(output, configured, began, why)
    )
    pause = max(configured["delivery"]["retry_seconds"], 1.0)
    schedule.every(pause, lambda: _deliver(output, configured))
    return Book(output, schedule, configured["delivery"]["timeout_seconds"])


def _deliver(output: Path, configured: dict[str, Any]) -> None:
    """Write down runs that are not in the database yet, and try again what is due."""

    try:
        for row in commands.deliver_due(output, configured):
            log.info("delivery %s by %s: %s", row["key"], row["channel"], row["status"])
    except DatabaseError as error:
        log.warning("cannot see what is to be delivered: %s", error)


def _tell(output: Path, configured: dict[str, Any], began: str, why: str) -> None:
    """Alert of a run of the schedule that failed before it could do so itself."""

    try:
        commands.alert_of_failed_start(output, configured, began, why)
    except DatabaseError as error:
        log.error("nobody is told that the run failed: %s", error)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]  # Python repeats the address
        raise InputError(
            f"Cannot listen on {host}, port {port}: {reason}: choose another with --host and --port"
        ) from error


def _address(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
