"""docs/RELIABILITY.md: each run of the fuzzer or of the faults writes its own part, and no figure is typed by hand."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from abaco.core import project
from abaco.run import manifest
from tools.reliability import fuzz
from tools.reliability.tally import Tally

PATH = Path("docs/RELIABILITY.md")
INTRODUCTION = """# Reliability

Written by `make fuzz` and `make faults`, each its own part, with the counts of its last run.
"""
INPUTS = """Small books of every format in every kind of file, archives and a format of another lender with its mapping
among them. Every second row has a hostile cell (a number that is none or could be two, a day that never was, control
characters, a name where an amount belongs), and every third file is damaged as a whole, or is read by a mapping with a
mistake in it. A second reader (the `csv`, `gzip`, `json` and `zipfile` modules, openpyxl, pyarrow and decimals;
`tools/reliability/reader.py`) says what each row can mean; of `.xls` and `.ods`, what was written does. *Wrong* is an
accepted row that says something else, *lost* a sound row that is not accepted or a row that is not accounted for,
*leaked* a planted name, e-mail, phone or key in what is written, *tracebacks* any error that is not one line.
"""
FAULTS = """Each fault happens to a run that replaces a report, in a project of its own. The run is killed, stopped or
out of disk space, its input is exchanged, or another run begins and ends while it stands still, at one of its places:
each change of a file, each opening of the input, each start of a notebook's cell. Or a file of the reports is damaged,
no file may be larger than one that a report needs, or three runs begin at once. A point is a fault and its place (a
path without dates, ids and numbers of processes, a cell of a phase, a file and its damage, or a size); the same fault
at the same place counts once. *Wrong* is a report with figures of another input than it names, *lost* a visible report
that is not whole or a date whose next run does not publish, *leaked* a planted personal value or a work folder that is
left behind, *tracebacks* any error that is not one line, or a process that is left.
"""


def _table(heads: Iterable[str], rows: Iterable[Iterable]) -> str:
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return (
        "\n".join(f"| {' | '.join(f'{c:,}' if isinstance(c, int) else str(c) for c in line)} |" for line in lines)
        + "\n"
    )


def _found(seen: Iterable[tuple]) -> str:
    kinds = Counter(kind for kind, *_ in seen)
    return ", ".join(f"{kinds[name]:,} {name}" for name in fuzz.FAULTS)


def _when(seconds: float) -> str:
    code = manifest.code()
    return f"{dt.date.today()}, code `{code['sha256'][:12]}`, {seconds:,.0f} CPU seconds"


def of_inputs(tally: Tally) -> str:
    """Return the part on hostile inputs."""
    damaged = Counter({what: n for (kind, what), n in tally.of.items() if kind == "damage" and what != "none"})
    formats = sorted({name for name, _ in tally.of if name != "damage"})
    kinds = sorted({kind for name, kind in tally.of if name != "damage"})
    counts = tally.counts
    summary = (
        f"**{fuzz.inputs(tally):,} inputs: {_found(tally.faults)}** ({_when(tally.seconds)}).\n\n"
        f"{counts['hostile rows']:,} hostile rows among {counts['rows']:,} in {counts['files']:,} files; "
        f"{sum(damaged.values()):,} damaged files; {counts['refused']:,} files were refused in one line, and of the "
        f"others {counts['accepted rows']:,} rows were accepted, each as the second reader reads it.\n"
    )
    by_format = _table(["files", *kinds], ([name, *(tally.of[name, kind] for kind in kinds)] for name in formats))
    by_damage = _table(["damage", "files"], sorted(damaged.items()))
    return "\n".join([INPUTS, summary, by_format, by_damage])


def of_faults(tally: Tally) -> str:
    """Return the part on faults of the machine."""
    points, places = Counter(action for action, _ in tally.of), {place for _, place in tally.of}
    kinds = [name for name in tally.counts if name != "not reached"]
    summary = (
        f"**{sum(tally.counts[k] for k in kinds):,} faults at {sum(points[k] for k in kinds):,} distinct points, "
        f"in {len(places):,} places: {_found(tally.faults)}** ({_when(tally.seconds)}).\n"
    )
    rows = ([name, tally.counts[name], points[name]] for name in sorted(kinds))
    return "\n".join([FAULTS, summary, _table(["fault", "tried", "distinct points"], rows)])


def of_bounded(tests: str, seconds: float) -> str:
    """Return the part on what is tried in every test run."""
    return f"`make test` tries a few of both (`{tests}`): {seconds:,.0f} seconds ({dt.date.today()}).\n"


def write(part: str, text: str, path: Path | None = None) -> Path:
    """Replace a part of the page, and return its path."""
    path = path or project.root() / PATH
    parts = (
        dict(re.findall(r"^## (\w+)\n\n(.*?)(?=^## |\Z)", path.read_text("utf-8"), re.M | re.S))
        if path.exists()
        else {}
    )
    parts[part] = text
    body = "".join(
        f"\n## {name}\n\n{parts[name].rstrip()}\n" for name in ("Inputs", "Faults", "Bounded") if name in parts
    )
    path.write_text(INTRODUCTION + body, encoding="utf-8")
    return path
