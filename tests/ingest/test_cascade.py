"""The export of Cascade, from a real HTTPS server: whole or not at all, each fault by its name, the token nowhere."""

import gzip
import hashlib
import json
import resource
import socket
import stat
import threading
from contextlib import contextmanager

import pytest
import trustme

from abaco.core.errors import InputError, RunError
from abaco.ingest import cascade
from abaco.ingest.cascade import transfer
from abaco.ingest.cascade.store import Store
from abaco.ingest.cascade.transfer import retry_after
from tests.support.cascade_server import Answer, served
from tests.support.exports import SCHEDULES, SNAPSHOT, snapshot
from tests.support.projects import ROOT, Project, copy_project

TOKEN = "token-that-nobody-may-ever-see"
BODY = "".join(line + "\n" for line in (SNAPSHOT, snapshot("A-1"), snapshot("A-2"))).encode()
NEWER = BODY + snapshot("A-3").encode() + b"\n"
TAG = {"ETag": '"one"'}


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.issue_cert("127.0.0.1")


@pytest.fixture
def trusted(authority, tmp_path_factory, monkeypatch):
    """A file that makes the server's certificate trusted."""
    path = tmp_path_factory.mktemp("trust") / "authority.pem"
    authority.cert_pem.write_to_path(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


@pytest.fixture
def serve(certificate, trusted, monkeypatch):
    """Start a trusted server with these answers, and have retries come at once."""
    monkeypatch.setenv("META_SYSTEM_USER_TOKEN", TOKEN)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # a proxy of the machine does not lead here
    monkeypatch.setattr(transfer, "BACKOFF_SECONDS", 0.0)
    running = []

    def start(*answers, certificate=certificate):
        context = served(*answers, certificate=certificate)
        running.append(context)
        return context.__enter__()

    yield start
    for context in running:
        context.__exit__(None, None, None)


@pytest.fixture
def fetch(tmp_path):
    """Download into a folder of the test and return what was said."""
    said = []

    def run(url, say=said.append, lock_timeout=30.0, **changes):
        keys = {
            "url": str(url), "folder": str(tmp_path / "cascade"), "timeout_seconds": 30.0, "max_attempts": 3,
            "requests_per_minute": 10_000.0,
        } | changes  # fmt: skip
        said.clear()
        folder = cascade.download({"cascade": keys, "run": {"lock_timeout_seconds": lock_timeout}}, say)
        assert folder == tmp_path / "cascade/current"
        return list(said)

    run.folder, run.said = tmp_path / "cascade", said
    return run


def content(fetch):
    """Every export that is kept, by place; the day of the archive as it comes."""
    paths = sorted(path for name in ("current", "archive") for path in (fetch.folder / name).rglob("*.*"))
    return {path.relative_to(fetch.folder).as_posix(): path.read_bytes() for path in paths}


def current(fetch):
    return (fetch.folder / "current/cascade.csv").read_bytes()


def archived(fetch):
    return sorted(path.read_bytes() for path in (fetch.folder / "archive").glob("*/*.csv"))


@contextmanager
def refused(fetch, kind=InputError):
    """Within it a download must fail in one line, without the token, and leave all as it was."""
    before = content(fetch)
    with pytest.raises(kind) as caught:
        yield caught
    assert len(str(caught.value).splitlines()) == 1
    assert TOKEN not in str(caught.value) and TOKEN not in "".join(fetch.said)
    assert content(fetch) == before
    assert not (fetch.folder / "incoming").exists()


def arrives_afterwards(server, fetch):
    """Whether the export comes, whole and once, when the server is well again."""
    server.answers = [Answer(BODY)]
    before = len(server.requests)
    fetch(server.url)
    return (current(fetch), len(server.requests) - before) == (BODY, 1)


# What comes and where it goes


def test_export_becomes_the_current_one_and_a_copy_is_archived(serve, fetch):
    server = serve(Answer(BODY))
    said = fetch(server.url)
    digest = hashlib.sha256(BODY).hexdigest()
    (copy,) = (fetch.folder / "archive").glob("*/*")
    assert (copy.name, copy.read_bytes(), current(fetch)) == (f"{digest}.csv", BODY, BODY)
    assert copy.parent.name[:2] == "20" and len(copy.parent.name) == len("2025-12-31")
    assert said[-1] == f"Cascade: {len(BODY)} bytes, archived as {copy}"
    assert server.requests[0]["Authorization"] == f"Bearer {TOKEN}"


def test_only_the_owner_reads_what_was_downloaded(serve, fetch):
    fetch(serve(Answer(BODY)).url)
    paths = [fetch.folder, *fetch.folder.rglob("*")]
    exports = [path for path in paths if path.suffix == ".csv"]
    folders = [path for path in paths if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in exports} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    assert (len(exports), len(folders)) == (2, 4)


@pytest.mark.parametrize("length", ["content", "chunked", None])
def test_gzip_is_unpacked_however_it_is_sent(serve, fetch, length):
    fetch(serve(Answer(gzip.compress(BODY), headers={"Content-Encoding": "gzip"}, length=length)).url)
    assert current(fetch) == BODY


def test_export_in_chunks_without_a_last_line_break(serve, fetch):
    fetch(serve(Answer(BODY.rstrip(b"\n"), length="chunked")).url)
    assert current(fetch) == BODY.rstrip(b"\n")


def test_newer_export_replaces_the_former_and_both_stay_archived(serve, fetch):
    server = serve(Answer(BODY), Answer(NEWER))
    fetch(server.url)
    fetch(server.url)
    assert current(fetch) == NEWER
    assert archived(fetch) == [BODY, NEWER]


@pytest.mark.parametrize("headers", [TAG, {"ETag": 'W/"one"'}, {}])
def test_unchanged_export_changes_nothing(serve, fetch, headers):
    server = serve(Answer(BODY, headers=headers))
    fetch(server.url)
    path = fetch.folder / "current/cascade.csv"
    before = path.stat().st_mtime_ns, path.stat().st_ino, content(fetch)
    assert "the export is unchanged" in fetch(server.url)[-1]
    assert (path.stat().st_mtime_ns, path.stat().st_ino, content(fetch)) == before
    assert server.requests[1].get("If-None-Match") == headers.get("ETag")


def test_export_that_was_altered_or_is_of_another_address_is_downloaded_in_whole(serve, fetch):
    server = serve(Answer(BODY, headers=TAG))
    fetch(server.url)
    (fetch.folder / "current/cascade.csv").write_bytes(NEWER)
    fetch(server.url)
    fetch(f"{server.url}?book=2")
    assert [request.get("If-None-Match") for request in server.requests] == [None, None, None]
    assert current(fetch) == BODY
    assert archived(fetch) == [BODY]


def test_what_a_killed_download_left_is_cleared(serve, fetch):
    (fetch.folder / "incoming").mkdir(parents=True)
    (fetch.folder / "incoming/cascade.part").write_bytes(b"half")
    fetch(serve(Answer(BODY)).url)
    assert sorted(path.name for path in fetch.folder.iterdir()) == [
        "archive", "current", "download.json", "lock", "requests.json",
    ]  # fmt: skip


# Faults that pass


def test_broken_connection_is_taken_up_where_it_broke_off(serve, fetch):
    server = serve(Answer(BODY, headers=TAG, sent=100), Answer(BODY, headers=TAG))
    said = fetch(server.url)
    assert current(fetch) == BODY
    assert [request.get("Range") for request in server.requests] == [None, "bytes=100-"]
    assert "broke off after 100 bytes" in said[1] and "attempt 2 of 3" in said[1]


def test_export_that_changed_meanwhile_begins_anew(serve, fetch):
    server = serve(Answer(BODY, headers=TAG, sent=100), Answer(NEWER, headers={"ETag": '"two"'}))
    fetch(server.url)
    assert server.requests[1]["If-Range"] == '"one"'
    assert current(fetch) == NEWER


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"one"'}])
def test_without_a_strong_etag_a_broken_download_begins_anew(serve, fetch, headers):
    server = serve(Answer(BODY, headers=headers, sent=100), Answer(BODY, headers=headers))
    fetch(server.url)
    assert "Range" not in server.requests[1]
    assert current(fetch) == BODY


@pytest.mark.parametrize(
    ("status", "part"),
    [
        (416, None),
        (206, f"bytes 50-{len(BODY) - 1}/{len(BODY)}"),
        (206, f"bytes 100-{len(NEWER) - 1}/{len(NEWER)}"),
        (206, "nonsense"),
    ],
)
def test_another_part_than_the_missing_one_is_not_put_together(serve, fetch, status, part):
    wrong = Answer(BODY[50:], status, {"Content-Range": part} if part else {})
    server = serve(Answer(BODY, headers=TAG, sent=100), wrong, Answer(BODY, headers=TAG))
    fetch(server.url)
    assert [request.get("Range") for request in server.requests] == [None, "bytes=100-", None]
    assert current(fetch) == BODY


def test_server_that_fails_twice_and_then_answers(serve, fetch):
    server = serve(Answer(status=500), Answer(status=503), Answer(BODY))
    said = fetch(server.url)
    assert current(fetch) == BODY
    assert said[1:3] == [
        "Cascade: 127.0.0.1 is out of order (HTTP 500); attempt 2 of 3 in 0 s",
        "Cascade: 127.0.0.1 is out of order (HTTP 503); attempt 3 of 3 in 0 s",
    ]


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(status=500), "127.0.0.1 is out of order (HTTP 500), in 3 attempts: try again later"),
        (Answer(status=429), "127.0.0.1 wants fewer requests (HTTP 429), in 3 attempts: try again later"),
        (Answer(BODY, sent=100), "The connection to 127.0.0.1 broke off after 100 bytes"),
        (Answer(BODY, sent=100, length="chunked"), "The connection to 127.0.0.1 broke off after"),
        (Answer(BODY, 206), "127.0.0.1 sent another part of the export than was asked for"),
        (Answer(gzip.compress(BODY)[:-9]), "Cascade's export was damaged on the way (Compressed file ended"),
        (Answer(BODY, length=None), "Cascade does not say how long its export is"),
    ],
)
def test_fault_that_stays_for_now(serve, fetch, answer, fault):
    server = serve(Answer(NEWER), answer)
    fetch(server.url)
    with refused(fetch, RunError) as caught:
        fetch(server.url)
    assert str(caught.value).startswith(fault)
    assert caught.value.exit_code == 1
    assert arrives_afterwards(server, fetch)


