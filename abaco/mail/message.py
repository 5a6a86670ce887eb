"""The message: text, HTML with its pictures inside, and the full report attached, the same bytes for the same report.

It is a draft: whom it comes from and goes to is added when it is sent, so that no address is kept with a report and the
same input gives the same file.
"""

import datetime as dt
import re
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime

from abaco.errors import RunError
from abaco.mail.letter import Letter

DOMAIN = "abaco.invalid"  # reserved, so that no id is ever somebody else's


def draft(letter: Letter, report: bytes) -> EmailMessage:
    """Return the message of a letter, with neither sender nor recipients.

    Parameters
    ----------
    report
        The full page, which is attached.

    Raises
    ------
    RunError
        When the run's id is none: it names the parts of the message.
    """
    if not re.fullmatch(r"[A-Za-z0-9-]+", letter.run_id):
        raise RunError(f"{letter.run_id!r} is no run id: nothing but letters, digits and hyphens is")
    ids = {picture.name: f"{picture.name}.{letter.run_id}@{DOMAIN}" for picture in letter.drawn}
    name = attachment(letter)
    message = EmailMessage(policy=policy.SMTP)
    message["Subject"] = letter.subject
    message["Date"] = _date(letter.date)
    message["Message-ID"] = f"<{letter.run_id}@{DOMAIN}>"
    message["Auto-Submitted"] = "auto-generated"  # no out-of-office notes, please
    message["X-Unsent"] = "1"  # a mail client opens it as a draft
    message.set_content(letter.text(report=name), cte="quoted-printable")
    sources = {one: f"cid:{cid}" for one, cid in ids.items()}
    html = letter.html(sources=sources, report=name, link=False)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    shown = message.get_payload()[-1]
    for picture in letter.drawn:
        shown.add_related(
            picture.png, "image", "png", cid=f"<{ids[picture.name]}>", filename=f"{picture.name}.png",
            disposition="inline",
        )  # fmt: skip
    message.add_attachment(report, "text", "html", filename=name, params={"charset": "utf-8"})
    message["Content-Language"] = letter.language
    _settle(message, letter.run_id)
    return message


def attachment(letter: Letter) -> str:
    """Return the file name that the full report is attached by."""
    return f"abaco-{letter.date}.html"


def _date(date: str) -> str:
    """Return the report's date as a header has it: midnight UTC, as the draft knows of no clock."""
    return format_datetime(dt.datetime.combine(dt.date.fromisoformat(date), dt.time(), dt.UTC))


def _settle(message: EmailMessage, run_id: str) -> None:
    """Fix what the email package would draw by lot; '=_' stands in no line of encoded content."""
    parts = [part for part in message.walk() if part.is_multipart()]
    for index, part in enumerate(parts, 1):
        part.set_boundary(f"=_{run_id}_{index}")
