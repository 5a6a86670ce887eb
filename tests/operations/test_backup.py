"""Backup and restoration: everything comes back, on either database; what is not whole or hostile replaces nothing."""

import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import tarfile

import pytest
from azure.storage.blob import BlobServiceClient

from abaco.core import dates, locks, settings
from abaco.core import files as core_files
from abaco.core.errors import InputError, RunError
from abaco.database import queries, synchronise
from abaco.database.connection import FILE, reading
from abaco.delivery import azure
from abaco.operations import archive as archives
from abaco.operations import backup, restore
from abaco.run import folders, retention
from tests.support.azurite import blob_service, connection_string  # noqa: F401
from tests.support.webhooks import recording

DATE, ID = "2025-12-31", "20251231-aaaa"
FOLDER = f".runs/{DATE}/20260101T020000000000Z_{ID}"


@pytest.fixture
def reports(finished, tmp_path):
    """The reports of a finished run, in a folder of their own without a database."""
    output = tmp_path / "reports"
    ignored = shutil.ignore_patterns(f"{FILE}*")
    shutil.copytree(finished.output, output, symlinks=True, ignore=ignored)
    return output


def everything(output):
    """Content of every file below the runs, links and the rows of the database."""
    files = {
        path.relative_to(output).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (output / folders.RUNS).glob("[0-9]*/*/**/*")
        if path.is_file()
    }
    links = {path.name: os.readlink(path) for path in output.glob("[0-9]*")}
    with reading(synchronise.open_synchronised(output)) as connection:
        shown = queries.visible_runs(connection)
        values = {run["run_id"]: queries.figures(connection, run) for run in shown.values()}
    return files, links, shown, values


def test_everything_comes_back_into_an_empty_place(reports, database, tmp_path, monkeypatch, postgres):
    before = everything(reports)
    said = backup.backup(str(tmp_path / "kept"), reports)
    (archive,) = (tmp_path / "kept").iterdir()
    assert archive.name in said
    assert archive.stat().st_mode & 0o777 == 0o600
    if database == "postgresql":
        monkeypatch.setenv("DATABASE_URL", postgres.new())
    (restored,) = restore.restore(str(archive), tmp_path / "new")
    assert restored.startswith("1 report of ") and "before" not in restored
    assert not (tmp_path / "new" / retention.REPLACED).exists()
    assert everything(tmp_path / "new") == before


def test_sqlite_is_restored_into_postgresql(reports, tmp_path, monkeypatch, postgres):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    before = everything(reports)
    backup.write(reports, tmp_path / "one.tar.gz")
    monkeypatch.setenv("DATABASE_URL", postgres.new())
    restore.restore(str(tmp_path / "one.tar.gz"), tmp_path / "new")
    assert everything(tmp_path / "new") == before
    from abaco.database.connection import connect, writing

    with writing(connect(tmp_path / "new")) as connection:  # numbers go on after those of the copy
        run_id = before[2][DATE]["run_id"]
        row = {"run_id": run_id, "date": before[2][DATE]["date"], "since": dates.time_of("2027-01-01T00:00:00Z")}
        connection.execute(queries.visible.insert(), {**row, "why": "published"})


def test_an_existing_place_becomes_what_the_archive_holds_and_is_kept_aside(reports, database, tmp_path):
    before = everything(reports)
    backup.write(reports, tmp_path / "one.tar.gz")
    (reports / DATE).unlink()
    shutil.move(reports / folders.RUNS / DATE, reports / folders.RUNS / "2025-11-30")
    (restored,) = restore.restore(str(tmp_path / "one.tar.gz"), reports)
    assert f"what was there before is in {reports / retention.REPLACED}" in restored
    assert everything(reports) == before
    (aside,) = (reports / retention.REPLACED).iterdir()
    assert (aside / folders.RUNS / "2025-11-30").is_dir()
    assert ID[:8] in (aside / archives.DATABASE).read_text()


