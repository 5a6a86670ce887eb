"""What a run reads: a path, or the word cascade for the export that is downloaded first."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from abaco.core import project

CASCADE = "cascade"


def located(input: str | Path | None, settings: dict[str, Any], say: Callable[[str], None]) -> Path:
    """Return the file or folder that an input names, with the export downloaded where it says ``cascade``.

    Parameters
    ----------
    input
        A file or a folder, from the current folder when relative; by default the setting ``run.input``. Only the
        text ``cascade`` is the download: ``./cascade`` and a `Path` are always a path.
    say
        Told in one line what a download comes to.
    """
    if (input or settings["run"]["input"]) == CASCADE:
        from abaco.ingest import cascade  # the HTTP client takes long to import: not before it is needed

        return cascade.download(settings, say)
    return Path(input).expanduser().absolute() if input else project.resolve(settings["run"]["input"])
