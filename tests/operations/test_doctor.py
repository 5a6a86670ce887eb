"""The doctor: every part sound and with each of its faults, all of them real, and no secret in what it says."""

import datetime as dt
import os
import shutil
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

from abaco.core import files
from abaco.core.errors import AbacoError, InputError, RunError
from abaco.database.connection import connect, writing
from abaco.delivery import outbox
from abaco.delivery.channel import Delivery
from abaco.ingest.cascade.export import probe
from abaco.operations import doctor_machine, doctor_places
from abaco.operations.doctor import CHECKS, run_check
from abaco.operations.doctor_places import service as served_pages
from abaco.operations.findings import Case, ok, warning
from tests.support.azurite import blob_service, connection_string  # noqa: F401
from tests.support.cascade_server import Answer, served
from tests.support.mailserver import URL_PASSWORD, URL_USER, authority, serving
from tests.support.projects import OWN, ROOT
from tests.support.service import Service

check_azure = CHECKS["azure"]
KEY = "c2VjcmV0LWtleS1vZi1ub2JvZHk="
# port 9 of this machine: nobody listens there
SECRETS = {
    "ABACO_PII_KEY": "pii-key-0123456789",
    "META_SYSTEM_USER_TOKEN": "cascade-token-0123456789",
    "SLACK_WEBHOOK_URL": "http://127.0.0.1:9/services/T0SECRET0/B0SECRET0/X0SECRET0",
    "PAGERDUTY_ROUTING_KEY": "pagerduty0123456789",
    "ABACO_SERVE_TOKEN": "serve-token-0123456789",
    "ABACO_SERVE_PASSWORD": "serve-password-0123456789",
    "DATABASE_URL": "postgresql://abaco:database%2Fpassword@127.0.0.1:9/abaco",
    "SMTP_URL": "smtp://ana%40example.com:mail%2Fpassword@127.0.0.1:9",
    "AZURE_STORAGE_CONNECTION_STRING": connection_string(9, KEY),
}
HIDDEN = [
    *(value for name, value in SECRETS.items() if name not in ("DATABASE_URL", "SMTP_URL") and "CONN" not in name),
    "database%2Fpassword", "database/password", "mail%2Fpassword", "mail/password", "X0SECRET0", KEY,
]  # fmt: skip


@pytest.fixture
def here(copied_project, monkeypatch):
    """The folder of a project that this process is in, its environment free of what concerns abaco."""
    for name in os.environ:
        if name.startswith(OWN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ABACO_ROOT", str(copied_project))
    for module in ("findings", "doctor_places"):  # on a busy machine also a sound place may need its time
        monkeypatch.setattr(f"abaco.operations.{module}.TIMEOUT_SECONDS", 180.0)
    return copied_project


@pytest.fixture
def case(here):
    """Make a case with changes to the settings, as `--params` has them."""

    def make(params="alerts.max_age_days=0", **changes):
        found = Case(params, **changes)
        assert doctor_machine.parameters(found).level == "ok"
        return found

    return make


# The command


def test_sound_installation(project):
    shutil.copy(ROOT / "requirements.lock", project.root)
    done = project.abaco("doctor", "--params", "alerts.max_age_days=0,service.port=9")
    levels = {name: level for level, name, _ in (line.split(maxsplit=2) for line in done.stdout.splitlines())}
    assert list(levels) == list(CHECKS)
    assert levels.pop("disk") in ("ok", "warning")  # of this machine
    assert {name: level for name, level in levels.items() if level != "ok"} == {
        "alerts": "warning", "contacts": "warning", "heartbeat": "warning",
    }  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_problem_is_exit_code_1_and_the_other_parts_are_examined(project):
    done = project.abaco("doctor", "--params", "run.input=data/nothing.csv")
    assert done.returncode == 1
    assert f"problem  input       Input file not found: {project.root}/data/nothing.csv: " in done.stdout
    assert len(done.stdout.splitlines()) == len(CHECKS)


def test_without_valid_parameters_the_machine_is_examined_all_the_same(project):
    done = project.abaco("doctor", "--params", "run.threads=-1")
    levels = {name: level for level, name, _ in (line.split(maxsplit=2) for line in done.stdout.splitlines())}
    assert done.returncode == 1
    assert [name for name, level in levels.items() if level == "problem"] == ["parameters"]
    assert levels["python"] == levels["variables"] == "ok"
    assert "warning  input       not examined: correct the parameters first" in done.stdout


def test_no_secret_is_printed_or_logged_whatever_fails(project):
    params = "run.input=cascade,cascade.url=http://127.0.0.1:9/export.csv,service.port=9"
    done = project.abaco("doctor", "--params", params, "--log-level", "DEBUG", **SECRETS)
    failed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("problem")]
    assert failed == ["database", "deliveries", "azure", "email", "cascade"]
    text = done.stdout + done.stderr + project.log
    assert [secret for secret in HIDDEN if secret in text] == []


