"""The server: checks its requirements, listens, and stops cleanly, also during a run."""

import datetime as dt
import functools
import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from filelock import FileLock, Timeout

from abaco.core import files, logs, project, settings
from abaco.core.errors import DatabaseError, InputError
from abaco.core.text import show
from abaco.delivery import commands, failed_starts, registry
from abaco.ingest.sample_mark import PLACES, is_sample
from abaco.page.language import say, speak
from abaco.run import folders, plan
from abaco.service.app import create_app
from abaco.service.connections import Connection
from abaco.service.making import Maker
from abaco.service.reports import Book
from abaco.service.schedule import PORT, Command, Schedule, trigger
from abaco.service.security import Access
from abaco.service.uploads import Uploads

log = logging.getLogger(__name__)
PID = "service.pid"  # beside the runs, for whoever stops it in another shell
GRACE_SECONDS = 10  # for responses in progress when the service is stopped
PRUNING_SECONDS = 3600.0


def serve(
    params: str | None = None, output: Path | None = None, host: str | None = None, port: int | None = None
) -> None:
    """Serve the reports until the process is stopped.

    Parameters
    ----------
    params
        Changes to the settings, also for the runs of the schedule.
    output, host, port
        Changes to ``run.output``, ``service.host`` and ``service.port``.

    Raises
    ------
    InputError
        When the settings cannot be used, other machines could read without a secret, or the address is taken.
    """
    configured = settings.load(params, output=output and str(output))
    logs.shape(configured["run"]["log_format"])
    logs.limit()
    registry.check(configured)
    host = host or configured["service"]["host"]
    access = Access.from_environment()
    access.check_host(host)
    speak(configured["report"]["language"])
    book = _book(configured, params)
    sock = _listen(host, configured["service"]["port"] if port is None else port)
    with _noted(book.output / folders.RUNS, sock.getsockname()[1]):
        _run(sock, book, access, configured)


def _run(sock: socket.socket, book: Book, access: Access, configured: dict[str, Any]) -> None:
    try:
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(book, access, configured["service"]["max_wrong_tokens"]),
                http=Connection,
                ws="none",
                limit_concurrency=configured["service"]["max_connections"],
                timeout_keep_alive=configured["service"]["client_seconds"],
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        show(f"Reports at {_address(sock)}", *_announced(configured, book))
        log.info("serving %s at %s", book.output, _address(sock))
        server.run(sockets=[sock])
    except KeyboardInterrupt:  # uvicorn raises the signal again after it has shut down
        log.info("stopped")


@contextmanager
def _noted(runs: Path, port: int) -> Iterator[None]:
    """Keep the id of this process in a locked file, for `pkill -L -F`, and its port in another, for `abaco doctor`.

    Not of a second service of the same folder.
    """
    path, at = runs / PID, runs / PORT
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield
        return
    path.write_text(f"{os.getpid()}\n")
    at.write_text(f"{port}\n")
    try:
        yield
    finally:
        at.unlink(missing_ok=True)
        lock.release()
        path.unlink(missing_ok=True)


def _book(configured: dict[str, Any], params: str | None) -> Book:
    """Return the reports with their schedule, whose runs get the same settings and folder."""
    output = project.resolve(configured["run"]["output"])
    folders.check_writable(output)
    times = trigger(configured["service"]["cron"])
    hours = configured["service"]["overdue_hours"]
    command = functools.partial(report_command, configured, params, output)
    schedule = Schedule(times, output, command, hours, functools.partial(_alert, output, configured))
    if backups := trigger(configured["service"]["backup_cron"], "service.backup_cron"):
        schedule.at(backups, functools.partial(_back_up, Command(), params, output))
    pause = max(configured["delivery"]["retry_seconds"], 1.0)
    schedule.every(pause, functools.partial(_deliver, output, configured))
    maker = browser_maker(configured, params, output, schedule) if configured["service"]["make_reports"] else None
    runbook = configured["alerts"]["runbook"]
    return Book(output, schedule, configured["delivery"]["timeout_seconds"], maker, runbook)


