"""The terminal in Spanish: by the setting of the page, in its words, with nothing English left."""

import re

import pytest

from abaco.page.language import speaking
from abaco.review import check, comparison, history, status
from abaco.review.explanation import explain
from tests.support.projects import ROOT, Project

ENGLISH = re.compile(r"\b(the|of|is|was|were|with|from|rows|which|since|not|before|late)\b")


@pytest.fixture(autouse=True)
def spanish():
    """Speak Spanish."""
    with speaking("es"):
        yield


def english(lines):
    return [line for line in lines if ENGLISH.search(line)]


def test_explanation(finished):
    found = list(explain("PAR30", output=finished.output))
    assert found[:2] == ["PAR30: Cartera en riesgo, 30 días", "3.75 % al 2025-12-31, en orden"]
    assert "Desde el 2025-11-30 cambió -0.27, mejor; estaba en 4.01 %." in found
    assert {line.split("  ")[0] for line in found} >= {"Mora nueva", "Regularizado", "Castigado", "fórmula", "límites"}
    assert english(line for line in found if not line.startswith("convención")) == []


def test_history(finished):
    title, heading, *lines = history.history("PAR30", finished.output, by="month")
    assert title.startswith("Cartera en riesgo, 30 días (PAR30), en %: ")
    assert heading.split() == ["mes", "PAR30", "mínimo", "máximo", "estado"]
    assert english(lines) == []


def test_check():
    found = list(check.inspect(ROOT / "data/sample", "2025-12-31"))
    assert found[0] == "El informe del 2025-12-31 se titularía «Cartera al 31 de diciembre de 2025» y diría:"
    assert "archivo" in next(line for line in found if line.startswith("archivo "))
    assert english(found) == []


def test_status(finished):
    heading, values, made, *_ = status.overview(finished.output)
    assert heading.startswith("fecha ") and "en orden" in values and made.startswith("  hecho a las ")


def test_comparison(shown):
    dates = list(comparison.compare("2025-11-30", "2025-12-31", shown.output))
    assert english(dates) == [] and [line for line in dates if line[0] == "\n"] == [
        "\nIndicadores", "\nArchivos de origen", "\nParámetros", "\nCódigo",
    ]  # fmt: skip
    (move,) = [line for line in dates if line.startswith("  PAR30 ")]
    assert move.split()[1:] == ["4.01", "%", "en", "orden", "→", "3.75", "%", "en", "orden", "-0.27"]
    one, other = [{"name": "a.csv", "sha256": "1", "rows": 9}], [{"name": "a.csv", "sha256": "2", "rows": 8}]
    assert comparison.inputs(one, other) == [("a.csv", "cambió: 9 → 8 registros")]
    assert comparison.inputs(one, []) == [("a.csv", "solo en la primera")]


def test_command_speaks_the_language_of_the_page(copied_project, finished):
    (copied_project / "params/spanish.yml").write_text("report:\n  language: es\n")
    project = Project(copied_project, finished.output)
    said = project.abaco("explain", "PAR30", "--output", finished.output, ABACO_ENV="spanish")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.startswith("PAR30: Cartera en riesgo, 30 días\n")


def test_report_speaks_the_language_of_its_page(copied_project, tmp_path):
    project = Project(copied_project, tmp_path / "reports")
    made = project.report("--params", "report.language=es")
    assert made.returncode == 0, made.stderr
    first, *rest = made.stdout.replace(str(tmp_path), "").splitlines()
    assert first.split() == ["PAR30", "3.75", "%", "en", "orden"]
    assert english(rest) == [] and rest[-1].startswith("No se envió ningún correo: defina SMTP_URL, o use ")