def test_silent_server(serve, fetch):
    over = threading.Event()
    server = serve(Answer(BODY, sent=100, held=over))
    with refused(fetch, RunError) as caught:
        fetch(server.url, timeout_seconds=0.2, max_attempts=1)
    over.set()
    assert str(caught.value) == "127.0.0.1 was silent for 0.2 s, in 1 attempts: try again later"
    assert arrives_afterwards(server, fetch)


def test_nobody_listens(serve, fetch):
    server = serve(Answer(BODY))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with refused(fetch, RunError) as caught:
            fetch(f"https://127.0.0.1:{taken.getsockname()[1]}/export.csv")
    assert str(caught.value).startswith("127.0.0.1 cannot be reached (")
    assert str(caught.value).endswith("), in 3 attempts: try again later")
    assert arrives_afterwards(server, fetch)


def test_server_is_left_alone_for_as_long_as_it_asks(serve, fetch):
    server = serve(Answer(status=429, headers={"Retry-After": "1"}), Answer(BODY))
    assert fetch(server.url)[1] == (
        "Cascade: 127.0.0.1 wants fewer requests (HTTP 429), none for 1 s; attempt 2 of 3 in 1 s"
    )


def test_server_that_asks_for_hours_is_not_waited_for(serve, fetch, monkeypatch):
    monkeypatch.setattr(transfer, "MAX_WAIT_SECONDS", 0.0)
    server = serve(Answer(status=503, headers={"Retry-After": "86400"}), Answer(BODY))
    assert "attempt 2 of 3 in 0 s" in fetch(server.url)[1]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("7", 7, 7),
        ("Wed, 01 Jan 2020 00:00:00 GMT", 0, 0),
        ("Fri, 01 Jan 2999 00:00:00 GMT", 1e9, 1e11),
        ("soon", 0, 0),
        (None, 0, 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, low, high):
    response = transfer.httpx2.Response(503, headers={"Retry-After": text} if text else {})
    assert low <= retry_after(response) <= high


