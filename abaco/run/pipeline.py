"""The pipeline: check settings, sources and date, run the phases in a new folder, and publish it."""

import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from abaco import engines
from abaco.core import files, logs, printing, project, settings, yaml
from abaco.core.dates import parse_date
from abaco.core.errors import DateError, StoppedError
from abaco.core.phases import COMPLETED, FACTS, PHASES, notebook_path, scraps_of, section
from abaco.engines import memory
from abaco.ingest import discovery, sources
from abaco.run import contents, folders, manifest, retention
from abaco.run import plan as run_plan
from abaco.run.process import NotebookProcess, execute_phase, prepare
from abaco.run.record import Record

log = logging.getLogger(__name__)
Deliver = Callable[[Path, Path, dict[str, Any]], list[dict[str, Any]]]


class NullProgress:
    """Progress that shows nothing."""

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
        Also execute the phases that are unchanged since a former run of the date.
    progress
        Where to show progress; see `abaco.run.progress.Progress`.
    threads
        Cores that the engine uses; by default the setting.
    memory_share
        Runs that share the memory limit.
    deliver
        Called after each run with the output folder, the run's folder and the settings. It records the run, delivers
        its report and returns the undelivered rest. By default nothing is recorded or delivered.
    places
        Places that `deliver` may use (see `abaco.delivery.registry.PLACES`).
    compare_with
        Folder of the reports that the input is compared with; by default `output`.
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
        places: tuple[str, ...] = (),
        compare_with: Path | None = None,
    ):
        self.settings = settings.load(params, output=output and str(output), engine=engine, threads=threads)
        logs.shape(self.settings["run"]["log_format"])
        if self.settings["output"]["pdf"] != "none":
            printing.browser()
        limit = memory.parse_limit(self.settings["run"]["memory_limit"])
        self._memory = limit // memory_share if limit else memory.default_limit(memory_share)
        self.output = project.resolve(self.settings["run"]["output"])
        self._compare_with = compare_with or self.output
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
            ``["phases"]["calculation"]["metrics"]`` the KPIs of metrics.json. A phase that was reused, because nothing
            that it depends on has changed, has ``taken_from``, the run that executed it. ``undelivered`` lists failed
            deliveries with their errors; the report is finished nevertheless. ``replaced`` is the ``run_id``,
            ``input`` and ``path`` of the former report, if it was made from another input.

        Raises
        ------
        InputError
            Bad settings or input, or the sample would replace a report of another input. The former report is
            unchanged. A date without rows leaves no run behind.
        RunError
            The download or a phase failed. The executed notebook of a failed phase is kept.
        StoppedError
            Somebody stopped the run after its report was published.
        """
        plan = self.plan(input, date)
        day = plan["date"]
        run_plan.check_sample(self.output, day, Path(plan["input"]), plan["sources"])
        logs.begin_run(plan["run_id"])
        try:
            if self.force or not self.is_current(plan):
                prepare()
                engines.require(plan["engine"]["name"])
                run_plan.check_catalog()
            folder, failure, replaced = self._hold_and_make(plan)
        except KeyboardInterrupt:
            visible = folders.recorded(self.output / day)
            if visible and visible["run_id"] == plan["run_id"]:
                raise StoppedError(f"interrupted; the report of {day} is published, but not delivered") from None
            raise
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
        """Make and publish a run while holding its date; return its folder, its error and the report it replaced."""
        day, replaced = plan["date"], None
        folders.check_writable(self.output)
        with folders.hold(self.output, day, self.settings["run"]["lock_timeout_seconds"], self.progress.say):
            former, taken = (None, []) if self.force else self._former(plan)
            folder = folders.stage(self.output, day, plan["run_id"])
            failure = self._make(folder, plan, former, taken)
            if isinstance(failure, DateError):  # a mistyped date leaves no trace
                folders.discard(folder)
                raise failure
            if failure is None:
                if replaced := self.replaced(plan):
                    former_report = (day, replaced["input"], replaced["path"])
                    log.warning("the report of %s, made of %s, is replaced; it is kept in %s", *former_report)
                folders.publish(folder, self.output)
                retention.tidy(self.output, day, self.settings)
        return folder, failure, replaced

    def _make(self, folder: Path, plan: dict[str, Any], former: Path | None, taken: list[str]) -> Exception | None:
        """Run the phases that are not taken from a former run; return the error if one fails."""
        done = run_plan.adopt(taken, former, folder, plan["run_id"]) if taken else {}
        folders.discard_work_of_others(self.output, folder)
        files.write_json(folder / "work" / "plan.json", plan)
        facts = {name: plan[name] for name in ("run_id", "date", "input", "contents", "expected", "lost", "had")}
        record = Record(folder, done, self.places, **facts, engine=plan["engine"]["name"])
        try:
            remaining = PHASES[len(taken) :]
            for phase, following in zip(remaining, [*remaining[1:], None], strict=False):
                self._run(phase, following, folder, plan, record)
            folders.discard_work(folder)
            _complete_manifest(folder, plan)
            record.succeed()
        except BaseException as error:
            if "ingestion" not in record.done or "transformation" in record.done:
                folders.discard_work(folder)  # otherwise the next run of the date continues with the rows
            run_plan.seal(folder, record.done)
            record.fail(error)
            if not isinstance(error, Exception):  # an interrupted run is not delivered
                raise
            return error
        return None

    def plan(self, input: str | Path | None = None, date: str | None = None) -> dict[str, Any]:
        """Return the plan of a run: id, date, input, sources, parameters, code, engine and phase keys."""
        day = None if date is None else parse_date(date)
        source = run_plan.located(input, self.settings, self.progress.say)
        files_read, _ = discovery.discover(source)
        if day is None:
            day = run_plan.latest_date(files_read, self.settings)
        code = manifest.code()
        parameters = {name: keys for name, keys in self.settings.items() if name not in settings.OWN}
        parameters["run"] = {"currency": self.settings["run"]["currency"]}
        if facilities := yaml.read_yaml(project.resolve(self.settings["run"]["facilities"])) or {}:
            parameters["run"]["facilities"] = self.settings["run"]["facilities"]
        depends_on = run_plan.dependencies(parameters)
        hashes = sources.identities(s.as_dict() for s in files_read)
        limit = parameters["calculation"]["max_rows_change_pct"]
        expected, lost, had = contents.compared(
            self._compare_with, str(day), str(source), files_read, limit, facilities
        )
        run_id = manifest.run_id(str(day), hashes, depends_on, code["sha256"], lost, had)
        return {
            "run_id": run_id,
            "date": str(day),
            "input": str(source),
            "sources": [s.as_dict() for s in files_read],
            "contents": contents.contents(files_read),
            "expected": expected,
            "lost": lost,
            "had": had,
            "former": contents.former(self._compare_with, had, str(day)),
            "parameters": parameters,
            "params": run_plan.params_read(depends_on, files_read),
            "code": code,
            "engine": {
                "name": self.settings["run"]["engine"],
                "memory_limit": self._memory,
                "threads": self.settings["run"]["threads"],
            },
            "keys": run_plan.phase_keys(str(day), hashes, depends_on, code["library"], lost, had, run_id),
        }

    def is_current(self, plan: dict[str, Any]) -> bool:
        """Return whether the visible report already is the result of a plan."""
        visible = self.output / plan["date"]
        same = run_plan.reusable(plan["keys"], visible) if visible.is_dir() else []
        return len(same) == len(PHASES) == len(run_plan.intact(visible, same))

    def replaced(self, plan: dict[str, Any]) -> dict[str, str] | None:
        """Return the run of the visible report of a plan's date, if it was made from another input."""
        visible = self.output / plan["date"]
        former = folders.recorded(visible)
        if not former or former["input"] == plan["input"]:
            return None
        return {**{key: former[key] for key in ("run_id", "input")}, "path": project.display_path(visible.resolve())}

    def _former(self, plan: dict[str, Any]) -> tuple[Path | None, list[str]]:
        """Return the newest run of the date with the most reusable phases of a plan, and those phases."""
        best: tuple[Path | None, list[str]] = (None, [])
        found = [(f, run_plan.reusable(plan["keys"], f)) for f in folders.folders(self.output, plan["date"])]
        for folder, same in sorted(found, key=lambda run: (len(run[1]), run[0].name), reverse=True):
            if len(same) > len(best[1]) and len(intact := run_plan.intact(folder, same)) > len(best[1]):
                best = (folder, intact)
        return best

    def _run(self, phase: str, following: str | None, folder: Path, plan: dict[str, Any], record: Record) -> None:
        """Execute a phase, while another process already makes the imports of the `following` one."""
        self.progress.begin(phase)
        folders.note_progress(folder, phase)
        log.info("phase %s begins", phase)
        began = time.perf_counter()
        record.phase, name = phase, section(phase)
        facts = self.settings["run"] | {"input": plan["input"], "date": plan["date"]}
        given = (key for key in settings.PIPELINE_PARAMETERS.get(name, ()) if key != "run_dir")
        parameters = {**{key: facts[key] for key in given}, **plan["parameters"][name]}
        with self._next or NotebookProcess(notebook_path(phase)) as process:
            self._next = NotebookProcess(notebook_path(following)) if following else None
            executed = execute_phase(phase, folder, parameters, partial(self._come_to, folder, phase), process)
        scraps = scraps_of(executed)
        if name == "ingestion":
            sources.check_unchanged(plan["sources"], scraps[FACTS]["inputs"])
        figures = {k: v for k, v in scraps.items() if k not in (COMPLETED, FACTS)}
        outputs = [name for name in scraps[COMPLETED] if not name.startswith("work/")]
        seconds = round(time.perf_counter() - began, 3)
        record.add(name, {**figures, "seconds": seconds, "key": plan["keys"][phase], "outputs": outputs})
        if name == "transformation":
            folders.discard_rows(folder)
        self.progress.end(phase)
        log.info("phase %s ended: %s", phase, figures)

    def _come_to(self, folder: Path, phase: str, cell: int, cells: int) -> None:
        self.progress.cell(cell, cells)
        folders.note_progress(folder, phase, cell, cells)


def _complete_manifest(folder: Path, plan: dict[str, Any]) -> None:
    """Write the manifest again, with the notebook of the last phase."""
    content = files.read_json(folder / manifest.NAME)
    facts = {k: v for k, v in content.items() if k not in ("schema_version", "outputs")}
    manifest.write(folder, facts | {key: plan[key] for key in ("code", "params")})
