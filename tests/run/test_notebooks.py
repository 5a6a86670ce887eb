"""Source notebooks: the form that STYLE.md gives them."""

import ast
import io
import re
import tokenize
from pathlib import Path

import nbformat
import pytest
import yaml

from abaco.core.phases import DRAFTING, PHASES, section
from abaco.core.settings import PIPELINE_PARAMETERS, notebook_parameters
from abaco.run.dive import DIVES

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = yaml.safe_load((ROOT / "params/pipeline.yml").read_text())


@pytest.fixture(params=(*PHASES, *DIVES, DRAFTING))
def name(request):
    return request.param


@pytest.fixture
def path(name):
    return ROOT / "notebooks" / f"{name}.ipynb"


@pytest.fixture
def cells(path):
    return nbformat.read(path, as_version=4).cells


@pytest.fixture
def code(cells):
    return [cell for cell in cells if cell.cell_type == "code"]


def test_every_phase_and_deep_dive_has_a_notebook_and_every_notebook_is_valid():
    found = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert [path.stem for path in found] == [*PHASES, *sorted((*DIVES, DRAFTING))]
    for path in found:
        nbformat.validate(nbformat.read(path, as_version=4))


def test_index_leads_to_every_notebook():
    links = re.findall(r"\]\((\w+)\.ipynb\)", (ROOT / "notebooks" / "index.md").read_text(encoding="utf-8"))
    assert sorted(links) == sorted((*PHASES, *DIVES, DRAFTING))


def test_nothing_that_a_run_leaves_is_stored(code):
    for cell in code:
        assert cell.outputs == [], cell.id
        assert cell.execution_count is None, cell.id
        assert not {"papermill", "execution", "scrolled"} & set(cell.metadata), cell.id


def test_kernel_is_the_one_that_jupyter_has(path):
    notebook = nbformat.read(path, as_version=4)
    assert notebook.metadata.kernelspec == {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert set(notebook.metadata.language_info) <= {"name"}


def test_title_and_one_paragraph_come_first(cells, name):
    title, paragraph = cells[0].source.split("\n\n")[:2]
    *number, word = name.split("_") if name in PHASES else [name.replace("_", " ")]
    assert cells[0].cell_type == "markdown"
    assert title == " ".join(["#", *number, word.capitalize()])
    assert paragraph.startswith("Reads ")
    assert "rite" in paragraph  # Writes, or: it writes nothing else


def test_parameters_come_second_tagged_and_imports_third(cells):
    assert cells[1].metadata.tags == ["parameters"]
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in cells) == 1
    assert {type(node) for node in ast.parse(cells[2].source).body} <= {ast.Import, ast.ImportFrom}
    others = [node for cell in cells[3:] if cell.cell_type == "code" for node in ast.walk(ast.parse(cell.source))]
    assert not [node for node in others if isinstance(node, ast.Import | ast.ImportFrom)]


def test_each_parameter_is_annotated_and_explained(cells):
    source = cells[1].source
    for node in ast.parse(source).body:
        assert isinstance(node, ast.AnnAssign), ast.unparse(node)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    commented = {t.start[0] for t in tokens if t.type == tokenize.COMMENT and len(t.string) > 12}
    assert commented == set(range(1, len(source.splitlines()) + 1))


@pytest.mark.parametrize("name", PHASES)
def test_defaults_are_those_of_pipeline_yml(path, name):
    found = {key: default for key, (_, default) in notebook_parameters(path).items()}
    assert found.pop("run_dir") == ""
    given = [key for key in PIPELINE_PARAMETERS.get(section(name), ()) if key != "run_dir"]
    defaults = {key: found.pop(key) for key in given}
    assert found == SETTINGS[section(name)]
    if "input" in defaults:
        assert defaults["input"] == SETTINGS["run"]["input"]


@pytest.mark.parametrize("name", DIVES)
def test_deep_dives_take_an_input_and_a_date_first(path):
    found = {key: default for key, (_, default) in notebook_parameters(path).items()}
    assert list(found)[:2] == ["input", "date"]
    assert (ROOT / found["input"]).exists()


def test_cells_are_short_and_define_nothing(code):
    for cell in code:
        assert len(cell.source.splitlines()) <= (30 if cell.id == "imports" else 15), cell.id
        defined = [
            n for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.Lambda)
        ]
        assert not defined, cell.id


def test_cells_are_named_and_no_name_is_there_twice(cells):
    names = [cell.id for cell in cells]
    assert len(set(names)) == len(names)
    assert not [name for name in names if not name.replace("-", "").isalpha()]


def test_sections_are_headings_of_the_second_level_with_a_section_for_checks(cells):
    headings = [
        line for c in cells[1:] if c.cell_type == "markdown" for line in c.source.splitlines() if line.startswith("#")
    ]
    assert [line for line in headings if not line.startswith("## ")] == []
    assert "## Checks" in headings
    assert headings.index("## Checks") < headings.index("## Completion")


def test_checks_check_something(cells):
    start = next(i for i, cell in enumerate(cells) if cell.source.startswith("## Checks"))
    end = next(i for i, cell in enumerate(cells) if i > start and cell.source.startswith("## "))
    checks = [cell for cell in cells[start + 1 : end] if cell.cell_type == "code"]
    assert checks
    for cell in checks:
        assert "assert " in cell.source or ".check_" in cell.source, cell.id


def test_last_cell_completes_and_no_other_does(code, cells, name):
    complete = "phase.complete" if name in PHASES else "phase.record" if name == DRAFTING else "dive.complete"
    assert cells[-1] is code[-1]
    calls = [ast.unparse(n.func) for c in code for n in ast.walk(ast.parse(c.source)) if isinstance(n, ast.Call)]
    assert calls.count(complete) == 1
    assert isinstance(last := ast.parse(code[-1].source).body[-1], ast.Expr)
    assert ast.unparse(last.value.func) == complete


def test_imports_are_all_used(code):
    imported = {
        alias.asname or alias.name.split(".")[0]
        for cell in code
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    used = {n.id for cell in code for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.Name)}
    assert imported <= used
