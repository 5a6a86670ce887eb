"""A run's folder arrives whole, once and checked, whatever happens on the way; latest.json moves only forward."""

import base64
import datetime as dt
import json
import logging
import socket
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import replace

import pytest
import trustme
from azure.core.credentials import AccessToken
from azure.identity import ChainedTokenCredential, EnvironmentCredential
from azure.storage.blob import BlobServiceClient, ContainerSasPermissions, generate_container_sas

from abaco.core import files
from abaco.core.files import write_json
from abaco.delivery import azure, blobs
from abaco.delivery.azure import AzureChannel
from abaco.delivery.channel import Delivery, DeliveryError
from abaco.run import manifest
from tests.support.azurite import ACCOUNT, KEY, Azurite, connection_string

DATE, RUN_ID = "2025-12-31", "20251231-0123456789ab"
WHERE = f"reports/{DATE}/{RUN_ID}/"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    """What concerns Azure in the environment is gone, and retries do not wait."""
    for name in (azure.CONNECTION, azure.ACCOUNT):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr(azure, "PAUSE_SECONDS", 0.02)


def finished_run(root, date=DATE, run_id=RUN_ID, started_at="2026-01-02T02:00:00Z", large=200_000):
    """A finished run in small, as a delivery."""
    folder = root / f"{started_at}_{run_id}"
    (folder / "tables").mkdir(parents=True)
    (folder / "report.html").write_text(f"<p>Crédito a fecha de {date}</p>")
    (folder / "tables/tape.parquet").write_bytes(b"PAR1" + bytes(large))
    (folder / "tables/empty.csv").touch()
    for n in range(6):
        (folder / f"tables/history_{n}.csv").write_text(f"date,par30_{n}\n{date},3.7\n")
    manifest.write(folder, {"run_id": run_id, "date": date, "started_at": started_at})
    write_json(folder / "run.json", {"run_id": run_id, "date": date, "started_at": started_at})
    return Delivery(f"azure:{run_id}", "azure", run_id, date, folder, {})


class Account:
    """A container of its own at a service, the channel that sends to it, and what has arrived."""

    def __init__(self, port, setenv, name=None):
        self.port, self.setenv, self.name = port, setenv, name or f"test-{uuid.uuid4().hex}"
        self.container = BlobServiceClient.from_connection_string(
            connection_string(port), retry_total=0
        ).get_container_client(self.name)

    def at(self, port):
        """The same container at another service."""
        return Account(port, self.setenv, self.name)

    def channel(self, port=None, timeout=30.0, key=KEY):
        """The channel, set up by connection string."""
        self.setenv(azure.CONNECTION, connection_string(port or self.port, key))
        return AzureChannel(self.settings(timeout))

    def settings(self, timeout=30.0):
        keys = {"azure_container": self.name, "azure_prefix": "reports", "timeout_seconds": timeout}
        return {"delivery": keys}

    def names(self, below=""):
        return {name.removeprefix(below) for name in self.container.list_blob_names(name_starts_with=below)}

    def read(self, name):
        return self.container.download_blob(name).readall()

    def latest(self):
        return json.loads(self.read("reports/latest.json"))

    def assert_arrived(self, delivery):
        """Every file of the run is there, once, with the bytes, hashes and type that it should have."""
        where = f"reports/{delivery.date}/{delivery.run_id}/"
        local = {p.relative_to(delivery.folder).as_posix(): p for p in delivery.folder.rglob("*") if p.is_file()}
        assert self.names(where) == set(local)
        for path, file in local.items():
            properties = self.container.get_blob_client(where + path).get_blob_properties()
            with file.open("rb") as opened:
                expected = blobs.Content.of(opened)
            assert self.read(where + path) == file.read_bytes()
            assert properties.content_settings.content_md5 == expected.md5
            assert properties.metadata == {"sha256": expected.sha256}
        return local


@pytest.fixture
def account(blob_service, monkeypatch):
    return Account(blob_service.port, monkeypatch.setenv)


