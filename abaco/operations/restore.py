"""Restoration of an archive of `abaco.operations.backup`, which is checked completely before anything is replaced."""

import datetime as dt
import filecmp
import os
import shutil
from pathlib import Path
from typing import Any

from abaco.core import locks, project, settings
from abaco.core.errors import InputError, RunError
from abaco.core.text import counted
from abaco.database import copying, synchronise
from abaco.database.connection import connect, writing
from abaco.delivery import commands, holding
from abaco.delivery.azure import AzureChannel
from abaco.operations.archive import DATABASE, REPORTS, unpack
from abaco.operations.backup import AZURE
from abaco.run import folders as run_folders
from abaco.run.retention import REPLACED


def restore(source: str, output: Path | None = None) -> list[str]:
    """Replace reports and database by those of an archive, and return lines about the result.

    The former reports and a copy of the former database are kept in a separate folder. What the former database knows
    to be delivered stays so; what else the backup had pending is held.

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
    with locks.temporary(folder, ".restoring") as place:
        place.mkdir(mode=0o700)
        path = _fetch(source, place)
        contents = unpack(path, place / "unpacked")
        former = _replace(folder, place / "unpacked", contents)
    made_at = contents["made_at"]
    done = f"{counted(len(contents['links']), 'report')} of {made_at} are in {project.display_path(folder)}"
    if former:
        done += f"; what was there before is in {project.display_path(former)}: remove that when you no longer need it"
    return [done, *commands.hold_pending(folder, settings.load(), made_at)]


def _fetch(source: str, place: Path) -> Path:
    if not source.startswith(f"{AZURE}:"):
        path = Path(source).expanduser().absolute()
        if not path.is_file():
            raise InputError(f"Archive not found: {source}: check its path")
        return path
    path = place / "archive.tar.gz"
    AzureChannel(settings.load()).fetch(source.removeprefix(f"{AZURE}:"), path)
    return path


def _replace(output: Path, unpacked: Path, contents: dict[str, Any]) -> Path | None:
    """Replace reports and database, or change nothing on an error; return the folder of the former ones, if any.

    File by file and link by link, each in one step: a process that is killed leaves for each date the report of before
    or that of the archive, and the next restore goes on.
    """
    kept = output / REPLACED / f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S%fZ}"
    kept.mkdir(parents=True)
    engine = connect(output, settings.load()["delivery"]["timeout_seconds"])
    with (kept / DATABASE).open("w", encoding="utf-8") as file:
        copying.dump(engine, file)
    (kept / DATABASE).chmod(0o600)
    runs, fresh = output / run_folders.RUNS, unpacked / REPORTS / run_folders.RUNS
    with (
        _Changes() as changes,  # outermost: the database may fail at its commit
        (unpacked / DATABASE).open(encoding="utf-8") as lines,
        writing(engine) as connection,
    ):
        sent = holding.ended(connection)
        copying.load(connection, lines)
        holding.remember(connection, sent)
        holding.hold(connection, contents["made_at"])
        wanted = sorted(path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file())
        for path in wanted:
            changes.replace(fresh / path, runs / path, kept / run_folders.RUNS / path)
        for date, target in contents["links"].items():
            (unpacked / date).symlink_to(target, target_is_directory=True)
            changes.replace(unpacked / date, output / date, kept / date)
        others = [path for path in output.glob("[0-9]*") if path.is_symlink() and path.name not in contents["links"]]
        folders = {path.parents[-3] for path in wanted}
        others += [path for path in runs.glob("[0-9]*/*") if path.is_dir() and path.relative_to(runs) not in folders]
        for path in others:
            changes.move(path, kept / path.relative_to(output))
    return None if _remove_if_empty(kept) else kept


def _remove_if_empty(kept: Path) -> bool:
    """Remove the folder of former reports if it holds none; return whether it did not."""
    if any(path.is_symlink() or (path.is_file() and path.stat().st_size) for path in kept.rglob("*")):
        return False
    shutil.rmtree(kept)
    if not any(kept.parent.iterdir()):
        kept.parent.rmdir()
    return True


class _Changes:
    """Changes of files and links, all of which an error undoes."""

    def __enter__(self) -> "_Changes":
        self._moves: list[tuple[Path, Path]] = []
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        for source, target in reversed(self._moves) if kind else ():
            os.replace(target, source)

    def move(self, path: Path, target: Path) -> None:
        """Move a path to where nothing is."""
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)
        self._moves.append((path, target))

    def replace(self, path: Path, target: Path, kept: Path) -> None:
        """Put a file or link in the place of another one, unless it is the same, and keep that one."""
        if target.is_symlink() or target.exists():
            if _is_same(path, target):
                return
            kept.parent.mkdir(parents=True, exist_ok=True)
            os.link(target, kept, follow_symlinks=False)
            self._moves.append((target, kept))
            os.replace(path, target)
        else:
            self.move(path, target)


def _is_same(one: Path, other: Path) -> bool:
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and os.readlink(one) == os.readlink(other)
    return filecmp.cmp(one, other, shallow=False)
