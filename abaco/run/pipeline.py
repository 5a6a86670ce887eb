"""The pipeline: settings, sources and date are checked, then the phases run in a folder that replaces the former."""

import datetime as dt
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from abaco import engines
from abaco.core import files, logs, project, settings
from abaco.core.dates import parse_date
from abaco.core.errors import DateError
from abaco.core.phases import COMPLETED, FACTS, PHASES, notebook_path, scraps_of, section
from abaco.engines import memory
from abaco.ingest import sources
from abaco.run import folders, manifest, retention
from abaco.run import plan as run_plan
from abaco.run.process import NotebookProcess, execute_phase
from abaco.run.record import Record

log = logging.getLogger(__name__)
Deliver = Callable[[Path, Path, dict[str, Any]], list[dict[str, Any]]]
PLACES = ("azure", "email", "alerts")


class NullProgress:
    """Progress that is shown nowhere."""

    def begin(self, *_) -> None:
        """Show nothing."""

    cell = end = say = begin


class Pipeline:
    """Runs reports with one set of settings.

    Parameters
    ----------
    params
        Changes to params/pipeline.yml: a YAML file, ``section.key=value`` pairs, or a dict by section.
    output, engine
        Changes to the settings of the same name.
    force
        Execute every phase, also those that are unchanged since a former run of the date.
    progress
        Told what is going on; see `abaco.run.progress.Progress`.
    threads
        Cores that the engine uses; by default the setting.
    memory_share
        Runs that share the memory limit.
    deliver
        Called with the output folder, the run's folder and the settings after each run: it records the run, delivers
        its report, and returns what is undelivered. By default nothing is recorded or delivered.
    places
        What `deliver` may deliver to, of ``azure``, ``email`` and ``alerts``.
    """

    def __init__(
        self,
        params: Any = None,
        output: str | None = None,
        engine: str | None = None,
        force: bool = False,
        progress: Any = None,
        threads: int | None = None,
        memory_share: int = 1,
        deliver: Deliver | None = None,
        places: tuple[str, ...] = PLACES,
    ):
        self.settings = settings.load(params, output=output and str(output), engine=engine, threads=threads)
        logs.shape(self.settings["run"]["log_format"])
        limit = memory.parse_limit(self.settings["run"]["memory_limit"])
        self._memory = limit // memory_share if limit else memory.default_limit(memory_share)
        self.output = project.resolve(self.settings["run"]["output"])
        self.force = force
        self.progress = progress or NullProgress()
        self.places = places if deliver else ()
        self._deliver = deliver
        self._next: NotebookProcess | None = None

    def execute(self, input: str | Path | None = None, date: str | None = None) -> dict[str, Any]:
        """Run all phases and publish the report.

        Parameters
        ----------
        input
            A file or a folder of exports, or ``cascade``, which is downloaded first; by default the setting
            ``run.input``.
        date
            The measurement date; by default the latest one in the input.

        Returns
        -------
        dict
            The content of run.json, with ``path``, the report's folder, ``undelivered``, and under
            ``["phases"]["calculation"]["metrics"]`` the KPIs of metrics.json. A phase that was not executed, since
            nothing that it depends on has changed, has ``taken_from``, the run that executed it. ``undelivered``
            lists what could not be delivered yet, with the error: the report is finished nevertheless. ``replaced`` is
            the ``run_id``, ``input`` and ``path`` of the former report, if that was of another input.

        Raises
        ------
        InputError
            Bad settings or input; nothing was run, or the run ended without touching the former report. A date that the
            input has no rows for leaves no run behind.
        RunError
            The download failed; or a phase failed, and its executed notebook is kept.
        """
        plan = self.plan(input, date)
        day = plan["date"]
        if not input:
            run_plan.check_default(self.output, day, Path(plan["input"]))
        logs.begin_run(plan["run_id"])
        try:
            if self.force or not self.is_current(plan):
                from abaco.kpis import catalog  # a run that finds everything unchanged does without

                engines.require(plan["engine"]["name"])
                catalog.load()
            folder, failure, replaced = self._hold_and_make(plan)
        finally:
            if self._next is not None:
                self._next.close()
        undelivered = self._deliver(self.output, folder, self.settings) if self._deliver else []
        if failure:
            raise failure
        content = files.read_json(folder / "run.json")
        content["phases"]["calculation"]["metrics"] = files.read_json(folder / "metrics.json")["kpis"]
        return {**content, "path": str(self.output / day), "undelivered": undelivered, "replaced": replaced}

    def _hold_and_make(self, plan: dict[str, Any]) -> tuple[Path, Exception | None, dict[str, str] | None]:
        """Make a run while no other of its date is at work, and publish it; return its folder and what it replaced."""
        day, replaced = plan["date"], None
        folders.check_writable(self.output)
        with folders.hold(self.output, day, self.settings["run"]["lock_timeout_seconds"], self.progress.say):
            former, taken = (None, []) if self.force else self._former(plan)
            folder = folders.stage(self.output, day, plan["run_id"])
            failure = self._make(folder, plan, former, taken)
            if isinstance(failure, DateError):  # a slip of the pen, of which nobody needs to know later
                folders.discard(folder)
                raise failure
            if failure is None:
                if replaced := self.replaced(plan):
                    kept = (day, replaced["input"], replaced["path"])
                    log.warning("the report of %s, made of %s, is replaced; it is kept in %s", *kept)
                folders.publish(folder, self.output)
                keep_runs = self.settings["retention"]["keep_runs"]
                keep_days = self.settings["retention"]["keep_days"]
                retention.prune(self.output, day, keep_runs, keep_days, dt.datetime.now(dt.UTC))
        return folder, failure, replaced

    def _make(
        self, folder: Path, plan: dict[str, Any], former: Path | None, taken: list[str]
    ) -> Exception | None:
        """Run the phases that are not taken from a former run; return the error of a run that failed."""
        done = run_plan.adopt(taken, former, folder) if taken else {}
        folders.discard_left(self.output, plan["date"], folder)
        files.write_json(folder / "work" / "plan.json", plan)
        facts = {"run_id": plan["run_id"], "date": plan["date"], "input": plan["input"]}
        record = Record(folder, done, self.places, **facts, engine=plan["engine"]["name"])
        try:
            remaining = PHASES[len(taken) :]
            for phase, following in zip(remaining, [*remaining[1:], None], strict=False):
                self._run(phase, following, folder, plan, record)
            folders.discard_work(folder)
            _seal(folder, plan)
            record.succeed()
        except BaseException as error:
            record.fail(error)
            if "ingestion" not in record.done or "transformation" in record.done:
                folders.discard_work(folder)  # else the next run of the date goes on with the rows
            if not isinstance(error, Exception):  # who stops a run does not want to wait until it is told of
                raise
            return error
        return None

    def plan(self, input: str | Path | None = None, date: str | None = None) -> dict[str, Any]:
        """Return all that is fixed before a run: id, date, input, sources, parameters, code, engine, phase keys."""
        day = None if date is None else parse_date(date)
        source = run_plan.located(input, self.settings, self.progress.say)
        found, _ = sources.discover(source)
        if day is None:
            from abaco.ingest.coverage import tape_dates  # likewise a run whose date is given

            day = tape_dates(found)[-1]
        code = manifest.code()
        parameters = {name: keys for name, keys in self.settings.items() if name not in settings.OWN}
        hashes = [{"name": s.name, "sha256": s.sha256} for s in found]
        return {
            "run_id": manifest.run_id(str(day), hashes, parameters, code["sha256"]),
            "date": str(day),
            "input": str(source),
            "sources": [s.as_dict() for s in found],
            "parameters": parameters,
            "code": code,
            "engine": {
                "name": self.settings["run"]["engine"],
                "memory_limit": self._memory,
                "threads": self.settings["run"]["threads"],
            },
            "keys": run_plan.phase_keys(str(day), hashes, parameters, code["library"]),
        }

    def is_current(self, plan: dict[str, Any]) -> bool:
        """Return whether the visible report of a plan's date is what a run of the plan would make."""
        visible = self.output / plan["date"]
        return visible.is_dir() and len(run_plan.reusable(plan["keys"], visible)) == len(PHASES)

    def replaced(self, plan: dict[str, Any]) -> dict[str, str] | None:
        """Return the run whose report is visible at a plan's date, if it read another input."""
        visible = self.output / plan["date"]
        if not (visible / "run.json").is_file():
            return None
        former = files.read_json(visible / "run.json")
        if former["input"] == plan["input"]:
            return None
        return {**{key: former[key] for key in ("run_id", "input")}, "path": project.shown(visible.resolve())}

    def _former(self, plan: dict[str, Any]) -> tuple[Path | None, list[str]]:
        """Return the run of the date that has done the most of a plan, the newest of equals, and those phases."""
        best: tuple[Path | None, list[str]] = (None, [])
        for folder in folders.folders(self.output, plan["date"]):
            if len(same := run_plan.reusable(plan["keys"], folder)) >= max(len(best[1]), 1):
                best = (folder, same)
        return best

    def _run(
        self, phase: str, following: str | None, folder: Path, plan: dict[str, Any], record: Record
    ) -> None:
        """Execute a phase, while a process makes the imports of the `following` one."""
        self.progress.begin(phase)
        log.info("phase %s begins", phase)
        began = time.perf_counter()
        record.phase, name = phase, section(phase)
        given = {"input": plan["input"], "date": plan["date"]} if name == "ingestion" else {}
        parameters = {**given, **plan["parameters"][name]}
        with self._next or NotebookProcess(notebook_path(phase)) as process:
            self._next = NotebookProcess(notebook_path(following)) if following else None
            executed = execute_phase(phase, folder, parameters, self.progress.cell, process)
        scraps = scraps_of(executed)
        figures = {k: v for k, v in scraps.items() if k not in (COMPLETED, FACTS)}
        outputs = [name for name in scraps[COMPLETED] if not name.startswith("work/")]
        seconds = round(time.perf_counter() - began, 3)
        record.add(name, {**figures, "seconds": seconds, "key": plan["keys"][phase], "outputs": outputs})
        if name == "transformation":
            folders.discard_rows(folder)
        self.progress.end(phase)
        log.info("phase %s ended: %s", phase, figures)


def _seal(folder: Path, plan: dict[str, Any]) -> None:
    """Write the manifest anew: the last phase's notebook has come since."""
    kept = files.read_json(folder / manifest.NAME)
    facts = {k: v for k, v in kept.items() if k not in ("schema_version", "outputs")}
    manifest.write(folder, facts | {"code": plan["code"]})
