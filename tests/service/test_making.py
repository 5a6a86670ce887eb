"""Reports made from the browser, without one: uploads, the forms, one run at a time, and what is left behind."""

import asyncio
import datetime as dt
import gzip
import io
import re
import sys
import zipfile
from html import unescape

import httpx2
import pytest

from abaco.core import files
from abaco.core.errors import InputError
from abaco.run import folders
from abaco.service import server
from abaco.service.app import create_app
from abaco.service.making import Maker
from abaco.service.reports import Book
from abaco.service.schedule import Schedule, trigger
from abaco.service.security import Access
from abaco.service.uploads import MAX_UPLOADS, Uploads
from tests.support.service import until

TAPE = b"loan_id,measurement_date\n1,2025-12-31\n"
MOST = 1_000_000


class Desk:
    """The application with a maker, and a client that is asked one thing after the other."""

    def __init__(self, folder, said="print('')", cron=""):
        (folder / "reports/.runs").mkdir(parents=True)
        schedule = Schedule(trigger(cron), folder / "reports", lambda: [sys.executable, "-c", "print(1)"], 3.0)
        self.uploads = Uploads(folder / "uploads", MOST, dt.timedelta(days=7))
        self.uploads.prepare()
        inputs, self.said = {"configured": ("in.csv", "in")}, said
        self.maker = Maker(
            schedule, folder / "reports", self.uploads, lambda: inputs, lambda *_: [sys.executable, "-c", self.said]
        )
        self.book = Book(folder / "reports", schedule, maker=self.maker)
        self.app = create_app(self.book, Access())

    def ask(self, method, path, **options):
        """Return the answer of the application."""
        transport = httpx2.ASGITransport(self.app)

        async def asked():
            async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, path, **options)

        return asyncio.run(asked())

    def post(self, form, headers=None, **fields):
        """Send one of the forms as the page does."""
        data = {"token": self.maker.token, **fields}
        return self.ask("POST", f"/make/{form}", data=data, headers=headers or {})

    def send(self, *files, token=None, headers=None):
        """Upload files, each a name and bytes, as a browser does."""
        parts = [(b"token", None, (token or self.maker.token).encode())]
        parts += [(b"files", name if isinstance(name, bytes) else name.encode(), content) for name, content in files]
        body = b""
        for field, name, content in parts:
            named = b"" if name is None else b'; filename="%s"' % name
            head = b'--edge\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n' % (field, named)
            body += head + content + b"\r\n"
        kind = {"content-type": "multipart/form-data; boundary=edge", **(headers or {})}
        return self.ask("POST", "/make/upload", content=body + b"--edge--\r\n", headers=kind)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    found = Desk(tmp_path)
    found.book.schedule.start()
    yield found
    found.book.schedule.stop()


def told(answer):
    """Return the one line that an error page has."""
    (line,) = re.findall(r'<p class="alarm">(.*?)</p>', answer.text)
    assert "\n" not in line
    return unescape(line)


def kept(desk):
    return [path.name for path in desk.uploads.folder.iterdir()]


# Uploads


def test_upload_is_kept_in_a_private_folder_of_its_own(desk):
    answer = desk.send(("loans.csv", TAPE), ("pagos año.csv", b"x" * 300_000))
    (upload,) = desk.uploads.listed()
    assert (answer.status_code, answer.headers["location"]) == (303, f"/make?chosen={upload.name}")
    assert upload.sizes == {"loans.csv": len(TAPE), "pagos año.csv": 300_000}
    assert (upload.folder / "loans.csv").read_bytes() == TAPE
    assert [path.stat().st_mode & 0o777 for path in (upload.folder, upload.folder / "loans.csv")] == [0o700, 0o600]
    page = desk.ask("GET", answer.headers["location"]).text
    assert re.search(rf'value="{upload.name}" required checked', page)


@pytest.mark.parametrize("name", [
    "../../etc/loans.csv", "/etc/loans.csv", "a/loans.csv", "a\\loans.csv", "..", ".csv", ".hidden.csv", "~loans.csv",
    "loans.csv.", "lo\x1bans.csv", "lo\u202eans.csv", "C:loans.csv", "x" * 201 + ".csv", " loans.csv",
])  # fmt: skip
def test_hostile_name_is_refused_in_one_line_and_leaves_nothing(desk, name):
    answer = desk.send((name, TAPE))
    assert answer.status_code == 400 and told(answer).endswith(" is not a plain file name: rename it")
    assert kept(desk) == []


