"""Pieces of HTML: what every part of the page returns, and the templates that they are filled from."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from abaco.core.quoting import visible_lines
from abaco.page import words
from abaco.page.language import phrase, say, spoken
from abaco.page.words import JOINER

TEMPLATES = Path(__file__).parent / "templates"


class Html(Markup):
    """HTML that is already escaped. A notebook shows it as it is, and a template does not escape it again."""

    def _repr_html_(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        return f"<Html, {len(self)} characters>"


@cache
def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"say": say, "phrase": phrase, "spoken": spoken}
    environment.filters |= {"count": words.count, "day": words.day, "money": words.money, "usd": words.usd}
    return environment


def fill(template: str, folder: Path = TEMPLATES, **values) -> Html:
    """Return the template `template` of a folder filled with `values`, each escaped unless it is an `Html`."""
    filled = _environment(folder).get_template(template).render(**values).strip()
    return Html(JOINER.join(map(visible_lines, filled.split(JOINER))))


def sentence(text: str) -> Html:
    """Return a sentence that stands in the place of a picture or a table."""
    return fill("sentence.html.j2", text=text, kind="sentence")


def absent(text: str) -> Html:
    """Return the sentence of an empty section: what to add to the input.

    The built page leaves out a section that holds nothing else, and lists the sentence among what can be added.
    """
    return fill("sentence.html.j2", text=text, kind="absent")


def unset() -> Html:
    """Return the mark of a section about what the settings do not ask for: the built page leaves the section out."""
    return fill("sentence.html.j2", text="", kind="unset")


def stylesheet(*names: str) -> str:
    """Return the style sheets `names` of the templates folder, one after the other."""
    return "\n".join((TEMPLATES / name).read_text(encoding="utf-8").strip() for name in names)


def notebook_style() -> Html:
    """Return the page's look for an open notebook, in the colours of JupyterLab's theme, light or dark."""
    light, dark = stylesheet("colours.css").split("@media screen and (prefers-color-scheme: dark) {")
    dark = dark.rpartition("}")[0].replace(":root", '[data-jp-theme-light="false"]')
    return Html(f"<style>\n{light}{dark}{stylesheet('notebook.css', 'pieces.css', 'charts.css')}\n</style>")
