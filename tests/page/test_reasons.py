"""Every reason why a KPI has no value is said in every language of the page."""

import ast

import pytest

from abaco.page import language
from tests.support.projects import ROOT

SPANISH = language.dictionary("es")


def _reasons():
    """Return the reasons that are whole sentences in the code of the KPIs."""
    for path in sorted((ROOT / "abaco/kpis").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "NotComputableError":
                yield from (part.value for part in node.args if isinstance(part, ast.Constant))


def test_reasons_are_found():
    assert "nothing is outstanding" in set(_reasons())


@pytest.mark.parametrize("reason", sorted(set(_reasons())))
def test_reason_has_a_translation(reason):
    assert reason in SPANISH, "add it to the part reasons of abaco/page/languages/es.yml"
