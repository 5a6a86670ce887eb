"""The description of the service, and that the service is as described, whatever schemathesis asks."""

import subprocess
import sys
from pathlib import Path

import pytest

from abaco.service.app import create_app
from abaco.service.security import Access
from tests.support.projects import NEVER
from tests.support.service import Service

from .conftest import TOKEN

OPEN, GUARDED = Access(), Access("token" * 4, "password" * 2)


@pytest.mark.parametrize("access", [OPEN, GUARDED])
def test_every_route_is_described_with_its_answers_and_errors(book, access):
    described = create_app(book, access).openapi()
    asked = {
        "/": "200", "/dictionary": "200", "/compare": "200", "/health": "200", "/ready": "200", "/metrics": "200",
        "/openapi.json": "200", "/favicon.ico": "204", "/reports/{date}": "307", "/reports/{date}/": "200",
        "/history": "200", "/service.js": "200", "/reports/{date}/all.zip": "200", "/runs/{run_id}/all.zip": "200",
        "/runs/{run_id}/notebook/": "200", "/runs/{run_id}/notebook.ipynb": "200", "/reports/{date}/{name}": "200",
        "/runs/{run_id}/": "200", "/runs/{run_id}/{name}": "200", "/reports/{date}/rows/{table}": "200",
            "/runs/{run_id}/rows/{table}": "200",
    }  # fmt: skip
    assert described["paths"].keys() == asked.keys()
    for path, operations in described["paths"].items():
        assert operations.keys() == {"get", "head"}
        for operation in operations.values():
            probe, answers = path in ("/health", "/ready"), operation["responses"].keys()
            refused = {"401", "429"} if access.is_set and not probe else set()
            expected = {asked[path], "405", "422", "503", *refused, *(() if access.is_set else ("421",))}
            expected |= {"404"} if path.startswith(("/compare", "/history", "/reports", "/runs")) else set()
            expected |= {"206", "400", "416"} if path.endswith(("{name}", ".ipynb", ".js")) else set()
            assert answers == expected, path
            assert operation["description"] and all(one["description"] for one in operation["responses"].values())
            schemes = [] if probe or not access.is_set else [{"token": []}, {"password": []}]
            assert operation.get("security", []) == schemes


@pytest.fixture(scope="module")
def fuzzed(shown):
    """A service with a token, whose log and count of wrong tokens no other test reads."""
    with Service(shown, f"service.cron={NEVER},service.max_wrong_tokens=1000000", ABACO_SERVE_TOKEN=TOKEN) as found:
        yield found


def fuzz(service, folder, *options):
    """Let schemathesis ask the service, and return what it says."""
    program = Path(sys.executable).with_name("schemathesis")
    command = (program, "run", f"{service.address}openapi.json", "--seed", "7", "--no-color", "--continue-on-failure")
    done = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True, timeout=900)
    return done.returncode, done.stdout


def test_open_service_is_as_described(service, tmp_path):
    code, text = fuzz(service, tmp_path, "--phases", "fuzzing", "--max-examples", "5")
    assert code == 0, text


def test_guarded_service_is_as_described(fuzzed, tmp_path, shown):
    token = ("--header", f"Authorization: Bearer {TOKEN}")
    code, text = fuzz(fuzzed, tmp_path, *token, "--phases", "examples,coverage", "--include-method", "GET")
    assert code == 0, text
    log = (shown.root / "logs/service.log").read_text()
    assert "Traceback" not in log and TOKEN not in log
