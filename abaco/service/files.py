"""The files of a run that the service may return: those in its manifest, and none outside its folder."""

import logging
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from abaco.core.errors import DamagedError
from abaco.run import folders, manifest

log = logging.getLogger(__name__)
ALWAYS = (manifest.NAME, "run.json")
# Types that a browser may display; everything else is downloaded.
SHOWN = {".html": "text/html", ".json": "application/json", ".png": "image/png"}


class RunFile(FileResponse):
    """A file of a run, which may be changed or removed while it is sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file; answer 404 when it is gone, and cut the answer short when it is no longer what it was."""
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await super().__call__(scope, receive, watched)
        except Exception as error:
            log.warning("%s was changed or removed while it was sent: %r", Path(self.path).name, error)
            if not has_begun:
                await PlainTextResponse("The file was just removed\n", 404)(scope, receive, send)


def listed(folder: Path) -> dict[str, int]:
    """Return the size in bytes of each file of a run by its name; none when the run's folder is gone."""
    try:
        sizes = {part["path"]: part["bytes"] for part in manifest.files_of(folder)}
    except DamagedError:
        return {}
    return {name: (folder / name).stat().st_size for name in ALWAYS if (folder / name).is_file()} | sizes


def folder_of(output: Path, run: dict[str, Any]) -> Path | None:
    """Return the folder of a run, or None when it is not below the folder of runs."""
    folder, home = (output / run["folder"]).resolve(), (output / folders.RUNS).resolve()
    return folder if folder.is_relative_to(home) and folder.is_dir() else None


def answer(folder: Path, name: str) -> FileResponse | None:
    """Return a file of a run, or None when it is not one of them; links that lead out of the folder do not count."""
    if name not in listed(folder):
        return None
    path = (folder / name).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        return None
    kind = SHOWN.get(path.suffix)
    return RunFile(path, media_type=kind or "application/octet-stream", filename=None if kind else path.name)
