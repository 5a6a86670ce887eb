"""Uploads: exports that arrive by HTTP, each upload in a private folder of its own, kept for some days.

The files are written while they arrive, under a name that no input has; the folder gets its name when all are there.
What is refused or broken off leaves nothing behind.
"""

import datetime as dt
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Container
from dataclasses import dataclass
from pathlib import Path

from fastapi import HTTPException
from fastapi.concurrency import run_in_threadpool
from python_multipart.exceptions import FormParserError

from abaco.core.errors import InputError
from abaco.core.quoting import file_name
from abaco.ingest import containers
from abaco.service.multipart import Form

NAME = re.compile(r"[0-9]{8}T[0-9]{12}Z")
ARRIVING = ".arriving-"
MAX_UPLOADS = 20  # that are kept at a time
MAX_FORM = 100_000  # bytes of a request besides its files


@dataclass(frozen=True)
class Upload:
    """An upload that has arrived."""

    name: str
    folder: Path

    @property
    def arrived(self) -> dt.datetime:
        """When its last byte arrived."""
        return dt.datetime.strptime(self.name, "%Y%m%dT%H%M%S%fZ").replace(tzinfo=dt.UTC)

    @property
    def sizes(self) -> dict[str, int]:
        """The size of each file in bytes, by its name."""
        return {path.name: path.stat().st_size for path in sorted(self.folder.iterdir())}


class Uploads:
    """The uploads in a folder, which holds nothing else.

    Parameters
    ----------
    folder
        Where they are kept, apart from the reports and from other inputs.
    max_bytes
        Of the files of one upload together.
    keep
        How long an upload is kept.
    """

    def __init__(self, folder: Path, max_bytes: int, keep: dt.timedelta):
        self.folder, self.max_bytes, self.keep = folder, max_bytes, keep

    def prepare(self) -> None:
        """Make the folder, and remove what a killed service left half arrived.

        Raises
        ------
        InputError
            When it cannot be made.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"Cannot keep uploads in {self.folder}: {error.strerror}: choose another with service.uploads"
            ) from error
        for path in self.folder.glob(f"{ARRIVING}*"):
            shutil.rmtree(path)

    def listed(self) -> list[Upload]:
        """Return the uploads that are kept, the newest first."""
        paths = sorted(self.folder.iterdir(), reverse=True)
        return [Upload(path.name, path) for path in paths if NAME.fullmatch(path.name) and path.is_dir()]

    def find(self, name: str) -> Upload | None:
        """Return an upload by its name; None when it is not kept any more."""
        return next((upload for upload in self.listed() if upload.name == name), None)

    def remove(self, upload: Upload) -> None:
        """Remove an upload at once."""
        shutil.rmtree(upload.folder)

    def prune(self, now: dt.datetime, in_use: Container[Path]) -> None:
        """Remove the uploads that are older than they are kept, but for those in use."""
        for upload in self.listed():
            if now - upload.arrived > self.keep and upload.folder not in in_use:
                self.remove(upload)

    async def receive(self, content_type: str, size: int | None, chunks: AsyncIterator[bytes], token: str) -> Upload:
        """Write the files of a form to the disk as their bytes arrive, and return the upload.

        Parameters
        ----------
        content_type, size
            Of the request; the size is None where it is not told.
        token
            What the field ``token`` of the form must say, before the first file.

        Raises
        ------
        HTTPException
            When it is not accepted, with the reason in one line.
        """
        if size is not None and size > self.max_bytes + MAX_FORM:
            raise self._too_large()
        if len(list(self.folder.iterdir())) >= MAX_UPLOADS:
            raise HTTPException(409, f"{MAX_UPLOADS} uploads are kept already: remove one first")
        arriving = Path(tempfile.mkdtemp(prefix=ARRIVING, dir=self.folder))  # readable by its owner alone
        try:
            form = Form(content_type, arriving, token)
            await self._take(form, chunks)
            await run_in_threadpool(_check, form.files)
            name = f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S%f}Z"
            return Upload(name, arriving.rename(self.folder / name))
        except FormParserError as error:
            raise HTTPException(400, "The upload is not a whole form: send it again") from error
        except InputError as error:
            raise HTTPException(400, str(error)) from error
        except OSError as error:
            raise HTTPException(507, f"The upload cannot be kept: {error.strerror}") from error
        finally:
            shutil.rmtree(arriving, ignore_errors=True)

    async def _take(self, form: Form, chunks: AsyncIterator[bytes]) -> None:
        try:
            received = 0
            async for chunk in chunks:
                received += len(chunk)
                if received > self.max_bytes + MAX_FORM:
                    raise self._too_large()
                await run_in_threadpool(form.write, chunk)
            form.finish()
        finally:
            form.close()

    def _too_large(self) -> HTTPException:
        return HTTPException(
            413, f"The files have more than {self.max_bytes // 1_000_000:,} MB, which is service.upload_mb: send fewer"
        )


def _check(files: list[Path]) -> None:
    """Raise when there is no file, or an archive is damaged or unpacks to more than an export has."""
    if not files:
        raise InputError("No file was chosen: choose the exports")
    if empty := [file_name(path) for path in files if not path.stat().st_size]:
        raise InputError(f"{empty[0]} is empty: export it again")
    for path in files:
        for table in containers.table_files(path, file_name(path))[0]:
            if table.is_packed:
                with containers.opened(table) as unpacked:
                    while unpacked.read(containers.CHUNK):
                        pass
