"""Verbs that read finished reports: status, history, compare, explain."""

from typing import Annotated

import typer

from abaco.cli.options import FIGURES, Date, Level, Output, verb
from abaco.core import logs
from abaco.core.text import show


@verb(FIGURES, "status")
def status(output: Output = None, log_level: Level = None) -> None:
    """Show the report of each date with its KPIs, later runs that failed, undelivered items and alerts."""
    from abaco.review import status as review_status
    from abaco.review import terminal

    logs.start(log_level)
    terminal.speak()
    for line in review_status.overview(output):
        show(line)


@verb(FIGURES, "history PAR30 --by month")
def history(
    kpi: Annotated[str, typer.Argument(help="Its id, such as PAR30.")],
    date: Date = None,
    by: Annotated[str, typer.Option(help="day, week or month.")] = "day",
    output: Output = None, log_level: Level = None,
) -> None:  # fmt: skip
    """Show a KPI on each date of a finished report's input, as a table with bars."""
    from abaco.review import history as review_history
    from abaco.review import terminal

    logs.start(log_level)
    terminal.speak()
    for line in review_history.history(kpi, output, date, by):
        show(line)


@verb(FIGURES, "compare 2025-11-30 2025-12-31")
def compare(
    one: Annotated[str, typer.Argument(help="A run id, or the date of a report.")],
    other: Annotated[str, typer.Argument(help="Another one.")],
    output: Output = None, log_level: Level = None,
) -> None:  # fmt: skip
    """Show the differences between two runs: figures, inputs, parameters and code."""
    from abaco.review import comparison, terminal

    logs.start(log_level)
    terminal.speak()
    for line in comparison.compare(one, other, output):
        show(line)


@verb(FIGURES, "explain PAR30 --date 2025-12-31")
def explain(
    kpi: Annotated[str, typer.Argument(help="A KPI or a facility of the report, such as PAR30.")],
    date: Annotated[
        str | None, typer.Option(help="Date of a finished report, YYYY-MM-DD; by default the latest.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Earlier date to compare with; by default the one before.")
    ] = None,
    lines: Annotated[
        bool, typer.Option("--lines", help="Also show the line of each loan in the exports.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Show every date, not the last 13 alone.")] = False,
    output: Output = None, log_level: Level = None,
) -> None:  # fmt: skip
    """Explain a KPI or a facility of a finished report: its figures, what moved it, the loans behind it, its past."""
    from abaco.review import explanation, terminal

    logs.start(log_level)
    terminal.speak()
    for line in explanation.explain(kpi, date, against, output, lines, every):
        show(line)