@pytest.fixture
def delivery(tmp_path):
    return finished_run(tmp_path)


def is_put(path):
    """A fault's condition: an upload to a path, or to any."""
    return lambda method, asked: method == "PUT" and path in asked


# What arrives


@pytest.mark.parametrize("variable", [azure.CONNECTION, azure.ACCOUNT])
def test_one_of_two_variables_sets_it_up(account, monkeypatch, variable):
    channel = AzureChannel(account.settings())
    assert channel.missing() == "AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_ACCOUNT_URL"
    monkeypatch.setenv(variable, "something")
    assert channel.missing() is None


def test_everything_arrives_the_manifest_last(account, proxy, delivery):
    receipt = account.channel(proxy.port).send(delivery)
    local = account.assert_arrived(delivery)
    assert receipt == {
        "container": account.name, "prefix": WHERE, "files": 11, "uploaded": 11, "skipped": 0,
        "bytes": sum(path.stat().st_size for path in local.values()),
    }  # fmt: skip
    *before, at_last, latest = [path.partition("?")[0] for method, path in proxy.seen if method == "PUT"]
    assert at_last.endswith(WHERE + "manifest.json") and latest.endswith("reports/latest.json")
    assert len(before) == 1 + 10  # the container, and the files


def test_types(account, delivery):
    account.channel().send(delivery)
    types = {blob.name.removeprefix(WHERE): blob.content_settings.content_type
             for blob in account.container.list_blobs()}  # fmt: skip
    assert types["report.html"] == "text/html; charset=utf-8"
    assert types["tables/tape.parquet"] == "application/vnd.apache.parquet"
    assert types["manifest.json"] == types["reports/latest.json"] == "application/json"


def test_what_is_there_is_not_sent_again(account, proxy, delivery):
    channel = account.channel(proxy.port)
    first = channel.send(delivery)
    proxy.seen.clear()
    assert channel.send(delivery) == {**first, "uploaded": 0, "skipped": 11}
    assert {method for method, _ in proxy.seen} == {"GET"}


def test_run_json_that_went_on_is_sent_again_alone(account, delivery):
    account.channel().send(delivery)
    write_json(delivery.folder / "run.json", {"started_at": "2026-01-02T02:00:00Z", "deliveries": [{"status": "done"}]})
    assert account.channel().send(delivery)["uploaded"] == 1
    account.assert_arrived(delivery)


@pytest.mark.parametrize("content", [b"else", b"PAR1" + bytes(200_000)])
def test_blob_that_somebody_replaced_is_mended(account, delivery, content):
    account.channel().send(delivery)
    account.container.upload_blob(WHERE + "tables/tape.parquet", content, overwrite=True)
    assert account.channel().send(delivery)["uploaded"] == 1
    account.assert_arrived(delivery)


def test_what_the_manifest_does_not_list_stays_here(account, delivery):
    (delivery.folder / "work/rows").mkdir(parents=True)
    for name in ("work/rows/1.parquet", "notes.txt", ".run.json.17"):
        (delivery.folder / name).write_text("María Hernández")
    assert account.channel().send(delivery)["files"] == 11
    assert len(account.names()) == 11 + 1


def test_rerun_with_the_same_id_is_incomplete_until_it_is_whole(account, proxy, delivery):
    (delivery.folder / "tables/loans.parquet").mkdir()
    (delivery.folder / "tables/loans.parquet/part-1.parquet").write_bytes(b"PAR1")
    manifest.write(delivery.folder, {}, unfinished=("run.json",))
    account.channel().send(delivery)
    (delivery.folder / "tables/loans.parquet/part-1.parquet").rename(
        delivery.folder / "tables/loans.parquet/part-2.parquet"
    )
    manifest.write(delivery.folder, {}, unfinished=("run.json",))
    assert account.channel(proxy.port).send(delivery)["uploaded"] == 2
    account.assert_arrived(delivery)
    done = [(method, path.partition("?")[0].rpartition("/")[2]) for method, path in proxy.seen]
    assert [entry for entry in done if entry[0] != "GET"] == [
        ("DELETE", "manifest.json"), ("DELETE", "part-1.parquet"), ("PUT", "part-2.parquet"), ("PUT", "manifest.json"),
    ]  # fmt: skip


