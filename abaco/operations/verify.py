"""Verification: a finished date is run again elsewhere and must give the same figures, tables and pages."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from abaco.core import files, locks, project, secrets
from abaco.core.errors import InputError, RunError
from abaco.ingest import masking
from abaco.page.language import say
from abaco.run import folders, manifest
from abaco.run.folders import reports_folder, visible
from abaco.run.pipeline import Pipeline

BYTEWISE = ("metrics.json", "report.html", "report.xlsx", "email.html", "email.eml")
BESIDE = ("front.*", "report.pdf", "certificate_*", "email/*", "tables/*")


def verify(date: str | None, output: Path | None = None, engine: str | None = None) -> Iterator[str]:
    """Yield a line for each file that is the same as in the finished report, and one that says so of the report.

    Parameters
    ----------
    date
        A finished date; by default the latest.
    output
        The folder of the reports.
    engine
        The engine to run it again with; by default that of the report.

    Raises
    ------
    InputError
        When the date has no report.
    RunError
        Naming the file that differs, or whichever of code, input and masking has changed.
    """
    folder = reports_folder(output)
    finished = visible(folder)
    if not finished or (date and date not in finished):
        raise InputError(
            f"No finished report for {date or 'any date'} in {project.display_path(folder)}: run make report first"
        )
    date = date or max(finished)
    report = (folder / date).resolve()
    original = files.read_object(report / manifest.NAME)
    if altered := manifest.altered(report):
        raise RunError(f"{date}: {altered[0]} is not what the run wrote; run make report DATE={date} again")
    if manifest.code()["sha256"] != original["code"]["sha256"]:
        raise RunError(f"{date} cannot be verified: the code has changed since; run make report DATE={date} first")
    policy = masking.policy(secrets.masking_key())
    if (shown := files.read_object(report / "metrics.json")["quality"]["masking"]) != policy:
        raise RunError(
            f"{date} cannot be verified: its personal data is shown as {shown}, and would now be "
            f"{policy}; set {secrets.MASKING_KEY} as it was"
        )
    # among the runs, where a cluster sees it
    with locks.temporary(folder / folders.RUNS, "verify") as elsewhere:
        elsewhere.mkdir(mode=0o700)
        used = engine or finished[date]["engine"]
        pipeline = Pipeline(original["parameters"], elsewhere, used, force=True, compare_with=folder)
        again = Path(pipeline.execute(finished[date]["input"], date)["path"])
        if files.read_object(again / manifest.NAME)["run_id"] != original["run_id"]:
            raise RunError(f"{date} cannot be verified: its input has changed since; run make report DATE={date} first")
        more = [path for pattern in BESIDE for path in report.glob(pattern)]
        names = [*BYTEWISE, *sorted(p.relative_to(report).as_posix() for p in more)]
        for name in names:
            if not _same(report / name, again / name):
                raise RunError(f"{date}: {name} is not the same when run again; compare it with a run of your own")
            yield say("same  {name}", name=name)
    folders.note_verified(folder, date, len(names))
    yield say("The report of {date} is reproduced: all {count} files are the same", date=date, count=len(names))


def _same(one: Path, other: Path) -> bool:
    if not other.exists():
        return False
    if one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes():
        return True
    if one.suffix != ".parquet":
        return False
    has_order = one.is_file() and other.is_file()  # the parts of a cluster have none
    first, second = (_rows(path, has_order) for path in (one, other))
    return first.equals(second.cast(first.schema) if first.schema.names == second.schema.names else second)


def _rows(path: Path, has_order: bool) -> pa.Table:
    table = pq.read_table(path)
    return table if has_order else table.sort_by([(name, "ascending") for name in table.column_names])