def zipped(**members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return packed.getvalue()


BOMB = b"0" * (65 << 20)


@pytest.mark.parametrize(
    ("files", "code", "line"),
    [
        ([(b"\xff.csv", TAPE)], 400, "The name of a file is not UTF-8: rename it"),
        ([("loans.pdf", TAPE)], 400, "loans.pdf is not one of .csv, "),
        ([("loans.csv", TAPE), ("LOANS.csv", TAPE)], 400, "Two files are named LOANS.csv: rename one"),
        ([("loans.csv", b"")], 400, "loans.csv is empty: export it again"),
        ([("", b"")], 400, "No file was chosen: choose the exports"),
        ([], 400, "No file was chosen: choose the exports"),
        ([("bomb.zip", zipped(a_csv=BOMB))], 400, "bomb.zip/a.csv unpacks to 65 MiB or more, which no export does"),
        ([("bomb.csv.gz", gzip.compress(BOMB))], 400, "bomb.csv.gz unpacks to "),
        ([("nested.zip", zipped(a_zip=b"PK"))], 400, "nested.zip/a.zip is an archive within an archive"),
        ([("broken.zip", b"PK\3\4")], 400, "broken.zip cannot be unpacked: it is damaged or not complete"),
        ([("loans.csv", b"x" * (MOST + 200_000))], 413, "The files have more than 1 MB, which is service.upload_mb"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)  # fmt: skip
def test_upload_that_cannot_be_used_is_refused_in_one_line_and_leaves_nothing(desk, files, code, line):
    answer = desk.send(*files)
    assert (answer.status_code, told(answer)[: len(line)]) == (code, line)
    assert kept(desk) == []


def test_upload_without_a_told_size_is_measured_as_it_arrives(desk):
    async def chunks():
        yield b'--edge\r\nContent-Disposition: form-data; name="token"\r\n\r\n' + desk.maker.token.encode()
        yield b'\r\n--edge\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n'
        for _ in range(20):
            yield b"x" * 100_000

    kind = {"content-type": "multipart/form-data; boundary=edge"}
    answer = desk.ask("POST", "/make/upload", content=chunks(), headers=kind)
    assert answer.status_code == 413 and kept(desk) == []


def test_upload_that_is_not_whole_leaves_nothing(desk):
    kind = {"content-type": "multipart/form-data; boundary=edge"}
    head = b'--edge\r\nContent-Disposition: form-data; name="token"\r\n\r\n%s\r\n' % desk.maker.token.encode()
    answer = desk.ask("POST", "/make/upload", content=head, headers=kind)
    assert (answer.status_code, told(answer)) == (400, "The upload is not a whole form: send it again")
    answer = desk.ask("POST", "/make/upload", content=b"x", headers={"content-type": "text/csv"})
    assert (answer.status_code, told(answer)) == (415, "An upload is a form with files: use the page")
    assert kept(desk) == []


def test_upload_that_is_broken_off_leaves_nothing(desk):
    messages = [
        {"type": "http.request", "body": b'--edge\r\nContent-Disposition: form-data; name="token"\r\n\r\n'
         + desk.maker.token.encode() + b'\r\n--edge\r\nContent-Disposition: form-data; name="files"; '
         b'filename="a.csv"\r\n\r\nabc', "more_body": True},
        {"type": "http.disconnect"},
    ]  # fmt: skip
    scope = {
        "type": "http", "method": "POST", "path": "/make/upload", "raw_path": b"/make/upload", "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"multipart/form-data; boundary=edge")],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "scheme": "http", "root_path": "",
    }  # fmt: skip
    seen = []

    async def receive():
        seen.append(kept(desk))
        return messages.pop(0)

    async def send(_):
        pass

    asyncio.run(desk.app(scope, receive, send))
    assert len(seen[1]) == 1 and kept(desk) == []


def test_uploads_are_kept_for_days_and_are_not_too_many(desk):
    now = dt.datetime.now(dt.UTC)
    for day in range(MAX_UPLOADS):
        (desk.uploads.folder / f"{now - dt.timedelta(days=day):%Y%m%dT%H%M%S%f}Z").mkdir()
    answer = desk.send(("loans.csv", TAPE))  # what is older than a week goes first
    assert answer.status_code == 303 and len(kept(desk)) == 8
    for second in range(MAX_UPLOADS - 8):
        (desk.uploads.folder / f"{now - dt.timedelta(seconds=second + 1):%Y%m%dT%H%M%S%f}Z").mkdir()
    answer = desk.send(("loans.csv", TAPE))
    assert (answer.status_code, told(answer)) == (409, "20 uploads are kept already: remove one first")


def test_half_arrived_uploads_of_a_killed_service_are_removed(desk):
    (desk.uploads.folder / ".arriving-x").mkdir()
    desk.uploads.prepare()
    assert kept(desk) == []


def test_upload_can_be_removed(desk):
    desk.send(("loans.csv", TAPE))
    (upload,) = desk.uploads.listed()
    assert desk.post("remove", upload="../reports").status_code == 404
    assert desk.post("remove", upload=upload.name).status_code == 303 and kept(desk) == []


# Forms


@pytest.mark.parametrize("form", ["check", "report", "remove", "upload"])
def test_other_sites_cannot_send_a_form(desk, form):
    stale = "This page is no longer current, or another site sent the form: open the page again"
    foreign = {"sec-fetch-site": "cross-site"}
    if form == "upload":
        answers = [desk.send(("a.csv", TAPE), token="x"), desk.send(("a.csv", TAPE), headers=foreign)]
    else:
        answers = [desk.post(form, token="x"), desk.post(form, headers=foreign), desk.ask("POST", f"/make/{form}")]
    assert [(answer.status_code, told(answer)) for answer in answers] == [(403, stale)] * len(answers)
    assert kept(desk) == [] and desk.maker.job is None


def test_nothing_is_there_unless_it_is_on(book):
    app = create_app(book, Access())

    async def ask():
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as client:
            return [await client.get("/make"), await client.post("/make/upload"), await client.get("/")]

    page, form, first = asyncio.run(ask())
    assert (page.status_code, form.status_code) == (404, 404) and "/make" not in first.text


def test_forms_need_the_token_of_the_service(desk):
    app = create_app(desk.book, Access("t" * 16))

    async def ask():
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as client:
            sent = {"data": {"token": desk.maker.token, "input": "configured"}}
            return [await client.get("/make"), await client.post("/make/check", **sent)]

    assert [answer.status_code for answer in asyncio.run(ask())] == [401, 401] and desk.maker.job is None


# One thing at a time


def end(desk):
    until(lambda: desk.maker.job.has_ended, 60)
    until(lambda: not desk.book.schedule.is_at_work, 60)
    return desk.ask("GET", "/make").text


def test_input_is_checked_and_then_its_report_made(desk):
    desk.said = "print('It would be headed x\\n\\nfiles')"
    assert desk.post("check", input="configured", date="2025-12-31").status_code == 303
    page = end(desk)
    assert "What the report would say" in page and "<p>It would be headed x</p>" in page and "files</pre>" in page
    (name,) = re.findall(r'name="check" value="(\w+)"', page)
    desk.said = "print('Error: 01_ingestion: no room'); exit(1)"
    assert desk.post("report", check=name).status_code == 303
    assert '<p class="alarm" role="alert">01_ingestion: no room</p>' in end(desk)
    assert desk.post("report", check=name).status_code == 409


def test_check_that_finds_an_error_makes_no_report(desk):
    desk.said = "print('Error: no usable export'); exit(2)"
    desk.post("check", input="configured")
    page = end(desk)
    assert '<p class="alarm" role="alert">no usable export</p>' in page and "Make this report" not in page
    answer = desk.post("report", check=desk.maker.job.name)
    assert told(answer) == "This is not the last check, or it found an error: check the input again"


def test_wrong_upload_is_told_by_its_name_with_what_to_do(desk):
    desk.send(("wrong.csv", b"a,b\n1,2\n"))
    (upload,) = desk.uploads.listed()
    lines = (
        f"{upload.folder}/wrong.csv: read",
        f"Error: No usable export in the folder {upload.folder}: wrong.csv fits no",
    )
    desk.said = f"print({chr(10).join(lines)!r}); exit(2)"
    desk.post("check", input=upload.name)
    page = end(desk)
    assert '<p class="alarm" role="alert">No usable export: wrong.csv fits no</p>' in page
    assert "Correct the file and upload it again" in page and "wrong.csv: read" in page
    assert str(desk.uploads.folder) not in page


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "fits no format: make map INPUT=… drafts a mapping of it",
            "whoever keeps this service drafts a mapping of it",
        ),
        ("in a mapping (make map INPUT=… drafts one)", "in a mapping (whoever keeps this service drafts one)"),
        ("or have a mapping multiply it (make map INPUT=…)", "multiply it (whoever keeps this service drafts it)"),
        ("or accept them with PARAMS=ingestion.max_reject_pct=3", "with the setting ingestion.max_reject_pct=3"),
        (
            "make the report with PARAMS=calculation.max_rows_change_pct=0",
            "whoever keeps this service makes the report with calculation.max_rows_change_pct=0",
        ),
        ("make it for DATE=2025-11-30 or DATE=2025-12-31", "for the date 2025-11-30 or the date 2025-12-31"),
    ],
)
def test_way_out_is_told_in_words_of_the_form(desk, said, shown):
    desk.send(("wrong.csv", b"a,b\n1,2\n"))
    (upload,) = desk.uploads.listed()
    desk.said = f"print({'Error: ' + said!r}); exit(2)"
    desk.post("check", input=upload.name)
    assert shown in end(desk)


