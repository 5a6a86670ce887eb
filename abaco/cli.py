"""The command line: thin verbs over the functions that do the work."""

import signal
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer

from abaco import inputs, logs, metrics, project, runs
from abaco.errors import AbacoError, InputError, RunError
from abaco.listing import aligned

app = typer.Typer(
    help="A lender's loan-book exports in, a KPI report out.", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False,
)  # fmt: skip
UNDELIVERED = 3  # the report is done, and a delivery is pending
INTERRUPTED = 130  # what typer makes of Ctrl-C

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


@app.command()
def report(
    date: Date = None, input: Input = None, params: Params = None, output: Output = None,
    engine: Engine = None, force: Force = False, log_level: Level = None,
) -> None:  # fmt: skip
    """Make the report of a date: run every phase, then switch to the new report in one step."""
    from abaco.kernels import forking

    logs.start(log_level)
    forking.prepare()  # it imports what kernels need while this process finds out whether one is needed
    from abaco.pipeline import Pipeline
    from abaco.progress import Progress

    with Progress() as progress:
        pipeline = Pipeline(params, output and output.absolute(), engine, force, progress)
        result = pipeline.execute(input, date)
    for name, phase in result["phases"].items():
        if "taken_from" in phase:
            print(f"{name} is unchanged: taken from the run {phase['taken_from']}")
    folder = Path(result["path"])
    kpis = result["phases"]["calculation"]["metrics"]
    print(
        *aligned(metrics.summary(kpis)), *metrics.caveats(runs.read_json(folder / "metrics.json")), sep="\n"
    )
    if former := result["replaced"]:
        print(
            f"It replaces the report of {former['input']}, run {former['run_id']}, kept in {former['path']}"
        )
    print(f"{project.shown(folder)}/report.html")
    _tell_undelivered(result["undelivered"])


@app.command()
def backfill(
    first: Annotated[str, typer.Option("--from", help="First date, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last date, YYYY-MM-DD.")],
    input: Input = None, params: Params = None, output: Output = None, engine: Engine = None,
    force: Force = False, log_level: Level = None,
) -> None:  # fmt: skip
    """Make a report for each date of the input between two dates; what is up to date is left as it is."""
    from abaco import backfill as runner
    from abaco.pipeline import Pipeline

    logs.start(log_level)
    settings = {"params": params, "output": output and output.absolute(), "engine": engine, "force": force}
    source = inputs.located(input, Pipeline(**settings).settings, print)
    dates = runner.wanted_dates(source, first, last)
    failed = []
    for count, (date, outcome, error) in enumerate(runner.backfill(source, dates, **settings), start=1):
        print(f"{count}/{len(dates)}  {date}  {outcome}" + (f": {error}" if error else ""), flush=True)
        failed += [date] if outcome == "failed" else []
    if failed:
        raise RunError(
            f"{len(failed)} of {len(dates)} dates failed, {failed[0]} first: correct them and run it again"
        )


@app.command()
def deliver(
    pending: Annotated[bool, typer.Option("--pending", help="Try all that is not delivered yet.")] = False,
    dead: Annotated[bool, typer.Option("--dead", help="Also what was given up.")] = False,
    params: Params = None, output: Output = None, log_level: Level = None,
) -> None:  # fmt: skip
    """Deliver what could not be delivered when its report was made; what was delivered is not sent again."""
    from abaco import archive, settings
    from abaco.delivery import settlement

    logs.start(log_level)
    if not (pending or dead):
        raise InputError("Say what to deliver: --pending, and --dead for what was given up")
    tried = list(settlement.deliver_pending(archive.reports_folder(output), settings.load(params), dead))
    lines = aligned((row["channel"], row["run_id"] or row["key"], row["status"]) for row in tried)
    print(*lines or ["Nothing was to be delivered"], sep="\n")
    _tell_undelivered([row for row in tried if row["status"] != "done"])


@app.command()
def upload(date: Finished, params: Params = None, output: Output = None, log_level: Level = None) -> None:
    """Upload a finished report to Azure Blob again; what is there already is not sent again."""
    from abaco.delivery import again

    logs.start(log_level)
    _tell_undelivered(again.upload(date, params, output))


@app.command()
def email(
    date: Finished,
    to: Annotated[str | None, typer.Option(help="Recipients with commas between; else REPORT_RECIPIENTS.")] = None,
    params: Params = None, output: Output = None, log_level: Level = None,
) -> None:  # fmt: skip
    """Send a finished report by email, also to who has it already."""
    from abaco.delivery import again

    logs.start(log_level)
    _tell_undelivered(again.email(date, to, params, output))


@app.command()
def check(date: Date = None, input: Input = None, params: Params = None, log_level: Level = None) -> None:
    """Validate an input and show what a report would do with it, writing nothing."""
    from abaco import inspection

    logs.start(log_level)
    for line in inspection.inspect(input, date, params):
        print(line)


@app.command()
def status(output: Output = None, log_level: Level = None) -> None:
    """Show every date's report: its KPIs, and a later run that failed."""
    from abaco import archive

    logs.start(log_level)
    for line in archive.overview(output):
        print(line)


@app.command()
def history(
    kpi: Annotated[str, typer.Argument(help="Its id, such as PAR30.")],
    date: Date = None,
    by: Annotated[str, typer.Option(help="day, week or month, where the input is that fine.")] = "day",
    output: Output = None, log_level: Level = None,
) -> None:  # fmt: skip
    """Show a KPI on every date of a finished report's input, as a table with bars."""
    from abaco import trends

    logs.start(log_level)
    for line in trends.history(kpi, output, date, by):
        print(line)


