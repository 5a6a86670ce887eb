"""params/*.yml: every key is explained by a comment, and something reads it."""

import ast
import json
import re
from pathlib import Path

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
    assert {path.name for path in (ROOT / "params").iterdir()} == {
        "pipeline.yml", "kpis.yml", "flows.yml", "loans.yml", "headings.yml", "drafts.yml", "mappings",
        "facilities.yml", "sample_facilities.yml", "rate_periods.yml", "scales.yml",
    }  # fmt: skip


def test_two_levels_at_most():
    assert {type(value) for keys in SETTINGS.values() for value in keys.values()} <= {str, int, float, bool}


def test_a_comment_explains_every_key():
    blocks = {name: re.search(rf"^{name}:\n((?:  .*\n|\n)*)", PIPELINE, re.M)[1] for name in SETTINGS}
    explained = r"^  # [A-Z].{20,}\n(  # .*\n)*  KEY: "
    assert [
        f"{name}.{key}" for name, key in KEYS if not re.search(explained.replace("KEY", key), blocks[name], re.M)
    ] == []


def test_no_alternatives_are_commented_out():
    assert not re.findall(r"^\s*#\s*\w+: \S+$", PIPELINE + KPIS.split("\n\n", 1)[1], re.M)


def names_read(phase):
    """Names that the code cells of a notebook read, all but the parameters cell."""
    notebook = json.loads((ROOT / f"notebooks/{phase}.ipynb").read_text())
    cells = [
        c for c in notebook["cells"] if c["cell_type"] == "code" and "parameters" not in c["metadata"].get("tags", [])
    ]
    nodes = (node for cell in cells for node in ast.walk(ast.parse("".join(cell["source"]))))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def test_something_reads_every_key():
    read = {section(phase): names_read(phase) for phase in PHASES}
    assert [
        f"{name}.{key}"
        for name, key in KEYS
        if not (re.search(rf'\["{name}"\]\["{key}"\]', CODE) if name in OWN else key in read[name])
    ] == []


def test_every_phase_has_its_section():
    assert set(SETTINGS) == {*OWN, *map(section, PHASES)}


# KPI definitions

HEADER = KPIS.split("\n\n", 1)[0]


def test_the_header_explains_each_key_of_a_definition_and_no_other():
    assert set(re.findall(r"^#   (\w+) +\S.{5,}$", HEADER, re.M)) == set(Definition.model_fields)


def test_something_reads_each_key_of_a_definition():
    reads = r"\b(kpi|self)\.KEY\b|\]\.KEY\b"
    assert [key for key in Definition.model_fields if not re.search(reads.replace("KEY", key), CODE)] == []
