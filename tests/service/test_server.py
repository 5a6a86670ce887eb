"""The service as a process: what it refuses, the runs that it begins, and that it stops tidily in the middle of one."""

import json
import os
import signal
import socket
import subprocess
import sys

import nbformat
import pytest

from abaco.core import files, settings
from abaco.core.errors import InputError
from abaco.ingest import sample_mark
from abaco.run import folders
from abaco.service import server
from abaco.service.server import _listen
from tests.support import left
from tests.support.projects import NEVER, ROOT
from tests.support.service import Service, until
from tests.support.webhooks import recording

ENDLESS = '(phase.folder / "work" / "begun").touch()\nimport time\ntime.sleep(3600)'


def test_public_host_without_a_secret_is_refused(finished):
    result = finished.abaco("serve", "--log-level", "ERROR", "--host", "0.0.0.0", "--port", "0")
    assert (result.returncode, result.stdout, result.stderr) == (2, "", (
        "Error: Others reach 0.0.0.0, so reports need a secret: "
        "set ABACO_SERVE_TOKEN or ABACO_SERVE_PASSWORD, or listen on 127.0.0.1\n"
    ))  # fmt: skip


def test_short_token_is_refused(finished):
    result = finished.abaco("serve", "--log-level", "ERROR", "--port", "0", ABACO_SERVE_TOKEN="short")
    assert (result.returncode, result.stdout, result.stderr) == (2, "", (
        "Error: ABACO_SERVE_TOKEN has 5 characters, and needs 16 or more: set one that openssl rand -hex 16 prints\n"
    ))  # fmt: skip


def test_port_that_is_taken_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError) as caught:
            _listen("127.0.0.1", port)
    assert str(caught.value) == (
        f"Cannot listen on 127.0.0.1, port {port}: Address already in use: choose another with --host and --port"
    )


def test_host_and_port_come_from_the_settings(copied):
    (copied.root / "params/here.yml").write_text("service:\n  host: 127.0.0.2\n  port: 0\n  cron: ''\n")
    command = (sys.executable, "-m", "abaco", "serve", "--log-level", "ERROR")
    process = copied.start(*command, ABACO_ENV="here")
    said = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert said.startswith("Reports at http://127.0.0.2:")
    _, error = process.communicate(timeout=180)
    assert (process.returncode, error) == (0, "")
    assert "INFO abaco.service.server stopped\n" in (copied.root / "logs/service.log").read_text()


def reported(output, date, input, ended, sha256="0" * 64):
    """Leave a report of an input."""
    run = left.run(output, date, f"run-{date}", f"2026-01-01T{ended}:00:00Z")
    files.write_json(run / "run.json", files.read_json(run / "run.json") | {"input": str(input)})
    left.finish(run, {})
    figures = files.read_json(run / "metrics.json")
    files.write_json(run / "metrics.json", figures | {"inputs": [{"name": "x", "sha256": sha256}]})


@pytest.mark.parametrize(("setting", "expected"), [("data/sample", "/exports/north"), ("/exports/set", None)])
def test_schedule_goes_on_with_the_input_of_the_last_report(tmp_path, monkeypatch, setting, expected):
    monkeypatch.setenv("ABACO_ROOT", str(ROOT))
    configured = settings.load({"run": {"input": setting}, "cascade": {"folder": "/exports/cascade"}})
    assert server.continued_input(configured, tmp_path) is None
    reported(tmp_path, "2025-11-30", "/exports/south", "02")
    reported(tmp_path, "2025-10-31", "/exports/north", "03")  # the last that was made
    reported(tmp_path, "2025-12-31", "data/sample", "04", sample_mark.DIGESTS["loans.csv"])
    assert server.continued_input(configured, tmp_path) == expected
    command = server.report_command(configured, "report.language=es", tmp_path)
    assert command[1:6] == ["-m", "abaco", "report", "--output", str(tmp_path)]
    assert command[6:] == ["--params", "report.language=es", *(("--input", expected) if expected else ())]
    reported(tmp_path, "2025-09-30", "/exports/cascade/current", "05")
    assert server.continued_input(configured, tmp_path) == (expected and "cascade")


@pytest.mark.parametrize("kind", ["check", "report"])
def test_check_is_of_the_reports_of_the_service_like_its_report(tmp_path, kind):
    command = server.job_command("report.language=es", tmp_path, kind, "in", "2025-12-31")
    assert command[3:] == [
        kind, "--input", "in", "--output", str(tmp_path), "--date", "2025-12-31", "--params", "report.language=es",
    ]  # fmt: skip


