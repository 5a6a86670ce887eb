"""Blobs of a run: the files in its manifest, uploaded and compared with what the service lists."""

import hashlib
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from abaco.core.files import read_object
from abaco.delivery.channel import DeliveryError
from abaco.run.manifest import NAME as MANIFEST

RUN = "run.json"
WORKERS = 4
# bytes; Azure takes 50,000 blocks a blob, so 195 GiB, and each worker holds one block in memory
BLOCK = 4 << 20
CONTENT_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".eml": "message/rfc822",
    ".html": "text/html; charset=utf-8",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True)
class Content:
    """The content of a file or a blob; two are equal when their bytes are."""

    bytes: int
    md5: bytes
    sha256: str

    @classmethod
    def of(cls, file: BinaryIO) -> "Content":
        """Return the content of a file, which is read to its end and rewound."""
        size, md5, sha256 = 0, hashlib.md5(usedforsecurity=False), hashlib.sha256()
        while chunk := file.read(1 << 20):
            size += len(chunk)
            md5.update(chunk)
            sha256.update(chunk)
        file.seek(0)
        return cls(size, md5.digest(), sha256.hexdigest())


def manifest_files(folder: Path) -> dict[str, str | None]:
    """Return the SHA-256 of each file of a finished run by its path, as the manifest has it; the manifest comes last.

    Other files in the folder are left out. ``run.json`` has no SHA-256, since it still changes.

    Raises
    ------
    DeliveryError
        When the folder is not that of a finished run.
    """
    try:
        outputs = read_object(folder / MANIFEST)["outputs"]
    except (OSError, ValueError):
        raise DeliveryError(f"{folder / MANIFEST} is missing or is not a manifest: make the report again") from None
    files = {part["path"]: part["sha256"] for o in outputs for part in o.get("parts", [o])}
    return {**files, RUN: None, MANIFEST: None}


def list_contents(container: Any, prefix: str) -> dict[str, Content]:
    """Return the content of each blob that the service lists below a prefix, by its path there."""
    contents = {}
    for blob in container.list_blobs(name_starts_with=prefix, include=["metadata"]):
        metadata, md5 = blob.metadata or {}, blob.content_settings.content_md5
        if "hdi_isfolder" not in metadata:  # accounts with real folders list these too
            contents[blob.name.removeprefix(prefix)] = Content(blob.size, bytes(md5 or b""), metadata.get("sha256", ""))
    return contents


def clear(
    container: Any, prefix: str, folder: Path, files: dict[str, str | None], existing: dict[str, Content]
) -> None:
    """Delete another run's manifest, so that its folder is incomplete from now on, and its files that are not replaced.

    The parts of a table that Spark wrote have new names in each run: an old part beside them would count twice.
    """
    with (folder / MANIFEST).open("rb") as file:
        if existing.get(MANIFEST) == Content.of(file):
            return
    former = [MANIFEST] if MANIFEST in existing else []
    for path in [*former, *sorted(existing.keys() - files.keys())]:
        container.delete_blob(prefix + path)


def upload(
    container: Any,
    prefix: str,
    folder: Path,
    files: dict[str, str | None],
    existing: dict[str, Content],
    content_settings: Callable[[str, bytes], Any],
) -> dict[str, Content]:
    """Upload files, several at a time and none that is there already, and return their contents by path.

    Parameters
    ----------
    files
        SHA-256 by path, None where any content is right.
    existing
        The contents that the service has, by path.
    content_settings
        Makes the SDK's object of a content type and an MD5.

    Raises
    ------
    DeliveryError
        When a file is not what the manifest says. After the first fault no further upload starts.
    """

    def upload_one(path: str, sha256: str | None) -> Content:
        return _upload(container, prefix + path, folder / path, sha256, existing.get(path), content_settings)

    with ThreadPoolExecutor(WORKERS) as pool:
        jobs = {path: pool.submit(upload_one, path, sha256) for path, sha256 in files.items()}
        try:
            ended, _ = wait(jobs.values(), return_when=FIRST_EXCEPTION)
        finally:  # also when interrupted
            pool.shutdown(wait=False, cancel_futures=True)
        for job in ended:
            job.result()
        return {path: job.result() for path, job in jobs.items()}


def _upload(
    container: Any,
    name: str,
    path: Path,
    sha256: str | None,
    existing: Content | None,
    content_settings: Callable[[str, bytes], Any],
) -> Content:
    try:
        file = path.open("rb")
    except OSError as error:
        raise DeliveryError(f"Cannot read {path}: {error.strerror}: make the report again") from None
    with file:  # one handle for the hash and the upload: run.json may be replaced in between
        content = Content.of(file)
        if sha256 not in (None, content.sha256):
            raise DeliveryError(f"{path} is not what its manifest says: make the report again")
        if content != existing:
            container.upload_blob(
                name,
                file,
                length=content.bytes,
                overwrite=True,
                validate_content=True,
                content_settings=content_settings(
                    CONTENT_TYPES.get(path.suffix, "application/octet-stream"), content.md5
                ),
                metadata={"sha256": content.sha256},
            )
    return content


def check(container: Any, prefix: str, sent: dict[str, Content]) -> None:
    """Compare what was sent with what the service lists.

    Raises
    ------
    DeliveryError
        Naming the blobs that differ.
    """
    contents = list_contents(container, prefix)
    if wrong := [path for path in sent if contents.get(path) != sent[path]]:
        raise DeliveryError(
            f"Azure container {container.container_name} lists {_first_and_count(wrong)} with another size or hash "
            f"than was sent to {prefix}, or not at all: it is sent again with the next attempt"
        )


def _first_and_count(names: list[str]) -> str:
    first, *rest = names
    return f"{first} and {len(rest)} more" if rest else first
