"""Shared by all verbs: the application, common options, and the message about undelivered items."""

from pathlib import Path
from typing import Annotated

import typer

from abaco.core.text import show

app = typer.Typer(
    help="A lender's loan-book exports in, a KPI report out.", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False,
)  # fmt: skip
UNDELIVERED = 3  # exit code: the report is done, but a delivery is pending

Date = Annotated[str | None, typer.Option(help="Measurement date, YYYY-MM-DD; by default the latest in the input.")]
Input = Annotated[  # text: a path would make ./cascade the same as cascade
    str | None, typer.Option(help="A file (CSV, Parquet, JSON, XLSX), a folder of exports, or cascade.")
]
Params = Annotated[str | None, typer.Option(help="A YAML file, or section.key=value pairs with commas between.")]
Output = Annotated[Path | None, typer.Option(help="Folder that receives reports/<date>/.")]
Engine = Annotated[str | None, typer.Option(help="The engine: duckdb, or spark on the cluster at SPARK_MASTER.")]
Force = Annotated[bool, typer.Option("--force", help="Also execute phases that are unchanged since a former run.")]
Finished = Annotated[str, typer.Option("--date", help="Date of a finished report, YYYY-MM-DD.")]
Level = Annotated[str | None, typer.Option(help="DEBUG, INFO, WARNING or ERROR; DEBUG shows tracebacks.")]


def report_undelivered(rows: list[dict]) -> None:
    """Print undelivered items, and exit with 3 if there are any."""
    if not rows:
        return
    from abaco.database.queries import group_deliveries  # imports SQLAlchemy, which is slow

    for row in group_deliveries(rows):
        error = row["error"] or "not tried yet"
        show(f"Not delivered: {row['place']} of {row['run_id']}: {error}", error=True)
    states = {row["status"] for row in rows}
    if "pending" in states:
        show("The next run tries again, and so does abaco deliver --pending", error=True)
    if "dead" in states:
        hint = "What was given up is tried again by abaco deliver --dead, or no more after --drop RUN"
        show(hint, error=True)
    raise typer.Exit(UNDELIVERED)
