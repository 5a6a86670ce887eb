"""The letter of the small report that the tests of the page use, and the message read as a mail client reads it."""

import email
import email.policy

import pytest

from abaco import mail
from abaco.mail.message import draft
from tests.page import example

REPORT = b"<!DOCTYPE html>\n<title>the full report</title>\n"


@pytest.fixture
def metrics():
    """The content of metrics.json."""
    return example.metrics()


@pytest.fixture
def compose(metrics):
    """Compose the letter: `compose(language="es", history=[])`."""

    def composed(language="en", history=None, bridges=None):
        past = example.history() if history is None else history
        moves = example.bridges() if bridges is None else bridges
        more = example.segments(), example.concentration()
        return mail.compose(metrics, past, moves, *more, language=language)

    return composed


@pytest.fixture
def written(compose, tmp_path):
    """Write the email into a folder and return the folder: `written(language="es")`."""

    def write(folder="run", **how):
        run = tmp_path / folder
        run.mkdir()
        (run / "report.html").write_bytes(REPORT)
        mail.write(compose(**how), run, [run / "report.html"])
        return run

    return write


@pytest.fixture
def sent(compose):
    """Return the message as a client parses it: `sent(language="es")`."""

    def parse(**how):
        content = draft(compose(**how), REPORT).as_bytes()
        return email.message_from_bytes(content, policy=email.policy.default)

    return parse
