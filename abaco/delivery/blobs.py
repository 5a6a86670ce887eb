"""Blobs of a run: the files that its manifest vouches for, as they lie here and as the service lists them."""

import hashlib
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from abaco.core.files import read_json
from abaco.delivery.channel import DeliveryError
from abaco.run.manifest import NAME as MANIFEST

RUN = "run.json"
WORKERS = 4
# Azure takes 50,000 blocks of a blob: 195 GiB. What is in memory at once is one block a worker.
BLOCK = 4 << 20
TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".eml": "message/rfc822",
    ".html": "text/html; charset=utf-8",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Content:
    """What a file or a blob holds: equal when the bytes are."""

    bytes: int
    md5: bytes
    sha256: str

    @classmethod
    def of(cls, file: BinaryIO) -> "Content":
        """Return what a file holds, read to its end and rewound."""
        size, md5, sha256 = 0, hashlib.md5(usedforsecurity=False), hashlib.sha256()
        while chunk := file.read(1 << 20):
            size += len(chunk)
            md5.update(chunk)
            sha256.update(chunk)
        file.seek(0)
        return cls(size, md5.digest(), sha256.hexdigest())


def vouched(folder: Path) -> dict[str, str | None]:
    """Return the files of a finished run by path, with the SHA-256 that its manifest gives, the manifest itself last.

    What else lies in the folder is left out. ``run.json`` has no SHA-256: it goes on changing.

    Raises
    ------
    DeliveryError
        When it is no finished run.
    """
    try:
        outputs = read_json(folder / MANIFEST)["outputs"]
    except (OSError, ValueError):
        raise DeliveryError(
            f"{folder / MANIFEST} is not there, or no manifest: make the report again"
        ) from None
    files = {part["path"]: part["sha256"] for o in outputs for part in o.get("parts", [o])}
    return {**files, RUN: None, MANIFEST: None}


def listed(container: Any, where: str) -> dict[str, Content]:
    """Return what the service has below a folder, by path in it."""
    found = {}
    for blob in container.list_blobs(name_starts_with=where, include=["metadata"]):
        metadata, md5 = blob.metadata or {}, blob.content_settings.content_md5
        if "hdi_isfolder" not in metadata:  # accounts with real folders list them too
            found[blob.name.removeprefix(where)] = Content(
                blob.size, bytes(md5 or b""), metadata.get("sha256", "")
            )
    return found


def clear(
    container: Any, where: str, folder: Path, files: dict[str, str | None], there: dict[str, Content]
) -> None:
    """Make a folder that holds another manifest incomplete before its files are replaced, and remove what is no longer.

    A table of a cluster has parts with new names in each run: a former one left beside them would count twice.
    """
    with (folder / MANIFEST).open("rb") as file:
        if there.get(MANIFEST) == Content.of(file):
            return
    former = [MANIFEST] if MANIFEST in there else []
    for path in [*former, *sorted(there.keys() - files.keys())]:
        container.delete_blob(where + path)


def upload(
    container: Any, where: str, folder: Path, files: dict[str, str | None], there: dict[str, Content]
) -> dict[str, Content]:
    """Upload files, several at a time and none that is there already, and return what they hold, by path.

    Parameters
    ----------
    files
        SHA-256 by path, None where any will do.
    there
        What the service has.

    Raises
    ------
    DeliveryError
        When a file is not as it should be. The first fault keeps what has not begun from being tried.
    """
    with ThreadPoolExecutor(WORKERS) as pool:
        jobs = {
            path: pool.submit(_upload, container, where + path, folder / path, sha256, there.get(path))
            for path, sha256 in files.items()
        }
        try:
            ended, _ = wait(jobs.values(), return_when=FIRST_EXCEPTION)
        finally:  # interrupted, too
            pool.shutdown(wait=False, cancel_futures=True)
        for job in ended:
            job.result()
        return {path: job.result() for path, job in jobs.items()}


def _upload(container: Any, name: str, path: Path, sha256: str | None, there: Content | None) -> Content:
    from azure.storage.blob import ContentSettings

    try:
        file = path.open("rb")
    except OSError as error:
        raise DeliveryError(f"Cannot read {path}: {error.strerror}: make the report again") from None
    with file:  # one handle for hash and upload: run.json may be replaced between the two
        content = Content.of(file)
        if sha256 not in (None, content.sha256):
            raise DeliveryError(f"{path} is not as its manifest says: make the report again")
        if content != there:
            container.upload_blob(
                name,
                file,
                length=content.bytes,
                overwrite=True,
                validate_content=True,
                content_settings=ContentSettings(
                    TYPES.get(path.suffix, "application/octet-stream"), content_md5=bytearray(content.md5)
                ),
                metadata={"sha256": content.sha256},
            )
    return content


def check(container: Any, where: str, sent: dict[str, Content]) -> None:
    """Compare what was sent with what the service lists.

    Raises
    ------
    DeliveryError
        Naming the blobs that differ.
    """
    found = listed(container, where)
    if wrong := [path for path in sent if found.get(path) != sent[path]]:
        raise DeliveryError(
            f"Azure container {container.container_name} lists {_some(wrong)} with another size or hash than "
            f"was sent to {where}, or not at all: it is sent again with the next attempt"
        )


def _some(names: list[str]) -> str:
    first, *rest = names
    return f"{first} and {len(rest)} more" if rest else first