def test_work_of_runs_is_never_in_it(reports, tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    folder = (reports / DATE).resolve()
    (folder / "work" / "rows").mkdir(parents=True)
    (folder / "work" / "rows" / "raw.parquet").write_text("as the export gave it")
    backup.write(reports, tmp_path / "one.tar.gz")
    with tarfile.open(tmp_path / "one.tar.gz") as tar:
        assert not [name for name in tar.getnames() if "work" in name.split("/")]


def test_azure_there_and_back(reports, tmp_path, monkeypatch, blob_service):  # noqa: F811
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv(azure.CONNECTION, connection_string(blob_service.port))
    before = everything(reports)
    name = backup.backup("azure", reports).split(": ")[0]
    assert not list((reports / folders.RUNS).glob(".unfinished-*"))
    restore.restore(name, tmp_path / "new")
    assert everything(tmp_path / "new") == before
    with pytest.raises(azure.DeliveryError, match=r"has no reports/backups/none\.tar\.gz"):
        restore.restore("azure:none.tar.gz", tmp_path / "other")


# Archives that are not what a backup writes


class Archive:
    """An archive of one run, of which a test spoils something."""

    def __init__(self, path):
        self.path, self.listed, self.members = path, {}, []
        self.files = {archives.DATABASE: b"", f"reports/{FOLDER}/run.json": b"{}"}
        self.links = {DATE: FOLDER}

    def contents(self):
        entries = [
            {"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in self.files.items()
        ]
        listed = {"schema_version": 1, "made_at": "2026-01-01T00:00:00Z", "links": self.links, "files": entries}
        return {**listed, **self.listed}

    def write(self):
        with tarfile.open(self.path, "w:gz") as tar:
            data = json.dumps(self.contents()).encode()
            for name, content in {archives.CONTENTS: data, **self.files}.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
            for member in self.members:
                tar.addfile(member, io.BytesIO(b"x" * member.size))
        return str(self.path)


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path / "one.tar.gz")


@pytest.fixture
def there(tmp_path, monkeypatch):
    """Reports that must stay as they are; ``reports/kept`` stands for all of them."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    output = tmp_path / "there"
    (output / folders.RUNS / "2025-11-30").mkdir(parents=True)
    (output / folders.RUNS / "2025-11-30" / "kept").write_text("kept")
    yield output
    assert (output / folders.RUNS / "2025-11-30" / "kept").read_text() == "kept"
    assert not list(output.glob(".restoring*"))
    assert not list(output.glob("[0-9]*"))


def member(name, kind=tarfile.REGTYPE, size=0, link=""):
    found = tarfile.TarInfo(name)
    found.type, found.size, found.linkname = kind, size, link
    return found


OUTSIDE = f"reports/{FOLDER}/../../../../outside"


def entries(archive, *more, **changes):
    """Let the archive list its two files, the second one with changes, and more."""
    first, second = archive.contents()["files"]
    archive.listed["files"] = [first, {**second, **changes}, *more]


UNSOUND = "contents.json is not what a backup writes"
ANOTHER = {"path": f"reports/{FOLDER}/more", "bytes": 0, "sha256": "0" * 64}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda a: a.files.update({"/etc/passwd": b"x"}), "'/etc/passwd' is not a file of a report"),
        (lambda a: a.files.update({OUTSIDE: b"x"}), f"'{OUTSIDE}' is not a file of a report"),
        (lambda a: a.files.update({"reports/abaco.db": b"x"}), "'reports/abaco.db' is not a file of a report"),
        (lambda a: a.members.append(member("more", size=1)), "'more' is not as contents.json lists it"),
        (lambda a: a.members.append(member(archives.DATABASE)), "'database.jsonl' is not as"),
        (lambda a: a.links.update({"2025-11-30": "/etc"}), "the report of '2025-11-30' leads to '/etc'"),
        (lambda a: a.links.update({DATE: f".runs/{DATE}/none"}), "leads to '.runs/2025-12-31/none'"),
        (lambda a: a.links.update({"2025-11-30": FOLDER}), "the report of '2025-11-30' leads to"),
        (lambda a: a.listed.update(schema_version=2), "it is of form 2"),
        (lambda a: a.listed.update(files=[]), UNSOUND),
        (lambda a: a.listed.update(files="x"), UNSOUND),
        (lambda a: entries(a, a.contents()["files"][1]), UNSOUND),
        (lambda a: entries(a, ANOTHER), f"it lacks reports/{FOLDER}/more"),
        (lambda a: entries(a, bytes=3), "is not as contents.json lists it"),
        (lambda a: entries(a, sha256="0" * 64), "has another hash"),
        (lambda a: entries(a, bytes=10**15), "more than is free"),
    ],
)
def test_hostile_or_broken_archive_is_refused_and_replaces_nothing(archive, there, spoil, said):
    spoil(archive)
    with pytest.raises(InputError) as refused:
        restore.restore(archive.write(), there)
    assert said in str(refused.value)
    assert not (there.parent / "outside").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_what_is_no_plain_file_is_refused(archive, there, kind):
    name = f"reports/{FOLDER}/link"
    archive.listed["files"] = [
        *archive.contents()["files"], {"path": name, "bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()},
    ]  # fmt: skip
    archive.members.append(member(name, kind, link="/etc/passwd"))
    with pytest.raises(InputError, match=r"is not as contents\.json lists it"):
        restore.restore(archive.write(), there)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_archive_that_was_cut_off_is_refused(reports, there, tmp_path, part):
    backup.write(reports, tmp_path / "whole.tar.gz")
    data = (tmp_path / "whole.tar.gz").read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(data[: int(len(data) * part)])
    with pytest.raises(InputError, match=r"cut\.tar\.gz cannot be read as an archive"):
        restore.restore(str(tmp_path / "cut.tar.gz"), there)


def test_file_that_is_no_archive_and_file_that_is_not_there(there, tmp_path):
    (tmp_path / "text.tar.gz").write_text("text")
    with pytest.raises(InputError, match="cannot be read as an archive"):
        restore.restore(str(tmp_path / "text.tar.gz"), there)
    with pytest.raises(InputError, match="Archive not found: none"):
        restore.restore("none", there)


@pytest.mark.parametrize(
    "line",
    [
        "text",
        '{"table": "users", "row": {}}',
        '{"table": "runs", "row": {"none": 1}}',
        '{"table": "visible", "row": {"id": 1, "date": "x"}}',
    ],
)
def test_rows_of_other_tables_are_refused_and_everything_is_as_it_was(archive, there, line):
    archive.files[archives.DATABASE] = line.encode() + b"\n"
    with pytest.raises(InputError, match="Line 1 of the database's copy is not a row"):
        restore.restore(archive.write(), there)


def test_error_in_the_middle_of_the_switch_undoes_it(archive, there, monkeypatch):
    replace, done = os.replace, []

    def fails_at_the_second(source, target):
        done.append(target)
        if len(done) == 2:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(restore.os, "replace", fails_at_the_second)
    with pytest.raises(OSError, match="No space left"):
        restore.restore(archive.write(), there)
    assert len(done) == 3


def test_killed_at_any_step_a_report_is_visible_and_the_next_restore_goes_on(reports, tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    before = everything(reports)
    backup.write(reports, tmp_path / "one.tar.gz")
    page, replace = reports / DATE / "report.html", os.replace
    run = reports / DATE / "run.json"
    for step in range(1, 5):
        page.write_text("of later")
        run.write_text(run.read_text().replace("success", "success ", 1).replace("success ", "success", 1) + " ")
        (reports / "2025-11-30").unlink(missing_ok=True)
        (reports / "2025-11-30").symlink_to(os.readlink(reports / DATE))
        if not (child := os.fork()):
            done = []

            def dies(source, target):
                done.append(target)  # noqa: B023
                if len(done) == step:  # noqa: B023
                    os._exit(9)
                replace(source, target)

            restore.os.replace = dies
            restore.restore(str(tmp_path / "one.tar.gz"), reports)
            os._exit(0)
        os.waitpid(child, 0)
        assert page.read_text() and core_files.read_json(run)["status"] == "success", step
    restore.restore(str(tmp_path / "one.tar.gz"), reports)
    assert everything(reports) == before


def test_archive_is_verified_after_writing_and_only_the_newest_are_kept(reports, tmp_path, monkeypatch, blob_service):  # noqa: F811
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv(azure.CONNECTION, connection_string(blob_service.port))
    given = "retention.keep_backups=2,delivery.azure_container=kept"
    place, channel = tmp_path / "kept", azure.AzureChannel(settings.load(given))
    place.mkdir()
    by_hand = ["abaco-before-update.tar.gz", "by-hand.tar.gz"]  # which nobody but their maker removes
    for name in (*(f"abaco-2026010{day}T033000Z.tar.gz" for day in range(1, 5)), *by_hand):
        (place / name).write_text("former")
        channel.keep(place / name)
    assert "files, verified, " in backup.backup(str(place), reports, given)
    names = sorted(path.name for path in place.iterdir())
    assert len(names) == 4 and names[0] == "abaco-20260104T033000Z.tar.gz" and names[2:] == by_hand
    assert backup.backup("azure", reports, given).startswith("azure:abaco-")
    with BlobServiceClient.from_connection_string(connection_string(blob_service.port)) as service:
        kept = sorted(name.rpartition("/")[2] for name in service.get_container_client("kept").list_blob_names())
    assert len(kept) == 4 and kept[0] == names[0] and kept[2:] == by_hand
    with monkeypatch.context() as patched:
        patched.setattr(backup, "_add", lambda tar, name, size, file: tar.addfile(tarfile.TarInfo(name), io.BytesIO()))
        with pytest.raises(InputError):
            backup.backup(str(place), reports, given)


def test_backup_that_fails_is_told_and_resolved_by_the_next(kept, tmp_path):
    with recording(tmp_path) as slack:
        own = {"SLACK_WEBHOOK_URL": f"{slack.url}/services/T/B/c"}
        (tmp_path / "file").write_text("")
        failed = kept.abaco("backup", "--to", tmp_path / "file", "--output", kept.output, **own)
        assert failed.returncode == 2
        made = kept.abaco("backup", "--to", tmp_path / "b", "--output", kept.output, **own)
        assert made.returncode == 0, made.stderr
        titles = [request.body["attachments"][0]["title"] for request in slack.received]
    assert titles == ["[P3] The backup failed", "Resolved: The backup succeeded"]


@pytest.mark.parametrize("is_killed", [True, False])
def test_what_a_killed_backup_restore_or_verification_left_is_removed_by_the_next(
    reports, tmp_path, monkeypatch, is_killed
):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    process = subprocess.Popen(["sleep", "60"])
    if is_killed:
        process.kill()
        process.wait()
    here = f"{socket.gethostname()}.{process.pid}"
    runs, kept = reports / folders.RUNS, tmp_path / "kept"
    places = [kept / f".unfinished-backup.{here}", reports / f".restoring.{here}", runs / f"verify.{here}"]
    for place in places:
        place.mkdir(parents=True)
    other = kept / ".unfinished-backup.elsewhere.1"
    other.write_text("")
    backup.backup(str(kept / "one.tar.gz"), reports)
    restore.restore(str(kept / "one.tar.gz"), reports)
    with locks.temporary(runs, "verify"):
        assert [place.exists() for place in places] == [not is_killed] * 3
    assert other.exists()  # its machine may still be at work
    os.utime(other, (0, 0))
    backup.backup(str(kept / "one.tar.gz"), reports)
    assert not other.exists()
    process.kill()
    process.wait()


def test_run_that_is_at_work_is_waited_for(archive, there):
    facts = {"status": "running", "run_id": "r1", "date": DATE, "started_at": "2028-01-01T02:00:00Z"}
    with folders.hold(there, DATE, 0, print):
        folder = there / folders.RUNS / DATE / f"20280101T020000000000Z_{ID}"
        folder.mkdir(parents=True)
        core_files.write_json(folder / "run.json", facts)
        with pytest.raises(RunError, match="A run of 2025-12-31 is at work"):
            restore.restore(archive.write(), there)


def test_nothing_to_back_up_and_a_place_that_cannot_be_written(tmp_path, reports, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(InputError, match="to back up: run make report"):
        backup.backup(None, tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="choose another with --to"):
        backup.backup(str(tmp_path / "file"), reports)
    assert list(tmp_path.glob(".unfinished*")) == []


def test_command_line_there_and_back(kept, tmp_path):
    made = kept.abaco("backup", "--to", tmp_path / "b.tar.gz", "--output", kept.output)
    assert made.returncode == 0, made.stderr
    back = kept.abaco("restore", tmp_path / "b.tar.gz", "--output", tmp_path / "new")
    assert back.returncode == 0, back.stderr
    assert "1 report of" in back.stdout
    status = kept.abaco("status", "--output", tmp_path / "new").stdout
    assert status == kept.abaco("status", "--output", kept.output).stdout
