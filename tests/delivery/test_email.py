"""Email through a real mail server: it arrives once, in private, with no header that anybody smuggled in."""

import email
import email.policy
import hashlib
import socket

import pytest

from abaco import mail
from abaco.core import settings
from abaco.core.errors import InputError
from abaco.delivery.addresses import hash_address
from abaco.delivery.channel import Delivery, DeliveryError
from abaco.delivery.email import EmailChannel
from abaco.delivery.planning import report_delivery
from tests.page import example
from tests.support import browser as chromium
from tests.support.mailserver import PASSWORD, URL_PASSWORD, URL_USER, USER, MailServer, authority, serving
from tests.support.programs import missing

RUN = {"run_id": "20251231-3fa9c1d2e4b0", "date": "2025-12-31"}
CLIPPED = 102 * 1024  # bytes of HTML from which Gmail cuts a message off
OWN = ("SMTP_URL", "REPORT_RECIPIENTS", "ALERT_RECIPIENTS", "SSL_CERT_FILE")


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in OWN:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of a finished run with its draft."""
    found = tmp_path_factory.mktemp("run")
    (found / "report.html").write_text("<!DOCTYPE html>\n<title>the full report</title>\n")
    letter = mail.compose(example.metrics(), example.history(), example.bridges())
    mail.write(letter, found, [found / "report.html"])
    return found


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """A server's TLS context, and the file of its authority."""
    return authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def trusted(tls, monkeypatch):
    """The TLS context of a server whose authority is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tls[1]))
    return tls[0]


@pytest.fixture
def use(monkeypatch):
    """Set a mail server up and return the channel: `use("smtp", server.port)`."""

    def channel(scheme, port, user="", timeout=20.0, sender="Abaco <reports@example.com>"):
        monkeypatch.setenv("SMTP_URL", f"{scheme}://{user and user + '@'}127.0.0.1:{port}")
        return EmailChannel(settings.load({"delivery": {"timeout_seconds": timeout, "email_from": sender}}))

    return channel


def deliveries(folder, to=None, repeat=False):
    """Return the deliveries of the report, one a recipient."""
    return EmailChannel(settings.load()).address(report_delivery("email", folder, RUN, to, repeat))


@pytest.fixture
def delivery(folder):
    return deliveries(folder, to="ana@example.com")[0]


LOGIN = f"{URL_USER}:{URL_PASSWORD}"


def test_message_of_the_report_arrives_complete(use, delivery, folder):
    with serving() as server:
        receipt = use("smtp", server.port).send(delivery)
    ((sender, recipient, message),) = server.taken
    draft = email.message_from_bytes((folder / "email.eml").read_bytes(), policy=email.policy.default)
    assert (sender, recipient) == ("reports@example.com", "ana@example.com")
    assert (message["From"], message["To"]) == ("Abaco <reports@example.com>", "ana@example.com")
    assert message["Subject"] == draft["Subject"]
    assert message["X-Unsent"] is None
    assert message["Date"].datetime > draft["Date"].datetime
    assert message["Message-ID"] == receipt["message_id"]
    assert message["Message-ID"].endswith("@example.com>")
    parts, drafted = ([part.get_payload(decode=True) for part in one.walk()] for one in (message, draft))
    assert parts == drafted
    assert receipt["recipient"] == hash_address("ana@example.com")


def test_answers_go_to_the_address_that_is_set(use, delivery, folder):
    with serving() as server:
        channel = use("smtp", server.port)
        channel.send(delivery)
        answered = EmailChannel(settings.load({"delivery": {
            "email_from": "kpis@example.com", "reply_to": "Credit <credit@example.com>",
        }}))  # fmt: skip
        answered.send(delivery)
    assert [message["Reply-To"] for _, _, message in server.taken] == [None, "Credit <credit@example.com>"]


def test_id_is_the_same_for_the_same_item_and_another_for_another(use, folder):
    both = deliveries(folder, to="ana@example.com, luis@example.com")
    with serving() as server:
        channel = use("smtp", server.port)
        first, second, again = (channel.send(one)["message_id"] for one in (*both, both[0]))
    assert first == again != second
    assert [recipient for _, recipient, _ in server.taken] == [one.payload["to"] for one in (*both, both[0])]


def test_deliveries_are_one_a_recipient_and_their_keys_show_no_address(folder, monkeypatch):
    monkeypatch.setenv("REPORT_RECIPIENTS", "Ana <ana@example.com>, luis@example.com,ANA@example.com")
    found = deliveries(folder)
    assert [one.payload for one in found] == [{"to": "ANA@example.com"}, {"to": "luis@example.com"}]
    assert found == deliveries(folder)
    assert found[1].key == f"email:{RUN['run_id']}:{hash_address('luis@example.com')}"
    assert not any("@" in one.key for one in found)
    fresh = {one.key for _ in range(2) for one in deliveries(folder, repeat=True)}
    assert len(fresh | {one.key for one in found}) == 6


def test_without_recipients_there_is_nothing_to_send(folder):
    assert deliveries(folder) == []


@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls"])
def test_starttls_and_login(use, delivery, trusted, scheme):
    with serving(tls=trusted, authenticated=True) as server:
        use(scheme, server.port, LOGIN, sender="").send(delivery)
    ((sender, _, message),) = server.taken
    assert server.is_private == [True]
    assert (sender, message["From"]) == (USER, USER)


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # the server does not count TLS from the start
def test_tls_from_the_start_and_login(use, delivery, trusted):
    with serving(tls=trusted, implicit=True, authenticated=True) as server:
        use("smtps", server.port, LOGIN).send(delivery)
    assert len(server.taken) == 1


def test_unknown_authority_is_not_trusted(use, delivery, tls):
    with serving(tls=tls[0]) as server, pytest.raises(DeliveryError, match=r"TLS with 127\.0\.0\.1:\d+ failed"):
        use("smtp", server.port).send(delivery)
    assert server.taken == []


def test_certificate_of_another_host_is_not_trusted(use, delivery, tmp_path, monkeypatch):
    context, path = authority(tmp_path, "mail.example.com")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with serving(tls=context) as server, pytest.raises(DeliveryError, match="failed: IP address mismatch"):
        use("smtp+starttls", server.port).send(delivery)


def test_starttls_that_is_asked_for_and_not_there_is_an_error(use, delivery):
    with serving() as server, pytest.raises(DeliveryError, match="offers no STARTTLS"):
        use("smtp+starttls", server.port).send(delivery)
    assert server.taken == []


def test_password_never_goes_out_in_the_clear_to_another_host(delivery, monkeypatch):
    """Every host but this one is another; 0.0.0.0 leads here and is not called so."""
    with serving() as server:
        monkeypatch.setenv("SMTP_URL", f"smtp://{LOGIN}@0.0.0.0:{server.port}")
        with pytest.raises(DeliveryError, match="no password is sent in the clear") as caught:
            EmailChannel(settings.load()).send(delivery)
    assert server.taken == []
    assert PASSWORD not in str(caught.value)


def test_plain_port_that_speaks_no_tls_is_an_error(use, delivery):
    with serving() as server, pytest.raises(DeliveryError, match="TLS with 127"):
        use("smtps", server.port).send(delivery)


@pytest.mark.parametrize("password", ["wrong", "%0d%0aDATA", ""])
def test_refused_credentials_are_told_without_them(use, delivery, trusted, password, caplog):
    with serving(tls=trusted, authenticated=True) as server:
        with pytest.raises(DeliveryError, match=r"refused the credentials \(535\): check user") as caught:
            use("smtp", server.port, f"{URL_USER}:{password or 'x'}").send(delivery)
        assert server.taken == []
        use("smtp", server.port, f"{URL_USER}:{URL_PASSWORD}").send(delivery)
    assert len(server.taken) == 1
    assert "abaco@example.com" not in f"{caught.value}{caplog.text}"


def test_server_that_is_down_gets_it_when_it_is_back(use, delivery):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and does not listen
        port = closed.getsockname()[1]
        with pytest.raises(DeliveryError, match=rf"127\.0\.0\.1:{port} cannot be reached: Connection refused"):
            use("smtp", port).send(delivery)
    with serving() as server:
        use("smtp", server.port).send(delivery)
    assert len(server.taken) == 1


def test_busy_twice_then_well_is_delivered_at_once(use, delivery):
    with serving() as server:
        server.answers = ["451 4.3.0 busy", "451 4.3.0 busy"]
        use("smtp", server.port).send(delivery)
    assert len(server.taken) == 1


@pytest.mark.parametrize("answer", ["451 4.3.0 busy", "452 4.3.1 no space left on my disk"])
def test_busy_for_longer_or_full_is_left_to_the_outbox(use, delivery, answer):
    with serving() as server:
        server.answers = [answer] * 3
        with pytest.raises(DeliveryError, match=rf"did not take the message \({answer}\)"):
            use("smtp", server.port).send(delivery)
        assert server.taken == []
        use("smtp", server.port).send(delivery)
    assert len(server.taken) == 1


@pytest.mark.parametrize("fault", ["break", "lose"])
def test_connection_that_breaks_in_the_middle_makes_no_second_message(use, delivery, fault):
    with serving() as server:
        server.answers = [fault]
        receipt = use("smtp", server.port).send(delivery)
    assert server.ids == [receipt["message_id"]]


def test_server_that_hangs_is_left_after_one_timeout(use, delivery):
    with serving() as server:
        server.answers = ["hang"]  # a second attempt would succeed
        with pytest.raises(DeliveryError, match=r"gave no answer within 0\.3 s"):
            use("smtp", server.port, timeout=0.3).send(delivery)
        server.answers = []
        receipt = use("smtp", server.port).send(delivery)
    assert server.ids == [receipt["message_id"]]


def test_server_that_does_not_even_greet_is_left_after_the_timeout(use, delivery):
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(DeliveryError, match="gave no answer"):
        use("smtp", silent.getsockname()[1], timeout=0.3).send(delivery)


def test_refused_recipient_keeps_the_message_from_nobody_else(use, folder):
    found = deliveries(folder, to="ana@example.com,gone@example.com,luis@example.com")
    with serving() as server:
        channel, server.refused = use("smtp", server.port), {"gone@example.com"}
        faults = []
        for one in found:
            try:
                channel.send(one)
            except DeliveryError as error:
                faults.append(str(error))
        assert [recipient for _, recipient, _ in server.taken] == ["ana@example.com", "luis@example.com"]
        server.refused = set()
        channel.send(found[1])
    assert len(server.taken) == len(server.ids) == 3
    (told,) = faults
    assert "refused a recipient (550 5.1.1 <address>: nobody of that name)" in told
    assert "gone" not in told


def test_message_that_is_too_large_says_so(use, delivery):
    with serving() as server:
        server.answers = ["552 5.3.4 too large"]
        with pytest.raises(DeliveryError, match=r"did not take the message \(552 5\.3\.4 too large\)"):
            use("smtp", server.port).send(delivery)


EVIL = [
    "ana@example.com\r\nBcc: thief@example.com",
    "ana@example.com\nBcc: thief@example.com",
    "ana@example.com\x00",
    "Ana\r\n <ana@example.com>",
    "=?utf-8?q?Ana=0D=0ABcc=3A_thief?= <ana@example.com>",
    "ana@example.com> RCPT TO:<thief@example.com",
    "ana",
    "ana@",
    "@example.com",
    "ana@exa mple.com",
    "añá@example.com",
    "a" * 300 + "@example.com",
    '"a b"@-',
]


@pytest.mark.parametrize("text", EVIL)
def test_what_is_no_address_is_refused_and_not_repeated(folder, text, monkeypatch):
    with pytest.raises(InputError, match="TO holds") as caught:
        deliveries(folder, to=text)
    assert "example" not in str(caught.value)
    if "\x00" not in text:
        monkeypatch.setenv("REPORT_RECIPIENTS", text)
        with pytest.raises(InputError, match="REPORT_RECIPIENTS holds"):
            deliveries(folder)


@pytest.mark.parametrize("text", EVIL)
def test_no_address_gets_past_the_channel_either(use, folder, text):
    with serving() as server:
        with pytest.raises(DeliveryError, match="No email can be addressed"):
            use("smtp", server.port).send(Delivery("k", "email", None, None, folder, {"to": text}))
        with pytest.raises((DeliveryError, InputError), match=r"No email can be addressed|cannot be seen"):
            use("smtp", server.port, sender=text).send(deliveries(folder, to="ana@example.com")[0])
    assert server.taken == []


def test_user_of_the_server_smuggles_nothing_in(delivery, monkeypatch):
    with serving() as server:
        monkeypatch.setenv("SMTP_URL", f"smtp://a%40example.com%0D%0ABcc%3A%20thief:x@127.0.0.1:{server.port}")
        with pytest.raises(DeliveryError, match="No email can be addressed"):
            EmailChannel(settings.load()).send(delivery)
    assert server.taken == []


def test_name_of_a_sender_is_encoded(use, delivery):
    with serving() as server:
        use("smtp", server.port, sender='"Crédito, Ábaco" <reports@example.com>').send(delivery)
    ((_, _, message),) = server.taken
    assert message["From"].addresses[0].display_name == "Crédito, Ábaco"


def told(**changes):
    found = {
        "cause": "kpi:PAR30", "severity": "P2", "title": "PAR30 is 8.42 %", "text": "What, since when,\nand why: é",
        "resolved": False, "dedup_key": "kpi:PAR30:20260101T020000Z", "runbook": "docs/OPERATIONS.md#kpi",
    }  # fmt: skip
    return {**found, "to": "ops@example.com", **changes}


def test_alert_arrives_as_text(use):
    with serving() as server:
        use("smtp", server.port).send(Delivery("a", "email", None, None, None, told()))
        use("smtp", server.port).send(Delivery("b", "email", None, None, None, told(resolved=True)))
    messages = [message for _, _, message in server.taken]
    assert [one["Subject"] for one in messages] == ["[P2] PAR30 is 8.42 %", "Resolved: PAR30 is 8.42 %"]
    assert messages[0].get_content().replace("\r\n", "\n") == "What, since when,\nand why: é\n"
    assert len(server.ids) == 2


def test_line_breaks_of_an_alert_become_no_header(use):
    evil = "x\r\nBcc: thief@example.com\r\n\r\n.\r\nMAIL FROM:<thief@example.com>"
    with serving() as server:
        use("smtp", server.port).send(
            Delivery("a", "email", None, None, None, told(title=evil, text=f"{evil}\r\n.\r\n"))
        )
    ((_, recipient, message),) = server.taken
    assert recipient == "ops@example.com"
    assert set(message.keys()) == {
        "Subject", "Auto-Submitted", "From", "To", "Date", "Message-ID", "Content-Type",
        "Content-Transfer-Encoding", "MIME-Version",
    }  # fmt: skip
    assert message.get_content().count("thief") == 2


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com:25", "http://x:secret@mail.example.com", "smtp://x:secret@", "smtp://x:secret@h:port",
        "smtp://x:sec/ret@mail.example.com:25", "smtp://x:secret@h:99999", "smtp://x:secret@[::1",
        "smtp://x:secret@mail..example", "smtp://h/?a=secret", "smtp://x:secr%C3%A9t@h",
    ],
)  # fmt: skip
def test_address_of_a_server_that_is_none_is_an_error_without_the_password(delivery, monkeypatch, url):
    monkeypatch.setenv("SMTP_URL", url)
    channel = EmailChannel(settings.load())
    assert channel.missing() is None
    with pytest.raises(DeliveryError, match="SMTP_URL") as caught:
        channel.send(delivery)
    assert "sec" not in str(caught.value)


def test_missing_says_what_to_set(monkeypatch):
    channel = EmailChannel(settings.load())
    assert channel.missing() == "SMTP_URL"
    monkeypatch.setenv("SMTP_URL", "smtp://localhost:25")
    assert channel.missing() == "delivery.email_from"
    monkeypatch.setenv("SMTP_URL", "smtp://abaco%40example.com:x@localhost:25")
    assert channel.missing() is None


def test_draft_that_is_gone_says_how_to_make_it_again(use, tmp_path):
    with serving() as server, pytest.raises(DeliveryError, match=r"email\.eml of run .* run make report again"):
        use("smtp", server.port).send(deliveries(tmp_path, to="ana@example.com")[0])


def test_received_message_in_a_browser(use, delivery, tmp_path):
    if chromium.chromium() is None:
        missing("Chromium is not installed")
    with serving(MailServer()) as server:
        use("smtp", server.port).send(delivery)
    ((_, _, message),) = server.taken
    body = message.get_body(("html",))
    assert len(body.get_payload().encode()) < CLIPPED
    html = body.get_content()
    for part in message.walk():
        if part["Content-ID"]:
            (tmp_path / part.get_filename()).write_bytes(part.get_content())
            html = html.replace(f"cid:{part['Content-ID'].strip('<>')}", part.get_filename())
    path = tmp_path / "received.html"
    path.write_text(html, encoding="utf-8")
    with chromium.launched() as started, chromium.opened(started, path, width=600) as page:
        shown = page.locator("img").evaluate_all("all => all.map(one => one.complete && one.naturalWidth)")
        assert shown == [1100]
        page.screenshot(path=tmp_path / "received.png", full_page=True)
    attached = next(message.iter_attachments()).get_payload(decode=True)
    assert hashlib.sha256(attached).digest() == hashlib.sha256((delivery.folder / "report.html").read_bytes()).digest()
