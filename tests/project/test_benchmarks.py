"""The benchmarks: every case runs, all find the same, and what is measured is right. No test judges a time."""

import subprocess
import sys
import time

import pytest

from benchmarks import figures, measure, results
from benchmarks.jobs import exponents
from tests.support.projects import ROOT


def test_every_case_runs_and_finds_the_same(tmp_path):
    output = tmp_path / "RESULTS.md"
    arguments = ["--quick", "--output", output, "--work", tmp_path]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr
    text = output.read_text()
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert [line[3] for line in headings] == ["1", "2", "3", "4", "5"]
    for name in (
        "papermill",
        "one plain script",
        "DuckDB SQL",
        "pandas",
        "Polars",
        "Pydantic",
        "PAR30",
        "40 ratios together",
    ):
        assert f"| {name} |" in text or f", csv | {name} |" in text
    assert str(tmp_path) not in text
    assert [path.name for path in tmp_path.iterdir()] == ["RESULTS.md"]


def test_a_difference_is_named():
    same = {"counts": {"rows_in": 3}, "kpis": {}}
    figures.check({"abaco": same, "pandas": same})
    with pytest.raises(AssertionError, match="pandas and abaco differ in counts"):
        figures.check({"abaco": same, "pandas": {**same, "counts": {"rows_in": 2}}})


def test_memory_of_a_process_that_a_process_started_counts(monkeypatch):
    monkeypatch.setattr(measure, "SHARE", 0)  # a look that takes long on a busy machine must not be the only one
    hold = "b = bytearray(200 << 20); import time; time.sleep(2)"
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}], start_new_session=True)"
    assert 200 < measure.run(sys.executable, "-c", start).peak_mib < 300


def test_a_command_that_fails_is_an_error_with_what_it_said():
    with pytest.raises(RuntimeError, match="no such luck"):
        measure.run(sys.executable, "-c", "raise SystemExit('no such luck')")


def test_cases_alternate():
    order = []
    one = measure.Measured(1.0, 1.0, [], "")
    measure.alternate({"a": lambda: order.append("a") or one, "b": lambda: order.append("b") or one}, 2)
    assert order == ["a", "b", "a", "b"]


def test_ratios_are_of_the_same_round():
    mine, peer = ([measure.Measured(s, 1.0, [], "") for s in times] for times in ((1.0, 4.0), (2.0, 2.0)))
    assert list(measure.ratios(mine, peer)) == [0.5, 2.0]
    assert results.against(mine, peer, 1.25) == "1.25 (0.500–2.00), aim ≤ 1.25: met"


def test_time_that_doubles_with_rows_has_exponent_one():
    runs = [[measure.Measured(s, 1.0, [], "")] for s in (1.0, 2.0, 8.0)]
    assert exponents([10, 20, 40], runs) == "1.00, 2.00"


def test_mapping_of_a_benchmark_stays_out_of_the_project(tmp_path):
    before = sorted((ROOT / "params/mappings").iterdir())
    arguments = ["--rows", "1000", "--work", tmp_path]
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.mappings", *arguments], cwd=ROOT)
    seen = set()
    while process.poll() is None:
        seen |= {*(ROOT / "params/mappings").iterdir()}
        time.sleep(0.05)
    assert process.returncode == 0
    assert sorted(seen) == before
