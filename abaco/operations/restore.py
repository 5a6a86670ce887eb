"""Restoration of an archive of `abaco.operations.backup`, which is checked completely before anything is replaced."""

import datetime as dt
import hashlib
import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from abaco.core import project, settings
from abaco.core.errors import InputError, RunError
from abaco.database import copying, synchronise
from abaco.database.connection import connect, writing
from abaco.delivery import commands, outbox
from abaco.delivery.azure import AzureChannel
from abaco.operations.backup import AZURE, CONTENTS, DATABASE, REPORTS
from abaco.run import folders as run_folders

DATE = r"\d{4}-\d\d-\d\d"
RUN = re.compile(rf"\.runs/({DATE})/[\w.-]+")
FILE = re.compile(rf"{REPORTS}\.runs/{DATE}/[\w.-]+/[\w./ -]+")
MOST_CONTENTS = 256 << 20  # bytes; a list of a million files
REPLACED = ".replaced"


def restore(source: str, output: Path | None = None) -> str:
    """Replace reports and database by those of an archive, and return the result in words.

    The former reports and a copy of the former database are kept in a separate folder.

    Parameters
    ----------
    source
        A file, or ``azure:`` and the name that the backup printed.

    Raises
    ------
    InputError
        When the archive is incomplete, or differs from its list of contents: nothing has been replaced.
    RunError
        When a run is in progress.
    DatabaseError, DeliveryError
        When the database or Azure cannot be used.
    """
    folder = run_folders.reports_folder(output)
    run_folders.check_writable(folder)
    if busy := synchronise.running(folder):
        raise RunError(f"A run of {busy[0]['date']} is at work since {busy[0]['started_at']}: wait until it has ended")
    with tempfile.TemporaryDirectory(prefix=".restoring-", dir=folder) as place:
        path = _fetch(source, Path(place))
        contents = unpack(path, Path(place) / "unpacked")
        former = _replace(folder, Path(place) / "unpacked", contents["links"])
    done = f"{len(contents['links'])} reports of {contents['made_at']} are in {project.display_path(folder)}"
    if held := commands.hold_pending(folder, settings.load()):
        done += f"; {held} deliveries are held: abaco deliver --held sends them"
    if former is None:
        return done
    return f"{done}; what was there before is in {project.display_path(former)}: remove that when you no longer need it"


def _fetch(source: str, place: Path) -> Path:
    if not source.startswith(f"{AZURE}:"):
        path = Path(source).expanduser().absolute()
        if not path.is_file():
            raise InputError(f"Archive not found: {source}: check its path")
        return path
    path = place / "archive.tar.gz"
    AzureChannel(settings.load()).fetch(source.removeprefix(f"{AZURE}:"), path)
    return path


def unpack(path: Path, place: Path) -> dict[str, Any]:
    """Unpack an archive into the empty folder `place`, check every file, and return its list of contents.

    Raises
    ------
    InputError
        Naming what differs from the list: a path outside the folder, a link, a size, a hash, a missing or extra file.
    """
    try:
        with tarfile.open(path, "r:gz") as tar:
            contents = _read_contents(tar)
            wanted = {entry["path"]: entry for entry in contents["files"]}
            if (needed := sum(e["bytes"] for e in wanted.values())) > shutil.disk_usage(place.parent).free:
                raise InputError(f"{path.name} unpacks to {needed:,} bytes, more than is free: make room")
            while member := tar.next():
                _write(tar, member, wanted.pop(member.name, None), place)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InputError(f"{path.name} cannot be read as an archive: {error}: take another backup") from error
    if wanted:
        raise _refused(f"it lacks {min(wanted)}")
    return contents


