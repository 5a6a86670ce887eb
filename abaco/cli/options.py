"""What the verbs of the command line share: the application, their options, and what they say of deliveries."""

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="A lender's loan-book exports in, a KPI report out.", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False,
)  # fmt: skip
UNDELIVERED = 3  # the report is done, and a delivery is pending

Date = Annotated[
    str | None, typer.Option(help="Measurement date, YYYY-MM-DD; by default the latest in the input.")
]
Input = Annotated[  # text: a path would make ./cascade the same as cascade
    str | None, typer.Option(help="A file (CSV, Parquet, JSON, XLSX), a folder of exports, or cascade.")
]
Params = Annotated[
    str | None, typer.Option(help="A YAML file, or section.key=value pairs with commas between.")
]
Output = Annotated[Path | None, typer.Option(help="Folder that receives reports/<date>/.")]
Engine = Annotated[
    str | None, typer.Option(help="What computes: duckdb, or spark on the cluster at SPARK_MASTER.")
]
Force = Annotated[bool, typer.Option("--force", help="Execute also what is unchanged since a former run.")]
Finished = Annotated[str, typer.Option("--date", help="Date of a finished report, YYYY-MM-DD.")]
Level = Annotated[str | None, typer.Option(help="DEBUG, INFO, WARNING or ERROR; DEBUG shows tracebacks.")]


def report_undelivered(rows: list[dict]) -> None:
    """Print what could not be delivered, and exit with 3 if there is any."""
    if not rows:
        return
    from abaco.database.queries import group_deliveries  # with SQLAlchemy, which takes long to import

    for row in group_deliveries(rows):
        print(
            f"Not delivered: {row['place']} of {row['run_id']}: {row['error'] or 'not tried yet'}",
            file=sys.stderr,
        )
    if any(row["status"] == "pending" for row in rows):
        print("The next run tries again, and so does abaco deliver --pending", file=sys.stderr)
    if any(row["status"] == "dead" for row in rows):
        print(
            "What was given up is tried again by abaco deliver --dead, or no more after --drop RUN",
            file=sys.stderr,
        )
    raise typer.Exit(UNDELIVERED)