# A check that goes wrong itself


def test_check_that_raises_is_a_problem(here):
    assert run_check(lambda _: 1 / 0, Case(), 60).text.startswith("ZeroDivisionError: division by zero")


def test_check_without_end_is_a_problem(here):
    for_ever = threading.Event()
    found = run_check(lambda _: for_ever.wait() and ok(""), Case(), 0.01)
    for_ever.set()
    assert (found.level, found.text) == ("problem", "no answer within 0.01 s: see what it waits for")


# The machine


def test_log_that_cannot_be_written(here):
    (here / "logs").write_text("in the way")
    with pytest.raises(InputError, match=r"Cannot write to .*logs: "):
        doctor_machine.log(Case())


@pytest.mark.parametrize(
    ("lock", "level", "text"),
    [
        ("pytest==0.1 \\\n    --hash=sha256:00\nno-such-package==1\n", "problem", "not 0.1 and 1 more: remove .venv"),
        ("no-such-package==1\n", "problem", "no-such-package is not installed, not 1: remove"),
        ("no-such-package==1 ; sys_platform == 'win32'\n", "ok", "1 packages are as requirements.lock says"),
        (f"pytest=={pytest.__version__}\npytest==0.1 ; python_version < '3'\n", "ok", "1 packages"),
        (None, "warning", "requirements.lock is not there"),
    ],
)
def test_packages(here, lock, level, text):
    if lock:
        (here / "requirements.lock").write_text(lock)
    found = doctor_machine.packages(Case())
    assert found.level == level and text in found.text


def test_disk_that_is_too_small_for_the_input(case, here):
    with (here / "data/huge.csv").open("wb") as file:
        file.truncate(shutil.disk_usage(here).free)  # takes no room itself
    found = doctor_machine.disk(case("run.input=data/huge.csv"))
    assert found.level == "problem" and "lower retention.keep_runs" in found.text


def test_output_that_cannot_be_written(case, here):
    (here / "taken").write_text("")
    with pytest.raises(InputError, match=r"Cannot write to the output folder .*taken/reports"):
        doctor_machine.access(case(given_output=here / "taken/reports"))


def test_cascade_folder_that_cannot_be_written(case, here):
    (here / "taken").write_text("")
    found = doctor_machine.access(case("run.input=cascade,cascade.folder=taken/cascade"))
    assert found.level == "problem" and "taken/cascade" in found.text


@pytest.mark.parametrize(("days", "level"), [(-1, "ok"), (1, "problem")])
def test_clock_behind_a_run(case, here, days, level):
    path = here / "reports/.runs/2025-12-31/20251231T000000000000Z_1/run.json"
    path.parent.mkdir(parents=True)
    path.touch()
    os.utime(path, times=(time.time() + days * 86400,) * 2)
    found = doctor_machine.clock(case())
    assert found.level == level and (level == "ok" or "run.json is of" in found.text)


# The data


@pytest.mark.parametrize(
    "params", ["ingestion.max_reject_pct=-1", "service.cron=always", "params/none.yml", "nothing.at_all=1"]
)
def test_parameters_that_are_not_valid(here, params):
    with pytest.raises(InputError):
        doctor_machine.parameters(Case(params))


def test_kpis_that_are_not_valid(here):
    (here / "params/kpis.yml").write_text("PAR30: {title: PAR30, nonsense: 1}\n")
    with pytest.raises(InputError, match=r"params/kpis\.yml"):
        doctor_machine.parameters(Case())


def test_variables_are_set_or_not_set(here, monkeypatch):
    monkeypatch.setenv("ABACO_PII_KEY", SECRETS["ABACO_PII_KEY"])
    found = doctor_machine.variables(Case())
    assert found.level == "ok" and found.text.startswith("set: ABACO_PII_KEY; not set: META_SYSTEM_USER_TOKEN, ")