@pytest.mark.parametrize(
    ("fields", "code", "line"),
    [
        ({"input": "nothing"}, 404, "There is no such input any more: choose another"),
        ({"input": "configured", "date": "31/12/2025"}, 400, "31/12/2025"),
    ],
)
def test_choice_that_is_none_is_refused(desk, fields, code, line):
    answer = desk.post("check", **fields)
    assert answer.status_code == code and line in told(answer)


def test_second_start_answers_so_in_one_line(desk):
    desk.said = "import time; time.sleep(60)"
    desk.send(("loans.csv", TAPE))
    (upload,) = desk.uploads.listed()
    desk.post("check", input=upload.name)
    answer = desk.post("check", input="configured")
    busy = "Another check or report is in progress: wait for it, then start again"
    assert (answer.status_code, told(answer)) == (409, busy)
    answer = desk.post("remove", upload=upload.name)
    assert told(answer) == "This upload is being read: wait until the report is made"
    desk.uploads.prune(dt.datetime.now(dt.UTC) + dt.timedelta(days=9), [upload.folder])
    assert kept(desk) == [upload.name]
    desk.book.schedule.stop()
    assert desk.maker.job.error == "It was stopped together with the service"


def test_run_that_somebody_else_started_is_shown_and_waited_for(desk):
    desk.said = "print('headed\\n\\nfiles')"
    desk.post("check", input="configured")
    end(desk)
    with folders.hold(desk.book.output, "2025-11-30", 0, print):
        folder = folders.stage(desk.book.output, "2025-11-30", "20251130-0123456789ab")
        folders.note_progress(folder, "03_calculation", 7, 41)
        answer = desk.post("report", check=desk.maker.job.name)
        assert answer.status_code == 409 and told(answer).startswith("The report of 2025-11-30 is being made since ")
        for path in ("/", "/make"):
            page = desk.ask("GET", path).text
            assert "The report of 30 November 2025 is being made" in page.replace("\xa0", " ")
            assert "cell 7 of 41" in page
        found = desk.ask("GET", "/health").json()["running"]
        assert (found["date"], found["phase"]) == ("2025-11-30", "03_calculation") and found["since"]
        page = desk.ask("GET", "/health", headers={"accept": "text/html,*/*;q=0.8"})
        assert page.headers["vary"] == "Accept" and "<code>03_calculation</code>" in page.text
    assert desk.ask("GET", "/health").json()["running"] is None


