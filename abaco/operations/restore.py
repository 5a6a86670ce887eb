"""Restoration: an archive of `abaco.operations.backup` is checked from end to end before anything is replaced by it."""

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
from abaco.delivery.azure import AzureChannel
from abaco.operations.backup import AZURE, CONTENTS, DATABASE, REPORTS
from abaco.run import folders as run_folders

DATE = r"\d{4}-\d\d-\d\d"
RUN = re.compile(rf"\.runs/({DATE})/[\w.-]+")
FILE = re.compile(rf"{REPORTS}\.runs/{DATE}/[\w.-]+/[\w./ -]+")
MOST_CONTENTS = 256 << 20  # bytes; a list of a million files
REPLACED = ".replaced"


def restore(source: str, output: Path | None = None) -> str:
    """Put back what an archive holds, and return in a sentence what was done.

    The reports that were there, and a copy of the database, are kept in a folder of their own.

    Parameters
    ----------
    source
        A file, or ``azure:`` and the name that the backup printed.

    Raises
    ------
    InputError
        When the archive is not whole, or holds anything else than it lists: nothing has been replaced.
    RunError
        When a run is at work.
    DatabaseError, DeliveryError
        When the database or Azure cannot be used.
    """

    folder = run_folders.reports_folder(output)
    run_folders.check_writable(folder)
    if busy := synchronise.running(folder):
        raise RunError(
            f"A run of {busy[0]['date']} is at work since {busy[0]['started_at']}: wait until it has ended"
        )
    with tempfile.TemporaryDirectory(prefix=".restoring-", dir=folder) as place:
        path = _fetched(source, Path(place))
        contents = unpack(path, Path(place) / "unpacked")
        kept = _replace(folder, Path(place) / "unpacked", contents["links"])
    done = f"{len(contents['links'])} reports of {contents['made_at']} are in {project.display_path(folder)}"
    if kept is None:
        return done
    return f"{done}; what was there before is in {project.display_path(kept)}: remove that when you no longer need it"


def _fetched(source: str, place: Path) -> Path:
    if not source.startswith(f"{AZURE}:"):
        path = Path(source).expanduser().absolute()
        if not path.is_file():
            raise InputError(f"Archive not found: {source}: check its path")
        return path

    path = place / "archive.tar.gz"
    AzureChannel(settings.load()).fetch(source.removeprefix(f"{AZURE}:"), path)
    return path


def unpack(path: Path, place: Path) -> dict[str, Any]:
    """Unpack an archive into the empty folder `place`, checking all of it, and return what it lists.

    Raises
    ------
    InputError
        Naming what is not as listed: a path that leads elsewhere, a link, a size, a hash, a file too many or too few.
    """
    try:
        with tarfile.open(path, "r:gz") as tar:
            contents = _listed(tar)
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


def _listed(tar: tarfile.TarFile) -> dict[str, Any]:
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
            raise _refused(f"{name!r} is no file of a report")
    folders = {"/".join(name.split("/")[1:4]) for name in paths}
    for date, target in links.items():
        if not (found := RUN.fullmatch(target)) or found[1] != date or target not in folders:
            raise _refused(f"the report of {date!r} leads to {target!r}")
    return contents


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, entry: dict[str, Any] | None, place: Path) -> None:
    """Write a member of the archive, which is a plain file that is listed, with its size and hash."""
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
    """Switch to what was unpacked; on any error all is as it was. Return where what was there before is."""

    kept = output / REPLACED / f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S%fZ}"
    kept.mkdir(parents=True)
    engine = connect(output, settings.load()["delivery"]["timeout_seconds"])
    with (kept / DATABASE).open("w", encoding="utf-8") as file:
        copying.dump(engine, file)
    (kept / DATABASE).chmod(0o600)
    with (
        _undoing() as moved,  # outermost: the database may refuse at the very end
        (unpacked / DATABASE).open(encoding="utf-8") as lines,
        writing(engine) as connection,
    ):
        copying.load(connection, lines)
        for path in (output / run_folders.RUNS, *(p for p in output.glob("[0-9]*") if p.is_symlink())):
            moved(path, kept / path.name)
        if (unpacked / REPORTS / run_folders.RUNS).is_dir():
            moved(unpacked / REPORTS / run_folders.RUNS, output / run_folders.RUNS)
        for date, target in links.items():
            (unpacked / date).symlink_to(target, target_is_directory=True)
            moved(unpacked / date, output / date)
    return None if _removed_empty(kept) else kept


def _removed_empty(kept: Path) -> bool:
    """Remove what was kept of a place in which nothing was; return whether that is so."""
    if any(path.is_symlink() or (path.is_file() and path.stat().st_size) for path in kept.rglob("*")):
        return False
    shutil.rmtree(kept)
    if not any(kept.parent.iterdir()):
        kept.parent.rmdir()
    return True


@contextmanager
def _undoing() -> Iterator[Any]:
    """Give a function that moves a path; all is moved back when an error comes after it."""
    done: list[tuple[Path, Path]] = []

    def move(path: Path, target: Path) -> None:
        os.rename(path, target)
        done.append((path, target))

    try:
        yield move
    except BaseException:
        for path, target in reversed(done):
            os.rename(target, path)
        raise
