"""Deep dives: which report they open, and that each runs on another date and on another input."""

import json
import shutil

import nbformat
import pytest

from abaco.core import files
from abaco.core.errors import InputError
from abaco.core.phases import COMPLETED, notebook_path, scraps_of
from abaco.run import dive as run_dive
from abaco.run.process import execute
from tests.support.projects import PII_KEY, ROOT, copy_project

NOVEMBER = "2025-11-30"
OTHER = {
    "arrears_movement": {"against": "2025-03-31", "kpi": "PAR90", "loans": 3},
    "vintages": {"column": "region", "worse_points": 0.0},
    "concentration": {"largest": 3, "stops": 2, "dimension": "region"},
    "collections": {"months": 6, "loans": 4},
    "facility": {"key": "", "stops": 1, "wanted_usd": 0.0},
}
# As the report has them, or as they were counted in the exports.
FOUND = {
    "arrears_movement": {"against": "2025-03-31", "loans_shown": 3},
    "vintages": {"cohorts": 3, "worse": ["2025 Q2"]},
    "concentration": {"borrowers": 10, "par30": 4.0131},
    "collections": {"months": 6, "loans_shown": 4, "differs_from_tape_usd": "0.00"},
    "facility": {"facility": "SENIOR", "availability_usd": "47076.98", "pledged": 0},
}
FACILITIES = "params/sample_facilities.yml"
LACKING = {
    "arrears_movement": None,
    "vintages": "add the loans export, with disburse_date and disburse_principal",
    "concentration": None,
    "collections": "add payment schedules; and transactions, or real payments",
}


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """A project of its own with the folder of exports, lying somewhere else than usual."""
    root = copy_project(tmp_path_factory.mktemp("dives"), ROOT / "params/kpis.yml")
    shutil.copytree(ROOT / "data/sample", root / "exports")
    return root


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Execute a deep dive in a project and return what it shows and what it recorded."""

    def run(root, dive, **parameters):
        monkeypatch.setenv("ABACO_ROOT", str(root))
        executed = tmp_path / f"{dive}.ipynb"
        execute(notebook_path(dive), executed, parameters)
        cells = nbformat.read(executed, as_version=4).cells
        return json.dumps([c.get("outputs") for c in cells], ensure_ascii=False), scraps_of(executed)

    return run


@pytest.mark.parametrize("dive", run_dive.DIVES)
def test_another_date_of_another_input(exports, run, dive):
    shown, found = run(exports, dive, input="exports", date=NOVEMBER, **OTHER[dive])
    assert {name: found[name] for name in FOUND[dive]} == FOUND[dive]
    assert found[COMPLETED] is True
    assert "<svg" in shown
    assert "ALF - " not in shown and "BET - " not in shown and "C-0" not in shown
    made = "exports", NOVEMBER, FACILITIES if dive == "facility" else ""
    run_dive.report_of(*made)
    scratch = run_dive.scratch_of(exports / "exports", made[-1])
    assert len(list(scratch.glob(f".runs/{NOVEMBER}/*/run.json"))) == 1  # one for all of them


@pytest.mark.parametrize("dive", LACKING)
def test_single_file_says_what_is_missing_and_takes_the_report_that_is_there(finished, run, monkeypatch, dive):
    monkeypatch.setenv("ABACO_PII_KEY", PII_KEY)
    shown, found = run(finished.root, dive, input="data/sample.csv")
    assert found[COMPLETED] is True
    assert not (finished.root / run_dive.SCRATCH).exists()
    assert ("does not tell this" in shown) == bool(LACKING[dive])
    assert (LACKING[dive] or "<svg") in shown
    assert "Simulado" not in shown and "example.org" not in shown


@pytest.fixture
def opened(finished, monkeypatch):
    """A deep dive into the finished report."""
    monkeypatch.setenv("ABACO_ROOT", str(finished.root))
    monkeypatch.setenv("ABACO_PII_KEY", PII_KEY)
    return run_dive.Dive("data/sample.csv")


def test_reports_of_two_inputs_are_made_in_two_folders(finished, monkeypatch):
    monkeypatch.setenv("ABACO_ROOT", str(finished.root))
    sample, exports = (run_dive.scratch_of(finished.root / name) for name in ("data/sample.csv", "exports"))
    assert sample != exports and sample.parent == exports.parent == finished.root / "reports/.dives"


def test_without_a_date_it_is_the_latest(opened, finished):
    assert opened.folder == (finished.output / "2025-12-31").resolve()
    assert str(opened.book.date) == "2025-12-31"


@pytest.mark.parametrize(("text", "day"), [("", NOVEMBER), ("2025-03-31", "2025-03-31")])
def test_earlier_date_is_the_last_or_the_named_one(opened, text, day):
    assert str(opened.against(text)) == day


@pytest.mark.parametrize("text", ["2025-03-30", "2025-12-31"])
def test_date_that_is_not_there_before_is_named(opened, text):
    with pytest.raises(
        InputError, match=f"against: the input has no date {text} before 2025-12-31: choose one from 2024-12-31"
    ):
        opened.against(text)


@pytest.mark.parametrize(("key", "asked"), [("TAIL", "key: TAIL has no"), ("", "No facility has a")])
def test_facility_that_the_report_has_not_is_one_line(opened, key, asked):
    with pytest.raises(InputError, match=f"{asked} borrowing base on 2025-12-31: the report has none"):
        opened.what_if(key)


def test_kpi_that_is_no_par_is_named_with_those_that_are(opened):
    assert opened.par("PAR90") == 90
    with pytest.raises(InputError, match="kpi PortfolioHealth is not a portfolio at risk: choose one of PAR30, PAR90"):
        opened.par("PortfolioHealth")


def test_mistyped_column_is_answered_with_those_of_the_book(opened):
    assert opened.part("region") == "region"
    with pytest.raises(InputError, match=r"^produkt: the book has company, product, .*region"):
        opened.part("produkt")


def test_measure_that_is_there_lacks_nothing(opened):
    assert opened.explain_missing("total_receivable_usd") == "There is nothing to show: the input has no such rows."


def test_kpi_of_another_catalogue_has_no_history_and_no_limits(opened):
    assert opened.history("CPR").empty
    units = [opened.history(*names).attrs["unit"] for names in (["PAR30", "PAR90"], ["PAR30", "PortfolioHealth"])]
    assert units == [" %", ""]
    assert opened.limits("CPR", "PAR90") == {"PAR90: warning": 3, "PAR90: critical": 5}


@pytest.mark.parametrize("changed", ["input", "masking"])
def test_report_of_anything_else_is_not_taken(finished, monkeypatch, changed):
    monkeypatch.setenv("ABACO_ROOT", str(finished.root))
    monkeypatch.setenv("ABACO_PII_KEY", "another key, and as long" if changed == "masking" else PII_KEY)
    made = []
    monkeypatch.setattr(run_dive.Pipeline, "execute", lambda self, *given: made.append(given) or {"path": "."})
    source = finished.root / "data/sample.csv"
    other = finished.root / "data/other.csv"
    other.write_text(source.read_text().replace("1851.25", "1851.26"))
    run_dive.report_of(other if changed == "input" else source, "2025-12-31")
    other.unlink()
    assert made == [(str(other if changed == "input" else source), "2025-12-31")]


def test_settings_of_a_report_do_not_matter(finished, monkeypatch):
    monkeypatch.setenv("ABACO_ROOT", str(finished.root))
    monkeypatch.setenv("ABACO_PII_KEY", PII_KEY)
    settings = finished.root / "params/pipeline.yml"
    before = settings.read_text()
    settings.write_text(before.replace("max_change_pct: 25.0", "max_change_pct: 30.0"))
    try:
        found = run_dive.report_of("data/sample.csv", "2025-12-31")
    finally:
        settings.write_text(before)
    assert files.read_json(found / "metrics.json")["date"] == "2025-12-31"
    assert not (finished.root / run_dive.SCRATCH).exists()