def test_folders_that_the_service_lists_are_left_alone(account, delivery):
    account.container.create_container()
    account.container.upload_blob(WHERE + "tables", b"", metadata={"hdi_isfolder": "true"})
    account.channel().send(delivery)
    assert len(account.names(WHERE)) == 11 + 1


def test_empty_prefix_and_one_with_slashes(account, delivery, monkeypatch):
    monkeypatch.setenv(azure.CONNECTION, connection_string(account.port))
    for prefix, where in (("", ""), ("/book/a/", "book/a/")):
        settings = account.settings()
        settings["delivery"]["azure_prefix"] = prefix
        assert AzureChannel(settings).send(delivery)["prefix"] == f"{where}{DATE}/{RUN_ID}/"
        assert account.read(f"{where}latest.json")


def test_report_of_the_sample(account, finished):
    folder = (finished.output / DATE).resolve()
    run = json.loads((folder / "run.json").read_text())
    receipt = account.channel().send(Delivery("azure:1", "azure", run["run_id"], DATE, folder, {}))
    assert receipt["files"] == receipt["uploaded"] > 20
    listed = {
        name: content.sha256 for name, content in blobs.list_contents(account.container, receipt["prefix"]).items()
    }
    outputs = {o["path"]: o["sha256"] for o in json.loads((folder / "manifest.json").read_text())["outputs"]}
    outputs |= {name: files.sha256(folder / name) for name in ("manifest.json", "run.json")}
    assert listed == outputs
    assert account.latest()["folder"] == receipt["prefix"]


# What is not sent


def test_file_that_changed_since_the_run(account, delivery):
    (delivery.folder / "report.html").write_text("<p>PAR30 0.0</p>")
    with pytest.raises(DeliveryError, match=r"report\.html is not what its manifest says: make the report again"):
        account.channel().send(delivery)
    assert not account.names() & {f"{WHERE}report.html", f"{WHERE}manifest.json", "reports/latest.json"}


@pytest.mark.parametrize(
    ("lost", "said"), [("manifest.json", "is missing or is not a manifest"), ("report.html", "Cannot read")]
)
def test_file_that_is_gone(account, delivery, lost, said):
    (delivery.folder / lost).unlink()
    with pytest.raises(DeliveryError, match=f"{said}.*: make the report again"):
        account.channel().send(delivery)


# Faults: in each, once the service is back, everything arrives


def test_down_before(account, delivery):
    with socket.socket() as nobody:  # bound, and nobody listens
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(DeliveryError, match=r"cannot be reached: check the network and AZURE_STORAGE_CONN"):
            account.channel(nobody.getsockname()[1]).send(delivery)
    account.channel().send(delivery)
    account.assert_arrived(delivery)


def test_service_that_dies_in_the_middle(account, proxy, delivery, tmp_path):
    service = Azurite(tmp_path / "service")
    proxy.port_behind, uploads = service.port, []

    def die(method, path):
        if is_put(WHERE)(method, path):
            uploads.append(path)
            if len(uploads) >= 4:
                service.kill()

    proxy.before = die
    with pytest.raises(DeliveryError, match="the connection broke off: it is tried again"):
        account.channel(proxy.port).send(delivery)
    with Azurite(tmp_path / "service") as back:
        account.channel(back.port).send(delivery)
        account.at(back.port).assert_arrived(delivery)


@pytest.mark.parametrize("fault", [500, 503, "drop"])
def test_two_bad_answers_then_a_good_one(account, proxy, delivery, fault):
    bad = {method: iter([fault] * 2) for method in ("GET", "PUT")}  # requests come at once
    proxy.before = lambda method, path: next(bad[method], None)
    assert account.channel(proxy.port).send(delivery)["uploaded"] == 11
    account.assert_arrived(delivery)


