"""Spanish: every text has its translation, and nothing English is left on the Spanish page."""

import ast
import itertools
import json
import re
import string

import nbformat
import pyarrow.parquet as pq
import pytest
import yaml
from bs4 import BeautifulSoup

from abaco.core import bands, reasons
from abaco.core.errors import InputError
from abaco.ingest.formats import FORMATS
from abaco.kpis import bridge, catalog
from abaco.kpis.bridge import first_day
from abaco.kpis.dictionary import TABLES
from abaco.kpis.measures import MEASURES
from abaco.page import column_names, concentration, language
from abaco.page.segments import DIMENSIONS
from abaco.workbook import figures
from abaco.workbook import tables as workbook
from tests.support.projects import PII_KEY, ROOT

from . import example
from .example import NOTEBOOK, executed, render, tables

SPANISH = language.dictionary("es")
SPEAKING = ("page", "mail", "workbook", "review", "operations", "cli", "service")  # rooms that show texts
# what is the same in both: ids, units, names that come with the data
ALIKE = re.compile(
    r"[\W\d_]*|(PAR30|PAR60|PAR90|CollectionRate|PortfolioHealth)(, %)?|USD|SHA-256|Bytes|html|cash_available_usd"
    r"|1,000–4,999|sample\.csv|\w+\.yml|collector_note|Abaco \w+|Factoring|[0-9a-f]{64}|.*Σ.*|[\d.,]+.USD|20251231-\w+"
    r"|\.venv/bin/abaco explain .+|[0-9a-f]{8}…"
)


