"""Benchmark 1: the report of the sample, against papermill's command line and one plain script."""

import itertools
import shlex
import sys
from pathlib import Path
from typing import Any

from abaco.core.files import write_json
from abaco.core.phases import PHASES, notebook_path, section
from abaco.run.pipeline import Pipeline
from benchmarks import figures, measure, plain, results

DATE = "2025-12-31"
BIN = Path(sys.executable).parent


def measured(place: Path, rounds: int) -> str:
    """Return the part of RESULTS.md.

    Parameters
    ----------
    place
        A folder for what is made.
    """
    numbers = itertools.count()
    plan, given = planned()

    def fresh() -> Path:
        return prepared(place / f"run_{next(numbers)}", plan)

    def papermill() -> measure.Measured:
        folders["papermill"] = fresh()
        return measure.run("sh", "-ec", "\n".join(papermill_commands(folders["papermill"], given)))

    def script() -> measure.Measured:
        folder = folders["script"] = fresh()
        (folder / "script.py").write_text(plain.script(PHASES, folder, given))
        return measure.run(sys.executable, folder / "script.py")

    def report() -> measure.Measured:
        folders["output"] = place / f"reports_{next(numbers)}"
        folders["make report"] = folders["output"] / DATE
        return again()

    def again() -> measure.Measured:
        return measure.run("make", "report", f"DATE={DATE}", f"OUTPUT={folders['output']}")

    folders: dict[str, Path] = {}
    names = ("`make report`, cold", "`make report`, unchanged", "papermill", "one plain script")
    runs = measure.alternate(dict(zip(names, (report, again, papermill, script), strict=True)), rounds)
    same = ("make report", "papermill", "script")
    figures.check({name: figures.of_run(folders[name]) for name in same})
    pages = {(folders[name] / "report.html").read_bytes() for name in same}
    assert len(pages) == 1, "the pages differ"
    cold, unchanged, mill, one = runs.values()
    rows = [
        (name, results.took(of), results.memory(of), results.against(cold, of) if of is not cold else "")
        for name, of in runs.items()
    ]
    aims = [
        ("cold / papermill", results.against(cold, mill, 0.25)),
        ("cold / one plain script", results.against(cold, one, 1.5)),
        ("unchanged / cold", results.against(unchanged, cold, 0.15)),
    ]
    said = [f"make report DATE={DATE} OUTPUT=$new  # unchanged: again with the same OUTPUT"]
    said += [
        line.replace(str(folders["papermill"]), "$run").replace(f"{measure.ROOT}/", "")
        for line in papermill_commands(folders["papermill"], given)
    ]
    said += ["python $run/script.py  # the code cells of the five notebooks, one after another (benchmarks/plain.py)"]
    return "\n".join([
        "## 1. The report of the sample\n",
        "All three make the same page, byte for byte.\n",
        results.table(("", "seconds", "MiB", "cold, times this"), rows),
        results.table(("ratio", "found"), aims),
        results.commands(said),
    ])  # fmt: skip


def planned() -> tuple[dict[str, Any], dict[str, dict]]:
    """Return the plan of the sample's report, and the parameters of its notebooks by section."""
    plan = Pipeline().plan(date=DATE)
    given = {section(p): plan["parameters"][section(p)] for p in PHASES}
    given["ingestion"] = {"input": plan["input"], "date": DATE, **plan["parameters"]["run"], **given["ingestion"]}
    return plan, given


def prepared(folder: Path, plan: dict[str, Any]) -> Path:
    """Make the folder of a run for notebooks that are executed one by one, and return it."""
    for name in ("tables", "notebooks", "work"):
        (folder / name).mkdir(parents=True)
    write_json(folder / "work" / "plan.json", plan)
    return folder


def papermill_commands(folder: Path, given: dict[str, dict]) -> list[str]:
    """Return a papermill command for each notebook, with ordinary kernels and what the pipeline gives it."""
    found = []
    for phase in PHASES:
        parameters = {"run_dir": folder, **given[section(phase)]}
        options = " ".join(f"-p {name} {shlex.quote(str(value))}" for name, value in parameters.items())
        source = notebook_path(phase).relative_to(measure.ROOT)
        found.append(
            f"{(BIN / 'papermill').relative_to(measure.ROOT)} {source} {folder}/notebooks/{phase}.ipynb "
            f"-k python3 --cwd notebooks --no-progress-bar {options}"
        )
    return found