def test_block_that_fails_is_sent_again_and_no_other(account, proxy, tmp_path):
    delivery = finished_run(tmp_path, large=3 * blobs.BLOCK)
    faults = iter([500])  # blocks come at once
    proxy.before = lambda method, path: next(faults, None) if "comp=block&" in path + "&" else None
    account.channel(proxy.port).send(delivery)
    account.assert_arrived(delivery)
    assert len([path for _, path in proxy.seen if "comp=block&" in path + "&"]) == 4 + 1


def test_bad_answers_without_end(account, proxy, delivery):
    proxy.before = lambda method, path: 500 if is_put("history")(method, path) else None
    with pytest.raises(DeliveryError, match=f"^Azure container {account.name}: answered 500: it is tried again"):
        account.channel(proxy.port).send(delivery)
    assert WHERE + "manifest.json" not in account.names()
    account.channel().send(delivery)
    account.assert_arrived(delivery)


@pytest.mark.parametrize("where", ["restype=container", "tape.parquet"])
def test_service_that_hangs(account, proxy, delivery, where):
    released = threading.Event()

    def hang(method, path):
        if where in path:
            released.wait(60)
            return "drop"

    proxy.before = hang
    try:
        with pytest.raises(DeliveryError, match=r"no answer within 0\.5 s: it is tried again"):
            account.channel(proxy.port, timeout=0.5).send(delivery)
    finally:
        released.set()
    account.channel().send(delivery)
    account.assert_arrived(delivery)


def test_credentials_that_are_refused(account, delivery):
    with pytest.raises(DeliveryError, match=r"answered 403 \w+: check AZURE_STORAGE_CONNECTION_STRING and"):
        account.channel(key=KEY[::-1].strip("=") + "==").send(delivery)
    account.channel().send(delivery)
    account.assert_arrived(delivery)


def test_disk_of_the_service_is_full(account, proxy, tmp_path):
    delivery = finished_run(tmp_path, large=500_000)
    with Azurite(tmp_path / "service", blocks_a_file=200) as service:
        proxy.port_behind = service.port
        with pytest.raises(DeliveryError, match="it is tried again with the next attempt"):
            account.channel(proxy.port).send(delivery)
    with Azurite(tmp_path / "service") as back:
        account.channel(back.port).send(delivery)
        account.at(back.port).assert_arrived(delivery)


@pytest.mark.parametrize("large", [1000, blobs.BLOCK + 1])
def test_bytes_that_change_on_the_way_are_refused(account, proxy, tmp_path, large):
    delivery = finished_run(tmp_path, large=large)
    proxy.alter = lambda method, path, body: body.replace(b"PAR1", b"PAR0") if "tape" in path else body
    with pytest.raises(DeliveryError, match="answered 400 Md5Mismatch: it is tried again"):
        account.channel(proxy.port).send(delivery)
    account.channel().send(delivery)
    account.assert_arrived(delivery)


def test_service_that_lists_something_else_than_was_sent(account, proxy, delivery):
    proxy.before = lambda method, path: 201 if is_put("tape.parquet")(method, path) else None
    with pytest.raises(DeliveryError, match=r"lists tables/tape\.parquet with another size or hash"):
        account.channel(proxy.port).send(delivery)
    assert WHERE + "manifest.json" not in account.names()
    proxy.before = lambda method, path: None
    assert account.channel(proxy.port).send(delivery)["uploaded"] == 2
    account.assert_arrived(delivery)


# latest.json


