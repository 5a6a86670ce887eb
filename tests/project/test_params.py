"""params/*.yml: every key is explained by a comment, and something reads it."""

import ast
import json
import re
from pathlib import Path

import pytest
import yaml

from abaco.core.phases import PHASES, section
from abaco.core.settings import OWN
from abaco.kpis.catalog import Definition

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = (ROOT / "params/pipeline.yml").read_text()
SETTINGS = yaml.safe_load(PIPELINE)
KPIS = (ROOT / "params/kpis.yml").read_text()
CODE = "\n".join(path.read_text() for path in (ROOT / "abaco").rglob("*.py"))
KEYS = [(name, key) for name, keys in SETTINGS.items() for key in keys]


def test_every_file_here_is_known():
    assert {path.name for path in (ROOT / "params").iterdir()} == {"pipeline.yml", "kpis.yml"}


def test_two_levels_at_most():
    assert {type(value) for keys in SETTINGS.values() for value in keys.values()} <= {str, int, float, bool}


@pytest.mark.parametrize(("name", "key"), KEYS)
def test_a_comment_explains_the_key(name, key):
    block = re.search(rf"^{name}:\n((?:  .*\n|\n)*)", PIPELINE, re.M)[1]
    assert re.search(rf"^  # [A-Z].{{20,}}\n(  # .*\n)*  {key}: ", block, re.M), (
        f"no comment above {name}.{key}"
    )


def test_no_alternatives_are_commented_out():
    assert not re.findall(r"^\s*#\s*\w+: \S+$", PIPELINE + KPIS.split("\n\n", 1)[1], re.M)


def names_read(phase):
    """Names that the code cells of a notebook read, all but the parameters cell."""
    notebook = json.loads((ROOT / f"notebooks/{phase}.ipynb").read_text())
    cells = [
        c
        for c in notebook["cells"]
        if c["cell_type"] == "code" and "parameters" not in c["metadata"].get("tags", [])
    ]
    nodes = (node for cell in cells for node in ast.walk(ast.parse("".join(cell["source"]))))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


@pytest.mark.parametrize(("name", "key"), KEYS)
def test_something_reads_the_key(name, key):
    if name in OWN:
        assert re.search(rf'\["{name}"\]\["{key}"\]', CODE)
    else:
        phase = next(phase for phase in PHASES if section(phase) == name)
        assert key in names_read(phase), f"{phase}.ipynb never reads {key}"


def test_every_phase_has_its_section():
    assert set(SETTINGS) == {*OWN, *map(section, PHASES)}


# KPI definitions

HEADER = KPIS.split("\n\n", 1)[0]


@pytest.mark.parametrize("key", Definition.model_fields)
def test_the_header_explains_each_key_of_a_definition(key):
    assert re.search(rf"^#   {key} +\S.{{5,}}$", HEADER, re.M), f"kpis.yml does not explain {key}"


def test_the_header_explains_no_other_key():
    assert set(re.findall(r"^#   (\w+) ", HEADER, re.M)) == set(Definition.model_fields)


@pytest.mark.parametrize("key", Definition.model_fields)
def test_something_reads_each_key_of_a_definition(key):
    readers = [
        path
        for path in (ROOT / "abaco").rglob("*.py")
        if re.search(rf"\b(kpi|self)\.{key}\b|\]\.{key}\b", path.read_text())
    ]
    assert readers, f"nothing reads {key}"
