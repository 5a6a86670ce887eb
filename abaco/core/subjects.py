"""Subjects of emails, which are read as they are written."""

from email import message_from_bytes, policy
from email.message import EmailMessage

UNBREAKABLE = "\u00a0"


def subject(text: str) -> str:
    """Return a subject that is read as it is written.

    Where Python folds a blank between words of other letters than ASCII away, blanks that do not break outlast it.

    Examples
    --------
    >>> long = "Muestra sintética · PAR30 3.75 % (−0.27) · alerta · 31 de diciembre de 2025"
    >>> subject(long) == long.replace(" ", UNBREAKABLE)
    True
    >>> subject("Corrected: Loan book (replaces that of 2026-01-01 02:00 UTC: other details)")
    'Corrected: Loan book (replaces that of 2026-01-01 02:00 UTC: other details)'
    """
    message = EmailMessage(policy=policy.SMTP)
    message["Subject"] = text
    read = message_from_bytes(message.as_bytes(), policy=policy.default)["Subject"]
    return text if read.strip() == text else text.replace(" ", UNBREAKABLE)
