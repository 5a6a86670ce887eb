"""Reports made from the browser: an input is chosen, checked, and its report made, one thing at a time."""

import datetime as dt
import re
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import HTTPException

from abaco.core import project
from abaco.core.dates import parse_date
from abaco.core.errors import InputError
from abaco.page.language import say
from abaco.run import folders
from abaco.service.command import error_of
from abaco.service.schedule import DONE, Schedule
from abaco.service.uploads import Uploads

CHECK, REPORT = "check", "report"
# advice of commands for the terminal, and what the upload form says instead
IN_THE_FORM = (
    (r"make map INPUT=\S+ drafts", "whoever keeps this service drafts"),
    (r"make map INPUT=[^\s,;)]+", "whoever keeps this service drafts it"),
    (r"make the report with PARAMS=", "whoever keeps this service makes the report with "),
    (r"haga el informe con PARAMS=", "quien mantiene este servicio hace el informe con "),
    (r"\bPARAMS=", "the setting "),
    (r"\bDATE=", "the date "),
)


@dataclass(frozen=True)
class Job:
    """A check or a report that was started from the browser.

    Attributes
    ----------
    source, label
        The input as a command takes it, and as people call it.
    date
        The measurement date; None: the latest one in the input.
    output
        What its command printed, once it has ended; None when somebody stopped it.
    """

    kind: str
    source: str
    label: str
    date: str | None
    began: dt.datetime
    has_ended: bool = False
    code: int | None = None
    output: str | None = None

    @property
    def name(self) -> str:
        """A name that no other job has."""
        return f"{self.began:%Y%m%dT%H%M%S%f}"

    @property
    def is_done(self) -> bool:
        """Whether it has ended well."""
        return self.has_ended and self.code in DONE

    @property
    def error(self) -> str | None:
        """Why it failed; None when it has not."""
        if not self.has_ended or self.is_done:
            return None
        if self.output is None:
            return "It was stopped together with the service"
        return error_of(self.output) or f"It ended with exit code {self.code}: see logs/pipeline.log"


class Maker:
    """Checks inputs and makes reports for people in a browser, in processes of their own.

    Parameters
    ----------
    schedule
        What runs one command at a time.
    output
        The folder of the reports.
    uploads
        The exports that were uploaded.
    inputs
        Returns the inputs on this machine that may be chosen, by their keys: as commands take them, and in words.
    command
        Returns the command of a check or a report: of its kind, input and date.
    """

    def __init__(
        self,
        schedule: Schedule,
        output: Path,
        uploads: Uploads,
        inputs: Callable[[], dict[str, tuple[str, str]]],
        command: Callable[[str, str, str | None], Sequence[str]],
    ):
        self.uploads, self._schedule, self._output = uploads, schedule, output
        self._inputs, self._command = inputs, command
        self.token = secrets.token_urlsafe(32)  # of the forms; another one after each start
        self.job: Job | None = None
        self._changing = threading.Lock()

    def choices(self) -> dict[str, tuple[str, str]]:
        """Return the inputs that can be chosen by their keys: as a command takes them, and in words."""
        uploads = {
            upload.name: (str(upload.folder), say("uploaded: {names}", names=", ".join(upload.sizes)))
            for upload in self.uploads.listed()
        }
        return self._inputs() | uploads

    def check(self, choice: str, date: str) -> None:
        """Start the check of an input.

        Raises
        ------
        HTTPException
            When the choice is not there, the date is not one, or something is already being made.
        """
        if choice not in (choices := self.choices()):
            raise HTTPException(404, "There is no such input any more: choose another")
        try:
            day = str(parse_date(date)) if date.strip() else None
        except InputError as error:
            raise HTTPException(400, str(error)) from error
        source, label = choices[choice]
        self._start(Job(CHECK, source, label, day, dt.datetime.now(dt.UTC)))

    def make(self, name: str) -> None:
        """Start the report of the input that was checked last, by the name of its check.

        Raises
        ------
        HTTPException
            When another check came after it, it found an error, or something is already being made.
        """
        checked = self.job
        if not checked or (checked.kind, checked.name) != (CHECK, name) or not checked.is_done:
            raise HTTPException(409, "This is not the last check, or it found an error: check the input again")
        if at_work := folders.running(self._output):
            raise HTTPException(409, busy(at_work))
        job = replace(checked, kind=REPORT, began=dt.datetime.now(dt.UTC), has_ended=False, code=None, output=None)
        self._start(job)

    def _start(self, job: Job) -> None:
        command = self._command(job.kind, job.source, job.date)
        with self._changing:  # or it could end before it is known
            if not self._schedule.start_by_hand(command, partial(self._end, job)):
                raise HTTPException(409, busy(folders.running(self._output)))
            self.job = job

    def _end(self, job: Job, outcome: tuple[int, str] | None) -> None:
        code, output = outcome or (None, None)
        if output and (folder := Path(job.source)).parent == self.uploads.folder:
            output = _for_the_form(output, folder)
        with self._changing:
            self.job = replace(job, has_ended=True, code=code, output=output)

    def remove(self, name: str) -> None:
        """Remove an upload.

        Raises
        ------
        HTTPException
            When it is not there, or in use.
        """
        upload = self.uploads.find(name)
        if upload is None:
            raise HTTPException(404, "There is no such upload any more")
        if upload.folder in self._in_use():
            raise HTTPException(409, "This upload is being read: wait until the report is made")
        self.uploads.remove(upload)

    def prune(self) -> None:
        """Remove the uploads that have been kept long enough."""
        self.uploads.prune(dt.datetime.now(dt.UTC), self._in_use())

    def _in_use(self) -> list[Path]:
        return [Path(self.job.source)] if self.job and not self.job.has_ended else []


def _for_the_form(output: str, folder: Path) -> str:
    """Return what a command said of an upload in words of the form, without the folder that it is kept in."""
    for place in (str(folder), project.display_path(folder)):
        output = output.replace(f" in the folder {place}", "").replace(f"{place}/", "").replace(place, "the upload")
    for command, words in IN_THE_FORM:
        output = re.sub(command, words, output)
    return output


def busy(at_work: list[dict[str, Any]]) -> str:
    """Return that something is being made already, in one line."""
    if not at_work:
        return "Another check or report is in progress: wait for it, then start again"
    run = at_work[0]
    return f"The report of {run['date']} is being made since {run['since']}: wait for it, then start again"
