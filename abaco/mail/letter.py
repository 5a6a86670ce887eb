"""The letter of a report in two forms: HTML with its styles inlined, and plain text."""

import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import css_inline
from markupsafe import Markup

from abaco.mail.pictures import Picture, pictures
from abaco.mail.selection import short_table
from abaco.page.column_names import in_words
from abaco.page.conclusion import concluded
from abaco.page.key_figures import card_entries
from abaco.page.kpi_text import state_sign
from abaco.page.language import phrase, say, speaking
from abaco.page.markup import fill
from abaco.page.masthead import sample, title
from abaco.page.words import JOINER, NBSP, count, day, usd

TEMPLATES = Path(__file__).parent / "templates"
LINE = 76  # characters of a line of plain text


@dataclass(frozen=True)
class Letter:
    """What the email of a report says, in the report's language.

    Attributes
    ----------
    date
        The report's date, ISO.
    run_id
        The run that made it.
    language
        The language that it is written in.
    currency
        The currency of its amounts.
    subject
        The subject line, without line breaks.
    parts
        What the templates are filled with.
    pictures
        The pictures, and the sentences in place of those that cannot be drawn.
    """

    date: str
    run_id: str
    language: str
    currency: str
    subject: str
    parts: dict = field(repr=False)
    pictures: list[Picture] = field(repr=False)

    @property
    def drawn(self) -> list[Picture]:
        """The pictures that there are."""
        return [picture for picture in self.pictures if picture.png]

    def html(self, *, sources: dict[str, str], report: str, link: bool) -> str:
        """Return the letter as HTML, its styles inlined.

        Parameters
        ----------
        sources
            Where each picture is, by its name: a file, or ``cid:`` and a content id.
        report
            The name of the full report.
        link
            Whether the report lies beside the letter, to be clicked; else it is attached.
        """
        with speaking(self.language, self.currency):
            filled = fill(
                "email.html.j2", TEMPLATES, letter=self, sources=sources, report=report, link=link,
                styles=Markup((TEMPLATES / "email.css").read_text(encoding="utf-8")),
                themes=Markup((TEMPLATES / "themes.css").read_text(encoding="utf-8")), **self.parts,
            )  # fmt: skip
        inlined = css_inline.CSSInliner(load_remote_stylesheets=False).inline(filled)
        return re.sub(r"\n\s*\n+", "\n", inlined).strip() + "\n"

    def text(self, *, report: str) -> str:
        """Return the letter as plain text; `report` is the attachment's name."""
        with speaking(self.language, self.currency):
            filled = fill("email.txt.j2", TEMPLATES, letter=self, report=report, **self.parts)
        lines = Markup(re.sub(r"<[^>]*>", "", filled)).unescape().splitlines()
        return plain("\n".join(line for one in lines for line in _wrapped(one))) + "\n"


def _wrapped(line):
    """Return a line of text as lines of a message; what hangs together stays together."""
    indent = "  " if line.startswith("- ") else ""
    return textwrap.wrap(line, LINE, subsequent_indent=indent, break_on_hyphens=False) or [""]


def plain(text: str) -> str:
    """Return text with ordinary blanks, which every mail client shows and searches find."""
    return text.replace(NBSP, " ").replace(JOINER, "")


def compose(metrics: dict, history, bridges, segments=(), *, language: str = "en") -> Letter:
    """Return the letter of a report.

    Parameters
    ----------
    metrics
        The content of metrics.json.
    history, bridges, segments
        The tables of that name, as frames or as lists of dicts.
    language
        The language of the report.
    """
    with speaking(language, metrics["currency"]):
        metrics = in_words(metrics)
        return Letter(
            date=metrics["date"],
            run_id=metrics["run_id"],
            language=language,
            currency=metrics["currency"],
            subject=subject(metrics),
            parts={
                "title": title(metrics),
                "sample": sample(metrics),
                "as_of": _as_of(metrics),
                "size": _size(metrics["book"]),
                "state": concluded(metrics, history, bridges, segments),
                "cards": card_entries(metrics, history, bridges),
                "groups": short_table(metrics),
                "before": _before(metrics),
            },
            pictures=pictures(metrics, history, bridges),
        )


def subject(metrics: dict) -> str:
    """Return the subject line: date and state, on one line whatever a title holds."""
    state = state_sign(metrics["verdict"])["word"]
    mark = f"{phrase('Synthetic sample')}: " if metrics.get("synthetic") else ""
    return " ".join(plain(f"{mark}{title(metrics)}: {state}").split())


def _as_of(metrics):
    if not metrics["as_of"] or metrics["as_of"] >= metrics["date"]:
        return ""
    return say("The figures are as of {as_of}, and the month is counted up to that day.", as_of=day(metrics["as_of"]))


def _size(book):
    if book["outstanding"] is None:
        return phrase("The outstanding balance could not be computed.")
    owed, loans = usd(book["outstanding"]), book["loans_with_balance"]
    if loans is None:
        return say("{usd} outstanding.", usd=owed)
    if loans == 1:
        return say("{usd} outstanding in 1 loan.", usd=owed)
    return say("{usd} outstanding in {count} loans.", usd=owed, count=count(loans))


def _before(metrics):
    """Return the date that changes are counted from, in words; empty without one."""
    dates = {kpi["previous"]["date"] for kpi in metrics["kpis"].values() if kpi["previous"]}
    return day(max(dates)) if dates else ""
