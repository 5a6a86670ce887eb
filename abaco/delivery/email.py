"""Email: the message of a report, or an alert, to one recipient a delivery through the mail server of SMTP_URL.

A recipient is a delivery of its own, with a key and a message id of its own. So nobody sees who else receives the
report, and where a server refuses one address, nobody who has the message gets it again when that one is retried.
Alerts take this way too: Apprise draws a new message id each time, and a second copy could not be told from the first.
"""

import datetime as dt
import email
import hashlib
import os
import uuid
from contextlib import suppress
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from abaco.core.errors import InputError
from abaco.delivery import addresses, smtp
from abaco.delivery.channel import DeliveryError, Item, attempted
from abaco.delivery.rules import headline

NAME = "email.eml"


def items(run: dict[str, Any], folder: Path, to: str | None = None, again: bool = False) -> list[Item]:
    """Return what is to be sent for a finished run: an item a recipient; none without recipients.

    Parameters
    ----------
    run
        The content of its run.json.
    folder
        Its folder.
    to
        Recipients with commas between; by default those of ``REPORT_RECIPIENTS``.
    again
        Whether those who have it already get it once more.

    Raises
    ------
    InputError
        When a recipient is no address.
    """
    fresh = f":{uuid.uuid4().hex[:12]}" if again else ""
    found = addresses.parsed(to, "TO") if to else report_recipients()
    return [
        Item(
            f"email:{run['run_id']}:{addresses.hashed(one.addr_spec)}{fresh}", "email", run["run_id"],
            run["date"], folder, {"to": one.addr_spec},
        )
        for one in found
    ]  # fmt: skip


def report_recipients() -> list[Address]:
    """Return who receives reports, by ``REPORT_RECIPIENTS``."""
    return addresses.parsed(os.environ.get("REPORT_RECIPIENTS", ""), "REPORT_RECIPIENTS")


def alert_recipients() -> list[Address]:
    """Return who is told of alerts by email, by ``ALERT_RECIPIENTS``, else those of reports."""
    named = addresses.parsed(os.environ.get("ALERT_RECIPIENTS", ""), "ALERT_RECIPIENTS")
    return named or report_recipients()


class EmailChannel:
    """Sends reports and alerts by email."""

    def __init__(self, settings: dict[str, Any]):
        self._from = settings["delivery"]["email_from"]
        self._timeout = settings["delivery"]["timeout_seconds"]

    def missing(self) -> str | None:
        """Return None when there is a mail server and a sender, else what to set."""
        if not os.environ.get("SMTP_URL"):
            return "SMTP_URL"
        with suppress(DeliveryError):  # an address that cannot be read is set up, and fails when it is used
            return None if self._from or "@" in smtp.server().user else "delivery.email_from"
        return None

    def send(self, item: Item) -> dict[str, Any]:
        """Send the message of an item to its recipient; the receipt holds its message id and a hash of the address.

        Raises
        ------
        DeliveryError
            When the mail server did not take it over.
        """
        server = smtp.server()
        try:
            (sender,) = addresses.parsed(self._from or server.user, "delivery.email_from or SMTP_URL")
            (recipient,) = addresses.parsed(item.payload["to"], "The recipient")
        except (InputError, ValueError) as error:
            raise DeliveryError(f"No email can be addressed: {error}") from None
        message = alert(item.payload) if "title" in item.payload else report(item.folder)
        address(message, item.key, sender, recipient)
        content = message.as_bytes()
        attempted(smtp.deliver, server, self._timeout, sender.addr_spec, recipient.addr_spec, content)
        return {
            "message_id": message["Message-ID"],
            "recipient": addresses.hashed(recipient.addr_spec),
            "bytes": len(content),
        }

    def probe(self) -> str:
        """Sign in at the mail server, sending nothing, and return in words what was found.

        Raises
        ------
        DeliveryError
            When nothing could be sent.
        """
        server = smtp.server()
        smtp.probe(server, self._timeout)
        return f"{server} lets us in"


def report(folder: Path) -> EmailMessage:
    """Return the draft that a run left beside its report.

    Raises
    ------
    DeliveryError
        When it is not there any more.
    """
    try:
        content = (folder / NAME).read_bytes()
    except OSError as error:
        raise DeliveryError(f"{NAME} of run {folder.name}: {error.strerror}: run make report again") from None
    return email.message_from_bytes(content, policy=policy.SMTP)


def alert(told: dict[str, Any]) -> EmailMessage:
    """Return an alert as a message of plain text."""
    message = EmailMessage(policy=policy.SMTP)
    message["Subject"] = " ".join(headline(told).split())
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(told["text"] + "\n", cte="quoted-printable")
    return message


def address(message: EmailMessage, key: str, sender: Address, recipient: Address) -> None:
    """Make a message of a draft: who sends it to whom and when, and an id that is the same for the same key."""
    for name in ("Date", "Message-ID", "X-Unsent"):
        del message[name]
    message["From"], message["To"] = sender, recipient
    message["Date"] = format_datetime(dt.datetime.now(dt.UTC))
    message["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{sender.domain}>"
