"""The letter of a report in two forms: HTML with its styles inlined, and plain text."""

import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import css_inline
from markupsafe import Markup

from abaco.core.precision import shown_decimals
from abaco.core.text import par_name
from abaco.mail.pictures import Picture, trend_picture
from abaco.page.bridge import signed
from abaco.page.column_names import in_words, small
from abaco.page.conclusion import concluded
from abaco.page.front import trust
from abaco.page.key_figures import card_entries
from abaco.page.kpi_text import short, state_sign
from abaco.page.language import phrase, say, speaking
from abaco.page.lateness import risk_heads, riskiest
from abaco.page.markup import fill
from abaco.page.masthead import heading, sample, size, title
from abaco.page.words import JOINER, NBSP, day

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


def compose(metrics: dict, history, bridges, segments=(), concentration=(), *, language: str = "en") -> Letter:
    """Return the letter of a report: the first screen of its page.

    Parameters
    ----------
    metrics
        The content of metrics.json.
    history, bridges, segments, concentration
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
                "size": f"{size(metrics)}.",
                "state": concluded(metrics, history, bridges, segments, concentration),
                "cards": card_entries(metrics, history, bridges),
                "risk_heads": risk_heads(metrics),
                "risks": [part["cells"] for part in riskiest(metrics, segments)],
                "trust": trust(metrics),
            },
            pictures=[trend_picture(metrics, history)],
        )


def subject(metrics: dict) -> str:
    """Return the subject line: PAR30 with its change, the state, and the day; on one line whatever a title holds."""
    name, so_far = heading(metrics)
    state = small(state_sign(metrics["verdict"])["word"])
    mark = [phrase("Synthetic sample")] if metrics.get("synthetic") else []
    known = metrics["as_of"] is not None
    when = so_far or day(metrics["date"]) if known else name
    return " ".join(plain(" · ".join([*mark, _first_figure(metrics), state, when])).split())


def _first_figure(metrics):
    """Return PAR30 with its change: 'PAR30 3.68 % (+0.21)'."""
    kpi = metrics["kpis"].get("PAR30")
    if not kpi or kpi["value"] is None:
        return f"PAR30 {small(phrase('Not computable'))}"
    moved = "" if kpi["change"] is None else f" ({signed(kpi['change'], shown_decimals(kpi))})"
    return f"{par_name('PAR30', kpi)} {short(kpi)}{moved}"


def _as_of(metrics):
    if not metrics["as_of"] or metrics["as_of"] >= metrics["date"]:
        return ""
    return say("The figures are as of {as_of}, and the month is counted up to that day.", as_of=day(metrics["as_of"]))