def test_service_says_at_start_what_its_reports_are_made_of(finished, tmp_path):
    reported(tmp_path, "2025-11-30", "/exports/gone", "02")
    command = (sys.executable, "-m", "abaco", "serve", "--log-level", "ERROR", "--port", "0", "--output", tmp_path)
    process = finished.start(*command, "--params", f"service.cron={NEVER}")
    said = [process.stdout.readline() for _ in range(3)]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=180)
    assert said[1:] == [
        "The report of each due time is made of /exports/gone; set run.input for another input\n",
        "Warning: /exports/gone is not there, so that runs will fail: put it back, or set run.input\n",
    ]


def edited(project, source):
    """Replace the cell of the ingestion notebook that reads the rows; return what it was."""
    path = project.root / "notebooks/01_ingestion.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell = next(one for one in notebook.cells if one.id == "rows")
    former, cell.source = cell.source, source
    nbformat.write(notebook, path)
    return former


def test_missed_run_is_stopped_tidily_and_made_up_for_after_a_restart(project):
    former = edited(project, ENDLESS)
    note = project.output / ".runs/schedule.json"
    note.parent.mkdir(parents=True)
    missed = {
        "due": "2020-01-01T02:00:00Z", "started_at": "2020-01-01T02:00:00Z", "finished_at": "2020-01-01T02:00:09Z",
        "exit_code": 0, "error": None, "tries": 1,
    }  # fmt: skip
    files.write_json(note, missed)

    service = Service(project)
    (begun,) = until(lambda: list(project.output.glob(".runs/*/*/work/begun")))
    folder = begun.parent.parent
    assert 'pipeline_status{pipeline_status="running"} 1.0' in service.get("/metrics").text
    assert service.health()[0] == 200
    holder = folders.holder(project.output, folder.parent.name)
    assert service.stop() == 0
    run = json.loads((folder / "run.json").read_text())
    assert (run["status"], run["error"]) == ("stopped", "01_ingestion: stopped by a signal")
    assert not (folder / "work").exists() and folders.holder(project.output, folder.parent.name) is None
    assert files.read_json(note) == missed
    with pytest.raises(ProcessLookupError):
        os.kill(holder["pid"], 0)

    edited(project, former)
    with Service(project, f"service.cron={NEVER},service.backup_cron='* * * * *'") as again:
        until(lambda: files.read_json(note)["due"] > missed["due"] and files.read_json(note)["finished_at"])
        code, found = again.health()
        assert (code, found["status"], found["last_error"], found["metrics_computed"]) == (200, "healthy", None, 4)
        assert found["last_run"] == files.read_json(note)["finished_at"]
        assert again.get("/reports/2025-12-31/report.html").status_code == 200
        until(lambda: list(project.output.with_name("backups").glob("abaco-*.tar.gz")))  # within a minute
    done = [one for one in project.runs() if files.read_json(one / "run.json")["status"] == "success"]
    assert len(done) == 1


@pytest.mark.parametrize(("fault", "reason"), [("input", "Input file not found"), ("killed", "killed")])
def test_night_of_the_service_that_fails_is_told_at_once_and_shown(project, tmp_path, fault, reason):
    former = edited(project, ENDLESS)
    note = project.output / ".runs/schedule.json"
    note.parent.mkdir(parents=True, exist_ok=True)
    missed = {"due": "2020-01-01T02:00:00Z", "started_at": None, "finished_at": None, "exit_code": None, "error": None}
    files.write_json(note, missed | {"tries": 0})
    source = "data/none.csv" if fault == "input" else "data/sample.csv"
    with recording(tmp_path) as slack:
        own = {"SLACK_WEBHOOK_URL": f"{slack.url}/services/T/B/c"}
        with Service(project, f"service.cron={NEVER},run.input={source}", **own) as service:
            if fault == "killed":
                until(lambda: list(project.output.glob(".runs/*/*/work/begun")))
                os.kill(folders.holder(project.output, "2025-12-31")["pid"], signal.SIGKILL)
            until(lambda: slack.received and files.read_json(note)["finished_at"])
            health = service.health()[1]
    edited(project, former)
    (told,) = [one["attachments"][0] for one in slack.of("127.0.0.1")]
    assert told["title"].startswith("[P1] The run of ") and reason in told["text"]
    assert health["status"] == "degraded" and reason in health["last_error"]


def test_report_does_not_wait_for_what_only_the_service_needs():
    heavy = "fastapi, starlette, uvicorn, apscheduler, prometheus_client, sqlalchemy, alembic, azure, httpx2"
    code = (
        f"import sys, abaco.cli, abaco.run.pipeline, abaco.core.settings\n"
        f"print([name for name in {heavy.split(', ')} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_delivery_of_a_report_imports_neither_the_page_nor_the_service():
    heavy = "fastapi, uvicorn, apscheduler, matplotlib, pyarrow, pandas, duckdb, azure, abaco.page"
    code = f"import sys, abaco.delivery.commands\nprint([n for n in {heavy.split(', ')} if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
