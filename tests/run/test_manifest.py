"""The manifest: what it says of the files is true, and the run id follows from what the run depends on."""

import hashlib
import json
import re

import pytest

from abaco.core import files as core_files
from abaco.core import project, settings
from abaco.run import manifest
from tests.support.projects import ROOT


@pytest.fixture
def folder(tmp_path):
    """A run's folder with a few files."""
    for name, content in {
        "report.html": "page",
        "tables/tape.parquet": "rows",
        "run.json": "goes on with its deliveries",
        "work/staged": "personal",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def test_sha256_is_that_of_the_standard(tmp_path):
    (tmp_path / "abc").write_text("abc")  # the example of FIPS 180-2
    assert core_files.sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_outputs_are_listed_but_for_the_work_and_the_manifest_itself(folder):
    for _ in range(2):
        written = manifest.write(folder, {"run_id": "r"})
        assert [(o["path"], o["bytes"]) for o in written["outputs"]] == [("report.html", 4), ("tables/tape.parquet", 4)]
        assert json.loads((folder / "manifest.json").read_text()) == written


def test_unfinished_files_are_left_out(folder):
    written = manifest.write(folder, {}, unfinished=("tables/tape.parquet",))
    assert [o["path"] for o in written["outputs"]] == ["report.html"]


def test_altered_and_missing_files_are_found(folder):
    manifest.write(folder, {})
    assert manifest.altered(folder) == []
    (folder / "report.html").write_text("pagE")
    assert manifest.altered(folder) == ["report.html"]
    (folder / "tables/tape.parquet").unlink()
    assert manifest.altered(folder) == ["report.html", "tables/tape.parquet"]


def run_id(date="2025-12-31", name="a.csv", sha256="1", parameters=None, code="c", mapping="m"):
    inputs = [{"name": name, "sha256": sha256, "mapping_sha256": mapping}]
    return manifest.run_id(date, inputs, parameters or {"a": {"b": 1}}, code)


def test_run_id_is_the_same_for_the_same_and_another_for_anything_else():
    assert re.fullmatch(r"20251231-[0-9a-f]{12}", run_id())
    others = [
        run_id("2025-11-30"),
        run_id(name="b.csv"),
        run_id(sha256="2"),
        run_id(parameters={"a": {"b": 2}}),
        run_id(code="d"),
        run_id(mapping="n"),
    ]
    assert len({run_id(), run_id(), *others}) == 7


@pytest.mark.parametrize("name", ["notebooks/01_ingestion.ipynb", "params/kpis.yml", "params/headings.yml"])
def test_code_changes_with_what_computes(copied_project, monkeypatch, name):
    monkeypatch.setenv("ABACO_ROOT", str(copied_project))
    before = manifest.code()
    assert before["commit"] is None  # a copy outside of version control
    (copied_project / name).write_text((copied_project / name).read_text() + "\n")
    assert manifest.code()["sha256"] != before["sha256"]


def test_code_does_not_change_with_what_a_run_reads_or_leaves(copied_project, monkeypatch):
    monkeypatch.setenv("ABACO_ROOT", str(copied_project))
    before = manifest.code()
    (copied_project / "data/sample.csv").write_text("x")
    (copied_project / "params/pipeline.yml").write_text("run: {}")
    (copied_project / "notebooks/vintages.ipynb").write_text("{}")
    (copied_project / "logs").mkdir()
    assert manifest.code() == before


def test_code_of_the_package_counts_wherever_the_project_is(copied_project, monkeypatch):
    monkeypatch.setenv("ABACO_ROOT", str(copied_project))
    counted = []
    monkeypatch.setattr(manifest, "sha256", lambda path: counted.append(path) or "0")
    manifest.code()
    assert {ROOT / "abaco/kpis/totals.py", ROOT / "abaco/page/templates/page.css"} <= set(counted)
    assert not [path for path in counted if "__pycache__" in path.parts]


def test_manifest_of_a_run_is_true_and_whole(finished):
    folder = finished.output / "2025-12-31"
    found = json.loads((folder / "manifest.json").read_text())
    files = finished.visible()[0]
    assert {files.pop(name) for name in ("manifest.json", "run.json")}
    assert {o["path"]: o["sha256"] for o in found["outputs"]} == files
    assert all(o["bytes"] == (folder / o["path"]).stat().st_size for o in found["outputs"])
    assert manifest.altered(folder) == []


def test_manifest_of_a_run_names_inputs_parameters_code_and_reconciliation(finished, monkeypatch):
    folder = finished.output / "2025-12-31"
    found = json.loads((folder / "manifest.json").read_text())
    metrics = json.loads((folder / "metrics.json").read_text())
    sample = (finished.root / "data/sample.csv").read_bytes()
    (listed,) = found["inputs"]
    assert (listed["name"], listed["bytes"], listed["sha256"]) == (
        "sample.csv",
        len(sample),
        hashlib.sha256(sample).hexdigest(),
    )
    assert found["run_id"] == metrics["run_id"]
    assert found["reconciliation"] == metrics["reconciliation"]
    assert found["parameters"]["ingestion"] == settings.load()["ingestion"]
    assert re.fullmatch(r"[0-9a-f]{64}", found["code"]["sha256"])
    monkeypatch.setenv("ABACO_ROOT", str(finished.root))
    assert project.root() == finished.root