def test_requests_of_a_minute_are_counted_over_downloads(serve, fetch, monkeypatch):
    slept = []
    monkeypatch.setattr("abaco.ingest.cascade.store.time.sleep", slept.append)
    server = serve(Answer(status=500), Answer(BODY))
    fetch(server.url, requests_per_minute=2)
    assert slept == [0.0]  # the backoff alone
    said = fetch(server.url, requests_per_minute=2)
    assert 0 < slept[1] <= 60
    assert said[1] == f"Cascade: waiting {slept[1]:.0f} s, for no more than 2 requests a minute"


# Faults that another attempt would meet again


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(status=401), "127.0.0.1 refuses the token (HTTP 401): renew META_SYSTEM_USER_TOKEN"),
        (Answer(status=403), "127.0.0.1 refuses the token (HTTP 403): renew META_SYSTEM_USER_TOKEN"),
        (Answer(status=404), "127.0.0.1 has no export at /export.csv (HTTP 404): correct cascade.url"),
        (Answer(status=400), "127.0.0.1 answers with HTTP 400: correct cascade.url"),
        (
            Answer(b"<html>Sign in</html>", headers={"Content-Type": "text/html; charset=utf-8"}),
            "127.0.0.1 sent a web page in place of CSV, perhaps a login: renew the token",
        ),
        (
            Answer(b"\n<!DOCTYPE html>", headers={"Content-Type": "text/csv"}),
            "Cascade sent no usable export: a web page came in place of CSV, perhaps a login: look at",
        ),
        (Answer(b'{"error": "no"}'), "Cascade sent no usable export: JSON came in place of CSV"),
        (Answer(b""), "Cascade sent no usable export: cascade.csv is empty (0 bytes)"),
        (Answer(b"a,b\n1,2\n"), "Cascade sent no usable export: cascade.csv fits no known format: its first"),
        (Answer(bytes(range(256))), "Cascade sent no usable export: cascade.csv is not a text file"),
        (
            Answer(BODY.replace(b"cash_available_usd,", b"")),
            "Cascade sent no usable export: cascade.csv fits no known format",
        ),
        (
            Answer(f"{SCHEDULES}\nA-1,2025-12-31,1,1,1,1,1,1,1,USD\n".encode()),
            "Cascade sent no usable export: it holds payment schedules and no loan tape",
        ),
        (Answer(SNAPSHOT.encode()), "Cascade sent no usable export: it has a header and no row"),
        (Answer(BODY[:-5]), "Cascade sent no usable export: it ends within a row, the last has 9 of 11 columns"),
        (
            Answer(BODY + b'"' + b"x" * 200_000),
            "Cascade sent no usable export: it cannot be read as CSV (field larger than",
        ),
        (
            Answer(f"failed for {TOKEN}\n".encode()),
            "Cascade sent no usable export: cascade.csv fits no known format: its first line (cells: 1)",
        ),
    ],
)
def test_fault_that_stays(serve, fetch, answer, fault):
    server = serve(Answer(NEWER), answer)
    fetch(server.url)
    with refused(fetch) as caught:
        fetch(server.url)
    assert str(caught.value).startswith(fault)
    assert caught.value.exit_code == 2
    assert len(server.requests) == 2
    assert arrives_afterwards(server, fetch)