def test_latest_moves_only_forward(account, tmp_path):
    runs = [
        ("2025-11-30", "20251130-a", "2026-01-05T02:00:00Z", "20251130-a"),
        ("2025-12-31", "20251231-b", "2026-01-03T02:00:00Z", "20251231-b"),
        ("2025-10-31", "20251031-c", "2026-01-06T02:00:00Z", "20251231-b"),
        ("2025-12-31", "20251231-d", "2026-01-02T02:00:00Z", "20251231-b"),
        ("2025-12-31", "20251231-e", "2026-01-04T02:00:00Z", "20251231-e"),
        ("2025-12-31", "20251231-e", "2026-01-04T02:00:00Z", "20251231-e"),
    ]
    for number, (*run, expected) in enumerate(runs):
        delivery = finished_run(tmp_path / str(number), *run)
        account.channel().send(delivery)
        assert account.latest()["run_id"] == expected
    latest = account.latest()
    assert latest["folder"] == "reports/2025-12-31/20251231-e/" and latest["date"] == "2025-12-31"
    assert latest["manifest_sha256"] == files.sha256(delivery.folder / "manifest.json")


def test_latest_follows_a_rollback_and_moves_on_from_there(account, tmp_path):
    older = finished_run(tmp_path / "1", "2025-12-31", "20251231-a", "2026-01-02T02:00:00Z")
    newer = finished_run(tmp_path / "2", "2025-12-31", "20251231-b", "2026-01-03T02:00:00Z")
    again = replace(older, payload={azure.SHOWN_AGAIN: True})
    for delivery, expected in ((older, "a"), (newer, "b"), (older, "b"), (again, "a"), (newer, "b")):
        account.channel().send(delivery)
        assert account.latest()["run_id"] == f"20251231-{expected}"
    account.channel().send(finished_run(tmp_path / "3", "2026-01-31", "20260131-c", "2026-02-01T02:00:00Z"))
    account.channel().send(again)  # of a date that is past
    assert account.latest()["run_id"] == "20260131-c"


@pytest.mark.parametrize("held", [b"", b"[]", b'{"date": 1}', b"\xff"])
def test_latest_that_names_nothing_is_replaced(account, delivery, held):
    account.container.create_container()
    account.container.upload_blob("reports/latest.json", held)
    account.channel().send(delivery)
    assert account.latest()["run_id"] == RUN_ID


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize(("rival", "winner"), [("2026-01-31", "2026-01-31"), ("2025-11-30", DATE)])
def test_race_for_latest_that_is_lost(account, proxy, delivery, tmp_path, exists, rival, winner):
    if exists:
        account.channel().send(finished_run(tmp_path / "before", "2025-10-31", "20251031-a"))
    races = []

    def overtake(method, path):
        if is_put("latest.json")(method, path) and not races:
            races.append(path)
            fresh = json.dumps({"date": rival, "started_at": "2026-02-01T02:00:00Z"})
            account.container.upload_blob("reports/latest.json", fresh, overwrite=True)

    proxy.before = overtake
    account.channel(proxy.port).send(delivery)
    assert races and account.latest()["date"] == winner
    account.assert_arrived(delivery)


def test_latest_that_is_always_changed_by_others(account, proxy, delivery):
    def overtake(method, path):
        if is_put("latest.json")(method, path):
            fresh = json.dumps({"date": "2020-01-31", "started_at": str(len(proxy.seen))})
            account.container.upload_blob("reports/latest.json", fresh, overwrite=True)

    proxy.before = overtake
    with pytest.raises(DeliveryError, match=r"latest\.json was changed by others each of 10 times"):
        account.channel(proxy.port).send(delivery)


def test_two_uploads_at_once(account, tmp_path):
    deliveries = [finished_run(tmp_path, f"2025-{month:02}-28", f"2025{month:02}28-a") for month in range(1, 7)]
    channel, faults = account.channel(), []

    def send(delivery):
        try:
            channel.send(delivery)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=send, args=[delivery]) for delivery in deliveries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    for delivery in deliveries:
        account.assert_arrived(delivery)
    assert account.latest()["date"] == "2025-06-28"


# Rights and secrets


def signed(account, permission, port=None):
    """A connection string that has a signature for the container in place of a key."""
    signature = generate_container_sas(
        ACCOUNT, account.name, account_key=KEY, permission=ContainerSasPermissions(**permission),
        expiry=dt.datetime.now(dt.UTC) + dt.timedelta(hours=1),
    )  # fmt: skip
    endpoint = f"BlobEndpoint=http://127.0.0.1:{port or account.port}/{ACCOUNT}"
    return f"{endpoint};SharedAccessSignature={signature}", signature


