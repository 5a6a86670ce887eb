"""RESULTS.md: the parts that the benchmarks found, as Markdown."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.measure import Measured, median, ratios, seconds

INTRODUCTION = """\
# Benchmarks

Written by the benchmarks themselves; nothing here is typed by hand. Every case runs as processes of its own, the
cases of a table alternate (ABAB), and the files are in the page cache. Shown are medians, and in brackets the least and
the most. A ratio is taken between runs of the same round. Memory is the peak of the proportional set sizes of all
processes together.
"""


def write(path: Path, facts: dict[str, str], parts: Iterable[str]) -> None:
    """Write what there is so far."""
    machine = table(("", ""), facts.items())
    path.write_text("\n".join([INTRODUCTION, machine, *parts]), encoding="utf-8")


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; the first column is text, the others are figures."""
    lines = [headings, [":--", *["--:"] * (len(headings) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def commands(lines: Iterable[str]) -> str:
    """Return the commands that were run."""
    return "\n".join(["```sh", *lines, "```"]) + "\n"


def number(value: float) -> str:
    """Return a figure to three digits.

    Examples
    --------
    >>> [number(v) for v in (0.0123, 1.234, 98.76, 1234.5)]
    ['0.012', '1.23', '98.8', '1234']
    """
    return f"{value:.{3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0}f}"


def spread(values: Iterable[float]) -> str:
    """Return the median, with the least and the most where there is more than one."""
    values = list(values)
    ends = f" ({number(min(values))}–{number(max(values))})" if len(values) > 1 else ""
    return number(median(values)) + ends


def took(runs: list[Measured]) -> str:
    """Return the seconds of runs."""
    return spread(seconds(runs))


def memory(runs: list[Measured]) -> str:
    """Return the highest peak of runs in MiB."""
    return f"{max(one.peak_mib for one in runs):.0f}"


def against(runs: list[Measured], peer: list[Measured], aim: float | None = None) -> str:
    """Return how many times as long as the peer's the runs took, and whether that is within the aim."""
    found = list(ratios(runs, peer))
    return spread(found) + ("" if aim is None else f", {judged(median(found), aim)}")


def judged(value: float, aim: float) -> str:
    """Return whether a figure is within its aim.

    Examples
    --------
    >>> judged(0.2, 0.25)
    'aim ≤ 0.25: met'
    """
    return f"aim ≤ {aim:g}: {'met' if value <= aim else 'missed'}"
