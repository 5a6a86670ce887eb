"""`make bench-quick`: count what a report of the sample takes, which hardly depends on the machine.

A count that is far from the recorded one (counts.json) is an error: a change that makes reports slower is noticed in
review, and one that makes them faster is recorded.
"""

import argparse
import cProfile
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import CodeType

from abaco.core.phases import PHASES, notebook_path
from abaco.run.execution import import_ahead
from benchmarks import measure, plain, reports, results

RECORDED = Path(__file__).with_name("counts.json")
TOLERANCE = 0.1
DUCKDB = "/site-packages/duckdb/"
ENGINE = "abaco/engines/duckdb.py"
# functions whose calls are counted, by the end of their file's name and their own
QUERIES = {("narwhals/dataframe.py", "collect"), (ENGINE, "write")}
SCANS = {(ENGINE, "scan"), (ENGINE, "read_csv"), (ENGINE, "read_typed")}


def count(script: Path, folder: Path) -> dict[str, int]:
    """Run the cells of all phases in this process, and return the counts by what is counted.

    Parameters
    ----------
    script
        The cells (see `plain.script`).
    folder
        The run's folder.
    """
    for phase in PHASES:
        import_ahead(notebook_path(phase))
    code, before, profile = compile(script.read_text(), str(script), "exec"), _transferred(), cProfile.Profile()
    names = {"__name__": "__main__"}
    profile.runctx(code, names, names)
    after, entries = _transferred(), profile.getstats()
    of_duckdb = [one.callcount for entry in entries if not _is_of_duckdb(entry.code) for one in entry.calls or ()
                 if _is_of_duckdb(one.code)]  # fmt: skip

    def calls(functions: set[tuple[str, str]]) -> int:
        return sum(one.callcount for one in entries if any(_is(one.code, *function) for function in functions))

    return {
        "Python function calls": sum(one.callcount for one in entries),
        "calls into DuckDB": sum(of_duckdb),
        "queries": calls(QUERIES),
        "scans": calls(SCANS),
        "modules imported": len(sys.modules),
        "bytes read": after["rchar"] - before["rchar"],
        "bytes written": after["wchar"] - before["wchar"],
        "bytes of the folder": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    }


def _is(code: CodeType | str, file: str, name: str) -> bool:
    return isinstance(code, CodeType) and code.co_name == name and code.co_filename.endswith(file)


def _is_of_duckdb(code: CodeType | str) -> bool:
    return isinstance(code, CodeType) and DUCKDB in code.co_filename


def _transferred() -> dict[str, int]:
    lines = (line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return {name: int(value) for name, value in lines}


def counted() -> dict[str, int]:
    """Return the counts of a new process."""
    with tempfile.TemporaryDirectory(prefix="abaco-bench-") as place:
        plan, given = reports.planned()
        folder = reports.prepared(Path(place) / "run", plan)
        script = Path(place) / "script.py"
        script.write_text(plain.script(PHASES, folder, given))
        return json.loads(measure.run(sys.executable, "-m", "benchmarks.counts", "--of", script, folder).output)


def main(say: Callable[[str], None] = print) -> int:
    """Count, say how far each count is from the recorded one, and return 1 if one is too far."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.counts", description=__doc__)
    parser.add_argument("--record", action="store_true", help="record the counts")
    parser.add_argument("--of", nargs=2, type=Path, metavar=("SCRIPT", "FOLDER"), help="count this run in this process")
    arguments = parser.parse_args()
    if arguments.of:
        say(json.dumps(count(*arguments.of)))
        return 0
    found = counted()
    if arguments.record:
        RECORDED.write_text(json.dumps(found, indent=2) + "\n")
    recorded = json.loads(RECORDED.read_text())
    ratios = {name: found[name] / recorded[name] for name in recorded}
    rows = [(name, f"{found[name]:,}", f"{recorded[name]:,}", f"{ratio:.3f}") for name, ratio in ratios.items()]
    say(results.table(("counted", "now", "recorded", "ratio"), rows))
    far = [name for name, ratio in ratios.items() if abs(ratio - 1) > TOLERANCE]
    for name in far:
        say(f"{name}: {ratios[name]:.2f} of what is recorded; if that is meant, record it: make bench-quick RECORD=1")
    return int(bool(far))


if __name__ == "__main__":
    sys.exit(main())