def browser_maker(configured: dict[str, Any], params: str | None, output: Path, schedule: Schedule) -> Maker:
    """Return what makes reports from the browser; its uploads are pruned every hour."""
    folder = uploads_folder(configured)
    for name in ("output", "input"):
        other = project.resolve(configured["run"][name]).resolve()
        if configured["run"][name] != plan.CASCADE and (folder.is_relative_to(other) or other.is_relative_to(folder)):
            raise InputError(f"service.uploads is {folder}, and run.{name} is {other}: one may not hold the other")
    most, keep = configured["service"]["upload_mb"] * 1_000_000, dt.timedelta(configured["service"]["upload_days"])
    uploads = Uploads(folder, most, keep)
    uploads.prepare()
    inputs, command = functools.partial(_inputs, configured, output), functools.partial(job_command, params, output)
    maker = Maker(schedule, output, uploads, inputs, command)
    schedule.every(PRUNING_SECONDS, maker.prune)
    return maker


def uploads_folder(configured: dict[str, Any]) -> Path:
    """Return the folder of uploaded exports."""
    return project.resolve(configured["service"]["uploads"]).resolve()


def _inputs(configured: dict[str, Any], output: Path) -> dict[str, tuple[str, str]]:
    """Return the inputs of this machine that the browser may choose: that of the schedule, and the setting's."""
    setting = configured["run"]["input"]
    found = {"configured": (setting, say("{name}, which is run.input", name=setting))}
    if last := continued_input(configured, output):
        found = {"last": (last, say("{name}, the input of the last report", name=project.display_path(last))), **found}
    return found


def job_command(params: str | None, output: Path, kind: str, source: str, date: str | None) -> list[str]:
    """Return the command of a check or a report that was started from the browser."""
    command = [sys.executable, "-m", "abaco", kind, "--input", source, "--output", str(output)]
    command += ["--date", date] if date else []
    return [*command, "--params", params] if params else command


def _back_up(command: Command, params: str | None, output: Path) -> None:
    """Back up in a process of its own, which tells of a failure itself."""
    outcome = command.run(
        [sys.executable, "-m", "abaco", "backup", "--output", str(output), *(["--params", params] if params else [])]
    )
    code, error = outcome or (None, "it was stopped")
    log.log(logging.ERROR if code else logging.INFO, "the backup ended: %s", error or "done")


def report_command(configured: dict[str, Any], params: str | None, output: Path) -> list[str]:
    """Return the command of a scheduled run."""
    command = [sys.executable, "-m", "abaco", "report", "--output", str(output)]
    command += ["--params", params] if params else []
    return [*command, "--input", continued] if (continued := continued_input(configured, output)) else command


def continued_input(configured: dict[str, Any], output: Path) -> str | None:
    """Return the input of the last report, where the setting ``run.input`` is still the sample.

    After ``make report INPUT=…`` the schedule goes on with that input, instead of the sample. It is None where there
    is only the sample, or a setting.
    """
    if configured["run"]["input"] not in PLACES:
        return None
    uploads = uploads_folder(configured)  # which are not kept
    runs = [
        run
        for run in folders.visible(output).values()
        if not Path(run["input"]).is_relative_to(uploads) and not _is_of_sample(output, run)
    ]
    last = max(runs, key=lambda run: run["finished_at"], default=None)
    downloads = project.resolve(configured["cascade"]["folder"]) / "current"
    return last and (plan.CASCADE if Path(last["input"]) == downloads else last["input"])


def _is_of_sample(output: Path, run: dict[str, Any]) -> bool:
    return is_sample(files.read_json(output / run["date"] / "metrics.json")["inputs"])


def _announced(configured: dict[str, Any], book: Book) -> list[str]:
    """Return lines about the scheduled reports: their input, and what to set if it is not there."""
    if book.schedule.next_run is None:
        return []
    source = continued_input(configured, book.output) or configured["run"]["input"]
    lines = [f"The report of each due time is made of {source}; set run.input for another input"]
    if source != plan.CASCADE and not project.resolve(source).exists():
        lines.append(f"Warning: {source} is not there, so that runs will fail: put it back, or set run.input")
    return lines


def _deliver(output: Path, configured: dict[str, Any]) -> None:
    """Record runs that are not in the database yet, and retry deliveries that are due."""
    try:
        for row in commands.deliver_due(output, configured):
            log.info("delivery %s by %s: %s", row["key"], row["channel"], row["status"])
    except DatabaseError as error:
        log.warning("cannot read the pending deliveries: %s", error)


def _alert(output: Path, configured: dict[str, Any], started_at: str, error: str) -> None:
    """Record a scheduled run that failed before it could do so itself, such as one that was killed, and tell of it."""
    source = continued_input(configured, output) or project.resolve(configured["run"]["input"])
    run = {"run_id": None, "date": None, "input": str(source), "started_at": started_at}
    failed_starts.record(output, configured, run | {"status": "failed", "error": error})


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
