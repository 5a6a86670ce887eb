"""What a check of the doctor examines and what it finds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abaco.core import project
from abaco.core.errors import AbacoError

OK, WARNING, PROBLEM = "ok", "warning", "problem"
PATIENCE_SECONDS = 15.0  # for an answer from elsewhere


@dataclass(frozen=True)
class Finding:
    """What a check found: a level, and in words what is there and what to do."""

    level: str
    text: str


def ok(text: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(OK, text)


def warning(text: str) -> Finding:
    """Return that something works, and somebody should look at it."""
    return Finding(WARNING, text)


def problem(text: str) -> Finding:
    """Return that something keeps the installation from its work."""
    return Finding(PROBLEM, text)


class UnexaminedError(AbacoError):
    """A check needs the settings, and they are not valid."""


@dataclass
class Case:
    """An installation.

    Attributes
    ----------
    params, given_output, log_level
        What the command line gave.
    loaded
        All settings by section, once they are found valid.
    """

    params: str | None = None
    given_output: Path | None = None
    log_level: str | None = None
    loaded: dict[str, dict[str, Any]] | None = None

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """All settings by section, no place given longer to answer than the doctor waits.

        Raises
        ------
        UnexaminedError
            When they are not valid.
        """
        if self.loaded is None:
            raise UnexaminedError("not examined: correct the parameters first")
        seconds = min(self.loaded["delivery"]["timeout_seconds"], PATIENCE_SECONDS)
        return self.loaded | {"delivery": self.loaded["delivery"] | {"timeout_seconds": seconds}}

    @property
    def output(self) -> Path:
        """The folder of the reports."""
        return self.given_output or project.resolve(self.settings["run"]["output"])

    @property
    def exports(self) -> Path:
        """The file or folder that a run reads; of the input ``cascade``, where the download lies."""
        named = self.settings["run"]["input"]
        if self.reads_cascade:
            return project.resolve(self.settings["cascade"]["folder"]) / "current"
        return project.resolve(named)

    @property
    def reads_cascade(self) -> bool:
        """Whether a run downloads its input."""
        return self.settings["run"]["input"] == "cascade"
