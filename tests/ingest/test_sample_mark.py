"""The sample that ships: known by its content, and never put in the place of a real report unless somebody says so."""

import hashlib

import pytest

from abaco.core import files as core_files
from abaco.core.errors import InputError
from abaco.ingest import sample_mark
from abaco.run import plan
from tests.support.projects import ROOT

DATE, REAL, SAMPLE = "2025-12-31", {"sha256": "0" * 64}, {"sha256": sample_mark.DIGESTS["loans.csv"]}


def leave(output, source, inputs):
    """Leave a visible report that says what it was made of."""
    folder = output / ".runs" / DATE / "former"
    folder.mkdir(parents=True)
    core_files.write_json(
        folder / "run.json",
        {"run_id": "r1", "input": str(source), "status": "success", "started_at": "2025-12-31T02:00:00Z"},
    )
    core_files.write_json(folder / "metrics.json", {"inputs": inputs})
    (output / DATE).symlink_to(folder, target_is_directory=True)


def test_digests_are_those_of_the_files_that_ship():
    files = [ROOT / "data/sample.csv", *(ROOT / "data/sample").iterdir()]
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files} == sample_mark.DIGESTS


@pytest.mark.parametrize(
    ("inputs", "expected"), [([], False), ([REAL], False), ([REAL, SAMPLE], True), ([SAMPLE], True)]
)
def test_sample_is_known_by_its_content(inputs, expected):
    assert sample_mark.is_sample(inputs) is expected


@pytest.mark.parametrize("name", ["data/sample", "data/sample.csv"])
def test_sample_replaces_no_report_of_another_input(tmp_path, monkeypatch, name):
    monkeypatch.setenv("ABACO_ROOT", str(ROOT))
    leave(tmp_path, "/exports/december", [REAL])
    with pytest.raises(InputError) as error:
        plan.check_sample(tmp_path, DATE, ROOT / name, [])
    assert str(error.value) == (
        f"The report of {DATE} was made of /exports/december, and {name}, the synthetic sample, never replaces it: "
        "give INPUT=/exports/december, or another folder for the sample with OUTPUT"
    )
    with pytest.raises(InputError, match="copy, the synthetic sample, never replaces it"):
        plan.check_sample(tmp_path, DATE, tmp_path / "copy", [SAMPLE])  # a copy elsewhere
    plan.check_sample(tmp_path, "2025-11-30", ROOT / name, [SAMPLE])  # no report of that date
    plan.check_sample(tmp_path, DATE, tmp_path / "exports", [REAL])


def test_sample_says_that_it_cannot_tell_what_a_damaged_report_was_made_of(tmp_path, monkeypatch):
    monkeypatch.setenv("ABACO_ROOT", str(ROOT))
    leave(tmp_path, "/exports/december", [REAL])
    (tmp_path / DATE / "metrics.json").write_text("{")
    with pytest.raises(InputError, match=f"^The figures of the report of {DATE} are damaged, so that nobody can tell"):
        plan.check_sample(tmp_path, DATE, ROOT / "data/sample", [])


@pytest.mark.parametrize("former", ["data/sample", "data/sample.csv", "elsewhere/loans.csv"])
def test_sample_replaces_the_sample(tmp_path, monkeypatch, former):
    monkeypatch.setenv("ABACO_ROOT", str(ROOT))
    leave(tmp_path, ROOT / former, [SAMPLE])
    plan.check_sample(tmp_path, DATE, ROOT / "data/sample", [SAMPLE])


NOTED = ["notes.json", "notes.lock", "notes.reserve", "abaco.db"]  # that a start failed


@pytest.mark.parametrize(
    ("verb", "noted"),
    [("report --input data/sample.csv", NOTED), ("report", NOTED), (f"backfill --from {DATE} --to {DATE}", [])],
)
def test_sample_is_refused_before_any_work(kept, tmp_path, verb, noted):
    leave(tmp_path, "/exports/december", [REAL])
    before = sorted(tmp_path.rglob("*"))
    result = kept.abaco(*verb.split(), "--output", tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: The report of {DATE} was made of /exports/december, ")
    assert [path.name for path in sorted(tmp_path.rglob("*")) if path not in before] == noted
