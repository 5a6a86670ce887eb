"""The notebook 04_report as it stands in the repository."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

from abaco import page
from abaco.kpis.dictionary import TABLES

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "04_report.ipynb"


@pytest.fixture
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_stored_without_outputs_and_with_names_for_cells(notebook):
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert [cell.id for cell in code][:5] == ["parameters", "imports", "inputs", "front-page", "facilities"]
    assert notebook.metadata.kernelspec.name == "python3"


def test_cells_are_short_and_define_nothing(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 15
            assert not [
                node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.FunctionDef | ast.ClassDef)
            ]


def test_it_calls_only_what_the_page_offers(notebook):
    source = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    used = {
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "page"
    }
    assert used <= set(page.__all__)


def test_the_last_cell_records_completion(notebook):
    assert notebook.cells[-1].source.splitlines()[-1].startswith("phase.complete(")


def test_the_page_speaks_before_it_says_anything(notebook):
    inputs = next(cell for cell in notebook.cells if cell.id == "inputs")
    assert inputs.source.index("page.speak(language, ") < inputs.source.index("page.in_words(")


def test_every_table_that_is_read_is_in_the_data_dictionary(notebook):
    source = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    read = set(re.findall(r'tables\["(\w+)"\]', source))
    assert read and read <= set(TABLES)
