"""The golden notebooks are the source notebooks, executed."""

import json

import pytest

from abaco import project
from abaco.golden import GOLDEN
from abaco.stages import PHASES, notebook_path


def _source(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [(c["id"], c["cell_type"], c["metadata"].get("tags", []), "".join(c["source"])) for c in cells]


@pytest.mark.parametrize("phase", PHASES)
def test_golden_source_is_notebook_source(phase):
    golden = project.root() / GOLDEN / f"{phase}.ipynb"
    assert _source(golden) == _source(notebook_path(phase)), "run make golden, and look at what changed"


@pytest.mark.parametrize("phase", PHASES)
def test_golden_holds_no_path_and_no_time_of_a_machine(phase):
    text = (project.root() / GOLDEN / f"{phase}.ipynb").read_text(encoding="utf-8")
    assert str(project.root()) not in text
    assert "start_time" not in text


def test_every_golden_notebook_belongs_to_a_phase():
    assert sorted(p.stem for p in (project.root() / GOLDEN).glob("*.ipynb")) == sorted(PHASES)
