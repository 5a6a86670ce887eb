"""Who may read, and what goes with every answer."""

import asyncio
import base64
import json
import re

import httpx2
import pytest

from abaco.core import secrets
from abaco.core.errors import InputError
from abaco.core.net import is_loopback
from abaco.service.app import create_app
from abaco.service.security import MAX_ADDRESSES, Access, WrongTokens
from tests.support.service import until

from .conftest import PASSWORD, TOKEN

GUARDED = ("/", "/metrics", "/reports/2025-12-31/", "/reports/2025-12-31/report.html", "/compare?one=a&other=b", "/x")


def basic(user, password):
    """Return the header that a browser sends."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("path", GUARDED)
def test_pages_and_metrics_need_a_secret(guarded, path):
    answer = guarded.get(path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="abaco", charset="UTF-8"'
    assert answer.text == "Token or password is missing or wrong\n"


@pytest.mark.parametrize("headers", [bearer(TOKEN), basic("abaco", PASSWORD)], ids=["token", "password"])
def test_token_and_password_open_them(guarded, headers):
    codes = [guarded.get(path, headers=headers).status_code for path in GUARDED]
    assert codes == [200, 200, 200, 200, 404, 404]


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_probes_need_none(guarded, path):
    assert guarded.get(path).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        bearer("x"), bearer(TOKEN + "x"), bearer("p"), {"Authorization": TOKEN}, basic("abaco", ""),
        basic("abaco", TOKEN), basic("admin", PASSWORD), basic("", f"abaco:{PASSWORD}"),
        {"Authorization": "Basic !!!"}, {"Authorization": "Basic /w=="}, {"Authorization": "Digest x"},
        {"Authorization": "é".encode()},
    ],
    ids=str,
)  # fmt: skip
def test_anything_else_does_not(guarded, headers):
    assert guarded.get("/metrics", headers=headers).status_code == 401


def test_an_empty_token_is_no_token():
    assert not Access(password="p").allows("Bearer ")
    assert not Access(token="t").allows("Basic " + base64.b64encode(b"abaco:").decode())
    assert Access().allows("")


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("127.0.0.1", True), ("127.0.0.2", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
        ("::", False), ("10.0.0.5", False), ("example.org", False),
    ],
)  # fmt: skip
def test_loopback(host, found):
    assert is_loopback(host) is found


@pytest.mark.parametrize("name", secrets.SERVICE)
def test_short_secret_is_refused(monkeypatch, name):
    for variable in secrets.SERVICE:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(name, " 15 characters \n")
    with pytest.raises(InputError, match=rf"^{name} has 13 characters, and needs 16 or more: set one that openssl"):
        Access.from_environment()
    monkeypatch.setenv(name, "  sixteen of them!\n")
    assert "sixteen of them!" in vars(Access.from_environment()).values()


def test_token_with_an_accent_is_taken_as_its_bytes():
    access = Access("el número de la casa")
    assert access.allows("Bearer " + "el número de la casa".encode().decode("latin-1"))
    assert not access.allows("Bearer el numero de la casa")


def test_too_many_wrong_tokens_of_an_address_are_told_to_wait_and_the_right_one_is_taken():
    wrong = WrongTokens(2)
    assert [wrong.add("a", 0.0), wrong.add("a", 1.0), wrong.add("a", 20.5), wrong.add("b", 21.0)] == [0, 0, 40, 0]
    assert wrong.add("a", 60.0) == 0
    for number in range(2 * MAX_ADDRESSES):
        wrong.add(f"address {number}", 61.0)
    assert len(wrong.counts) == MAX_ADDRESSES


def test_address_with_too_many_wrong_tokens_is_answered_429(book):
    transport = httpx2.ASGITransport(create_app(book, Access("x" * 16), max_wrong_tokens=2))

    async def ask():
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            right, tries = bearer("x" * 16), [{}, bearer("1"), bearer("2"), bearer("3"), {}]
            answers = [await client.get("/favicon.ico", headers=headers) for headers in [*tries, right]]
            return [*answers, await client.get("/health", headers=bearer("4"))]

    answers = asyncio.run(ask())
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 401, 204, 200]
    assert 0 < int(answers[3].headers["retry-after"]) <= 60


def test_public_host_needs_a_secret():
    for access in (Access("t"), Access(password="p")):
        access.check_host("0.0.0.0")
    Access().check_host("127.0.0.1")
    with pytest.raises(InputError, match=r"^Others reach 0\.0\.0\.0, so reports need a secret: set ABACO_SERVE_TOKEN"):
        Access().check_host("0.0.0.0")


@pytest.mark.parametrize("path", ["/health", "/", "/reports/2025-12-31/report.html", "/nothing", "/metrics"])
def test_headers_of_every_answer(service, path):
    headers = service.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    scripts = re.findall(r"script-src ([^;]*)", policy)  # of the service's pages alone: a report has no script
    assert scripts == (["'self'"] if path in ("/", "/nothing") else [])
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["x-frame-options"] == "DENY"
    assert "server" not in headers


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_nothing_of_the_framework_is_there(service, path):
    assert service.get(path).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::2]", "127.1x"])
def test_without_a_secret_no_other_name_may_point_here(service, host):
    assert service.get("/", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000"])
def test_names_of_this_machine_may(service, host):
    assert service.get("/health", headers={"Host": host}).status_code == 200


def test_other_names_may_with_a_secret(guarded):
    answer = guarded.get("/", headers={"Host": "reports.example", **bearer(TOKEN)})
    assert answer.status_code == 200


def test_log_has_requests_without_what_may_be_secret(guarded, shown):
    guarded.get(f"/?token={TOKEN}")
    guarded.get("/x%0aERROR forged", headers=bearer(TOKEN))
    log = shown.root / "logs/service.log"
    until(lambda: "forged" in log.read_text())
    text = log.read_text()
    said = [json.loads(line)["message"] for line in text.splitlines() if line.startswith("{")]
    assert any(re.fullmatch(r"GET / 401, \d+ ms", message) for message in said)
    assert any(message.startswith("GET /x%0AERROR%20forged 404, ") for message in said)
    assert "?" not in text and TOKEN not in text and PASSWORD not in text