def places(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def texts(html):
    """Return every text that a page shows or has read out."""
    soup = BeautifulSoup(html, "html.parser")
    for style in soup.select("style"):
        style.decompose()
    shown = {" ".join(text.split()) for text in soup.find_all(string=True)}
    names = ("aria-label", "title", "alt", "data-hint")
    return shown | {element[name] for element in soup.find_all(True) for name in names if element.get(name)}


# Every text in the code and in the files that the page shows


def _calls(*functions):
    """Return the first argument of every call of the functions, where it is a literal."""
    found = set()
    for room in SPEAKING:
        for path in (ROOT / "abaco" / room).glob("*.py"):
            for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(call, ast.Call) and getattr(call.func, "id", "") in functions and call.args:
                    text = call.args[0]
                    options = (text.body, text.orelse) if isinstance(text, ast.IfExp) else (text,)
                    found |= {one.value for one in options if isinstance(one, ast.Constant)}
        for path in (ROOT / "abaco" / room).glob("templates/**/*.*"):
            pairs = re.findall(
                r'(?:say|phrase)\("([^"]+)"(?: if [^()]* else "([^"]+)")?', path.read_text(encoding="utf-8")
            )
            found |= {text for pair in pairs for text in pair if text}
    return found


def _constants():
    """Return every text in the code of the analyst's wing."""
    paths = [path for room in ("core", "ingest", *SPEAKING) for path in (ROOT / "abaco" / room).rglob("*.py")]
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _paragraphs():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    shown = [c for c in cells if c.cell_type == "markdown" and "analyst" not in c.metadata.get("tags", [])]
    return {block.removeprefix("## ") for cell in shown for block in cell.source.split("\n\n")}


def _kpi_texts():
    kpis = yaml.safe_load((ROOT / "params/kpis.yml").read_text(encoding="utf-8")).values()
    found = {kpi[key] for kpi in kpis for key in ("title", "note", "convention", "unit") if kpi.get(key)}
    own = {kpi["formula"]: re.sub("|".join(MEASURES), "", kpi["formula"]) for kpi in kpis if kpi.get("formula")}
    formulas = {formula for formula, words in own.items() if re.search(r"\b[a-z]{3}", words)}
    return (found | formulas) - {"%", "USD"}  # a formula of ids, measures and numbers is alike in both


def _workbook():
    """Return the names of the workbook's sheets and columns, and what its dictionary says of them."""
    found = {*figures.HEADINGS}
    for sheet in workbook.SHEETS:
        table = TABLES[sheet.table]
        fields = [field for field in table.fields if field.name in sheet.headings]
        found |= {sheet.title, *sheet.headings.values(), table.grain, *(field.meaning for field in fields)}
        found |= {field.unit for field in fields} - {"", "%", "USD"}
    return found


def _composed():
    """Return the texts that the code puts together."""
    limits = {f"{level} {side} {{limit}}" for level in ("warning", "critical") for side in ("above", "below")}
    past = {f"{{title}} at {{value}} ({limit})" for limit in limits}
    verdicts = {
        f"{{hits}} {of} {verb} past {limit}: {{names}}."
        for of in ("of {judged} figures with limits", "of these")
        for verb, limit in (
            ("are", "a limit"),
            *((verb, f"{whose} {level} limit") for level in ("warning", "critical")
              for verb, whose in (("is", "its"), ("are", "their"))),
        )
    }  # fmt: skip
    verdicts |= {f"the {level} one for {{names}}" for level in ("warning", "critical")}
    words = {f"{noun} {{number}}" for noun in concentration.NOUNS}
    plurals = {f"{text}s" for text in SPANISH if f"{text}s" in SPANISH}
    named = {name for names in bands.BANDS.values() for name in names if re.search("[a-z]", name)}
    spared = {f"kept: the {FORMATS[f.replaced_by].title} say {f.purpose}" for f in FORMATS.values() if f.replaced_by}
    # a PAR of an input whose buckets begin the day after the limit
    texts = {text for kpi in catalog.load().values() if first_day(kpi) for text in (kpi.title, kpi.note)}
    after = {re.sub(r"\b(?:7|30|60|90)\b", lambda days: str(int(days[0]) + 1), text) for text in texts}
    words |= {column_names.capital(word) for word in (*bridge.MOVED, "opening", "closing")}
    words |= {column_names.capital(dimension) for dimension in DIMENSIONS}
    return limits | past | verdicts | words | plurals | named | spared | after


def _texts():
    measures = {text for measure in MEASURES.values() for text in (measure.title, measure.add)}
    # what is left to add where the input has the others
    measures |= {", and ".join(some) for measure in MEASURES.values() for count in range(1, len(measure.parts))
                 for some in itertools.combinations(measure.parts, count)}  # fmt: skip
    titles, columns = {format_.title for format_ in FORMATS.values()}, set(column_names.COLUMNS.values())
    return _calls("say", "phrase") | _workbook() | _paragraphs() | _kpi_texts() | measures | titles | columns


def test_every_text_has_a_translation():
    assert _texts() - set(SPANISH) == set(), "add them to abaco/page/languages/es.yml"


def test_every_translation_is_of_a_text_that_there_is():
    assert set(SPANISH) - _texts() - _constants() - _composed() == set()


def test_codes_of_reasons_are_those_in_use_and_have_a_translation():
    calls, constants = set(), set()
    for path in (ROOT / "abaco").rglob("*.py"):
        nodes = [] if path.name == "reason_words.py" else list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        constants |= {node.value for node in nodes if isinstance(node, ast.Constant)}
        calls |= {
            node.args[0].value
            for node in nodes
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Reason", "NotComputableError")
            if isinstance(node.args[0], ast.Constant)
        }
    assert set(language.reasons("es")) == set(reasons.ENGLISH)
    assert calls <= set(reasons.ENGLISH) <= constants


def test_translations_fill_the_same_places():
    spanish, english = language.reasons("es"), reasons.ENGLISH
    pairs = [*SPANISH.items(), *((english[code], spanish[code]) for code in english)]
    assert [text for text, translation in pairs if places(text) != places(translation)] == []
    assert [text for text, translation in pairs if not translation or translation != translation.strip()] == []


def test_no_text_is_translated_twice():
    content = (language.FOLDER / "es.yml").read_text(encoding="utf-8")
    keys = [english for part in yaml.safe_load(content).values() for english in part]
    assert sorted(set(keys)) == sorted(keys)
    assert len(re.findall(r"^  \S.*$", content, re.MULTILINE)) == len(keys), "a key is there twice in one part"


# The page


def test_language_is_one_that_the_page_has():
    with pytest.raises(InputError, match=r"report\.language is 'fr': set it to one of en, es"):
        language.speak("fr")


def test_english_needs_no_translation():
    assert language.say("{count} of them", count=3) == "3 of them"


def test_nothing_english_is_left_on_the_spanish_page(tmp_path):
    given = example.metrics()
    for kpi in given["kpis"].values():
        kpi["note"] = ""
    given["reason_codes"]["rejects"] = [
        {"reason": {"code": code, "column": column}, "rows": 2}
        for code, column in (("not_a_date", "measurement_date"), ("negative", "cash_available_usd"))
    ]
    lost = {"code": "on_date", "reason": {"code": "not_given", "what": ["the total liabilities"]}, "date": "2025-12-31"}
    given["reason_codes"]["kpis"] = {
        "CollectionRate": lost,
        "PortfolioHealth": {"code": "input_not_computable", "kpi": "CollectionRate", "reason": lost},
    }
    found = {
        name: texts(render(tmp_path, executed(given, tables(example.history()), name), name, name))
        for name in language.LANGUAGES
    }
    left = {text for text in found["en"] & found["es"] if not ALIKE.fullmatch(text)}
    assert left == set()


def test_spanish_page_is_marked_as_such(tmp_path, metrics, history):
    html = render(tmp_path, executed(metrics, tables(history), "es"), language="es")
    soup = BeautifulSoup(html, "html.parser")
    assert soup.html["lang"] == "es"
    assert soup.title.get_text().replace("\u00a0", " ") == (
        "Cartera al 10 de diciembre de 2025 (diciembre hasta ese día)"
    )
    assert soup.h1.get_text().replace("\u00a0", " ") == "Cartera al 10 de diciembre de 2025 diciembre hasta ese día"
    assert "10,000\u00a0USD" in html
    assert language.spoken() == "en"


def _names(folder):
    """Return what a report holds of ids, formulas and names of the input, which no language changes."""
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    known = {text for name, kpi in metrics["kpis"].items() for text in (name, f"{name}, %", kpi["formula"])}
    known |= {name for columns in metrics["quality"]["columns_left_behind"].values() for name in columns}
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
    assert "report.language: write 'en' or 'es', not 'fr'" in result.stderr
