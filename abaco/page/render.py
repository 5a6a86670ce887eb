"""The report: an executed notebook turned into one self-contained page, without code, script or network."""

import re
from itertools import count
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from nbconvert import TemplateExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from traitlets.config import Config

from abaco.page.language import phrase, say, speaking
from abaco.page.markup import TEMPLATES, stylesheet
from abaco.page.masthead import title
from abaco.page.outline import keep_front, put_in_order
from abaco.page.svg import inline

ANALYST_TAG = "analyst"
FRONT = "front.html"
SHOWN = ["text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg"]
SILENT = ["text/plain", "application/scrapbook.scrap.json+json"]  # known, and never shown


def render_page(notebook_path: str | Path, out_path: str | Path, *, metrics: dict, language: str = "en") -> Path:
    """Write the page that an executed notebook makes, and beside it its first screen alone; same notebook, same bytes.

    The page shows its markdown and outputs. Cells tagged ``analyst`` stay out with their outputs, as does all code and
    all that was printed.

    Parameters
    ----------
    notebook_path
        The executed notebook.
    out_path
        The page to write; its folder is made if needed.
    metrics
        The content of metrics.json, for the document's title, which tabs and mail programs show.
    language
        The language of the page, for readers and hyphenation.
    """
    notebook = nbformat.read(notebook_path, as_version=4)
    style = stylesheet("colours.css", "pieces.css", "charts.css", "page.css", "print.css")
    with speaking(language):
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = _told(cell.source)
        name = title(metrics)
        page = {"title": name, "language": language, "style": f"{style}\n{_running_head(name)}", "say": say}
        html, _ = _exporter().from_notebook_node(notebook, resources={"page": page})
    out_path = Path(out_path)
    out_path.parent.mkdir(parents=True, exist_ok=True)
    tree = put_in_order(html)
    _write(tree, out_path)
    keep_front(tree)
    _write(tree, out_path.with_name(FRONT))
    return out_path


def _write(tree: BeautifulSoup, path: Path) -> None:
    """Write a page, with no more than one empty line between its lines."""
    path.write_text(re.sub(r"\n{3,}", "\n\n", str(tree)).strip() + "\n", encoding="utf-8", newline="\n")


def _running_head(name: str) -> str:
    """Return the rule that prints a title, with its date, at the head of each page but the first."""
    text = name.replace("\\", "\\\\").replace('"', '\\"').replace("<", "\\3c ")
    return f'@page {{ @top-left {{ content: "{text}"; font: 8pt sans-serif; color: #55616e; }} }}'


def _told(source: str) -> str:
    """Return a markdown cell in the page's language, block by block; an analyst's own text stays as it is."""
    blocks = [block.partition(" ") if block.startswith("#") else ("", "", block) for block in source.split("\n\n")]
    return "\n\n".join(f"{mark}{blank}{phrase(text)}" for mark, blank, text in blocks)


def _exporter() -> TemplateExporter:
    """Return the exporter with our template, and with none of nbconvert's own styles and scripts."""
    config = Config()
    config.TagRemovePreprocessor.enabled = True
    config.TagRemovePreprocessor.remove_cell_tags = {ANALYST_TAG, "injected-parameters"}
    config.CSSHTMLHeaderPreprocessor.enabled = False
    config.HighlightMagicsPreprocessor.enabled = False
    config.NbConvertBase.display_data_priority = SHOWN + SILENT
    exporter = TemplateExporter(
        config=config,
        file_extension=".html",
        template_name="report",
        extra_template_basedirs=[str(TEMPLATES)],
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    exporter.register_filter("markdown2html", _markdown)
    numbers = count(1)
    exporter.register_filter(
        "inline_svg", lambda source, label: inline(_text(source), f"drawing-{next(numbers)}", label or "")
    )
    return exporter


def _markdown(source: str) -> str:
    return MarkdownWithMath(renderer=IPythonRenderer(escape=False, exclude_anchor_links=True)).render(source)


def _text(source) -> str:
    return source if isinstance(source, str) else "".join(source)