@pytest.mark.parametrize("variable", ["ABACO_SERVE_TOKEN", "ABACO_PII_KEY"])
def test_short_secret_is_a_problem_in_one_line(here, monkeypatch, variable):
    monkeypatch.setenv(variable, "short")
    found = run_check(doctor_machine.variables, Case(), 60)
    assert (found.level, found.text) == (
        "problem",
        f"{variable} has 5 characters, and needs 16 or more: set one that openssl rand -hex 16 prints",
    )


def test_environment_file_that_others_can_read(here):
    (here / ".env.local").touch(mode=0o600)
    assert doctor_machine.variables(Case()).level == "ok"
    (here / ".env.local").chmod(0o644)
    found = doctor_machine.variables(Case())
    assert found.level == "warning" and found.text.endswith("chmod 600 .env.local")


def tape(path, date):
    """Write the sample's rows as if they were of one date."""
    header, first, *_ = (ROOT / "data/sample.csv").read_text().splitlines()
    at = header.split(",").index("measurement_date")
    cells = first.split(",")
    path.write_text("\n".join([header, ",".join([*cells[:at], str(date), *cells[at + 1 :]])]) + "\n")


@pytest.mark.parametrize(("age", "level"), [(0, "ok"), (45, "ok"), (46, "warning")])
def test_age_of_the_input(case, here, age, level):
    today = dt.datetime.now(dt.UTC).date()
    tape(here / "data/sample.csv", today - dt.timedelta(days=age))
    found = doctor_machine.exports(case("alerts.max_age_days=45"))
    if dt.datetime.now(dt.UTC).date() == today:  # else a day has begun meanwhile
        assert found.level == level
    assert f"the newest date {today - dt.timedelta(days=age)}" in found.text


def test_input_that_is_not_recognised(case, here):
    (here / "data/sample.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError):
        doctor_machine.exports(case())


def test_loans_alone_have_no_date(case, here):
    (here / "data/exports").mkdir()
    shutil.copy(ROOT / "data/sample/loans.csv", here / "data/exports")
    found = doctor_machine.exports(case("run.input=data/exports"))
    assert found.level == "warning" and "give DATE" in found.text


def test_cascade_before_its_first_download(case):
    assert doctor_machine.exports(case("run.input=cascade")).text.startswith("cascade: nothing is downloaded yet")


# The database


def test_database_is_not_made(case, here):
    assert "the first run makes it" in doctor_places.database(case()).text
    assert doctor_places.deliveries(case()).text == "none yet"
    assert not (here / "reports/abaco.db").exists()


def test_database_answers(case, database, here):
    connect(here / "reports")
    found = doctor_places.database(case())
    assert found.level == "ok" and "runs: 0" in found.text


def test_database_that_is_damaged(case, here):
    (here / "reports").mkdir()
    (here / "reports/abaco.db").write_bytes(b"no database at all" * 1000)
    with pytest.raises(
        AbacoError, match=r"reports/abaco\.db: file is not a database: make it again with abaco rebuild"
    ):
        doctor_places.database(case())


def test_database_that_does_not_answer(case, postgres, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgres.new())
    postgres.stop()
    with pytest.raises(AbacoError, match="see that it runs and takes connections"):
        doctor_places.database(case())


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("pending", "2 pending; the last: Mail server is away: mend it, then abaco deliver --pending"),
        ("dead", "1 given up, 1 pending; the last: Mail server is away: mend it, then abaco deliver --pending --dead"),
        (
            "held",
            "1 held, 0 given up, 1 pending; the last: Mail server is away: ask who should have it, "
            "then abaco deliver --held DATE, or --drop RUN, which abaco status lists",
        ),
    ],
)
def test_deliveries_that_did_not_arrive(case, here, status, text):
    engine = connect(here / "reports")
    with writing(engine) as connection:
        items = [Delivery(f"email:{n}", "email", None, None, None, {}) for n in (1, 2)]
        outbox.enqueue(connection, here / "reports", items)
        change = outbox.update(outbox.deliveries).values(error="Mail server is away")
        connection.execute(change)
        connection.execute(change.where(outbox.deliveries.c.key == "email:2").values(status=status))
    assert doctor_places.deliveries(case()) == doctor_places.warning(text)


# The places


