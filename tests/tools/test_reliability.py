"""The harness of hostile inputs and faults: a few of each, and that it sees what is wrong."""

import random
from collections import Counter

import nbformat
import pytest

from abaco.core.phases import PHASES, notebook_path
from tools.reliability import faults, fuzz, page, reader
from tools.reliability.inputs import make
from tools.reliability.tally import Tally

FILES = 6


@pytest.fixture(scope="module")
def fuzzed():
    tally = fuzz.fuzz(range(FILES), Tally())
    return tally


def test_hostile_inputs_give_right_figures_or_one_line(fuzzed):
    assert fuzzed.faults == []
    assert fuzz.inputs(fuzzed) > 200


def test_fuzzer_sees_wrong_and_lost_rows(tmp_path):
    seed = next(s for s in range(100) if _is_sound(s, tmp_path / str(s)))
    tally = Tally()
    (tmp_path / "case").mkdir()
    case = make(random.Random(seed), tmp_path / "case")
    rows = [row for row in map(lambda row: reader.meaning(case, row), reader.read(case)[0]) if row]
    fuzz.judge(seed, case, rows, {}, tally)
    assert tally.faults == []
    fuzz.judge(seed, case, [(*rows[0][:-1], rows[0][-1] + 1), *rows[2:]], {}, tally)
    assert Counter(kind for kind, *_ in tally.faults) == {"wrong": 1, "lost": 1}


def _is_sound(seed, folder):
    folder.mkdir()
    case = make(random.Random(seed), folder)
    return (case.format, case.damage, len(case.touched)) == ("par_balances", "none", 0)


def test_page_has_the_counts_of_the_run(fuzzed, tmp_path):
    path = tmp_path / "RELIABILITY.md"
    for part in ("Inputs", "Faults"):
        page.write(part, "before", path)
    page.write("Inputs", page.of_inputs(fuzzed), path)
    text = path.read_text()
    assert f"**{fuzz.inputs(fuzzed):,} inputs: 0 wrong, 0 lost, 0 leaked, 0 tracebacks**" in text
    assert text.endswith("\n## Faults\n\nbefore\n")


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return faults.Bench(tmp_path_factory.mktemp("bench"))


@pytest.mark.parametrize(
    ("action", "place"),
    [
        ("SIGKILL of all", "cell 5 of 02_transformation"),
        ("disk full", "cell 4 of 05_output"),
        ("disk full", "os.rename reports/.runs/N/RUN/.metrics.json.N"),
        ("another run of an earlier date", "os.rename reports/.runs/N/next"),
    ],
)
def test_report_outlasts_what_happens_to_its_run(bench, action, place):
    tally = Tally()
    faults.at_place(bench, action, place, 1, tally)
    assert (tally.faults, tally.of) == ([], {(action, place): 1})


def test_faults_are_drawn_at_distinct_points_and_at_every_cell(bench):
    drawn = faults.chosen(bench, 10_000, random.Random(0))
    places = {fault[2] for fault in drawn if fault[0] is faults.at_place}
    for phase in PHASES:
        cells = [c for c in nbformat.read(notebook_path(phase), 4).cells if c.cell_type == "code"]
        assert {f"cell {i} of {phase}" for i in range(1, len(cells) + 1)} <= places
    points = {fault[:3] for fault in drawn[:250]}
    assert (len(points), len({point[2] for point in points if point[0] is faults.at_place})) == (250, len(places))


def test_harness_sees_what_does_not_hold(bench):
    tally, project = Tally(), bench.copy("tampered")
    path = project.output / faults.DATE / "report.html"
    path.write_text(path.read_text() + faults.PLANTED[0])
    faults.judge(bench, project, "here", 0, "Traceback\n", tally)
    assert [kind for kind, *_ in tally.faults] == ["tracebacks", "lost", "leaked"]
