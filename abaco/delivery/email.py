"""Email: reports and alerts through the mail server of SMTP_URL, one delivery a recipient.

Each delivery has its own key and message id, so that recipients do not see each other, and a retry after a refused
address reaches only that one.
"""

import datetime as dt
import email
import hashlib
from contextlib import suppress
from dataclasses import replace
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from abaco.core import secrets
from abaco.core.errors import InputError
from abaco.core.subjects import subject
from abaco.delivery import addresses, corrections, smtp
from abaco.delivery.channel import REPORT, Channel, Delivery, DeliveryError, retry
from abaco.delivery.messages import headline

NAME = "email.eml"


def report_recipients() -> list[Address]:
    """Return the recipients of reports, by ``REPORT_RECIPIENTS``."""
    return addresses.parse(secrets.read("REPORT_RECIPIENTS"), "REPORT_RECIPIENTS")


def alert_recipients() -> list[Address]:
    """Return the recipients of alerts, by ``ALERT_RECIPIENTS``; who reads reports is never told of operations."""
    return addresses.parse(secrets.read("ALERT_RECIPIENTS"), "ALERT_RECIPIENTS")


class EmailChannel(Channel):
    """Sends reports and alerts by email."""

    name, takes, recipients = "email", (REPORT, "P1"), "REPORT_RECIPIENTS"
    variables = ("SMTP_URL", recipients, "ALERT_RECIPIENTS")

    def __init__(self, settings: dict[str, dict[str, Any]]):
        super().__init__(settings)
        self._from = settings["delivery"]["email_from"]
        self._reply_to = settings["delivery"]["reply_to"]

    def missing(self) -> str | None:
        """Return the variable or setting that is missing, or None with a mail server and a sender."""
        if not secrets.read("SMTP_URL"):
            return "SMTP_URL"
        with suppress(DeliveryError):  # an address that cannot be read is set up, and fails when it is used
            return None if self._from or "@" in smtp.server().user else "delivery.email_from"
        return None

    def check(self) -> None:
        """Check the addresses of server, sender and recipients, and that there is a sender for those."""
        recipients = [*report_recipients(), *alert_recipients()]
        addresses.parse(self._reply_to, "delivery.reply_to")
        if not secrets.read("SMTP_URL"):
            return
        user = smtp.server().user
        if recipients and self.missing():
            raise InputError(
                "No email can be sent, as it has no sender: set delivery.email_from in params/pipeline.yml "
                "or its overlay, or take SMTP_URL or the recipients away"
            )
        addresses.parse(self._from or (user if "@" in user else ""), "delivery.email_from or SMTP_URL")

    def address(self, delivery: Delivery) -> list[Delivery]:
        """Return a delivery for each recipient; ``to`` in the payload, if any, names those of a report."""
        payload = delivery.payload
        if "title" in payload:
            recipients = alert_recipients()
        else:
            to = payload.get("to")
            recipients = addresses.parse(to, "TO") if to else report_recipients()
        return [
            replace(
                delivery,
                key=f"{delivery.key}:{addresses.hash_address(recipient.addr_spec)}",
                payload={**payload, "to": recipient.addr_spec},
            )
            for recipient in recipients
        ]

    def send(self, delivery: Delivery) -> dict[str, Any]:
        """Send a message to its recipient; the receipt holds the message id and a hash of the address."""
        server = smtp.server()
        try:
            (sender,) = addresses.parse(self._from or server.user, "delivery.email_from or SMTP_URL")
            replies = addresses.parse(self._reply_to, "delivery.reply_to")
            (recipient,) = addresses.parse(delivery.payload["to"], "The recipient")
        except (InputError, ValueError) as error:
            raise DeliveryError(f"No email can be addressed: {error}") from None
        is_alert = "title" in delivery.payload
        message = alert(delivery.payload) if is_alert else report(delivery.folder)
        if replaces := delivery.payload.get("replaces"):
            language = message["Content-Language"] or "en"
            message.replace_header("Subject", subject(corrections.subject(message["Subject"], language, replaces)))
        address(message, delivery.key, sender, recipient)
        if replies:
            message["Reply-To"] = replies
        content = message.as_bytes()
        retry(smtp.deliver, server, self.timeout, sender.addr_spec, recipient.addr_spec, content)
        return {
            "message_id": message["Message-ID"],
            "recipient": addresses.hash_address(recipient.addr_spec),
            "bytes": len(content),
        }

    def probe(self) -> str:
        """Sign in at the mail server, without sending anything, and return the result in words."""
        server = smtp.server()
        smtp.probe(server, self.timeout)
        return f"{server} lets us in"


def report(folder: Path) -> EmailMessage:
    """Return the draft in the run's folder.

    Raises
    ------
    DeliveryError
        When it is missing.
    """
    try:
        content = (folder / NAME).read_bytes()
    except OSError as error:
        raise DeliveryError(f"{NAME} of run {folder.name}: {error.strerror}: run make report again") from None
    return email.message_from_bytes(content, policy=policy.SMTP)


def alert(payload: dict[str, Any]) -> EmailMessage:
    """Return an alert as a plain-text message."""
    message = EmailMessage(policy=policy.SMTP)
    message["Subject"] = subject(" ".join(headline(payload).split()))
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(payload["text"] + "\n", cte="quoted-printable")
    return message


def address(message: EmailMessage, key: str, sender: Address, recipient: Address) -> None:
    """Add sender, recipient and time to a draft, and an id that is the same for the same key."""
    for name in ("Date", "Message-ID", "X-Unsent"):
        del message[name]
    message["From"], message["To"] = sender, recipient
    message["Date"] = format_datetime(dt.datetime.now(dt.UTC))
    message["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{sender.domain}>"
