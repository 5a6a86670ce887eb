"""The golden notebooks are the source notebooks, executed."""

import json

import pytest

from abaco.core import project
from abaco.core.phases import DRAFTING, PHASES, notebook_path
from abaco.run.dive import DIVES
from tools.golden import GOLDEN

NAMES = (*PHASES, *DIVES, DRAFTING)


def _source(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [(c["id"], c["cell_type"], c["metadata"].get("tags", []), "".join(c["source"])) for c in cells]


@pytest.mark.parametrize("name", NAMES)
def test_golden_source_is_notebook_source(name):
    golden = project.root() / GOLDEN / f"{name}.ipynb"
    assert _source(golden) == _source(notebook_path(name)), "run make golden, and look at what changed"


@pytest.mark.parametrize("name", NAMES)
def test_golden_holds_no_path_and_no_time_of_a_machine(name):
    text = (project.root() / GOLDEN / f"{name}.ipynb").read_text(encoding="utf-8")
    assert str(project.root()) not in text
    assert "start_time" not in text


def test_every_golden_notebook_has_a_source():
    assert sorted(p.stem for p in (project.root() / GOLDEN).glob("*.ipynb")) == sorted(NAMES)
