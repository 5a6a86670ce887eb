"""Damaged files of reports: named and stepped over; the other reports stay readable, and a new run publishes."""

import datetime as dt
import json
import logging
import shutil

import pytest

from abaco.core import files, settings
from abaco.core.errors import AbacoError, DamagedError
from abaco.database import connection, notes, queries
from abaco.operations import backup, rebuild, restore, rollback
from abaco.operations.doctor import CHECKS, run_check
from abaco.operations.findings import Case
from abaco.review import explanation, history
from abaco.review import opened as opening
from abaco.review import status as review_status
from abaco.run import contents, folders, retention
from abaco.service.reports import Book, health
from abaco.service.schedule import Schedule
from tests.support import left
from tests.support.projects import PII_KEY

NOVEMBER, DECEMBER = "2025-11-30", "2025-12-31"
DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"\x93\x00garbage" * 9),
    "other content": lambda path: path.write_text("[]"),
    "other kinds": lambda path: path.write_text('{"kpis": [], "outputs": 5, "status": ["success"]}'),
    "other parts": lambda path: path.write_text(
        '{"kpis": {"PAR30": 5}, "outputs": [{"parts": 5}], "status": "success"}'
    ),
    "gone": lambda path: path.unlink(),
}


@pytest.fixture(params=DAMAGES)
def damage(request):
    return DAMAGES[request.param]


