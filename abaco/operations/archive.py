"""Archives of reports and database: their list of contents, and whether every file is as it says."""

import hashlib
import json
import re
import shutil
import tarfile
from pathlib import Path
from typing import Any

from abaco.core import files as core_files
from abaco.core.errors import InputError

CONTENTS, DATABASE, REPORTS = "contents.json", "database.jsonl", "reports/"
DATE = r"\d{4}-\d\d-\d\d"
RUN = re.compile(rf"\.runs/({DATE})/[\w.-]+")
FILE = re.compile(rf"{REPORTS}\.runs/{DATE}/[\w.-]+/[\w./ -]+")
MOST_CONTENTS = 256 << 20  # bytes; a list of a million files


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


def check(path: Path) -> None:
    """Read an archive completely and compare each file with the list of contents, without writing anything.

    Raises
    ------
    InputError
        Naming what differs.
    """
    try:
        with tarfile.open(path, "r:gz") as tar:
            wanted = {entry["path"]: entry for entry in _read_contents(tar)["files"]}
            while member := tar.next():
                entry = wanted.pop(member.name, None)
                if entry is None or core_files.sha256(tar.extractfile(member)) != entry["sha256"]:
                    raise _refused(f"{member.name!r} is not as {CONTENTS} lists it")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InputError(f"{path.name} cannot be read as an archive: {error}: take another backup") from error
    if wanted:
        raise _refused(f"it lacks {min(wanted)}")


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