def _read_contents(tar: tarfile.TarFile) -> dict[str, Any]:
    first = tar.next()
    if first is None or first.name != CONTENTS or not first.isreg() or first.size > MOST_CONTENTS:
        raise _refused(f"it does not begin with {CONTENTS}")
    try:
        contents = json.loads(tar.extractfile(first).read())
        if contents["schema_version"] != 1:
            raise _refused(f"it is of form {contents['schema_version']}, which this version does not know")
        paths = [entry["path"] for entry in contents["files"]]
        sound = all(
            isinstance(e["bytes"], int) and e["bytes"] >= 0 and re.fullmatch("[0-9a-f]{64}", e["sha256"])
            for e in contents["files"]
        )
        links = dict(contents["links"])
    except (ValueError, KeyError, TypeError) as error:
        raise _refused(f"{CONTENTS} is not what a backup writes") from error
    if not sound or len(set(paths)) != len(paths) or DATABASE not in paths:
        raise _refused(f"{CONTENTS} is not what a backup writes")
    for name in paths:
        if name != DATABASE and not (FILE.fullmatch(name) and ".." not in name.split("/")):
            raise _refused(f"{name!r} is not a file of a report")
    folders = {"/".join(name.split("/")[1:4]) for name in paths}
    for date, target in links.items():
        if not (found := RUN.fullmatch(target)) or found[1] != date or target not in folders:
            raise _refused(f"the report of {date!r} leads to {target!r}")
    return contents


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, entry: dict[str, Any] | None, place: Path) -> None:
    """Write a member of the archive, which must be a plain file with the size and hash in the contents."""
    if entry is None or not member.isreg() or member.size != entry["bytes"]:
        raise _refused(f"{member.name!r} is not as {CONTENTS} lists it")
    target, digest = place / member.name, hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        content = tar.extractfile(member)
        while chunk := content.read(1 << 20):
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != entry["sha256"]:
        raise _refused(f"{member.name!r} has another hash than {CONTENTS} lists")


def _refused(text: str) -> InputError:
    return InputError(f"The archive is refused, nothing was replaced: {text}: take another backup")


def _replace(output: Path, unpacked: Path, links: dict[str, str]) -> Path | None:
    """Replace reports and database, or change nothing on an error; return the folder of the former ones, if any."""
    kept = output / REPLACED / f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S%fZ}"
    kept.mkdir(parents=True)
    engine = connect(output, settings.load()["delivery"]["timeout_seconds"])
    with (kept / DATABASE).open("w", encoding="utf-8") as file:
        copying.dump(engine, file)
    (kept / DATABASE).chmod(0o600)
    with (
        _undoing() as move,  # outermost: the database may fail at its commit
        (unpacked / DATABASE).open(encoding="utf-8") as lines,
        writing(engine) as connection,
    ):
        copying.load(connection, lines)
        outbox.hold(connection)
        for path in (output / run_folders.RUNS, *(p for p in output.glob("[0-9]*") if p.is_symlink())):
            move(path, kept / path.name)
        if (unpacked / REPORTS / run_folders.RUNS).is_dir():
            move(unpacked / REPORTS / run_folders.RUNS, output / run_folders.RUNS)
        for date, target in links.items():
            (unpacked / date).symlink_to(target, target_is_directory=True)
            move(unpacked / date, output / date)
    return None if _remove_if_empty(kept) else kept


def _remove_if_empty(kept: Path) -> bool:
    """Remove the folder of former reports if it holds none; return whether it did not."""
    if any(path.is_symlink() or (path.is_file() and path.stat().st_size) for path in kept.rglob("*")):
        return False
    shutil.rmtree(kept)
    if not any(kept.parent.iterdir()):
        kept.parent.rmdir()
    return True


@contextmanager
def _undoing() -> Iterator[Any]:
    """Yield a function that moves a path; an error moves everything back."""
    moves: list[tuple[Path, Path]] = []

    def move(path: Path, target: Path) -> None:
        os.rename(path, target)
        moves.append((path, target))

    try:
        yield move
    except BaseException:
        for path, target in reversed(moves):
            os.rename(target, path)
        raise
