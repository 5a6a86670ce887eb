"""Findings: the installation that the doctor examines, and the results of its checks."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abaco.core import project
from abaco.core.errors import AbacoError

OK, WARNING, PROBLEM = "ok", "warning", "problem"
TIMEOUT_SECONDS = 15.0  # for an answer of another machine


@dataclass(frozen=True)
class Finding:
    """The result of a check: a level, and a sentence with the state and the remedy."""

    level: str
    text: str


def ok(text: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(OK, text)


def warning(text: str) -> Finding:
    """Return that something works but needs attention."""
    return Finding(WARNING, text)


def problem(text: str) -> Finding:
    """Return that something prevents the installation from working."""
    return Finding(PROBLEM, text)


class UnexaminedError(AbacoError):
    """A check needs the settings, and they are not valid."""


@dataclass
class Case:
    """An installation.

    Attributes
    ----------
    params, given_output, log_level
        The options of the command line.
    loaded
        All settings by section, once they are known to be valid.
    """

    params: str | None = None
    given_output: Path | None = None
    log_level: str | None = None
    loaded: dict[str, dict[str, Any]] | None = None

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """All settings by section; no place gets more time to answer than the doctor waits.

        Raises
        ------
        UnexaminedError
            When they are not valid.
        """
        if self.loaded is None:
            raise UnexaminedError("not examined: correct the parameters first")
        seconds = min(self.loaded["delivery"]["timeout_seconds"], TIMEOUT_SECONDS)
        return self.loaded | {"delivery": self.loaded["delivery"] | {"timeout_seconds": seconds}}

    @property
    def output(self) -> Path:
        """The folder of the reports."""
        return self.given_output or project.resolve(self.settings["run"]["output"])

    @property
    def exports(self) -> Path:
        """The file or folder that a run reads; for the input ``cascade``, the folder of the download."""
        if self.reads_cascade:
            return project.resolve(self.settings["cascade"]["folder"]) / "current"
        return project.resolve(self.settings["run"]["input"])

    @property
    def reads_cascade(self) -> bool:
        """Whether a run downloads its input."""
        return self.settings["run"]["input"] == "cascade"


Check = Callable[[Case], Finding]