def test_redirect_to_another_host_is_not_followed(serve, fetch):
    other = serve(Answer(BODY))
    server = serve(Answer(status=302, headers={"Location": f"{other.url}?key=secret"}))
    with refused(fetch) as caught:
        fetch(server.url)
    assert str(caught.value) == (
        f"127.0.0.1 redirects to https://127.0.0.1:{other.server_port}, perhaps a login, and the token goes "
        "nowhere else: correct cascade.url, or renew the token"
    )
    assert other.requests == []


def test_redirect_on_the_same_host_is_followed_but_not_for_ever(serve, fetch):
    hop = Answer(status=307, headers={"Location": "/moved.csv"})
    server = serve(hop, Answer(BODY), hop)
    fetch(server.url)
    assert [request["path"] for request in server.requests] == ["/export.csv", "/moved.csv"]
    with refused(fetch) as caught:
        fetch(server.url)
    assert str(caught.value) == "127.0.0.1 redirects without end: correct cascade.url"


def test_certificate_that_nobody_vouches_for(serve, fetch, monkeypatch):
    server = serve(Answer(BODY))
    monkeypatch.delenv("SSL_CERT_FILE")
    with refused(fetch) as caught:
        fetch(server.url)
    assert str(caught.value).startswith("The certificate of 127.0.0.1 is not trusted (")
    assert server.requests == []


