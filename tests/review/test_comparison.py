"""compare: what differs between two runs, and that nothing does where nothing does."""

import pytest

from abaco.core.errors import InputError
from abaco.core.files import sha256
from abaco.database import connection, queries
from abaco.page.language import speaking
from abaco.review import comparison, status
from tests.support.facilities import facilities


def kpi(value, status="ok"):
    return {"value": value, "status": status, "unit": "%", "precision": 2}


def test_figures_that_differ_in_value_or_status_are_shown_with_their_change():
    before = {"A": kpi(1.0), "B": kpi(2.0), "C": kpi(None, "not_computable"), "D": kpi(4.0), "E": kpi(5.0)}
    after = {"A": kpi(1.0), "B": kpi(1.5), "C": kpi(3.0, "none"), "D": kpi(4.0, "warning"), "F": kpi(6.0)}
    assert comparison.figures(before, after) == [
        ("B", "2.00 % ok", "→", "1.50 % ok", "-0.50"),
        ("C", "not computable", "→", "3.00 %", ""),
        ("D", "4.00 % ok", "→", "4.00 % warning", "0.00"),
        ("E", "5.00 % ok", "→", "not there", ""),
        ("F", "not there", "→", "6.00 % ok", ""),
    ]


def test_month_that_is_not_over_is_told_and_is_a_difference():
    before = {"A": {**kpi(1.0), "partial_through": "2025-12-10"}, "B": kpi(2.0)}
    partial = "1.00 % ok, month to date, until 2025-12-10"
    assert comparison.figures(before, {"A": kpi(1.0), "B": kpi(2.0)}) == [("A", partial, "→", "1.00 % ok", "0.00")]
    assert comparison.figures(before, {"A": {**kpi(1.5), "partial_through": "2025-12-20"}, "B": kpi(2.0)}) == [
        ("A", partial, "→", "1.50 % ok, month to date, until 2025-12-20", "+0.50")
    ]
    assert comparison.figures(before, before) == []


def test_amounts_are_written_with_thousands_separators():
    before, after = ({"A": {**kpi(value, "none"), "unit": "USD"}} for value in (7_275_898.35, 6_000_000.0))
    shown = ("A", "7,275,898.35 USD", "→", "6,000,000.00 USD", "-1,275,898.35")
    assert comparison.figures(before, after) == [shown]


def test_figures_of_facilities_are_compared_like_kpis():
    before, after = facilities(), facilities()
    after["TAIL"] |= {"availability": "-2600.48", "borrowing_base": "4057.02"}
    after["TAIL"]["covenants"]["late"]["level"] = "trigger"
    after["TAIL"]["covenants"]["write_offs"] |= {"value": 4.25, "level": "ok"}
    del after["SENIOR"]
    one, other = (comparison.of_facilities(found, "USD") for found in (before, after))
    assert comparison.figures(one, other) == [
        ("SENIOR: borrowing base", "700.00 USD", "→", "not there", ""),
        ("SENIOR: availability", "-1,200.50 USD", "→", "not there", ""),
        ("SENIOR: arrears", "9.00 % default", "→", "not there", ""),
        ("TAIL: availability", "3,557.02 USD", "→", "-2,600.48 USD", "-6,157.50"),
        ("TAIL: late", "4.50 % warning", "→", "4.50 % trigger", "0.0000"),
        ("TAIL: write offs", "not computable", "→", "4.25 % holds", ""),
    ]
    with speaking("es"):
        sides = [comparison.of_facilities({"TAIL": found["TAIL"]}, "USD") for found in (before, after)]
        available, late, _ = comparison.figures(*sides)
        assert available[0] == "TAIL: disponibilidad"
        assert late[1:4] == ("4.50 % alerta", "→", "4.50 % activación")


def test_files_that_came_went_or_changed_are_shown():
    def one(name, sha, rows=1):
        return {"name": name, "sha256": sha, "rows": rows}

    before = [one("a.csv", "1"), one("b.csv", "2", 10), one("c.csv", "3")]
    after = [one("a.csv", "1"), one("b.csv", "9", 12), one("d.csv", "3")]
    assert comparison.inputs(before, after) == [
        ("b.csv", "changed: 10 → 12 rows"),
        ("c.csv", "only in the first"),
        ("d.csv", "only in the second"),
    ]


def test_parameters_that_differ_are_shown():
    before = {"report": {"history_dates": 13}, "output": {"csv_tables": True}}
    after = {"report": {"history_dates": 5}, "output": {"csv_tables": True}}
    assert comparison.parameters(before, after) == [("report.history_dates", "13", "→", "5")]


def test_terms_and_files_of_params_that_differ_are_named():
    tail = {"advance_rate": 80, "covenants": {"late": {"trigger": 5}}}
    before = {"facilities": {"TAIL": tail}, "files": {"params/kpis.yml": "a" * 64, "params/mappings/loans.yml": "b"}}
    after = {"facilities": {"TAIL": tail | {"advance_rate": 75, "from": "2025-01-01"}},
             "files": {"params/kpis.yml": "c" * 64, "params/mappings/loans.yml": "b"}}  # fmt: skip
    assert comparison.parameters(before, after) == [
        ("facilities.TAIL.advance_rate", "80", "→", "75"),
        ("facilities.TAIL.from", "not there", "→", "2025-01-01"),
        ("params/kpis.yml", "a" * 12, "→", "c" * 12),
    ]


def test_run_against_itself_is_the_same(finished):
    run_id = next(comparison.compare("2025-12-31", "2025-12-31", finished.output)).split()[0]
    assert list(comparison.compare(run_id, "2025-12-31", finished.output)) == [
        f"{run_id} → {run_id}",
        "\nFigures", "  Every figure is the same.", "\nInputs", "  The same files.",
        "\nParameters", "  The same.", "\nCode", "  The same.",
    ]  # fmt: skip


def test_two_dates_differ_in_figures_alone(shown):
    said = shown.abaco("compare", "2025-11-30", "2025-12-31", "--output", shown.output)
    assert (said.returncode, said.stderr) == (0, "")
    assert "  PAR30 " in said.stdout and "\nInputs\n  The same files.\n" in said.stdout


def test_runs_keep_which_files_of_params_they_read(finished):
    with connection.reading(status.database(finished.output)) as opened:
        read = queries.run_named(opened, "2025-12-31")["parameters"]["files"]
    assert read["params/kpis.yml"] == sha256(finished.root / "params/kpis.yml")
    assert [name for name in read if name.startswith("params/mappings/")] == ["params/mappings/snapshot.yml"]


def test_run_that_is_not_there_is_named(finished):
    with pytest.raises(InputError, match=r"No finished run 2025-12-30 in .*: give a run id or a date; there are: 20"):
        list(comparison.compare("2025-12-30", "2025-12-31", finished.output))