@app.command()
def compare(
    one: Annotated[str, typer.Argument(help="A run id, or the date of a report.")],
    other: Annotated[str, typer.Argument(help="Another one.")],
    output: Output = None, log_level: Level = None,
) -> None:  # fmt: skip
    """Show what differs between two runs: figures, inputs, parameters and code."""
    from abaco import comparison

    logs.start(log_level)
    for line in comparison.compare(one, other, output):
        print(line)


@app.command()
def explain(
    kpi: Annotated[str, typer.Argument(help="A KPI of the report, such as PAR30.")],
    date: Annotated[
        str | None, typer.Option(help="Date of a finished report, YYYY-MM-DD; by default the latest.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Earlier date to hold it against; by default the one before.")
    ] = None,
    lines: Annotated[
        bool, typer.Option("--lines", help="Also in which line of the exports each loan stands.")
    ] = False,
    output: Output = None, log_level: Level = None,
) -> None:  # fmt: skip
    """Explain a KPI of a finished report: its formula in figures, why it moved, the loans behind it, its history."""
    from abaco import explanation

    logs.start(log_level)
    for line in explanation.explain(kpi, date, against, output, lines):
        print(line)


@app.command()
def verify(date: Date = None, output: Output = None, log_level: Level = None) -> None:
    """Run a finished date again elsewhere and prove that every figure, table and page is the same."""
    from abaco import verification

    logs.start(log_level)
    for line in verification.verify(date, output):
        print(line)


@app.command()
def backup(
    to: Annotated[
        str | None, typer.Option(help="A file.tar.gz, a folder, or azure; by default backups/ beside the reports.")
    ] = None,
    output: Output = None, log_level: Level = None,
) -> None:  # fmt: skip
    """Write reports and database into one archive, every file with its hash."""
    from abaco import backup as archiver

    logs.start(log_level)
    print(archiver.backup(to, output))


@app.command()
def restore(
    archive: Annotated[str, typer.Argument(help="A file that backup wrote, or azure:NAME.")],
    output: Output = None, log_level: Level = None,
) -> None:  # fmt: skip
    """Put reports and database back from an archive, once all of it is checked; what was there is kept aside."""
    from abaco import restoration

    logs.start(log_level)
    print(restoration.restore(archive, output))


@app.command()
def rollback(
    date: Finished,
    to: Annotated[str | None, typer.Option(help="A run id; else the good run before the visible one.")] = None,
    output: Output = None, log_level: Level = None,
) -> None:  # fmt: skip
    """Make a former good run of a date its report again; the one that is visible now is kept."""
    from abaco import rollback as switch

    logs.start(log_level)
    print(switch.rollback(date, to, output))


@app.command()
def doctor(params: Params = None, output: Output = None, log_level: Level = None) -> None:
    """Examine the installation, a line a part: what was found and what to do; exit code 1 where something is broken."""
    from abaco.doctor import examine

    levels = []
    for name, finding in examine(params, output and output.expanduser().absolute(), log_level):
        print(f"{finding.level:<9}{name:<12}{finding.text}", flush=True)
        levels.append(finding.level)
    if "problem" in levels:
        raise typer.Exit(1)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; by default service.host.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0: any that is free.", min=0, max=65535)
    ] = None,
    params: Params = None, output: Output = None, log_level: Level = None,
) -> None:  # fmt: skip
    """Show reports, health and metrics by HTTP, and make the report whenever it is due, until told to stop."""
    logs.start(log_level, "service.log", default="INFO")
    from abaco.service import server

    server.serve(params, output and output.absolute(), host, port)


@app.command()
def sample(
    rows: Annotated[
        int | None,
        typer.Option(help="Rows of a tape of any size; without it, the project's own sample.", min=1),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="With rows: the file, .csv or .parquet. Else: the folder.")
    ] = None,
    log_level: Level = None,
) -> None:
    """Rebuild the synthetic sample, the same bytes every time; with a row count, a tape of any size."""
    from abaco import sample as generator

    logs.start(log_level)
    if rows is None:
        folder = output or project.root() / "data"
        generator.write_sample(folder)
        print(f"{project.shown(folder)}/sample.csv and sample/")
    else:
        path = output or project.root() / "data" / f"sample_{rows}.csv"
        generator.write_snapshot(path, rows)
        print(f"{project.shown(path)}: {rows} rows")


def _tell_undelivered(rows: list[dict]) -> None:
    """Say what could not be delivered, and end with 3 when there is any."""
    for row in rows:
        print(
            f"Not delivered: {row['channel']} of {row['run_id']}: {row['error'] or 'not tried yet'}",
            file=sys.stderr,
        )
    if rows:
        print("The next run tries again, and so does abaco deliver --pending", file=sys.stderr)
        raise typer.Exit(UNDELIVERED)


def main() -> None:
    """Run the command line; an error is one line on the screen, its traceback in logs/pipeline.log."""
    # a scheduler's stop ends a run as tidily as Ctrl-C
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    warnings.filterwarnings("ignore", "coroutine .* was never awaited")  # nbclient's, when a run is stopped
    try:
        exit_code = app(standalone_mode=False)
        if exit_code == INTERRUPTED:
            _fail("interrupted; the former report is as it was", INTERRUPTED)
        sys.exit(exit_code)
    except AbacoError as error:
        logs.keep_traceback(error)
        _fail(str(error), error.exit_code)
    except typer.TyperException as error:
        text = error.format_message()  # what is wrong with the command line; nothing when help was shown
        _fail(text and f"{text}{'' if text[-1] in '.?' else '.'} See abaco --help.", error.exit_code)
    except Exception as error:
        logs.keep_traceback(error)
        _fail(f"{type(error).__name__}: {error}: see logs/pipeline.log", AbacoError.exit_code)


def _fail(text: str, exit_code: int) -> None:
    if text:
        print(f"Error: {' '.join(text.splitlines())}", file=sys.stderr)
    sys.exit(exit_code)
