"""The pipeline: settings, sources and date are checked, then the phases run in a folder that replaces the former one."""

import logging
import time
from pathlib import Path
from typing import Any

from abaco import manifest, project, runs, scraps, settings, sources
from abaco.dates import latest_date, parse_date
from abaco.errors import AbacoError
from abaco.kpis import catalog
from abaco.settings import PHASES, section

log = logging.getLogger(__name__)


class Silence:
    """Progress that nobody watches."""

    def begin(self, *_) -> None:
        """Take note of nothing."""

    cell = end = say = begin


class Pipeline:
    """Runs reports with one set of settings.

    Parameters
    ----------
    params
        Changes to params/pipeline.yml: a YAML file, ``section.key=value`` pairs, or a dict by section.
    output, engine
        Changes to the settings of the same name.
    progress
        Told what is going on; see `abaco.progress.Progress`.
    """

    def __init__(
        self, params: Any = None, output: str | None = None, engine: str | None = None, progress: Any = None
    ):
        self.settings = settings.load(params, output=output and str(output), engine=engine)
        self.output = project.resolve(self.settings["run"]["output"])
        self.progress = progress or Silence()
        catalog.load()

    def execute(self, input: str | Path | None = None, date: str | None = None) -> dict[str, Any]:
        """Run all phases and publish the report.

        Parameters
        ----------
        input
            A file or a folder of exports; by default the setting ``run.input``.
        date
            The measurement date; by default the latest one in the input.

        Returns
        -------
        dict
            The content of run.json, with ``path``, the report's folder, and under
            ``["phases"]["calculation"]["metrics"]`` the KPIs of metrics.json.

        Raises
        ------
        InputError
            Bad settings or input; nothing was run, or the run ended without touching the former report.
        RunError
            A phase failed; its executed notebook is kept.
        """
        wanted = None if date is None else parse_date(date)
        source = (
            Path(input).expanduser().absolute() if input else project.resolve(self.settings["run"]["input"])
        )
        found, _ = sources.discover(source)
        day = wanted or latest_date(found)
        runs.check_writable(self.output)
        code = manifest.code()
        parameters = {name: keys for name, keys in self.settings.items() if name != "run"}
        inputs = [{"name": s.name, "sha256": s.sha256} for s in found]
        run_id = manifest.run_id(str(day), inputs, parameters, code["sha256"])
        with runs.hold(self.output, day, self.settings["run"]["lock_timeout_seconds"], self.progress.say):
            folder = runs.stage(self.output, day, run_id)
            known = [s.as_dict() for s in found]
            plan = {"run_id": run_id, "code": code, "parameters": parameters, "sources": known}
            runs.write_json(folder / "work" / "plan.json", plan)
            record = _Record(
                folder, run_id=run_id, date=str(day), input=str(source), engine=self.settings["run"]["engine"]
            )
            try:
                for phase in PHASES:
                    given = {"input": str(source), "date": str(day)} if section(phase) == "ingestion" else {}
                    self._run(phase, folder, {**given, **parameters[section(phase)]}, record)
                record.succeed()
            except BaseException as error:
                record.fail(error)
                raise
            finally:
                runs.discard_work(folder)
            record.seal()
            visible = runs.publish(folder, self.output)
        content = runs.read_json(folder / "run.json")
        content["phases"]["calculation"]["metrics"] = runs.read_json(folder / "metrics.json")["kpis"]
        return {**content, "path": str(visible)}

    def _run(self, phase: str, folder: Path, parameters: dict[str, Any], record: "_Record") -> None:
        from abaco.execution import (
            execute_phase,
        )  # papermill takes a second to import: not before it is needed

        self.progress.begin(phase)
        log.info("phase %s begins", phase)
        began = time.perf_counter()
        record.phase = phase
        executed = execute_phase(phase, folder, parameters, on_cell=self.progress.cell)
        figures = {k: v for k, v in scraps.read(executed).items() if k != scraps.COMPLETED}
        record.add(section(phase), {**figures, "seconds": round(time.perf_counter() - began, 3)})
        self.progress.end(phase)
        log.info("phase %s ended: %s", phase, figures)


class _Record:
    """run.json: what happened in one run, kept up to date while it happens."""

    def __init__(self, folder: Path, **facts: str):
        self._folder, self._path, self._began, self.phase = (
            folder,
            folder / "run.json",
            time.perf_counter(),
            None,
        )
        self._content = {
            "schema_version": 1, **facts, "status": "running", "started_at": runs.now(), "finished_at": None,
            "seconds": None, "phases": {}, "deliveries": [], "error": None,
        }  # fmt: skip
        self._write()

    def _write(self, **changes: Any) -> None:
        self._content.update(changes)
        runs.write_json(self._path, self._content)

    def add(self, name: str, figures: dict[str, Any]) -> None:
        self._write(phases={**self._content["phases"], name: figures})

    def _end(self, status: str, error: str | None = None) -> None:
        seconds = round(time.perf_counter() - self._began, 3)
        self._write(status=status, error=error, finished_at=runs.now(), seconds=seconds)

    def succeed(self) -> None:
        self._end("success")

    def fail(self, error: BaseException) -> None:
        text = (
            str(error)
            if isinstance(error, AbacoError)
            else f"{type(error).__name__}: {error}".removesuffix(": ")
        )
        self._end("failed", f"{self.phase}: {text}")

    def seal(self) -> None:
        """Write the manifest anew: the last phase's notebook and run.json have come since."""
        path = self._folder / manifest.NAME
        manifest.write(
            self._folder,
            {k: v for k, v in runs.read_json(path).items() if k not in ("schema_version", "outputs")},
        )
