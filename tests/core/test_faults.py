"""Whatever is wrong in a settings file is said in one line, in words that say what to write, not in pydantic's."""

import copy
import re

import pytest
import yaml

from abaco.core import settings
from abaco.core.errors import InputError
from abaco.kpis import catalog
from abaco.kpis.facilities import facility
from tests.support.projects import ROOT

PYDANTICS = re.compile(
    r"(?:Input|Value|String|Decimal|List|Tuple) should|valid (?:dictionary|tuple|list|string)|validation"
)
ODD = (None, "text", "", [], [1], {}, {1: 2}, -1, 0.5, True, float("inf"), [None], {"x": {"y": 1}})
SENIOR = yaml.safe_load((ROOT / "params/sample_facilities.yml").read_text(encoding="utf-8"))["SENIOR"]
FULL = SENIOR | {"share_of": "eligible", "called": ["SENIOR"], "cash": 5, "drawn": 7}
KPIS = yaml.safe_load((ROOT / "params/kpis.yml").read_text(encoding="utf-8"))


def places(entry, above=()):
    """Yield the path of each key."""
    for key, value in entry.items() if isinstance(entry, dict) else ():
        yield (*above, key)
        yield from places(value, (*above, key))


def changed(entry, path, value):
    """Return a copy with another value at a path."""
    found = copy.deepcopy(entry)
    *above, last = path
    part = found
    for key in above:
        part = part[key]
    part[last] = value
    return found


def said(call, *arguments):
    """Return the error of a call, in one line and in the user's words; None where the value can be used."""
    try:
        call(*arguments)
    except InputError as error:
        text = str(error)
        assert not PYDANTICS.search(text) and "\n" not in text, text
        return text
    return None


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_facilities(tmp_path, odd):
    path, refused = tmp_path / "facilities.yml", []
    for place in [("SENIOR",), *(("SENIOR", *one) for one in places(FULL))]:
        path.write_text(yaml.safe_dump(changed({"SENIOR": FULL}, place, odd)))
        if text := said(facility.load, path):
            refused.append(text)
            assert text.startswith(f"{path}: SENIOR")
    assert len(refused) > 30


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_settings(odd):
    loaded = settings.load()
    refused = [said(settings.load, {name: {key: odd}}) for name, keys in loaded.items() for key in keys]
    assert sum(text is not None for text in refused) > 10


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_kpis(tmp_path, odd):
    path = tmp_path / "kpis.yml"
    few = {name: KPIS[name] for name in ("PAR30", "PAR60", "WriteOffRate")}
    refused = []
    for place in places(few):
        path.write_text(yaml.safe_dump(changed(few, place, odd)))
        refused.append(said(catalog.load, path))
    assert sum(text is not None for text in refused) > 10
