"""The small report of `example`, and the language that the page speaks."""

import pytest

from abaco.page import language

from . import example


@pytest.fixture(autouse=True)
def english():
    """Leave the page's language as it was found."""
    with language.speaking("en"):
        yield


@pytest.fixture
def spanish(english):
    """Speak Spanish."""
    language.speak("es")


@pytest.fixture
def metrics():
    """The content of metrics.json."""
    return example.metrics()


@pytest.fixture
def history():
    """Three earlier dates; PAR30 has no value at the second."""
    return example.history()


@pytest.fixture
def empty(metrics):
    """The same report for an empty portfolio: nothing is computable."""
    for one in metrics["kpis"].values():
        one.update(value=None, status="not_computable", reason="no balance is outstanding", previous=None, change=None)
        one.update(numerator="0.00", denominator="0.00", rows=0)
    for bucket in metrics["aging"]:
        bucket.update(amount="0.00", share=None)
    metrics["book"] = {"outstanding": "0.00", "loans_with_balance": 0, "rows": 0}
    metrics["inputs"] = []
    return example.judged(metrics)