def test_azure_answers_and_nothing_is_made(case, blob_service, monkeypatch):  # noqa: F811
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection_string(blob_service.port))
    for _ in range(2):
        found = check_azure(case("delivery.azure_container=doctor"))
        assert found == ok("answers; the first upload makes the container doctor")


@pytest.mark.parametrize(
    ("port", "key", "text"),
    [(None, KEY, "answered 403"), (9, KEY, "cannot be reached"), (None, "no key", "the account's key is not valid")],
)
def test_azure_with_a_fault(case, blob_service, monkeypatch, port, key, text):  # noqa: F811
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection_string(port or blob_service.port, key))
    with pytest.raises(AbacoError, match=text):
        check_azure(case())


def test_azure_is_not_set_up(case):
    assert check_azure(case()).text.startswith("not set up: nothing is uploaded unless AZURE")


@pytest.fixture
def mail(tmp_path, monkeypatch):
    """A mail server that asks for a password, and that everybody trusts."""
    context, path = authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with serving(tls=context, authenticated=True) as server:
        yield server


def test_mail_server_lets_us_in_and_nothing_is_sent(case, mail, monkeypatch):
    monkeypatch.setenv("SMTP_URL", f"smtp://{URL_USER}:{URL_PASSWORD}@127.0.0.1:{mail.port}")
    found = doctor_places.email(case())
    assert (found.level, found.text[-21:]) == ("warning", "set REPORT_RECIPIENTS")
    monkeypatch.setenv("REPORT_RECIPIENTS", "ana@example.com, luis@example.com")
    lets_in = f"Mail server 127.0.0.1:{mail.port} lets us in; 2 receive reports"
    assert doctor_places.email(case()) == warning(
        f"{lets_in}, 0 alerts: no alert goes anywhere by email, set ALERT_RECIPIENTS"
    )
    monkeypatch.setenv("ALERT_RECIPIENTS", "ops@example.com")
    assert doctor_places.email(case()) == ok(f"{lets_in}, 1 alerts")
    assert mail.taken == []


def test_mail_server_that_refuses_the_password(case, mail, monkeypatch):
    monkeypatch.setenv("SMTP_URL", f"smtp://{URL_USER}:wrong@127.0.0.1:{mail.port}")
    with pytest.raises(AbacoError, match="refused the credentials"):
        doctor_places.email(case())


def test_recipients_without_a_mail_server(case, monkeypatch):
    monkeypatch.setenv("REPORT_RECIPIENTS", "ana@example.com")
    assert doctor_places.email(case()) == doctor_places.warning(
        "not set up: nothing is sent unless SMTP_URL is set, though there are recipients"
    )
    monkeypatch.setenv("REPORT_RECIPIENTS", "nobody")
    with pytest.raises(InputError, match="REPORT_RECIPIENTS holds something that is not an email address"):
        doctor_places.email(case())


def test_alerts_go_where_they_can(case, monkeypatch):
    assert doctor_places.alerts(case()).text.startswith("nobody is told of failures")
    monkeypatch.setenv("SMTP_URL", "smtp://ana%40example.com:secret@localhost")
    assert doctor_places.alerts(case()).level == "warning"  # email, and nobody who receives it
    monkeypatch.setenv("ALERT_RECIPIENTS", "ana@example.com")
    assert doctor_places.alerts(case()) == ok("P1 to email, P2 to email, P3 to email, P4 to email")
    monkeypatch.setenv("SLACK_WEBHOOK_URL", SECRETS["SLACK_WEBHOOK_URL"])
    assert doctor_places.alerts(case()) == ok("P1 to slack and email, P2 to slack, P3 to slack, P4 to slack")
    assert doctor_places.alerts(case("alerts.dry_run=true")).level == "warning"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/", "SLACK_WEBHOOK_URL is not an incoming webhook"),
        ("PAGERDUTY_ROUTING_KEY", "no key", "PAGERDUTY_ROUTING_KEY is not a routing key"),
    ],
)
def test_alerts_that_could_not_be_sent(case, monkeypatch, name, value, text):
    monkeypatch.setenv(name, value)
    with pytest.raises(AbacoError, match=text):
        doctor_places.alerts(case())