@pytest.fixture
def output(tmp_path, monkeypatch):
    """Reports of two dates, December's made twice, which the database does not know yet."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    for date, run_id, hour in ((NOVEMBER, "n", 1), (DECEMBER, "d1", 2), (DECEMBER, "d2", 3)):
        folder = left.run(tmp_path / "reports", date, run_id, f"2026-01-01T0{hour}:00:00Z")
        left.finish(folder, {"PAR30": left.kpi(9.0, "warning")}, [(date, "PAR30", "9")])
    return tmp_path / "reports"


def figures(book):
    """The figures of December, as the service reads them."""
    with connection.reading(book.engine) as opened:
        return list(queries.figures(opened, queries.latest(opened)).values())


def said(*calls):
    """What verbs say, each error as its line; anything else that is raised fails the test."""
    lines = []
    for call in calls:
        try:
            lines += map(str, call())
        except AbacoError as error:
            lines.append(str(error))
    assert not [line for line in lines if "Traceback" in line or "Error(" in line]
    return "\n".join(lines)


@pytest.fixture
def book(output):
    """The reports as the service has them."""
    schedule = Schedule(None, output, lambda: ["true"], 3.0)
    schedule.start()
    yield Book(output, schedule)
    schedule.stop()


def test_damaged_record_of_a_report_is_named_and_the_others_are_read(output, book, damage):
    date, other = DECEMBER, NOVEMBER
    damage(output / date / "run.json")
    assert list(folders.visible(output)) == [other]
    assert f"{other}  9.00 warning" in (text := said(lambda: review_status.overview(output)))
    assert f"Damaged\n  {date}  make it again" in text
    found = health(book)
    assert found["status"] == "degraded"
    assert found["last_error"] == f"The report of {date} is damaged: make it again, or restore a backup"
    finding = run_check(CHECKS["reports"], Case(None, output, None), 60)
    assert (finding.level, date in finding.text) == ("problem", True)
    assert len(rollback.good_runs(output, DECEMBER)) == 1
    retention.expendable(output, DECEMBER, 1, 0, dt.datetime.now(dt.UTC))


def test_damaged_record_of_a_former_run_is_named_and_left_out_of_backups(output, damage, tmp_path):
    former = folders.folders(output, DECEMBER)[0]
    damage(former / "run.json")
    is_gone = not (former / "run.json").exists()
    finding = run_check(CHECKS["reports"], Case(None, output, None), 60)
    assert (finding.level, former.name in finding.text) == (("ok", False) if is_gone else ("warning", True))
    text = backup.backup(str(tmp_path / "b.tar.gz"), output)
    assert ("left out as damaged: " in text and former.name in text) is not is_gone
    restore.restore(str(tmp_path / "b.tar.gz"), tmp_path / "restored")
    assert list(folders.visible(tmp_path / "restored")) == [NOVEMBER, DECEMBER]


def test_every_damaged_file_is_named_by_doctor(output):
    for date in (NOVEMBER, DECEMBER):
        for name in ("metrics.json", "tables/history.parquet"):
            (output / date / name).write_bytes(b"")
    text = run_check(CHECKS["reports"], Case(None, output, None), 60).text
    assert all(f"{date}/{name}" in text for date in (NOVEMBER, DECEMBER) for name in ("metrics.json", "tables/history"))


@pytest.mark.parametrize("name", ["metrics.json", "manifest.json", "tables/history.parquet"])
def test_damaged_file_of_a_report_is_named_in_one_line(output, book, damage, name):
    assert health(book)["status"] == "healthy"
    damage(output / DECEMBER / name)
    found = health(book)
    assert (found["status"], found["metrics_computed"], found["last_error"]) == (
        "degraded", 1, f"The report of {DECEMBER} ({name}) is damaged: make it again, or restore a backup",
    )  # fmt: skip
    finding = run_check(CHECKS["reports"], Case(None, output, None), 60)
    assert (finding.level, DECEMBER in finding.text) == ("problem", True)
    assert f"; damaged, and to be made again: {DECEMBER}/{name}" in backup.backup(str(output / "b.tar.gz"), output)
    text = said(
        lambda: explanation.explain("PAR30", DECEMBER, output=output),
        lambda: history.history("PAR30", output),
        lambda: review_status.overview(output),
    )
    assert f"{NOVEMBER}  9.00 warning" in text


def test_damaged_notes_of_who_holds_a_date_block_nobody(output, damage):
    note = output / ".runs" / DECEMBER / "holder.json"
    note.write_text("{}")
    damage(note)
    assert folders.holder(output, DECEMBER) is None
    with folders.hold(output, DECEMBER, 0, print):
        assert folders.holder(output, DECEMBER)["pid"]


def test_file_that_is_changed_but_not_in_size_degrades_the_service(output, book):
    path = output / DECEMBER / "metrics.json"
    path.write_text(path.read_text().replace("9", "8"))
    assert f"The report of {DECEMBER} (metrics.json) is damaged" in health(book)["last_error"]


@pytest.mark.parametrize("name", ["schedule.json", f"{DECEMBER}/holder.json"])
@pytest.mark.parametrize("damage", list(DAMAGES.values())[:3], ids=list(DAMAGES)[:3])
def test_damaged_note_degrades_the_service_until_it_is_written_anew(output, book, damage, name):
    note = output / ".runs" / name
    note.write_text("{}")
    damage(note)
    found = health(book)
    assert (found["status"], found["last_error"]) == (
        "degraded", f"Damaged, and stepped over: .runs/{name}: the next run writes it anew, or remove it",
    )  # fmt: skip
    finding = run_check(CHECKS["reports"], Case(None, output, None), 60)
    assert (finding.level, name in finding.text) == ("warning", True)


@pytest.mark.parametrize("damage", list(DAMAGES.values())[:3], ids=list(DAMAGES)[:3])
def test_damaged_notes_for_the_database_are_named_until_they_are_removed(output, damage, caplog, monkeypatch):
    notes.add(output)
    path = output / ".runs/notes.json"
    damage(path)
    remedy = "it tells of starts that failed and"

    def found():
        finding = run_check(CHECKS["reports"], Case(None, output, None), 60)
        return finding.level, ".runs/notes" in finding.text and remedy in finding.text

    assert found() == ("warning", True)
    monkeypatch.setattr(logging.getLogger("abaco"), "handlers", [caplog.handler])
    lines = " ".join("\n".join(review_status.overview(output)).split())  # sets them aside
    assert ".damaged" in lines and remedy in lines
    assert not [line for line in caplog.records if line.levelno >= logging.WARNING]
    assert (found(), path.exists()) == (("warning", True), False)
    for kept in path.parent.glob("notes-*.damaged"):
        kept.unlink()
    assert found()[0] == "ok" and remedy not in "".join(review_status.overview(output))


@pytest.mark.parametrize("damage", list(DAMAGES.values())[:3], ids=list(DAMAGES)[:3])
def test_damaged_database_is_stepped_over_and_made_again_by_a_command(output, book, damage):
    assert health(book)["status"] == "healthy"
    book.engine.dispose()
    database = output / "abaco.db"
    damage(database)
    is_new = not database.stat().st_size  # an empty file is a new database, which the folders fill
    found = health(book)
    assert (found["status"], found["metrics_computed"]) == ("healthy" if is_new else "degraded", 1)
    if not is_new:
        assert found["last_error"].endswith(
            "abaco.db: file is not a database: make it again with abaco rebuild, or restore a backup"
        )
        text = said(lambda: review_status.overview(output), lambda: [backup.backup(str(output / "b.tar.gz"), output)])
        assert f"{NOVEMBER}  9.00 warning" in text and text.count("make it again with abaco rebuild") == 2
        assert not (output / "b.tar.gz").exists()
        finding = run_check(CHECKS["database"], Case(None, output, None, settings.load()), 60)
        assert (finding.level, "abaco rebuild" in finding.text) == ("problem", True)
    told = rebuild.rebuild(output)
    assert told[0] == "The database has 3 runs of 2 reports" and "The former file is in" in told[1]
    assert health(book)["status"] == "healthy"


def test_database_that_is_damaged_while_it_is_served_is_stepped_over(output, book):
    assert [row["value"] for row in figures(book)] == [9.0]
    book.engine.dispose()
    pages = (output / "abaco.db").read_bytes()
    (output / "abaco.db").write_bytes(pages[:4096] + b"\xa5" * (len(pages) - 4096))
    assert health(book)["status"] == "degraded"
    assert [row["value"] for row in figures(book)] == [9.0]


def test_database_that_is_a_link_to_nowhere_is_named_and_made_again(output, book):
    book.engine.dispose()
    (output / "abaco.db").unlink()
    (output / "abaco.db").symlink_to(output / "unmounted" / "abaco.db")
    finding = run_check(CHECKS["database"], Case(None, output, None, settings.load()), 60)
    assert finding.level == "problem"
    assert "it is a link that leads nowhere: bring back what it led to, or make it again with" in finding.text
    assert rebuild.rebuild(output)[0] == "The database has 3 runs of 2 reports"
    assert health(book)["status"] == "healthy"


def test_link_that_leads_nowhere_is_named_and_replaced(output, book):
    shutil.rmtree((output / DECEMBER).resolve())
    assert health(book)["last_error"] == f"The report of {DECEMBER} is damaged: make it again, or restore a backup"
    assert folders.damaged_reports(output) == [output / DECEMBER]
    assert f"Damaged\n  {DECEMBER}  make it again" in said(lambda: review_status.overview(output))
    folders.publish(folders.folders(output, DECEMBER)[0], output)
    assert list(folders.visible(output)) == [NOVEMBER, DECEMBER]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_no_run_made_in_the_place_of_a_report_is_named_with_the_remedy_that_works(finished, tmp_path, kind):
    project = finished.pristine.copy(tmp_path / "project")
    place = project.output / DECEMBER
    place.unlink()
    place.write_text("") if kind == "file" else place.mkdir()
    remedy = "was not made by a run: move it away, then make the report of that date again"
    schedule = Schedule(None, project.output, lambda: ["true"], 3.0)
    schedule.start()
    assert health(Book(project.output, schedule))["last_error"].endswith(remedy)
    schedule.stop()
    refused = project.report(ABACO_PII_KEY=PII_KEY)
    assert refused.returncode == 1 and "was not made by a run: move it away, then run again" in refused.stderr
    finding = run_check(CHECKS["reports"], Case(None, project.output, None), 60)
    assert (finding.level, finding.text) == ("problem", f"{place} {remedy}")
    assert f"Damaged\n  {DECEMBER}  no run made it: move it away" in said(
        lambda: review_status.overview(project.output)
    )
    place.rename(tmp_path / "away")
    assert project.report(ABACO_PII_KEY=PII_KEY).returncode == 0
    assert run_check(CHECKS["reports"], Case(None, project.output, None), 60).level == "ok"


@pytest.mark.parametrize(
    "call",
    [
        lambda path: review_status.overview(path), lambda path: history.history("PAR30", path),
        lambda path: [backup.backup(None, path)], lambda path: [rebuild.rebuild(path)],
        lambda path: explanation.explain("PAR30", DECEMBER, output=path),
        lambda path: [restore.restore("none.tar.gz", path)],
    ],
)  # fmt: skip
def test_file_in_place_of_the_folder_of_reports_is_said_to_be_one(tmp_path, call):
    (tmp_path / "reports").write_text("")
    assert said(lambda: call(tmp_path / "reports")) == (
        f"{tmp_path / 'reports'} is a file, not the folder of the reports: give its folder"
    )


def test_new_run_publishes_whatever_is_damaged(finished, tmp_path):
    project = finished.pristine.copy(tmp_path / "project")
    report = project.output / DECEMBER
    for name in ("run.json", "metrics.json", "manifest.json"):
        (report / name).write_bytes(b"")
    (project.output / ".runs" / DECEMBER / "holder.json").write_bytes(b"")
    result = project.report(ABACO_PII_KEY=PII_KEY)
    assert (result.returncode, "Traceback" in result.stderr) == (0, False), result.stderr
    assert json.loads((report / "run.json").read_text())["status"] == "success"
    assert folders.damaged_reports(project.output) == []


def test_former_report_with_damaged_figures_is_not_compared_with(output):
    run = files.read_json(output / NOVEMBER / "run.json")
    files.write_json(
        output / DECEMBER / "run.json", {**files.read_json(output / DECEMBER / "run.json"), "contents": {}}
    )
    (output / DECEMBER / "metrics.json").write_bytes(b"{")
    assert contents.compared(output, DECEMBER, run["input"], [], 30.0) == ({}, None, None)


def test_error_names_the_file_and_the_way_out(tmp_path):
    (tmp_path / "metrics.json").write_bytes(b"{")
    with pytest.raises(DamagedError, match=r"metrics.json is damaged: make its report again, or restore a backup$"):
        left.files.read_json(tmp_path / "metrics.json")


@pytest.mark.parametrize("name", ["metrics.json", "tables/history.parquet"])
def test_figures_that_were_changed_after_their_run_are_not_shown(output, name):
    path = output / DECEMBER / name
    changed = path.read_bytes()
    path.write_bytes(changed[:-9] + bytes(9))  # of the same size
    message = f"{name} is damaged: make its report again, or restore a backup"

    def explain():
        return explanation.explain("PAR30", DECEMBER, output=output)

    def opened():
        return [opening.open_report(DECEMBER, output).history("PAR30")]

    for call in (explain, opened):
        with pytest.raises(DamagedError) as error:
            list(call())
        assert str(error.value).endswith(message)
    assert f"Damaged\n  {DECEMBER} ({name})  make it again" in said(lambda: review_status.overview(output))
    path.write_bytes(changed)
    assert "Damaged" not in said(lambda: review_status.overview(output))
    assert "is damaged" not in said(explain, opened)