ALL = dict.fromkeys(("read", "add", "create", "write", "delete", "list"), True)


def test_right_to_make_the_container_is_not_needed_where_it_exists(account, delivery, monkeypatch):
    account.container.create_container()
    monkeypatch.setenv(azure.CONNECTION, signed(account, ALL)[0])
    AzureChannel(account.settings()).send(delivery)
    account.assert_arrived(delivery)


@pytest.mark.parametrize("fault", ["no container", "no right", "down", "hangs", "broken"])
def test_no_secret_is_told(account, proxy, delivery, monkeypatch, caplog, fault):
    caplog.set_level(logging.INFO)
    released = threading.Event()
    if fault != "no container":
        account.container.create_container()
    proxy.before = {
        "hangs": lambda method, path: released.wait(60) and "drop",
        "broken": lambda method, path: "drop",
    }.get(fault, proxy.before)
    port = 1 if fault == "down" else proxy.port
    text, signature = signed(account, ALL if fault != "no right" else {"list": True}, port)
    monkeypatch.setenv(azure.CONNECTION, text)
    try:
        with pytest.raises(DeliveryError) as raised:
            AzureChannel(account.settings(timeout=0.5 if fault == "hangs" else 30)).send(delivery)
    finally:
        released.set()
    said = f"{raised.getrepr(chain=True, showlocals=False)}{caplog.text}"
    assert raised.value.__cause__ is None and raised.value.__suppress_context__
    assert "\n" not in str(raised.value)
    secret = signature.partition("sig=")[2].partition("&")[0]
    assert secret and secret not in said and secret[:20] not in said


def test_no_key_is_in_receipt_error_or_log(account, delivery, caplog):
    caplog.set_level(logging.DEBUG)
    assert KEY[:20] not in json.dumps(account.channel().send(delivery))
    with pytest.raises(DeliveryError) as raised:
        account.channel(key="no key at all").send(delivery)
    assert str(raised.value).endswith("the account's key is not valid: check AZURE_STORAGE_CONNECTION_STRING")
    assert KEY[:20] not in caplog.text and "no key at all" not in f"{caplog.text}{raised.value}"


@pytest.mark.parametrize("text", ["rubbish", "AccountKey=c2VjcmV0"])
def test_what_is_no_connection_string(account, delivery, monkeypatch, text):
    monkeypatch.setenv(azure.CONNECTION, text)
    with pytest.raises(DeliveryError, match=r"^AZURE_STORAGE_CONNECTION_STRING is not a connection string: copy it"):
        AzureChannel(account.settings()).send(delivery)


def test_address_that_is_not_https(account, delivery, monkeypatch):
    monkeypatch.setenv(azure.ACCOUNT, "http://account.blob.core.windows.net")
    with pytest.raises(DeliveryError, match="AZURE_STORAGE_ACCOUNT_URL is not an https address: write it as https://"):
        AzureChannel(account.settings()).send(delivery)


# A managed identity


@pytest.fixture(scope="module")
def secured(blob_service, tmp_path_factory):
    """Azurite that takes tokens, over https, and the certificate to trust."""
    folder = tmp_path_factory.mktemp("secured")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    options = ["--oauth", "basic", "--cert", folder / "cert.pem", "--key", folder / "key.pem"]
    with Azurite(None, *options) as started:
        started.authority = folder / "authority.pem"
        yield started


class Identity:
    """What a managed identity is to the channel: tokens, here unsigned ones, which Azurite takes."""

    def __init__(self, audience):
        now = int(time.time())
        life = {"iat": now - 60, "nbf": now - 60, "exp": now + 3600}
        claims = {"aud": audience, "iss": "https://sts.windows.net/nobody/", **life}
        parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims)]
        self.token = ".".join([*(base64.urlsafe_b64encode(p).rstrip(b"=").decode() for p in parts), "c2ln"])

    def get_token(self, *scopes, **_):
        return AccessToken(self.token, int(time.time()) + 3600)


