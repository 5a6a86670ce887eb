"""The log: its form, the run's id in each line, and no secret or personal value in it, whatever happens."""

import csv
import json
import logging
import os
import re

import pytest

from abaco.core import files, logs, secrets
from tests.support.projects import ROOT

SECRETS = {
    "ABACO_PII_KEY": "key-of-masking-6f1c",
    "AZURE_STORAGE_CONNECTION_STRING": "AccountName=abaco;AccountKey=a2V5LW9mLWF6dXJl==;BlobEndpoint=http://127.0.0.1:1/abaco",
    "DATABASE_URL": "postgresql://abaco:pass%2Fof-data@127.0.0.1:1/abaco",
    "SMTP_URL": "smtp://abaco:pass-of-mail@127.0.0.1:1",
    "SLACK_WEBHOOK_URL": "https://127.0.0.1:1/services/T0/B0/hook-of-slack",
    "PAGERDUTY_ROUTING_KEY": "key-of-pagerduty-8d2a",
    "META_SYSTEM_USER_TOKEN": "token-of-cascade-77aa",
    "ABACO_SERVE_TOKEN": "token-of-service-11bb",
    "ABACO_SERVE_PASSWORD": "pass-of-service-22cc",
}
HIDDEN = (
    "key-of-masking", "a2V5LW9mLWF6dXJl", "pass%2Fof-data", "pass/of-data", "pass-of-mail", "hook-of-slack",
    "key-of-pagerduty", "token-of-cascade", "token-of-service", "pass-of-service",
)  # fmt: skip


@pytest.fixture
def set_up(monkeypatch):
    """Set every secret."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def record(message, *values, error=None):
    return logging.LogRecord(
        "abaco.x", logging.WARNING, "x.py", 1, message, values, error and (type(error), error, None)
    )


def test_line_of_text_has_time_run_level_and_name():
    logs.begin_run("20251231-abc")
    line = logs.FORMS["text"].format(record("phase %s ended", "x"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} 20251231-abc WARNING abaco\.x phase x ended", line)


def test_object_has_the_same_and_the_traceback():
    logs.begin_run("20251231-abc")
    found = json.loads(logs.FORMS["json"].format(record('two\nlines "é"', error=ValueError("no"))))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found.pop("time"))
    assert found == {
        "level": "WARNING", "logger": "abaco.x", "run_id": "20251231-abc", "message": 'two\nlines "é"',
        "traceback": "ValueError: no",
    }  # fmt: skip


@pytest.mark.parametrize("form", logs.FORMS)
def test_secrets_are_taken_out(set_up, form):
    error = RuntimeError(" ".join(SECRETS.values()))
    line = logs.FORMS[form].format(record("%s", " ".join((*SECRETS.values(), *HIDDEN[3:4])), error=error))
    assert [value for value in HIDDEN if value in line] == []
    assert "smtp://abaco:***@127.0.0.1:1" in line and "AccountName=abaco;AccountKey=***" in line


def test_short_and_broken_values_do_no_harm(monkeypatch):
    monkeypatch.setenv("ABACO_PII_KEY", "a")
    monkeypatch.setenv("DATABASE_URL", "http://[not-an-address")
    assert secrets.hide("a cat in http://[not-an-address") == "a cat in ***"


def test_every_secret_of_env_example_is_known():
    names = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M)
    open_ones = {
        "AZURE_STORAGE_ACCOUNT_URL", "REPORT_RECIPIENTS", "ALERT_RECIPIENTS", "SPARK_MASTER", "SPARK_STORAGE",
        "LOG_LEVEL", "ABACO_ENV", "ABACO_UNATTENDED",
    }  # fmt: skip
    # nothing but compose reads these
    of_compose = {"ABACO_INPUT", "AZURITE_KEY", "GRAFANA_PASSWORD", "POSTGRES_PASSWORD", "SMTP_PASSWORD"}
    assert set(names) - open_ones - of_compose == {name for name in names if secrets.is_secret(name)}


def test_lines_of_one_cause_are_limited_and_counted():
    limit, passed = logs.Limit(lines=2, seconds=60), []

    def line(at, text, *values, level=logging.WARNING, **more):
        entry = logging.LogRecord("abaco.x", level, "x.py", 1, text, values, None)
        vars(entry).update(created=at, **more)
        passed.append(entry.getMessage() if limit.filter(entry) else None)

    for second in (0.0, 1.0, 2.0, 59.0, 60.0):
        line(second, "no %s", second)
    line(61.0, "another")
    assert passed == [
        "no 0.0",
        "no 1.0",
        None,
        None,
        "no 60.0 (2 more of 'abaco.x no %s' since the last one)",
        "another",
    ]
    passed.clear()
    for _ in range(3):
        line(70.0, "done", level=logging.INFO)
        line(70.0, "GET %d", 401, level=logging.INFO, cause="requests answered 401")
    assert passed == ["done", "GET 401", "done", "GET 401", "done", None]
    for number in range(2 * logs.MAX_CAUSES):
        line(80.0, f"fault {number}")
    assert len(limit.counts) == logs.MAX_CAUSES


def test_run_as_json_names_itself_and_leaks_nothing(project):
    """No place that it delivers to can be reached, so each complains, at the level that says the most."""
    # without the database nothing is delivered; the others are not on this machine
    elsewhere = ("DATABASE_URL", "PAGERDUTY_ROUTING_KEY", "SLACK_WEBHOOK_URL")
    given = {name: value for name, value in SECRETS.items() if name not in elsewhere}
    given |= {"LOG_LEVEL": "DEBUG", "REPORT_RECIPIENTS": "one@example.org"}
    params = "run.log_format=json,delivery.timeout_seconds=1,delivery.email_from=abaco@example.org"
    result = project.report("--params", params, **given)
    assert result.returncode == 3, result.stderr
    lines = [json.loads(line) for line in project.log.splitlines()]
    run_id = files.read_json(project.output / "2025-12-31/run.json")["run_id"]
    assert {line["run_id"] for line in lines if line["message"].startswith("phase ")} == {run_id}
    assert {"time", "level", "logger", "run_id", "message"} == set.intersection(*(set(line) for line in lines))
    said = project.log + result.stdout + result.stderr + (project.output / "2025-12-31/run.json").read_text()
    with (ROOT / "data/sample.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if None not in row and None not in row.values()]
    personal = {row[name] for row in rows for name in ("borrower_name", "borrower_email", "borrower_phone")} - {""}
    assert len(personal) > 100
    assert [value for value in (*HIDDEN, *personal) if value in said] == []


def test_file_is_moved_aside_when_it_is_full(project, monkeypatch):
    monkeypatch.setenv("ABACO_ROOT", str(project.root))
    own, root = logging.getLogger("abaco"), logging.getLogger()
    kept = (own.handlers, own.level, own.propagate, root.handlers)
    try:
        logs.start("ERROR")
        file = next(one for one in own.handlers if hasattr(one, "maxBytes"))
        file.maxBytes = 200
        for number in range(20):
            logging.getLogger("abaco.x").info("line %d, long enough to fill the file with a few of its kind", number)
        assert len(list((project.root / "logs").glob("pipeline.log*"))) == 1 + file.backupCount
        file.close()
    finally:
        own.handlers, own.level, own.propagate, root.handlers = kept
    assert os.path.getsize(project.root / "logs/pipeline.log") < 400


def test_log_that_cannot_be_written_is_no_traceback(tmp_path, capsys):
    (tmp_path / "pipeline.log").symlink_to("/dev/full")
    file = logs.LogFile(tmp_path / "pipeline.log")
    file.handle(record("lost"))
    assert capsys.readouterr().err == ""
