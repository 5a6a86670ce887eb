"""Backup: reports and database in one archive, every file with its hash, written completely or not at all."""

import datetime as dt
import io
import json
import os
import re
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from abaco.core import dates, locks, project, settings
from abaco.core import files as core_files
from abaco.core.errors import AbacoError, InputError
from abaco.core.text import counted
from abaco.database import copying, synchronise
from abaco.delivery import failed_starts, rules
from abaco.delivery.azure import AzureChannel
from abaco.operations.archive import CONTENTS, DATABASE, REPORTS, check
from abaco.run import folders as run_folders
from abaco.run import manifest

AZURE, PREFIX = "azure", "abaco-"
NAMED_BY_TIME = re.compile(rf"{PREFIX}\d{{8}}T\d{{6}}Z\.tar\.gz")
UNFINISHED = ".unfinished-backup"
WORK = "work"  # the temporary files of a run, with unmasked rows


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
    loaded, reports = settings.load(params), run_folders.reports_folder(output)
    failed_starts.tell_alert(reports, loaded, alert, rules.BACKUP, "The backup succeeded")


def backup(to: str | None = None, output: Path | None = None, params: str | None = None) -> str:
    """Write and verify an archive of all runs that have ended and of the database, and return where it is, in words.

    Of the archives there that are named by their time, the newest ``retention.keep_backups`` are kept.

    Parameters
    ----------
    to
        A file, or a folder for one named by the time, or ``azure``: the container of the reports. By default
        ``service.backup_to``, else the folder ``backups`` beside the reports.
    params
        Changes to the settings.

    Raises
    ------
    InputError
        When there is nothing to back up, or the place cannot be written.
    DatabaseError, DeliveryError
        When the database cannot be read, or Azure does not take the archive.
    """
    folder = run_folders.reports_folder(output)
    if not (folder / run_folders.RUNS).is_dir():
        raise InputError(f"No report in {project.display_path(folder)} to back up: run make report DATE=YYYY-MM-DD")
    loaded = settings.load(params)
    to, keep = to or loaded["service"]["backup_to"], loaded["retention"]["keep_backups"]
    name = f"{PREFIX}{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}.tar.gz"
    if to != AZURE:
        path = Path(to).expanduser().absolute() if to else folder.parent / "backups"
        is_named = path.name.endswith(".tar.gz")
        path = path if is_named else path / name
        description = _write_and_describe(folder, path)
        named_by_time = sorted(p for p in path.parent.glob(f"{PREFIX}*") if NAMED_BY_TIME.fullmatch(p.name))
        for former in [] if is_named else named_by_time[:-keep]:
            former.unlink()
        return f"{project.display_path(path)}: {description}"
    with locks.temporary(folder / run_folders.RUNS, UNFINISHED) as place:
        path = place / name
        description = _write_and_describe(folder, path)
        channel = AzureChannel(loaded)
        name = channel.keep(path)
        channel.keep_newest(PREFIX, NAMED_BY_TIME, keep)
        return f"{AZURE}:{name}: {description}"


def _write_and_describe(output: Path, path: Path) -> str:
    count = write(output, path)
    check(path)
    description = (
        f"{counted(count, 'file')}, verified, {path.stat().st_size:,} bytes, SHA-256 {core_files.sha256(path)}"
    )
    altered = ", ".join(
        f"{date}/{name}" for date in run_folders.visible(output) for name in manifest.altered(output / date)
    )
    description += f"; damaged, and to be made again: {altered}" if altered else ""
    damaged = ", ".join(map(project.display_path, run_folders.damaged_runs(output)))
    return f"{description}; left out as damaged: {damaged}" if damaged else description


def write(output: Path, path: Path) -> int:
    """Write the archive of the reports in `output` to `path`, without damaged runs; return its number of files."""
    engine = synchronise.open_synchronised(output, settings.load()["delivery"]["timeout_seconds"])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locks.temporary(path.parent, UNFINISHED) as fresh:
            fresh.touch(mode=0o600)  # it contains email addresses
            with tempfile.TemporaryFile("w+", encoding="utf-8", dir=path.parent) as tables:
                copying.dump(engine, tables)
                tables.flush()
                ended = [folder for folder, _ in synchronise.ended_runs(output)]
                count = _pack(fresh, output, ended, tables.buffer)
            os.replace(fresh, path)
    except OSError as error:
        raise InputError(
            f"Cannot write {project.display_path(path)}: {error.strerror}: choose another with --to"
        ) from error
    return count


def _pack(archived: Path, output: Path, folders: list[Path], tables: Any) -> int:
    # run.json changes with each delivery: pack the version that the contents list
    changing = {folder / "run.json": (folder / "run.json").read_bytes() for folder in folders}

    def opened(path: Path) -> Any:
        return io.BytesIO(changing[path]) if path in changing else path.open("rb")

    paths = {REPORTS + p.relative_to(output).as_posix(): p for folder in folders for p in _files(folder)}
    files = [_entry(DATABASE, tables)]
    for name, path in paths.items():
        with opened(path) as file:
            files.append(_entry(name, file))
    damaged = run_folders.damaged_reports(output)
    links = {p.name: os.readlink(p) for p in sorted(output.glob("[0-9]*")) if p.is_symlink() and p not in damaged}
    contents = {"schema_version": 1, "made_at": dates.now(), "links": links, "files": files}
    content = json.dumps(contents, indent=1).encode()
    with tarfile.open(archived, "w:gz", compresslevel=1) as tar:
        _add(tar, CONTENTS, len(content), io.BytesIO(content))
        _add(tar, DATABASE, files[0]["bytes"], tables)
        for entry in files[1:]:
            with opened(paths[entry["path"]]) as file:
                _add(tar, entry["path"], entry["bytes"], file)
    return len(files)


def _files(folder: Path) -> Iterator[Path]:
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return (path for path in paths if path.relative_to(folder).parts[0] != WORK)


def _entry(name: str, file: Any) -> dict[str, Any]:
    file.seek(0)
    digest = core_files.sha256(file)
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return {"path": name, "bytes": size, "sha256": digest}


def _add(tar: tarfile.TarFile, name: str, size: int, file: Any) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    tar.addfile(member, file)