def test_address_of_an_account_and_an_identity(account, secured, delivery, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    identity = Identity("https://storage.azure.com")
    monkeypatch.setattr(azure, "credential", lambda: identity)
    monkeypatch.setenv(azure.ACCOUNT, f"https://127.0.0.1:{secured.port}/{ACCOUNT}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secured.authority))
    channel = AzureChannel(account.settings())
    first = channel.send(delivery)
    assert (first["uploaded"], channel.send(delivery)["skipped"]) == (11, 11)
    refused = Identity("https://elsewhere.example")
    monkeypatch.setattr(azure, "credential", lambda: refused)
    with pytest.raises(DeliveryError, match=r"answered 40[13] \w+: check AZURE_STORAGE_ACCOUNT_URL and the rights"):
        channel.send(delivery)
    assert identity.token not in caplog.text


def test_account_whose_certificate_nobody_vouches_for(account, secured, delivery, monkeypatch):
    monkeypatch.setattr(azure, "credential", lambda: Identity("https://storage.azure.com"))
    monkeypatch.setenv(azure.ACCOUNT, f"https://127.0.0.1:{secured.port}/{ACCOUNT}")
    with pytest.raises(DeliveryError, match="cannot be reached: check the network and AZURE_STORAGE_ACCOUNT_URL"):
        AzureChannel(account.settings()).send(delivery)


def test_machine_without_an_identity(account, delivery, monkeypatch):
    def nobody():
        return ChainedTokenCredential(EnvironmentCredential())

    monkeypatch.setattr(azure, "credential", nobody)
    monkeypatch.setenv(azure.ACCOUNT, "https://127.0.0.1:1")
    with pytest.raises(DeliveryError, match="nothing signs in at AZURE_STORAGE_ACCOUNT_URL: give this machine"):
        AzureChannel(account.settings()).send(delivery)


def test_credential_of_the_channel_is_the_default_one():
    with azure.credential() as found:
        kinds = {type(one).__name__ for one in found.credentials}
    assert {"ManagedIdentityCredential", "EnvironmentCredential"} <= kinds


# A large tape

# the peak of the process itself: what getrusage tells includes the one that started it
MEASURED = """
import json, re, sys
from pathlib import Path
import azure.storage.blob
from abaco.delivery.azure import AzureChannel
from abaco.delivery.channel import Delivery
def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]) << 10
before = peak()
delivery = Delivery("azure:1", "azure", *json.loads(sys.argv[3]), Path(sys.argv[1]), {})
receipt = AzureChannel(json.loads(sys.argv[2])).send(delivery)
print(json.dumps([receipt["bytes"], peak() - before]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_large_tape_goes_up_in_blocks_within_little_memory(account, tmp_path):
    size = 96 << 20
    delivery = finished_run(tmp_path, large=0)
    with (delivery.folder / "tables/tape.parquet").open("r+b") as file:
        file.truncate(size)
    manifest.write(delivery.folder, {}, unfinished=("run.json",))
    account.channel()
    measured = subprocess.run(
        [sys.executable, "-c", MEASURED, delivery.folder, json.dumps(account.settings()), json.dumps([RUN_ID, DATE])],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    sent, grown = json.loads(measured.stdout)
    print("GROWN", grown >> 20)
    assert sent > size
    assert grown < 48 << 20
    [tape] = account.container.list_blobs(name_starts_with=WHERE + "tables/tape.parquet")
    assert tape.size == size
    committed, _ = account.container.get_blob_client(tape.name).get_block_list()
    assert {block.size for block in committed} == {blobs.BLOCK}


def test_nothing_of_azure_is_imported_before_it_is_needed():
    code = "import sys, abaco.delivery.azure as a; a.AzureChannel; print([m for m in sys.modules if m[:6] == 'azure.'])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"