@pytest.fixture
def cascade(tmp_path, monkeypatch):
    """Ask a server, which is trusted, for the head of the export."""
    monkeypatch.setenv("META_SYSTEM_USER_TOKEN", SECRETS["META_SYSTEM_USER_TOKEN"])
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    found = trustme.CA()
    found.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))

    def ask(answer, timeout=30.0, certificate=None):
        with served(answer, certificate=certificate or found.issue_cert("127.0.0.1")) as server:
            try:
                return probe(server.url, timeout), server.requests
            finally:
                if answer.held:
                    answer.held.set()

    return ask


@pytest.mark.parametrize("status", [200, 302, 405, 501])
def test_cascade_answers_and_the_token_goes_nowhere_else(cascade, status):
    said, (request,) = cascade(Answer(status=status, headers={"Location": "https://127.0.0.1:9/"}))
    assert said == "127.0.0.1 answers"
    assert request["Authorization"] == f"Bearer {SECRETS['META_SYSTEM_USER_TOKEN']}"


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        (401, InputError, "refuses the token"), (403, InputError, "refuses the token"),
        (404, InputError, "has no export at cascade.url"), (503, RunError, "answered 503: try again later"),
    ],
)  # fmt: skip
def test_cascade_with_a_fault(cascade, status, kind, text):
    with pytest.raises(kind, match=text):
        cascade(Answer(status=status))


def test_cascade_that_is_silent(cascade):
    with pytest.raises(RunError, match=r"was silent for 0\.2 s"):
        cascade(Answer(held=threading.Event()), timeout=0.2)


def test_cascade_that_is_not_trusted(cascade):
    with pytest.raises(InputError, match=r"certificate of 127\.0\.0\.1 is not trusted .*SSL_CERT_FILE"):
        cascade(Answer(), certificate=trustme.CA().issue_cert("127.0.0.1"))


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ("run.input=cascade", "cascade.url is empty"),
        ("run.input=cascade,cascade.url=https://localhost/", "META_SYSTEM_USER_TOKEN is not set"),
    ],
)
def test_cascade_is_not_set_up(case, params, text):
    assert doctor_places.cascade(case()).text.startswith("not set up")
    with pytest.raises(InputError, match=text):
        doctor_places.cascade(case(params))


# The service


def at(port):
    """The setting of a service's port."""
    return f"service.port={port}"


def test_service_that_does_not_run(case, here):
    assert served_pages(case(at(9))).text == "does not run at http://127.0.0.1:9; make serve starts it"
    (here / "reports/.runs").mkdir(parents=True)
    files.write_json(here / "reports/.runs/schedule.json", {})
    assert served_pages(case(at(9))).level == "warning"


def test_another_program_in_place_of_the_service(case):
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        found = served_pages(case(at(server.server_port)))
        server.shutdown()
    assert found.level == "problem" and "is another program's" in found.text


def test_places_that_are_silent(case, monkeypatch):
    monkeypatch.setattr("abaco.operations.doctor_places.TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv("SMTP_URL", f"smtp://ana%40example.com:secret@127.0.0.1:{port}")
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection_string(port))
        silence = case(f"delivery.timeout_seconds=0.2,{at(port)}")
        for check in (check_azure, doctor_places.email):
            with pytest.raises(AbacoError, match=r"no answer within 0\.2 s"):
                check(silence)
        assert "gives no answer (ReadTimeout)" in served_pages(silence).text


def test_service_that_runs(case, project, monkeypatch):
    with Service(project, ABACO_SERVE_TOKEN=SECRETS["ABACO_SERVE_TOKEN"]) as service:
        params = at(service.address.rstrip("/").rpartition(":")[2])
        found = served_pages(case(params))
        assert found.level == "problem" and "set ABACO_SERVE_TOKEN" in found.text
        monkeypatch.setenv("ABACO_SERVE_TOKEN", SECRETS["ABACO_SERVE_TOKEN"])
        found = served_pages(case(params))
        assert found.level == "ok" and "is healthy and has " in found.text
        assert served_pages(case()) == found  # also without the port, which the service notes
    assert " at http://127.0.0.1:9" in served_pages(case(at(9))).text


def test_service_that_cannot_do_its_work(case, project):
    with Service(project, DATABASE_URL=SECRETS["DATABASE_URL"]) as service:
        found = served_pages(case(at(service.address.rstrip("/").rpartition(":")[2])))
    assert found.level == "problem" and "is unhealthy: Database 127.0.0.1:9/abaco: " in found.text
