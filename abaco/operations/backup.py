"""Backup: reports and database in one archive, every file with its hash, whole or not there at all."""

import datetime as dt
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from abaco.core import dates, project, settings
from abaco.core import files as core_files
from abaco.core.errors import InputError
from abaco.database import copying, synchronise
from abaco.delivery.azure import AzureChannel
from abaco.run import folders as run_folders

AZURE = "azure"
CONTENTS, DATABASE, REPORTS = "contents.json", "database.jsonl", "reports/"
# What a run needs only while it is at work: rows there are as the exports gave them.
UNWANTED = "work"


def backup(to: str | None = None, output: Path | None = None) -> str:
    """Write an archive of all runs that have ended and of the database, and return in a sentence where it is.

    Parameters
    ----------
    to
        A file, or a folder for one named by the time, or ``azure``: the container of the reports. By default the
        folder ``backups`` beside the reports.

    Raises
    ------
    InputError
        When there is nothing to back up, or the place cannot be written.
    DatabaseError, DeliveryError
        When the database cannot be read, or Azure does not take the archive.
    """
    folder = run_folders.reports_folder(output)
    if not (folder / run_folders.RUNS).is_dir():
        raise InputError(
            f"No report in {project.display_path(folder)} to back up: run make report DATE=YYYY-MM-DD"
        )
    name = f"abaco-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}.tar.gz"
    if to != AZURE:
        given = Path(to).expanduser().absolute() if to else folder.parent / "backups"
        path = given if given.name.endswith(".tar.gz") else given / name
        return f"{project.display_path(path)}: {_written(folder, path)}"

    with tempfile.TemporaryDirectory(prefix="backup-", dir=folder / run_folders.RUNS) as place:
        said = _written(folder, Path(place) / name)
        return f"{AZURE}:{AzureChannel(settings.load()).keep(Path(place) / name)}: {said}"


def _written(output: Path, path: Path) -> str:
    count = write(output, path)
    return f"{count} files, {path.stat().st_size:,} bytes, SHA-256 {core_files.sha256(path)}"


def write(output: Path, path: Path) -> int:
    """Write the archive of the reports in `output` to `path`, and return how many files it holds."""

    engine = synchronise.open_synchronised(output, settings.load()["delivery"]["timeout_seconds"])
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.touch(mode=0o600)  # it names who receives reports
        try:
            with tempfile.TemporaryFile("w+", encoding="utf-8", dir=path.parent) as tables:
                copying.dump(engine, tables)
                tables.flush()
                count = _pack(
                    fresh, output, [folder for folder, _ in synchronise.ended_runs(output)], tables.buffer
                )
            os.replace(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"Cannot write {project.display_path(path)}: {error.strerror}: choose another with --to"
        ) from error
    return count


def _pack(archived: Path, output: Path, folders: list[Path], tables: Any) -> int:
    # run.json goes on changing while things are delivered: what is listed is what is packed
    changing = {folder / "run.json": (folder / "run.json").read_bytes() for folder in folders}

    def opened(path: Path) -> Any:
        return io.BytesIO(changing[path]) if path in changing else path.open("rb")

    paths = {REPORTS + p.relative_to(output).as_posix(): p for folder in folders for p in _files(folder)}
    files = [_entry(DATABASE, tables)]
    for name, path in paths.items():
        with opened(path) as file:
            files.append(_entry(name, file))
    links = {p.name: os.readlink(p) for p in sorted(output.glob("[0-9]*")) if p.is_symlink()}
    listed = {"schema_version": 1, "made_at": dates.now(), "links": links, "files": files}
    contents = json.dumps(listed, indent=1).encode()
    with tarfile.open(archived, "w:gz", compresslevel=1) as tar:
        _add(tar, CONTENTS, len(contents), io.BytesIO(contents))
        _add(tar, DATABASE, files[0]["bytes"], tables)
        for entry in files[1:]:
            with opened(paths[entry["path"]]) as file:
                _add(tar, entry["path"], entry["bytes"], file)
    return len(files)


def _files(folder: Path) -> Iterator[Path]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return (path for path in found if path.relative_to(folder).parts[0] != UNWANTED)


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
