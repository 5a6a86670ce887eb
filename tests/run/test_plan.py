"""A phase that nothing has changed for is taken from a former run, and every other one is executed."""

import json

import pytest

from abaco.core.phases import PHASES
from abaco.review import comparison
from abaco.run import plan
from abaco.run.pipeline import Pipeline
from tests.run.test_pipeline import edit
from tests.support.projects import PII_KEY

ALL = ["ingestion", "transformation", "calculation", "report", "output"]
TERMS = """\
TAIL: {title: Tail, lender: L, currency: USD, commitment: 1000, from: 2025-01-01, to: 2026-12-31,
       pledged: by_column, advance_rate: 80}
"""


@pytest.fixture
def project(finished, tmp_path):
    """A project with one finished run."""
    return finished.pristine.copy(tmp_path / "project")


def taken(project, *arguments, code=0):
    """Run the report and return which phases were not executed, and run.json."""
    result = project.report(*arguments, ABACO_PII_KEY=PII_KEY)
    assert result.returncode == code, result.stderr
    run = json.loads((project.runs()[-1] / "run.json").read_text())
    phases = [name for name, phase in run["phases"].items() if "taken_from" in phase]
    said = [line.split(" ")[0] for line in result.stdout.splitlines() if " is unchanged: taken from the run " in line]
    assert code or said == phases
    return phases, run


def test_unchanged_run_executes_nothing_and_leaves_the_same_bytes_unless_it_is_forced(project):
    before, (first,) = project.visible()[0], project.runs()
    phases, run = taken(project)
    assert phases == ALL
    assert {phase["taken_from"] for phase in run["phases"].values()} == {first.name}
    after, link = project.visible()
    assert link.endswith(project.runs()[-1].name) and len(project.runs()) == 2
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert changed <= {"run.json", "manifest.json"}
    assert taken(project)[1]["phases"]["report"]["taken_from"] == first.name  # who executed it, not who took it last
    assert taken(project, "--force")[0] == []


def test_figures_and_page_name_the_run_that_they_are_part_of(project):
    first = json.loads((project.output / "2025-12-31/run.json").read_text())["run_id"]
    phases, run = taken(project, "--params", "output.csv_tables=false")
    assert phases == ALL[:3] and run["run_id"] != first
    report = project.output / "2025-12-31"
    assert json.loads((report / "metrics.json").read_text())["run_id"] == run["run_id"]
    assert json.loads((project.runs()[0] / "metrics.json").read_text())["run_id"] == first
    for name in ("report.html", "email.html", "manifest.json"):
        text = (report / name).read_text()
        assert run["run_id"] in text and first not in text, name


def test_an_edited_notebook_concerns_its_phase_and_those_after_it(project):
    edit(project, "04_report", "front-page", "front = page.front_page(metrics, tables)\nfront  # as it was")
    assert taken(project)[0] == ALL[:3]
    # the rows that transformation reads are gone: ingestion makes them again
    assert taken(project, "--params", "transformation.dust_usd=2")[0] == []


def test_a_parameter_concerns_its_phase_and_those_after_it_and_everything_else_every_phase(project, monkeypatch):
    def reusable(params=None):
        return plan.reusable(Pipeline(params).plan(date="2025-12-31")["keys"], project.output / "2025-12-31")

    monkeypatch.setenv("ABACO_ROOT", str(project.root))
    monkeypatch.setenv("ABACO_PII_KEY", PII_KEY)
    assert len(reusable()) == len(ALL)
    for change, phases in (
        ("report.history_dates=6", 3), ("calculation.max_change_pct=10", 2), ("transformation.dust_usd=2", 1),
        ("ingestion.max_reject_pct=6", 0),
    ):  # fmt: skip
        assert reusable(change) == list(PHASES[:phases])
    for name, old, new in (
        ("params/kpis.yml", "warning: 5", "warning: 4"),
        ("data/sample.csv", "Santa Ana", "Santa Rosa"),
    ):
        path = project.root / name
        text = path.read_text()
        path.write_text(text.replace(old, new, 1))
        assert reusable() == []
        path.write_text(text)
        assert len(reusable()) == len(ALL)
    monkeypatch.delenv("ABACO_PII_KEY")
    assert reusable() == []


