"""The words of params/flows.yml: each in one list, and every list there."""

import shutil

import pytest

from abaco.core import project
from abaco.core.errors import InputError
from abaco.ingest import flow_words

TEXT = (project.root() / "params" / "flows.yml").read_text(encoding="utf-8")


@pytest.fixture
def words(tmp_path, monkeypatch):
    """Return a function that loads a changed params/flows.yml."""
    shutil.copytree(project.root() / "params", tmp_path / "params")
    monkeypatch.setenv("ABACO_ROOT", str(tmp_path))

    def load(old="", new=""):
        assert old in TEXT
        (tmp_path / "params" / "flows.yml").write_text(TEXT.replace(old, new, 1), encoding="utf-8")
        return flow_words.load()

    return load


def test_a_word_that_is_added_is_known(words):
    changed = words("    - repayment\n", "    - repayment\n    - Ráta 1.\n")
    assert flow_words.meanings("types", changed.types, {"RATA", "rata 7", "ratas"}) == {
        "paid": ["RATA", "rata 7"], "unknown": ["ratas"],
    }  # fmt: skip


def test_a_day_in_the_column_of_reversals_says_that_the_payment_was_reversed(words):
    assert flow_words.meanings("flags", words().flags, {"2025-01-31", "0", "1", "N", "Sí"}) == {
        "paid": ["0", "N"], "reversed": ["1", "2025-01-31", "Sí"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    - abono\n", "    - abono\n    - Write-off\n", "types: writeoff is in two lists: keep one"),
        ("    - abono\n", "    - 3\n", "params/flows.yml: types.paid.[0-9]+: write text"),
        ("  lent:\n", "  borrowed:\n", "params/flows.yml: types.lent: it is missing: write it"),
    ],
)
def test_a_wrong_file_is_refused(words, old, new, message):
    with pytest.raises(InputError, match=message):
        words(old, new)
