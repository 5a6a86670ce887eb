"""Shared by all verbs: the application, common options, and the message about undelivered items."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from abaco import __version__
from abaco.core.text import show

app = typer.Typer(
    help="A lender's loan-book exports in, a KPI report out.", no_args_is_help=True, pretty_exceptions_enable=False,
    epilog="Example: abaco report --date 2025-12-31 --input path/to/exports",
)  # fmt: skip
# the groups of the verbs, as --help shows them
REPORTS, FIGURES, DELIVERY, OPERATIONS = "Make reports", "Read figures", "Deliver", "Operate"
UNDELIVERED = 3  # exit code: the report is done, but a delivery is pending

Date = Annotated[str | None, typer.Option(help="Measurement date, YYYY-MM-DD; by default the latest in the input.")]
Input = Annotated[  # text: a path would make ./cascade the same as cascade
    str | None, typer.Option(help="A file (CSV, Parquet, JSON, XLSX), a folder of exports, or cascade.")
]
Params = Annotated[str | None, typer.Option(help="A YAML file, or section.key=value pairs with commas between.")]
Output = Annotated[Path | None, typer.Option(help="Folder that receives reports/<date>/.")]
Engine = Annotated[str | None, typer.Option(help="The engine: duckdb, or spark on the cluster at SPARK_MASTER.")]
Force = Annotated[bool, typer.Option("--force", help="Also execute phases that are unchanged since a former run.")]
Resend = Annotated[bool, typer.Option("--resend", help="Email the report also to those who have the same figures.")]
Finished = Annotated[str, typer.Option("--date", help="Date of a finished report, YYYY-MM-DD.")]
Level = Annotated[str | None, typer.Option(help="DEBUG, INFO, WARNING or ERROR; DEBUG shows tracebacks.")]


def verb(group: str, example: str) -> Callable:
    """Return the decorator of a verb: the group that --help shows it in, and an example for its own --help."""
    return app.command(example.split()[0], rich_help_panel=group, epilog=f"Example: abaco {example}")


def _version(is_wanted: bool) -> None:
    if is_wanted:
        show(f"abaco {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


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
