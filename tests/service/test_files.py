"""Files of a run, and that nothing else can be read, however it is asked for."""

import asyncio
import http.client
import logging
import os
from urllib.parse import urlsplit

import pytest

from abaco.core import files as core_files
from abaco.service import files
from tests.support.service import Service

HIDDEN = "what nobody may read"
DATE = "/reports/2025-12-31"


@pytest.fixture(scope="module")
def beset(finished, tmp_path_factory):
    """A service whose project has things that nobody may read, and links to them among the files of a run."""
    project = finished.pristine.copy(tmp_path_factory.mktemp("beset") / "project")
    (project.root / ".env.local").write_text(f"# {HIDDEN}\n")
    folder = (project.output / "2025-12-31").resolve()
    (folder / "work").mkdir()
    for path in (folder / "work/rows.csv", folder / "unlisted.txt", project.output / ".runs/x.txt"):
        path.write_text(HIDDEN)
    # files that the manifest names, and that lead elsewhere
    links = {"tables/aging.csv": project.root / ".env.local", "tables/history.csv": project.output / "abaco.db"}
    for name, target in links.items():
        (folder / name).unlink()
        (folder / name).symlink_to(target)
    (folder / "email/trend.png").unlink()
    (folder / "email/trend.png").mkdir()
    (project.output / "2025-01-01").symlink_to(project.root, target_is_directory=True)
    with Service(project) as found:
        yield found


def raw(service, path):
    """Ask for a path as it stands, which a well-behaved client would tidy up first."""
    connection = http.client.HTTPConnection(urlsplit(service.address).netloc, timeout=180)
    connection.putrequest("GET", path, skip_accept_encoding=True)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


@pytest.mark.parametrize(
    "path",
    [
        "/.env.local", "/abaco.db", "/reports/abaco.db", "/reports/.runs/x.txt", "/.runs/x.txt", f"{DATE}/../abaco.db",
        f"{DATE}/../.runs/x.txt", f"{DATE}/../../.env.local", f"{DATE}/..%2f..%2f.env.local",
        f"{DATE}/%2e%2e/%2e%2e/.env.local", f"{DATE}/%2e%2e%2f%2e%2e%2f.env.local", f"{DATE}/..%5c..%5c.env.local",
        f"{DATE}/%252e%252e/.env.local", f"{DATE}//etc/passwd", f"{DATE}/%2fetc%2fpasswd", "//etc/passwd",
        f"{DATE}/tables/../unlisted.txt", f"{DATE}/unlisted.txt", f"{DATE}/work/rows.csv", f"{DATE}/tables",
        f"{DATE}/tables/", f"{DATE}/tables/aging.csv", f"{DATE}/tables/history.csv", f"{DATE}/email/trend.png",
        f"{DATE}/report.html%00.png", f"{DATE}/./report.html", f"{DATE}/report.html/", f"{DATE}/REPORT.HTML",
        "/reports/2025-01-01/.env.local", "/reports/2025-01-01/", "/reports/../.env.local",
        "/reports/%2e%2e/.env.local",
        "/reports/..%2f.env.local/", "/reports/2025-12-31%2f../", "/reports/.runs/2025-12-31/", "/runs/../.env.local",
        "/runs/..%2f..%2f.env.local", "/runs/%2e%2e/x.txt", "/runs/2025-12-31/..%2f..%2fabaco.db", "/runs/%00/x",
        "/runs/' OR 1=1 --/report.html".replace(" ", "%20"), "/compare?one=../../.env.local&other=/etc/passwd",
        "/file:///etc/passwd", f"{DATE}/file:%2f%2f%2fetc%2fpasswd", "/" + "a/" * 2000,
    ],
)  # fmt: skip
def test_nothing_else_can_be_read(beset, path):
    status, body = raw(beset, path)
    assert status == 404
    for told in (HIDDEN.encode(), b"SQLite format", b"root:", os.fsencode(beset.process.args[0])):
        assert told not in body


def test_every_file_that_a_run_lists_can_be_read(service, shown):
    folder = shown.output / "2025-12-31"
    names = files.listed(folder.resolve())
    assert {"report.html", "run.json", "manifest.json", "tables/tape.parquet", "email.eml"} <= set(names)
    for name in names:
        answer = service.get(f"{DATE}/{name}")
        assert answer.status_code == 200 and answer.content == (folder / name).read_bytes()
        is_shown = name.endswith((".html", ".json", ".png"))
        assert ("attachment" in answer.headers.get("content-disposition", "")) is not is_shown


def test_the_same_by_the_run_s_id(service, shown):
    run_id = core_files.read_json(shown.output / "2025-11-30/run.json")["run_id"]
    page = (shown.output / "2025-11-30/report.html").read_bytes()
    assert service.get(f"/runs/{run_id}/report.html").content == page


@pytest.mark.parametrize(
    ("change", "status"), [(os.remove, 404), (lambda path: os.truncate(path, 9), 200)], ids=["removed", "cut off"]
)
def test_file_that_is_changed_while_it_is_sent_ends_the_answer_in_one_line(
    tmp_path, monkeypatch, caplog, change, status
):
    monkeypatch.setattr(logging.getLogger("abaco"), "propagate", True)  # a command may have set it otherwise
    monkeypatch.setattr(files.log, "disabled", False)  # and import-linter disables all that there are
    path = tmp_path / "report.html"
    path.write_bytes(b"x" * 100)
    response, sent = files.RunFile(path, stat_result=None if status == 404 else path.stat()), []
    change(path)

    async def receive():
        await asyncio.sleep(60)

    async def send(message):
        sent.append(message)
        if len(message.get("body", b"")) == 9:
            raise OSError("too little data")  # as of a server that counts what it sends

    asyncio.run(response({"type": "http", "method": "GET", "headers": []}, receive, send))
    assert sent[0]["status"] == status
    (line,) = caplog.messages
    assert line.startswith("report.html was changed or removed while it was sent: ")


def test_run_whose_folder_is_gone_has_no_files(tmp_path):
    assert files.listed(tmp_path) == {}
    assert files.folder_of(tmp_path, {"folder": ".runs/2025-12-31/gone"}) is None
    (tmp_path / "elsewhere").mkdir()
    assert files.folder_of(tmp_path, {"folder": "elsewhere"}) is None
    assert files.folder_of(tmp_path, {"folder": str(tmp_path)}) is None