def test_certificate_of_another_host(serve, fetch, authority):
    server = serve(Answer(BODY), certificate=authority.issue_cert("cascade.example"))
    with refused(fetch) as caught:
        fetch(server.url)
    assert "IP address mismatch" in str(caught.value)
    assert server.requests == []


def test_file_of_certificates_that_is_not_there(serve, fetch, monkeypatch, tmp_path):
    server = serve(Answer(BODY))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    with refused(fetch) as caught:
        fetch(server.url)
    assert str(caught.value).startswith("The certificates of SSL_CERT_FILE cannot be read (")


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("", "cascade.url is empty: set the address of the export"),
        ("http://cascade.example/export.csv", "cascade.url begins with http: write https://host/"),
        ("cascade.example/export.csv", "cascade.url begins with no scheme: write https://host/"),
        ("https:///export.csv", "cascade.url begins with https: write https://host/"),
        ("https://host:port/", "cascade.url is not a valid address: "),
        ("https://me:secret@cascade.example/", "cascade.url holds a user or a password: take it out"),
    ],
)
def test_address_that_the_token_is_not_sent_to(serve, fetch, url, fault):
    with refused(fetch) as caught:
        fetch(url)
    assert str(caught.value).startswith(fault) and "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("token", "fault"),
    [
        ("", "META_SYSTEM_USER_TOKEN is not set: put Cascade's token into"),
        ("two words", "META_SYSTEM_USER_TOKEN holds characters that no token has"),
        ("tokén", "META_SYSTEM_USER_TOKEN holds characters that no token has"),
        ("line\nbreak", "META_SYSTEM_USER_TOKEN holds characters that no token has"),
    ],
)
def test_token_that_cannot_be_sent(serve, fetch, monkeypatch, token, fault):
    server = serve(Answer(BODY))
    monkeypatch.setenv("META_SYSTEM_USER_TOKEN", token)
    with refused(fetch) as caught:
        fetch(server.url)
    assert str(caught.value).startswith(fault) and not (token and token in str(caught.value))
    assert server.requests == []


