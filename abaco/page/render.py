"""The report: an executed notebook turned into one self-contained page, without code, script or network."""

from itertools import count
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from traitlets.config import Config

from abaco.page.language import phrase, say, speaking
from abaco.page.markup import TEMPLATES, stylesheet
from abaco.page.outline import put_in_order
from abaco.page.svg import inline

ANALYST_TAG = "analyst"
SHOWN = ["text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg"]
SILENT = ["text/plain", "application/scrapbook.scrap.json+json"]  # known, and never shown


def render_page(notebook_path: str | Path, out_path: str | Path, *, date: str, language: str = "en") -> Path:
    """Write the page that an executed notebook's markdown and outputs make; same notebook, same bytes.

    Cells tagged ``analyst`` stay out with their outputs, as does all code and all that was printed.

    Parameters
    ----------
    notebook_path
        The executed notebook.
    out_path
        The page to write; its folder is made if needed.
    date
        The report's date, ISO, for the document's title, which tabs and mail programs show.
    language
        The language of the page, for readers and hyphenation.
    """
    notebook = nbformat.read(notebook_path, as_version=4)
    style = stylesheet("colours.css", "pieces.css", "charts.css", "page.css", "print.css")
    with speaking(language):
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = _told(cell.source)
        page = {
            "title": say("Loan book KPIs, {date}", date=date),
            "language": language,
            "style": style,
            "say": say,
        }
        html, _ = _exporter().from_notebook_node(notebook, resources={"page": page})
    out_path = Path(out_path)
    out_path.parent.mkdir(parents=True, exist_ok=True)
    out_path.write_text(put_in_order(html).strip() + "\n", encoding="utf-8", newline="\n")
    return out_path


def _told(source: str) -> str:
    """Return a markdown cell in the page's language, block by block; an analyst's own text stays as it is."""
    blocks = [
        block.partition(" ") if block.startswith("#") else ("", "", block) for block in source.split("\n\n")
    ]
    return "\n\n".join(f"{mark}{blank}{phrase(text)}" for mark, blank, text in blocks)


class _PageExporter(HTMLExporter):
    """Nbconvert's exporter without its second look at the whole page, for parts that the template does not have."""

    def from_notebook_node(self, nb, resources=None, **kwargs):
        return super(HTMLExporter, self).from_notebook_node(nb, self._init_resources(resources), **kwargs)


def _exporter() -> HTMLExporter:
    """Return the exporter with our template, and with none of nbconvert's own styles and scripts."""
    config = Config()
    config.TagRemovePreprocessor.enabled = True
    config.TagRemovePreprocessor.remove_cell_tags = {ANALYST_TAG, "injected-parameters"}
    config.CSSHTMLHeaderPreprocessor.enabled = False
    config.HighlightMagicsPreprocessor.enabled = False
    config.NbConvertBase.display_data_priority = SHOWN + SILENT
    exporter = _PageExporter(
        config=config,
        template_name="report",
        extra_template_basedirs=[str(TEMPLATES)],
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    numbers = count(1)
    exporter.register_filter(
        "inline_svg", lambda source, label: inline(_text(source), f"drawing-{next(numbers)}", label or "")
    )
    return exporter


def _text(source) -> str:
    return source if isinstance(source, str) else "".join(source)
