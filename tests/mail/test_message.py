"""The message: its parts, its headers, the same bytes every time, and no line of a title that becomes a header."""

import datetime as dt
import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from bs4 import BeautifulSoup

from abaco.core.errors import RunError
from abaco.core.subjects import UNBREAKABLE
from abaco.core.subjects import subject as whole
from abaco.mail.message import draft

from .conftest import REPORT

RUN = "20251231-3fa9c1d2e4b0"


def kinds(part):
    """Return the structure of a message as nested lists of content types."""
    if not part.is_multipart():
        return part.get_content_type()
    return [part.get_content_type(), *(kinds(one) for one in part.get_payload())]


def html(message):
    return message.get_body(("html",)).get_content()


def test_structure_is_text_then_html_with_its_pictures_then_the_report(sent):
    related = ["multipart/related", "text/html", "image/png"]
    alternative = ["multipart/alternative", "text/plain", related]
    assert kinds(sent()) == ["multipart/mixed", alternative, "text/html"]


def test_headers_say_date_and_state_and_nobody(sent):
    message = sent()
    assert message["Subject"] == "PAR30 3.68 % (+0.21) · incomplete · December so far"
    assert message["Date"].datetime == dt.datetime(2025, 12, 31, tzinfo=dt.UTC)
    assert message["Message-ID"] == f"<{RUN}@abaco.invalid>"
    assert (message["Content-Language"], message["Auto-Submitted"], message["X-Unsent"]) == (
        "en",
        "auto-generated",
        "1",
    )
    assert [message[name] for name in ("From", "To", "Cc", "Bcc", "Sender", "Reply-To")] == [None] * 6


def test_recipients_in_the_environment_change_nothing(compose, monkeypatch):
    before = draft(compose(), REPORT).as_bytes()
    monkeypatch.setenv("REPORT_RECIPIENTS", "ana@example.com, luis@example.com")
    assert draft(compose(), REPORT).as_bytes() == before


def test_pictures_that_are_named_are_the_pictures_that_there_are(sent):
    message = sent()
    named = {image["src"] for image in BeautifulSoup(html(message), "html.parser").find_all("img")}
    there = [part for part in message.walk() if part["Content-ID"]]
    assert named == {f"cid:{part['Content-ID'].strip('<>')}" for part in there}
    assert named == {f"cid:trend.{RUN}@abaco.invalid"}
    for part in there:
        assert part.get_content_disposition() == "inline"
        assert part.get_content().startswith(b"\x89PNG\r\n\x1a\n")


def test_report_is_attached_whole_and_named(sent):
    message = sent()
    (attached,) = message.iter_attachments()
    assert attached.get_filename() == "abaco-2025-12-31.html"
    assert attached.get_content_type() == "text/html"
    assert attached.get_payload(decode=True) == REPORT
    assert "abaco-2025-12-31.html" in html(message)
    assert "abaco-2025-12-31.html" in message.get_body(("plain",)).get_content()


def test_built_twice_it_has_the_same_bytes(compose):
    assert draft(compose(), REPORT).as_bytes() == draft(compose(), REPORT).as_bytes()


def test_lines_are_short_ascii_and_end_as_mail_wants_it(compose):
    content = draft(compose(language="es"), REPORT).as_bytes()
    assert content.isascii()
    assert content.count(b"\n") == content.count(b"\r\n")
    assert max(map(len, content.split(b"\r\n"))) <= 998


def test_no_content_holds_a_boundary(compose):
    content = draft(compose(), b"--=_20251231-3fa9c1d2e4b0_1\n" * 3).as_bytes()
    assert content.count(f"--=_{RUN}_1\r\n".encode()) == 2
    assert content.count(f"--=_{RUN}_1--".encode()) == 1


@pytest.mark.filterwarnings("ignore:Glyph")
def test_line_breaks_of_a_title_become_no_header(metrics, sent):
    evil = "Collection\r\nBcc: thief@example.com\r\n\r\n<b>rate</b>"
    for kpi in metrics["kpis"].values():
        kpi["title"] = evil
    message = sent()
    assert message["Bcc"] is None
    assert set(message.keys()) == {
        "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Unsent", "MIME-Version", "Content-Type",
        "Content-Language",
    }  # fmt: skip
    assert "<b>rate</b>" not in html(message)
    assert "&lt;b&gt;rate&lt;/b&gt;" in html(message)


@pytest.mark.parametrize("run_id", ["a\r\nBcc: thief@example.com", 'a"b', "a b", "", "a>b"])
def test_run_id_that_is_none_is_refused(metrics, compose, run_id):
    metrics["run_id"] = run_id
    with pytest.raises(RunError, match="is not a valid run id"):
        draft(compose(), REPORT)


@pytest.mark.parametrize(
    ("language", "subject", "told"),
    [
        ("en", "Synthetic sample · PAR30 3.68 % (+0.21) · incomplete · December so far",
         "Synthetic sample: invented loans, no real book."),
        ("es", "Muestra sintética · PAR30 3.68 % (+0.21) · incompleto · diciembre hasta ese día",
         "Muestra sintética: préstamos inventados, ninguna cartera real."),
    ],
)  # fmt: skip
def test_email_of_the_sample_says_so_in_subject_and_text(metrics, sent, language, subject, told):
    metrics["synthetic"] = True
    message = sent(language=language)
    assert message["Subject"].replace(UNBREAKABLE, " ").strip() == subject
    for form in ("plain", "html"):
        assert told in message.get_body((form,)).get_content()


@pytest.mark.parametrize(
    "subject",
    [
        "Muestra sintética · PAR30 3.75 % (−0.27) · alerta · 31 de diciembre de 2025",
        "[P2] Línea Ñandú · “Élite” (−0.27) · línea única · según él",
    ],
)
def test_no_blank_of_a_subject_is_lost_on_the_way(subject):
    made = EmailMessage(policy=policy.SMTP)
    made["Subject"] = whole(subject)
    read = message_from_bytes(made.as_bytes(), policy=policy.default)
    assert read["Subject"].replace(UNBREAKABLE, " ") == subject


def test_subject_of_another_language_is_encoded_and_read_back(sent):
    message = sent(language="es")
    assert message["Subject"] == "PAR30 3.68 % (+0.21) · incompleto · diciembre hasta ese día"
    assert message["Content-Language"] == "es"


def test_text_says_in_plain_words_what_the_html_says(sent):
    text = sent().get_body(("plain",)).get_content().replace("\r\n", "\n")
    for said in (
        "Loan book at 10 December 2025 (December so far)\n10,000 USD outstanding in 4 loans. The figures are as of "
        "10 December 2025,\nand the month is counted up to that day.",
        "Incomplete: 2 of 4 limits checked; 1 of these is past a limit: PAR90 at\n3.25 % (warning above 3).",
        "- Portfolio at risk, 30 days: 3.68 % (OK), up 0.21 points, worse; from\n  3.46 % at 30 Nov 25",
        "- Cash coverage: Not computable. No cash figures",
        "ARREARS OVER TIME\n\nPAR30 is at 3.68 %",
        "- Company Abaco Factoring: of the book 75.0 %; of the arrears 99.9 %; PAR30\n  4.9 %",
    ):
        assert said in text
    assert not re.search(r"<\w|&\w+;|\xa0|\u2060|\n\n\n\n", text)
    assert max(map(len, text.splitlines())) <= 76
