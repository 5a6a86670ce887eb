"""The files of the email in a run's folder: email.html, its pictures beside it, and the message email.eml."""

from pathlib import Path

from abaco.mail.letter import Letter
from abaco.mail.message import draft

MOST_BYTES = 90_000  # of HTML; Gmail cuts a message off at 102 KB
FOLDER = "email"


def write(letter: Letter, folder: Path, report: Path) -> list[Path]:
    """Write email.html, the pictures and email.eml; return their paths.

    Parameters
    ----------
    letter
        What the email says.
    folder
        The run's folder.
    report
        The full page, which email.html links to and email.eml has attached; it lies in the same folder.
    """
    written = [folder / FOLDER / f"{picture.name}.png" for picture in letter.drawn]
    for path, picture in zip(written, letter.drawn, strict=True):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture.png)
    sources = {path.stem: path.relative_to(folder).as_posix() for path in written}
    page, message = folder / "email.html", folder / "email.eml"
    html = letter.html(sources=sources, report=report.name, link=True)
    page.write_text(html, encoding="utf-8", newline="\n")
    message.write_bytes(draft(letter, report.read_bytes()).as_bytes())
    return [page, message, *written]