def test_terms_and_mappings_that_were_edited_make_another_run_and_are_told(copied_project, monkeypatch):
    def planned():
        return Pipeline("run.facilities=params/lines.yml").plan(date="2025-12-31")

    def told(one, other):
        sides = [run["parameters"] | run["params"] for run in (one, other)]
        assert one["run_id"] != other["run_id"]
        return [row[0] for row in comparison.parameters(*sides)]

    monkeypatch.setenv("ABACO_ROOT", str(copied_project))
    terms = copied_project / "params/lines.yml"
    terms.write_text(TERMS)
    before = planned()
    terms.write_text(TERMS.replace("80", "75"))
    after = planned()
    assert told(before, after) == ["facilities.TAIL.advance_rate.rate"]
    mapping = copied_project / f"params/mappings/{after['sources'][0]['mapping_name']}.yml"
    mapping.write_text(mapping.read_text() + "# as the servicer wrote in May\n")
    assert told(after, planned()) == [f"params/mappings/{mapping.name}"]


def test_only_phases_before_a_damaged_output_are_taken(project):
    folder = (project.output / "2025-12-31").resolve()
    damages = {"changed": lambda data: data.replace(b"3", b"4", 1), "empty": lambda data: b"", "gone": None}
    expected = {
        "metrics.json": PHASES[:2],
        "report.html": PHASES[:4],
        "notebooks/05_output.ipynb": PHASES[:4],
        "tables/tape.parquet": (),  # the rows that transformation reads are gone
        "notebooks/01_ingestion.ipynb": (),
    }
    assert plan.intact(folder, list(PHASES)) == list(PHASES)
    for name, phases in expected.items():
        whole = (folder / name).read_bytes()
        for damage in damages.values():
            (folder / name).unlink() if damage is None else (folder / name).write_bytes(damage(whole))
            assert plan.intact(folder, list(PHASES)) == list(phases), name
        (folder / name).write_bytes(whole)
    (folder / "manifest.json").write_text("{}")
    assert plan.intact(folder, list(PHASES)) == []


def test_figures_that_somebody_changed_and_a_table_that_is_gone_are_made_again(project):
    before, path = project.visible()[0], project.output / "2025-12-31/metrics.json"
    (project.runs()[0] / "tables/history.parquet").unlink()
    path.write_bytes(path.read_bytes().replace(b"3", b"4", 1))
    assert taken(project)[0] == ALL[:2]
    after = project.visible()[0]
    assert [after[name] == before[name] for name in ("metrics.json", "tables/history.parquet")] == [True, True]


def test_run_goes_on_at_the_phase_that_failed_unless_somebody_changed_what_it_left(project):
    edit(project, "03_calculation", "check-kpis", "1 / 0")
    phases, failed = taken(project, "--params", "transformation.dust_usd=2", code=1)
    assert phases == [] and list(failed["phases"]) == ALL[:2]
    assert not list(project.output.rglob("work"))
    tape = project.runs()[-1] / "tables/tape.parquet"
    whole = tape.read_bytes()
    for content, intact in ((whole[::-1], []), (whole, list(PHASES[:2]))):
        tape.write_bytes(content)
        assert plan.intact(project.runs()[-1], list(PHASES[:2])) == intact
    edit(project, "03_calculation", "check-kpis", "wrong = []")
    phases, run = taken(project, "--params", "transformation.dust_usd=2")
    assert phases == ALL[:2]
    assert run["phases"]["ingestion"]["taken_from"] == project.runs()[-2].name


def test_rows_of_a_run_that_failed_in_transformation_are_used_and_then_removed(project):
    edit(project, "02_transformation", "check-masking", "1 / 0")
    assert taken(project, "--params", "ingestion.max_reject_pct=6", code=1)[0] == []
    (work,) = project.output.rglob("work")
    assert work.stat().st_mode & 0o777 == 0o700
    edit(project, "02_transformation", "check-masking", "pass")
    assert taken(project, "--params", "ingestion.max_reject_pct=6")[0] == ["ingestion"]
    assert not list(project.output.rglob("work"))
