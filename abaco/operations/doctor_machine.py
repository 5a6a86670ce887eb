"""Checks of the machine: log, Python, packages, parameters, variables, disk, write access, clock and input."""

import datetime as dt
import platform
import re
import shutil
import stat
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import abaco
from abaco.core import logs, printing, project, secrets, settings
from abaco.core.errors import InputError
from abaco.delivery.registry import CHANNELS
from abaco.ingest import discovery
from abaco.ingest.coverage import tape_dates
from abaco.ingest.writing import rules_of
from abaco.kpis import catalog
from abaco.operations.findings import Case, Finding, ok, problem, warning
from abaco.run import folders as run_folders
from abaco.service.schedule import trigger

LOCK = "requirements.lock"
PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;]+)( ;)?", re.MULTILINE)
GIGABYTE = 1 << 30
COPIES = 3  # of the input on the disk during a run, at most
TOLERANCE_SECONDS = 300  # between the clocks of two machines that share a storage
ENVIRONMENT = ".env.local"
OF_CHANNELS = [name for channel in CHANNELS.values() for name in channel.variables]
SECRETS = tuple(dict.fromkeys(filter(secrets.is_secret, (*secrets.WHOLE, *OF_CHANNELS, *secrets.URLS))))


def log(case: Case) -> Finding:
    """Start the log, which also loads .env.local."""
    logs.start(case.log_level)
    return ok("logs/pipeline.log can be written")


def python(_: Case) -> Finding:
    """Name the interpreter; an outdated one could not have started."""
    return ok(f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def packages(_: Case) -> Finding:
    """Compare the installed packages with the lock, except those that only another platform needs."""
    path = project.root() / LOCK
    if not path.is_file():
        return warning(f"{LOCK} is not there, so versions cannot be compared: restore it")
    pinned_versions: dict[str, set[str]] = {}
    for name, pinned, marker in PIN.findall(path.read_text(encoding="utf-8")):
        pinned_versions.setdefault(name, set()).update({pinned, ""} if marker else {pinned})
    wrong = [
        f"{name} is {installed or 'not installed'}, not {' or '.join(sorted(pins - {''}))}"
        for name, pins in pinned_versions.items()
        if (installed := _installed(name)) not in pins
    ]
    if wrong:
        more = f" and {len(wrong) - 1} more" if wrong[1:] else ""
        return problem(f"{wrong[0]}{more}: remove .venv and run make report, or build the image again")
    return ok(f"{len(pinned_versions)} packages are as {LOCK} says")


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def disk(case: Case) -> Finding:
    """Compare the free disk space with the needs of a run."""
    folder = next(path for path in (case.output, *case.output.parents) if path.exists())
    free, needed = shutil.disk_usage(folder).free, GIGABYTE + COPIES * _size(case.exports)
    place = project.display_path(case.output)
    text = f"{free / GIGABYTE:,.1f} GiB free for {place}, a run may need {needed / GIGABYTE:,.1f}"
    remedy = "lower retention.keep_runs, or choose another run.output"
    if free < needed:
        return problem(f"{text}: {remedy}")
    return warning(f"{text}: it will be short soon, {remedy}") if free < 3 * needed else ok(text)


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def access(case: Case) -> Finding:
    """Write into each folder that a run writes to."""
    run_folders.check_writable(case.output)
    folders = [Path(tempfile.gettempdir())]
    if case.reads_cascade:
        folders.append(project.resolve(case.settings["cascade"]["folder"]))
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            return problem(f"Cannot write to {folder}: {error.strerror}: make it writable")
    return ok(f"can write to {', '.join(project.display_path(folder) for folder in (case.output, *folders))}")


def clock(case: Case) -> Finding:
    """Look for files from the future: a wrong clock mixes up reports and invalidates certificates."""
    files = [project.root() / project.MARKER, Path(abaco.__file__)]
    files += (case.output / run_folders.RUNS).glob("[0-9]*/*/run.json")
    latest, path = max((path.stat().st_mtime, path) for path in files)
    now = time.time()
    if latest > now + TOLERANCE_SECONDS:
        return problem(
            f"it says {_text(now)}, but {project.display_path(path)} is of {_text(latest)}: set the clock, "
            "and see that the system keeps it (timedatectl)"
        )
    return ok(f"{_text(now)}, and nothing here is newer")


def _text(seconds: float) -> str:
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


def parameters(case: Case) -> Finding:
    """Check every setting, and the definitions of the KPIs."""
    loaded = settings.load(case.params)
    trigger(loaded["service"]["cron"])
    trigger(loaded["service"]["backup_cron"], "service.backup_cron")
    if loaded["output"]["pdf"] != "none":
        printing.browser()
    count = len(catalog.load())
    case.loaded = loaded
    overlay = secrets.read("ABACO_ENV")
    files = "params/pipeline.yml" + (f" with params/{overlay}.yml" if overlay else "")
    return ok(f"{files} is valid, and so are {count} KPIs of params/kpis.yml")


def variables(_: Case) -> Finding:
    """List which secrets are set, and check their lengths, and that no other user can read their file."""
    secrets.service_access()
    secrets.masking_key()
    present = [name for name in SECRETS if secrets.read(name)]
    absent = [name for name in SECRETS if name not in present]
    text = f"set: {', '.join(present) or 'none'}; not set: {', '.join(absent) or 'none'}"
    path = project.root() / ENVIRONMENT
    if path.is_file() and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        return warning(f"{text}; others on this machine can read {ENVIRONMENT}: chmod 600 {ENVIRONMENT}")
    return ok(text)


def exports(case: Case) -> Finding:
    """Check that the input exists, is recognised, and is not too old."""
    source = case.exports
    if case.reads_cascade and not source.exists():
        return ok("cascade: nothing is downloaded yet, the next run does it")
    files, skipped = discovery.discover(source)
    text = f"{project.display_path(source)}: {_count(len(files), 'file')}"
    if skipped:
        text += f", {len(skipped)} more not used (make check says why)"
    try:
        newest = tape_dates(files, rules_of(case.settings["ingestion"]))[-1]
    except InputError as error:
        return warning(f"{text}; {error}")
    age = (dt.datetime.now(dt.UTC).date() - newest).days
    limit = case.settings["alerts"]["max_age_days"]
    text += f", the newest date {newest}"
    if limit and age > limit:
        return warning(f"{text} is {age} days old, {limit} are allowed: see whether new exports came")
    return ok(text)


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