def test_plain_http_is_for_this_machine_alone_and_goes_by_no_proxy(serve, fetch, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:1")
    server = serve(Answer(BODY), certificate=None)
    assert server.url.startswith("http://127.0.0.1:")
    fetch(server.url)
    assert current(fetch) == BODY


# The folder


@contextmanager
def files_of_at_most(size):
    """Have the system refuse longer files, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_disk_is_full(serve, fetch):
    server = serve(Answer(BODY), Answer(BODY + BODY.split(b"\n", 1)[1] * 1000))
    fetch(server.url)
    with refused(fetch, RunError) as caught, files_of_at_most(10_000):
        fetch(server.url)
    assert str(caught.value) == (
        f"No room for the export in {fetch.folder}: make some, or choose another cascade.folder"
    )
    assert arrives_afterwards(server, fetch)


def test_folder_that_cannot_be_made(serve, fetch):
    fetch.folder.write_text("in the way")
    with pytest.raises(InputError, match=r"^Cannot write to .*cascade: File exists: make it writable"):
        fetch(serve(Answer(BODY)).url)


def test_second_download_waits_for_the_first(serve, fetch):
    over, waiting, lines = threading.Event(), threading.Event(), []
    server = serve(Answer(BODY, headers=TAG, held=over))

    def say(line):
        lines.append(line)
        if line.endswith(", held by another download"):
            waiting.set()

    first, second = (threading.Thread(target=fetch, args=(server.url, say)) for _ in range(2))
    first.start()
    second.start()
    assert waiting.wait(60)
    over.set()
    first.join(60)
    second.join(60)
    assert lines[-1] == "Cascade: the export is unchanged"
    assert archived(fetch) == [BODY]
    assert [request.get("If-None-Match") for request in server.requests] == [None, '"one"']


def test_download_that_is_held_for_too_long(serve, fetch):
    server = serve(Answer(BODY))
    with Store(fetch.folder).hold(0, print), pytest.raises(RunError) as caught:
        fetch(server.url, lock_timeout=0)
    assert str(caught.value) == (
        f"{fetch.folder} is held by another download: wait for it, or raise run.lock_timeout_seconds"
    )
    assert server.requests == []


# The command line


@pytest.fixture(scope="module")
def downloaded(tmp_path_factory, certificate, authority):
    """A project whose input is Cascade, the server that has the sample, and the first report."""
    root = copy_project(tmp_path_factory.mktemp("cascade") / "project")
    authority.cert_pem.write_to_path(root / "authority.pem")
    project = Project(root, root / "reports")
    answer = Answer((ROOT / "data/sample.csv").read_bytes(), headers=TAG)
    with served(answer, certificate=certificate) as server:
        project.variables = {
            "SSL_CERT_FILE": str(root / "authority.pem"), "META_SYSTEM_USER_TOKEN": TOKEN, "LOG_LEVEL": "DEBUG",
            "NO_PROXY": "127.0.0.1",
        }  # fmt: skip
        project.options = ("--params", f"cascade.url={server.url},run.input=cascade")
        first = project.report("--input", "cascade", *project.options, **project.variables)
        yield project, server, first


def test_report_on_cascade(downloaded):
    project, server, first = downloaded
    assert first.returncode == 0, first.stderr
    assert "PAR30            3.75 %      ok" in first.stdout
    assert "Cascade: asking 127.0.0.1 for the export" in first.stderr
    run = json.loads((project.output / "2025-12-31/run.json").read_text())
    assert run["input"] == str(project.root / "data/cascade/current")
    assert len(server.requests) == 1
    assert "INFO abaco.ingest.cascade.export Cascade: " in project.log


def test_report_on_an_unchanged_export_is_taken_from_the_former_run(downloaded):
    project, server, _ = downloaded
    again = project.report(*project.options, **project.variables)  # by the setting run.input
    assert again.returncode == 0, again.stderr
    assert again.stdout.count(" is unchanged: taken from the run ") == 5
    assert server.requests[-1]["If-None-Match"] == TAG["ETag"]


def test_check_and_backfill_download_once(downloaded):
    project, server, _ = downloaded
    before = len(server.requests)
    check = project.abaco("check", "--input", "cascade", *project.options, **project.variables)
    assert "Cascade: the export is unchanged" in check.stdout.splitlines(), check.stderr
    assert "The report of 2025-12-31 would be headed “" in check.stdout
    command = ("backfill", "--from", "2025-12-01", "--to", "2025-12-31", "--input", "cascade")
    backfill = project.abaco(*command, *project.options, **project.variables)
    assert "1/1  2025-12-31  current" in backfill.stdout, backfill.stderr
    assert len(server.requests) == before + 2


def test_failed_download_is_an_error_of_one_line_and_the_report_stays(downloaded):
    project, server, _ = downloaded
    before, answers = project.visible(), server.answers
    server.answers = [Answer(status=401)]
    failed = project.report(*project.options, **project.variables | {"LOG_LEVEL": "ERROR"})
    server.answers = answers
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr.splitlines()[-1] == (
        "Error: 127.0.0.1 refuses the token (HTTP 401): renew META_SYSTEM_USER_TOKEN"
    )
    assert project.visible() == before


def test_file_that_is_called_cascade_is_meant_by_a_path(downloaded):
    project, server, _ = downloaded
    before = len(server.requests)
    result = project.abaco("check", "--input", "./cascade", **project.variables)
    assert f"Input file not found: {project.root}/cascade: " in result.stderr
    assert len(server.requests) == before


def test_token_is_nowhere(downloaded):
    project, _, first = downloaded
    assert TOKEN not in first.stdout + first.stderr
    files = [path for path in project.root.rglob("*") if path.is_file()]
    assert len(files) > 20
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []
