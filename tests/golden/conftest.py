"""Golden notebooks are checked against a fresh execution: what one phase reads, the one before has just written."""

import functools
import json

import pytest
from nbval.plugin import IPyNbCell

from abaco.core.phases import DRAFTING
from abaco.run.dive import DIVES
from tools import golden


@functools.cache
def _prepare(is_dive):
    golden.prepare_dives() if is_dive else golden.prepare()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Make what a notebook reads, before its kernel starts."""
    if item.path.stem != DRAFTING:
        _prepare(item.path.stem in DIVES)


def _sanitize_text(self, output, sanitize=IPyNbCell.sanitize):
    # scraps are JSON objects, and nbval sanitizes nothing but text
    return sanitize(self, json.dumps(output, sort_keys=True) if isinstance(output, dict) else output)


IPyNbCell.sanitize = _sanitize_text
