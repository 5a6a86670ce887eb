"""The files of the email: email.html with its pictures beside it, and email.eml with its pictures inside.

The message holds text, HTML and the full report, also as a PDF where it is wanted, the same bytes for the same report.
It is a draft: sender and recipients are added when it is sent, so that no address is stored with a report and the same
input gives the same file.
"""

import datetime as dt
import re
from collections.abc import Sequence
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from abaco.core.errors import RunError
from abaco.core.subjects import subject
from abaco.mail.letter import Letter

DOMAIN = "abaco.invalid"  # reserved, so that no id is ever somebody else's
MAX_BYTES = 90_000  # of HTML; Gmail cuts a message off at 102 KB
FOLDER = "email"


def write(letter: Letter, folder: Path, attached: Sequence[Path]) -> list[Path]:
    """Write email.html, the pictures and email.eml; return their paths.

    Parameters
    ----------
    letter
        What the email says.
    folder
        The run's folder.
    attached
        The files that email.eml has attached, which lie in the same folder: first the full page, to which email.html
        links, and its PDF, if there is one.
    """
    written = [folder / FOLDER / f"{picture.name}.png" for picture in letter.drawn]
    for path, picture in zip(written, letter.drawn, strict=True):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture.png)
    sources = {path.stem: path.relative_to(folder).as_posix() for path in written}
    page, message = folder / "email.html", folder / "email.eml"
    html = letter.html(sources=sources, report=attached[0].name, link=True)
    page.write_text(html, encoding="utf-8", newline="\n")
    message.write_bytes(draft(letter, *(path.read_bytes() for path in attached)).as_bytes())
    return [page, message, *written]


def draft(letter: Letter, report: bytes, pdf: bytes | None = None) -> EmailMessage:
    """Return the message of a letter, with neither sender nor recipients.

    Parameters
    ----------
    report
        The full page, which is attached.
    pdf
        The same as a PDF, which is attached too.

    Raises
    ------
    RunError
        When the run's id is not valid: it names the parts of the message.
    """
    if not re.fullmatch(r"[A-Za-z0-9-]+", letter.run_id):
        raise RunError(f"{letter.run_id!r} is not a valid run id: it may hold letters, digits and hyphens")
    ids = {picture.name: f"{picture.name}.{letter.run_id}@{DOMAIN}" for picture in letter.drawn}
    name = attachment(letter)
    message = EmailMessage(policy=policy.SMTP)
    message["Subject"] = subject(letter.subject)
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
    if pdf:
        message.add_attachment(pdf, "application", "pdf", filename=name.replace(".html", ".pdf"))
    message["Content-Language"] = letter.language
    _set_boundaries(message, letter.run_id)
    return message


def attachment(letter: Letter) -> str:
    """Return the file name that the full report is attached by."""
    return f"abaco-{letter.date}.html"


def _date(date: str) -> str:
    """Return the report's date as a header has it: midnight UTC, as the draft knows of no clock."""
    return format_datetime(dt.datetime.combine(dt.date.fromisoformat(date), dt.time(), dt.UTC))


def _set_boundaries(message: EmailMessage, run_id: str) -> None:
    """Set the boundaries that the email package would draw at random; encoded content never holds '=_'."""
    parts = [part for part in message.walk() if part.is_multipart()]
    for index, part in enumerate(parts, 1):
        part.set_boundary(f"=_{run_id}_{index}")
