"""What a report takes, counted: it is what was recorded, and a count that is far from it is named."""

import json
import subprocess
import sys

from benchmarks import counts
from tests.support.projects import ROOT


def test_a_report_takes_what_is_recorded():
    done = subprocess.run([sys.executable, "-m", "benchmarks.counts"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"| {name} |" in done.stdout for name in json.loads(counts.RECORDED.read_text()))


def test_a_count_that_is_far_from_the_recorded_one_is_named(monkeypatch):
    recorded, said = json.loads(counts.RECORDED.read_text()), []
    monkeypatch.setattr(sys, "argv", ["counts"])
    monkeypatch.setattr(counts, "counted", lambda: {**recorded, "scans": 2 * recorded["scans"]})
    assert counts.main(said.append) == 1
    assert said[1:] == ["scans: 2.00 of what is recorded; if that is meant, record it: make bench-quick RECORD=1"]
    monkeypatch.setattr(counts, "counted", lambda: {**recorded, "queries": round(1.05 * recorded["queries"])})
    assert counts.main(said.append) == 0
