"""Spanish: every text has its translation, and nothing English is left on the Spanish page."""

import ast
import json
import re
import string
from pathlib import Path

import nbformat
import pyarrow.parquet as pq
import pytest
import yaml
from bs4 import BeautifulSoup

from abaco import page
from abaco.core.errors import InputError
from abaco.kpis.measures import MEASURES
from abaco.page import column_names, language, lateness
from abaco.page.bridge import GROWN, SHRUNK, TERMS
from abaco.page.kpi_text import GROUPS
from tests.support.projects import PII_KEY

from . import example
from .example import NOTEBOOK, executed, render, tables

ROOT = Path(page.__file__).parents[2]
SPANISH = language.dictionary("es")
# what is the same in both: ids, units, names that come with the data
ALIKE = re.compile(
    r"[\W\d_]*|(PAR30|PAR60|PAR90|CollectionRate|PortfolioHealth)(, %)?|USD|SHA-256|Bytes|html|cash_available_usd"
    r"|1,000–5,000|sample\.csv|collector_note|Abaco \w+|Factoring|[0-9a-f]{64}|.*Σ.*|[\d.,]+.USD|20251231-\w+"
    r"|abaco explain .+|[0-9a-f]{8}…"
)


def places(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def texts(html):
    """Return every text that a page shows or has read out."""
    soup = BeautifulSoup(html, "html.parser")
    for style in soup.select("style"):
        style.decompose()
    said = {" ".join(text.split()) for text in soup.find_all(string=True)}
    names = ("aria-label", "title", "alt", "data-hint")
    return said | {element[name] for element in soup.find_all(True) for name in names if element.get(name)}


def test_language_is_one_that_the_page_speaks():
    with pytest.raises(InputError, match=r"report\.language is 'fr': set it to one of en, es"):
        language.speak("fr")


def test_english_needs_no_translation():
    assert language.say("{count} of them", count=3) == "3 of them"
    assert language.translated("cash on hand has no value") == "cash on hand has no value"


def test_texts_that_come_with_the_figures_are_translated_by_their_pattern(spanish):
    assert language.translated("cash on hand has no value") == "el efectivo no tiene valor"
    nested = "CollectionRate is not computable: cash on hand has no value on 2025-12-31"
    expected = "CollectionRate no es calculable: el efectivo no tiene valor al 2025-12-31"
    assert language.translated(nested) == expected
    assert language.translated("something else") == "something else"


@pytest.mark.parametrize("english", SPANISH)
def test_translation_fills_the_same_places(english):
    assert places(SPANISH[english]) == places(english)
    assert SPANISH[english].strip() == SPANISH[english] != ""


def test_no_text_is_translated_twice():
    parts = yaml.safe_load((language.FOLDER / "es.yml").read_text(encoding="utf-8"))
    keys = [english for part in parts.values() for english in part]
    assert sorted(set(keys)) == sorted(keys)
    lines = re.findall(r"^  \S.*$", (language.FOLDER / "es.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) == len(keys), "a key is there twice in one part"


def _said():
    """Yield every text that the code of the page says."""
    for path in (ROOT / "abaco/page").glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("say", "phrase") and call.args:
                options = call.args[0]
                for text in (options.body, options.orelse) if isinstance(options, ast.IfExp) else (options,):
                    if isinstance(text, ast.Constant):
                        yield text.value
    for path in (ROOT / "abaco/page/templates").rglob("*.j2"):
        yield from re.findall(r"""say\("([^"]+)\"""", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", sorted(set(_said())))
def test_every_text_of_the_page_has_a_translation(text):
    assert text in SPANISH


def test_every_paragraph_of_the_notebook_has_a_translation():
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if cell.cell_type == "markdown" and "analyst" not in cell.metadata.get("tags", []):
            for block in cell.source.split("\n\n"):
                assert block.removeprefix("## ") in SPANISH


def test_every_group_term_and_column_has_a_translation():
    assert set(GROUPS.values()) <= set(SPANISH)
    terms = {name for pair in (*TERMS.values(), GROWN, SHRUNK) for name in pair}
    assert terms - {""} <= set(SPANISH)
    parts = {*lateness.NAMES.values(), *(form for forms in lateness.BANDS.values() for form in forms)}
    assert parts - {""} <= set(SPANISH)
    assert set(column_names.COLUMNS.values()) <= set(SPANISH)


def _kpi_texts():
    for kpi in yaml.safe_load((ROOT / "params/kpis.yml").read_text(encoding="utf-8")).values():
        yield from (kpi[key] for key in ("title", "note", "unit") if kpi.get(key))
        if re.search(r"\b[a-z]{3}", kpi.get("formula", "")):  # one of ids and numbers is alike in both
            yield kpi["formula"]


@pytest.mark.parametrize("text", sorted(set(_kpi_texts()) - {"%", "USD"}))
def test_every_text_of_the_kpis_has_a_translation(text):
    assert text in SPANISH, "add it to the part kpis of abaco/page/languages/es.yml"


@pytest.mark.parametrize("text", sorted({text for m in MEASURES.values() for text in (m.title, m.add)}))
def test_what_the_input_can_lack_has_a_translation(text):
    assert text in SPANISH, "add it to the parts measures and additions of abaco/page/languages/es.yml"


def test_nothing_english_is_left_on_the_spanish_page(tmp_path):
    given = example.metrics()
    given["kpis"]["CollectionRate"]["reason"] = "the input does not give the total liabilities on 2025-12-31"
    given["kpis"]["PortfolioHealth"]["reason"] = (
        "CollectionRate is not computable: cash_available_usd has no value on 2025-12-31"
    )
    for kpi in given["kpis"].values():
        kpi["note"] = ""
    given["quality"]["rejects"] = {"measurement_date: not a date": 2, "cash_available_usd: negative": 4}
    found = {
        spoken: texts(render(tmp_path, executed(given, tables(example.history()), spoken), spoken, spoken))
        for spoken in language.LANGUAGES
    }
    left = {text for text in found["en"] & found["es"] if not ALIKE.fullmatch(text)}
    assert left == set()


def test_spanish_page_is_marked_as_such(tmp_path, metrics, history):
    html = render(tmp_path, executed(metrics, tables(history), "es"), language="es")
    soup = BeautifulSoup(html, "html.parser")
    assert soup.html["lang"] == "es"
    assert soup.title.get_text() == "Indicadores de la cartera, 2025-12-31"
    assert soup.h1.get_text().replace("\u00a0", " ") == "Cartera al 31 de diciembre de 2025"
    assert "10,000.00\u00a0USD" in html
    assert language.spoken() == "en"


def _names(folder):
    """Return what a report holds of ids, formulas and names of the input, which no language changes."""
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    known = {text for name, kpi in metrics["kpis"].items() for text in (name, f"{name}, %", kpi["formula"])}
    known |= {
        name for column_names in metrics["quality"]["columns_left_behind"].values() for name in column_names
    }
    for table in folder.glob("tables/segments.parquet"):
        known |= {name.replace("_", " ") for name in pq.read_table(table)["value"].to_pylist()}
    return known


@pytest.fixture
def project(finished, tmp_path):
    """A project of which only the page is still to be made."""
    return finished.pristine.copy(tmp_path / "project")


def test_report_of_the_sample_in_spanish(project, finished):
    result = project.report("--params", "report.language=es", ABACO_PII_KEY=PII_KEY)
    assert result.returncode == 0, result.stderr
    folders = finished.output / "2025-12-31", project.output / "2025-12-31"
    english, spanish = (texts((folder / "report.html").read_text(encoding="utf-8")) for folder in folders)
    left = {text for text in english & spanish if not ALIKE.fullmatch(text)}
    assert left - _names(folders[1]) == set()
    assert "Cartera al 31 de diciembre de 2025" in spanish


def test_unknown_language_is_named_with_those_that_there_are(project):
    result = project.report("--params", "report.language=fr", ABACO_PII_KEY=PII_KEY)
    assert result.returncode == 2
    assert "report.language is 'fr': set it to one of en, es" in result.stderr
