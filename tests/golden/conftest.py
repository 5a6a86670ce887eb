"""Golden notebooks are checked against a fresh execution: what one phase reads, the one before has just written."""

import json

from nbval.plugin import IPyNbCell

from tools import golden
from abaco.run.dive import DIVES
from abaco.core.phases import PHASES


def pytest_collection_finish(session):
    names = {item.parent.path.stem for item in session.items if isinstance(item, IPyNbCell)}
    if names & set(PHASES):
        golden.prepare()
    if names & set(DIVES):
        golden.prepare_dives()


def _sanitize_text(self, output, sanitize=IPyNbCell.sanitize):
    # scraps are JSON objects, and nbval sanitizes nothing but text
    return sanitize(self, json.dumps(output, sort_keys=True) if isinstance(output, dict) else output)


IPyNbCell.sanitize = _sanitize_text
