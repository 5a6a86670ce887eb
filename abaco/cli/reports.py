"""Verbs that make reports, check inputs, verify reports and write the sample."""

from pathlib import Path
from typing import Annotated, Any

import typer

from abaco.cli import unattended
from abaco.cli.options import (
    REPORTS,
    Date,
    Engine,
    Force,
    Input,
    Level,
    Output,
    Params,
    Resend,
    report_undelivered,
    verb,
)
from abaco.core import files, logs, project
from abaco.core.errors import RunError
from abaco.core.text import aligned, counted, show

BESIDE = ("front.html", "front.pdf", "report.pdf", "report.xlsx", "certificate_*")


@verb(REPORTS, "report --date 2025-12-31 --input path/to/exports")
def report(
    date: Date = None, input: Input = None, params: Params = None, output: Output = None,
    engine: Engine = None, force: Force = False, resend: Resend = False, log_level: Level = None,
) -> None:  # fmt: skip
    """Make the report of a date: run all phases, then publish the report in one step."""
    output = output and output.absolute()
    with unattended.watched(params=params, output=output, input=input, date=date) as told:
        result = _run(date, input, params, output, engine, force, resend, log_level, told)
    _tell(result, params)
    report_undelivered(result["undelivered"])


def _tell(result: dict[str, Any], params: str | None) -> None:
    """Print what a run says of its report, in the language of the report."""
    from abaco.delivery.channel import NOT_SET_UP
    from abaco.page.language import say
    from abaco.review import terminal

    terminal.speak(params)
    for name, phase in result["phases"].items():
        if run := phase.get("taken_from"):
            show(say("{name} is unchanged: taken from the run {run}", name=name, run=run))
    folder = Path(result["path"])
    metrics, place = terminal.worded(files.read_object(folder / "metrics.json")), project.display_path(folder)
    show(*aligned(terminal.summary(metrics["kpis"])), *terminal.caveats(metrics))
    if rejected := result["phases"]["ingestion"]["validation_errors"]:
        rows = terminal.counted(rejected, "row")
        show(say("Rejected: {rows}, see {folder}/tables/quarantine.csv", rows=rows, folder=place))
    if former := result["replaced"]:
        show(say("It replaces the report of {input}, run {run_id}, kept in {path}", **former))
    show(f"{place}/report.html")
    beside = [path.name for form in BESIDE for path in sorted(folder.glob(form))]
    show(say("Beside it: {names}; the front is the first page alone, to forward", names=", ".join(beside)))
    for delivery in result["deliveries"]:
        if delivery["channel"] == "email" and delivery["status"] == NOT_SET_UP:
            form = "No email was sent: set {variable}, or take {folder}/email.eml"
            show(say(form, variable=delivery["error"].removeprefix("set "), folder=place))


def _run(
    date: str | None, input: str | None, params: str | None, output: Path | None, engine: str | None, force: bool,
    resend: bool, log_level: str | None, told: list[Any],
) -> dict[str, Any]:  # fmt: skip
    """Make the report, and add its folder to `told` when its outcome is told."""
    logs.start(log_level)
    from abaco.run import folders, process

    if force or not (date and (folders.reports_folder(output) / date).exists()):
        process.prepare()  # while the run is planned; a report that is there may be current
    from abaco.delivery import registry
    from abaco.delivery.commands import record_and_deliver
    from abaco.run.pipeline import Pipeline
    from abaco.run.progress import Progress

    def deliver(*run: Any) -> list[dict[str, Any]]:
        told.append(run)
        return record_and_deliver(*run, repeat=resend)

    with Progress() as progress:
        pipeline = Pipeline(params, output, engine, force, progress, deliver=deliver, places=registry.PLACES)
        registry.check(pipeline.settings)
        result = pipeline.execute(input, date)
    unattended.beat(result, pipeline.output, pipeline.settings["delivery"]["timeout_seconds"])
    return result


@verb(REPORTS, "backfill --from 2025-01-31 --to 2025-12-31")
def backfill(
    first: Annotated[str, typer.Option("--from", help="First date, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last date, YYYY-MM-DD.")],
    input: Input = None, params: Params = None, output: Output = None, engine: Engine = None,
    force: Force = False, log_level: Level = None,
) -> None:  # fmt: skip
    """Make a report for each date of the input between two dates; reports that are up to date are kept."""
    from abaco.ingest.writing import rules_of
    from abaco.operations import backfill as runner
    from abaco.page.language import phrase, say
    from abaco.review import terminal
    from abaco.run import plan
    from abaco.run.pipeline import Pipeline

    logs.start(log_level)
    low, high = runner.span(first, last)  # before a download
    settings = {"params": params, "output": output and output.absolute(), "engine": engine, "force": force}
    pipeline = Pipeline(**settings)
    terminal.speak(params)
    source = plan.located(input, pipeline.settings, print)
    dates = runner.wanted_dates(source, low, high, rules_of(pipeline.settings["ingestion"]))
    for date in dates:
        plan.check_sample(pipeline.output, date, source, ())
    ended: dict[str, list[str]] = {"done": [], "current": [], "failed": []}
    for count, (date, outcome, error) in enumerate(runner.backfill(source, dates, **settings), start=1):
        show(f"{count}/{len(dates)}  {date}  {phrase(outcome)}" + (f": {error}" if error else ""))
        ended[outcome].append(date)
    made, failed = terminal.counted(len(ended["done"]), "report"), ended["failed"]
    counts = {"made": made, "current": len(ended["current"]), "failed": len(failed)}
    counts |= {"first": dates[0], "last": dates[-1]}
    show(say("{made} made, {current} up to date, {failed} failed: {first} to {last}", **counts))
    if failed:
        raise RunError(f"{len(failed)} of {len(dates)} dates failed, {failed[0]} first: correct them and run it again")


@verb(REPORTS, "check --input path/to/exports")
def check(
    date: Date = None, input: Input = None, params: Params = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder of the reports that the input is compared with.")
    ] = None,
    log_level: Level = None,
) -> None:  # fmt: skip
    """Check an input and show what a report would do with it, without writing anything."""
    from abaco.core import settings
    from abaco.delivery import registry
    from abaco.review import check as review_check
    from abaco.review import terminal

    logs.start(log_level)
    terminal.speak(params)
    registry.check(settings.load(params))
    for line in review_check.inspect(input, date, params, output and output.absolute()):
        show(line)


@verb(REPORTS, "verify --date 2025-12-31")
def verify(date: Date = None, output: Output = None, engine: Engine = None, log_level: Level = None) -> None:
    """Run a finished date again elsewhere, and check that every figure, table and page is the same."""
    from abaco.operations import verify as operations_verify
    from abaco.review import terminal

    logs.start(log_level)
    terminal.speak()
    for line in operations_verify.verify(date, output, engine):
        show(line)


@verb(REPORTS, "sample --rows 1000000")
def sample(
    rows: Annotated[
        int | None, typer.Option(help="Rows of a tape of any size; without it, the project's own sample.", min=1)
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="With rows: the file, .csv or .parquet. Else: the folder.")
    ] = None,
    log_level: Level = None,
) -> None:
    """Write the synthetic sample, always the same bytes; with --rows, a tape of any size."""
    from abaco.sample import snapshot as generator

    logs.start(log_level)
    if rows is None:
        folder = output or project.root() / "data"
        generator.write_sample(folder)
        show(f"{project.display_path(folder)}/sample.csv and sample/")
    else:
        path = output or project.root() / "data" / f"sample_{rows}.csv"
        generator.write_snapshot(path, rows)
        show(f"{project.display_path(path)}: {counted(rows, 'row')}")