def test_run_that_was_due_meanwhile_is_made_afterwards(tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    found = Desk(tmp_path, "import time; time.sleep(2)", "* * * * *")
    schedule = found.book.schedule
    schedule.start()
    first = schedule.note()
    assert schedule.start_by_hand([sys.executable, "-c", "import time; time.sleep(1)"], lambda outcome: None)
    files.write_json(tmp_path / "reports/.runs/schedule.json", first | {"due": "2026-01-01T00:00:00Z"})
    schedule.work()  # it is due, and another thing is being made
    assert schedule.note()["finished_at"] is None
    until(lambda: schedule.note()["finished_at"], 60)
    schedule.stop()


# The command and the settings


def test_uploads_lie_apart_from_reports_and_inputs(tmp_path):
    settings = {
        "run": {"output": str(tmp_path / "reports"), "input": str(tmp_path / "data")},
        "service": {"uploads": str(tmp_path / "reports/uploads"), "upload_mb": 1, "upload_days": 1},
    }  # fmt: skip
    for place in ("reports/uploads", "data", "."):
        settings["service"]["uploads"] = str(tmp_path / place)
        with pytest.raises(InputError, match="one may not hold the other"):
            server.browser_maker(settings, None, tmp_path / "reports", None)


def test_nightly_runs_do_not_go_on_with_an_upload(tmp_path, monkeypatch):
    uploads = tmp_path / "uploads"
    settings = {"run": {"input": "data/sample"}, "service": {"uploads": str(uploads)}, "cascade": {"folder": "x"}}
    runs = {"2025-12-31": {"date": "2025-12-31", "input": str(uploads / "20260101T000000000000Z"), "finished_at": "b"}}
    monkeypatch.setattr(folders, "visible", lambda _: runs)
    assert server.continued_input(settings, tmp_path) is None
