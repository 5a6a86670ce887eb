"""The commands: deliver what is pending, upload and send again; in words and exit codes."""

import pytest

from abaco.core import files
from tests.support import left
from tests.support.mailserver import serving
from tests.support.projects import Project, copy_project

DECEMBER = "2025-12-31"


@pytest.fixture
def made(tmp_path):
    """A project with a finished run that nobody has recorded yet."""
    root = copy_project(tmp_path)
    folder = left.run(root / "reports", DECEMBER, "r1", "2026-01-01T02:00:00Z", places=("email",))
    left.finish(folder, {"PAR30": left.kpi(1.0, "ok")})
    return Project(root, root / "reports")


def test_report_is_delivered_later_and_sent_again_when_asked(made):
    with serving() as mail:
        where = {"SMTP_URL": f"smtp://127.0.0.1:{mail.port}", "REPORT_RECIPIENTS": "ana@example.com"}
        given = ("--params", "delivery.email_from=kpis@example.com")
        mail.answers = ["554 no"]
        failed = made.abaco("deliver", "--pending", *given, **where)
        assert (failed.returncode, failed.stdout) == (3, "email  r1  pending\n")
        assert failed.stderr.startswith("Not delivered: email of r1: ") and "Traceback" not in failed.stderr
        assert "Not delivered\n  email  r1  tried once, again at " in made.abaco("status").stdout
        done = made.abaco("deliver", "--pending", *given, **where)
        assert (done.returncode, done.stdout, done.stderr) == (0, "email  r1  done\n", "")
        again = made.abaco("email", "--date", DECEMBER, "--to", "luis@example.com", *given, **where)
        assert (again.returncode, again.stdout, again.stderr) == (0, "email  r1  done\n", "")
        assert [recipient for _, recipient, _ in mail.taken] == ["ana@example.com", "luis@example.com"]


def test_what_was_given_up_and_nobody_wants_is_dropped_for_good(made):
    with serving() as mail:
        where = {"SMTP_URL": f"smtp://127.0.0.1:{mail.port}", "REPORT_RECIPIENTS": "ana@example.com,b@example.com"}
        given = ("--params", "delivery.email_from=kpis@example.com,delivery.max_attempts=1")
        mail.refused = {"ana@example.com"}
        given_up = made.abaco("deliver", "--pending", *given, **where)
        assert given_up.returncode == 3
        assert given_up.stderr.endswith(
            "What was given up is tried again by abaco deliver --dead, or no more after --drop RUN\n"
        )
        dropped = made.abaco("deliver", "--drop", "r1", *given, **where)
        assert (dropped.returncode, dropped.stdout, dropped.stderr) == (0, "email  r1  dropped\n", "")
        mail.refused = set()
        nothing = made.abaco("deliver", "--pending", "--dead", *given, **where)
        assert (nothing.returncode, nothing.stdout) == (0, "Nothing was to be delivered\n")
    assert [recipient for _, recipient, _ in mail.taken] == ["b@example.com"]
    found = files.read_json(made.output / DECEMBER / "run.json")["deliveries"]
    assert sorted(one["status"] for one in found) == ["done", "done", "dropped"]
    status = made.abaco("status").stdout
    assert "Not delivered" not in status and "Not sent any more\n  email  r1  dropped  Mail server" in status


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            ("deliver",),
            "Say what to deliver: --pending, --dead for what was given up, --held DATE (or all) for what is",
        ),
        (("deliver", "--held", "2025-11-30"), "Nothing is held of 2025-11-30: abaco status lists what is"),
        (("deliver", "--held", "everything"), "--held everything is not a valid date"),
        (("deliver", "--drop", "r1"), "Nothing that was given up or is held is of r1: abaco status lists what was"),
        (("upload", "--date", DECEMBER), "azure is not set up: set AZURE_STORAGE_CONNECTION_STRING or "),
        (("email", "--date", DECEMBER, "--to", "a@example.com"), "email is not set up: set SMTP_URL"),
        (("email", "--date", DECEMBER), "Nobody to send the report to: name somebody with TO, or set "),
        (("upload", "--date", "2025-11-30"), "No finished report of 2025-11-30 in reports; there are: 2025-12-31"),
    ],
)
def test_what_cannot_be_done_is_said(made, command, said):
    result = made.abaco(*command)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {said}")
