"""The command line: thin verbs over the functions that do the work."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from abaco import logs, project
from abaco.errors import AbacoError

app = typer.Typer(
    help="A lender's loan-book exports in, a KPI report out.", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False,
)  # fmt: skip
out = Console(highlight=False, soft_wrap=True)

Date = Annotated[str | None, typer.Option(help="Measurement date, YYYY-MM-DD; by default the latest in the input.")]
Input = Annotated[Path | None, typer.Option(help="A file (CSV, Parquet, JSON, XLSX) or a folder of exports.")]
Params = Annotated[str | None, typer.Option(help="A YAML file, or section.key=value pairs with commas between.")]
Output = Annotated[Path | None, typer.Option(help="Folder that receives reports/<date>/.")]
Engine = Annotated[str | None, typer.Option(help="What computes: duckdb.")]
Level = Annotated[str | None, typer.Option(help="DEBUG, INFO, WARNING or ERROR; DEBUG shows tracebacks.")]


@app.command()
def report(
    date: Date = None, input: Input = None, params: Params = None, output: Output = None, engine: Engine = None,
    log_level: Level = None,
) -> None:  # fmt: skip
    """Make the report of a date: run every phase, then switch to the new report in one step."""
    from abaco.pipeline import Pipeline
    from abaco.progress import Progress

    logs.start(log_level)
    with Progress() as progress:
        result = Pipeline(params, output and output.absolute(), engine, progress).execute(input, date)
    for name, kpi in result["phases"]["calculation"]["metrics"].items():
        out.print(_kpi_line(name, kpi))
    out.print(f"{project.shown(Path(result['path']))}/report.html")


def _kpi_line(name: str, kpi: dict) -> str:
    if kpi["value"] is None:
        return f"{name:<16} not computable: {kpi['reason']}"
    value = f"{kpi['value']:.{kpi['precision']}f} {kpi['unit']}"
    return f"{name:<16} {value:<14} {kpi['status']}"


@app.command()
def check(
    date: Date = None, input: Input = None, params: Params = None, log_level: Level = None
) -> None:
    """Validate an input and show what a report would do with it, writing nothing."""
    from abaco import inspection

    logs.start(log_level)
    for part in inspection.inspect(input, date, params):
        out.print(part)


@app.command()
def status(output: Output = None, log_level: Level = None) -> None:
    """Show every date's report: its KPIs, and a later run that failed."""
    from abaco import history

    logs.start(log_level)
    out.print(history.overview(output))


@app.command()
def verify(date: Date = None, output: Output = None, log_level: Level = None) -> None:
    """Run a finished date again elsewhere and prove that every figure, table and page is the same."""
    from abaco import verification

    logs.start(log_level)
    for line in verification.verify(date, output):
        out.print(line)


@app.command()
def sample(
    rows: Annotated[int | None, typer.Option(help="Rows of a tape of any size; without it, the project's own sample.", min=1)] = None,
    output: Annotated[Path | None, typer.Option(help="With rows: the file, .csv or .parquet. Else: the folder.")] = None,
    log_level: Level = None,
) -> None:
    """Rebuild the synthetic sample, the same bytes every time; with a row count, a tape of any size."""
    from abaco import sample as generator

    logs.start(log_level)
    if rows is None:
        folder = output or project.root() / "data"
        generator.write_sample(folder)
        out.print(f"{project.shown(folder)}/sample.csv and sample/")
    else:
        path = output or project.root() / "data" / f"sample_{rows}.csv"
        generator.write_snapshot(path, rows)
        out.print(f"{project.shown(path)}: {rows} rows")


def main() -> None:
    """Run the command line; an error that a user can act on is one line, its traceback in logs/pipeline.log."""
    try:
        app()
    except AbacoError as error:
        logs.keep_traceback(error)
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("Error: interrupted; the former report is as it was", file=sys.stderr)
        sys.exit(130)
