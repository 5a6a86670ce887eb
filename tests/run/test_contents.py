"""What an input lacks against the former report of its date, or of the date before."""

import pytest

from abaco.core import files
from abaco.ingest import discovery
from abaco.kpis import verdict
from abaco.run import contents
from tests.support import left

BALANCES = (
    "reporting_date,outstanding_balance_usd,par_7_balance_usd,par_30_balance_usd,par_60_balance_usd,par_90_balance_usd"
)
LOANS = "loan_id,customer_id,disburse_date,interest_rate,disburse_principal,outstanding_balance,dpd,TPV"


def exports(folder, balances=10, loans=10, columns=LOANS, cash=True):
    """Write PAR balances of so many rows, loans and a statement; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "par.csv").write_text("\n".join([BALANCES, *["2025-12-31,100,0,0,0,0"] * balances]) + "\n")
    row = ",".join({"disburse_date": "2025-01-01"}.get(name, "1") for name in columns.split(","))
    (folder / "loans.csv").write_text("\n".join([columns, *[row] * loans]) + "\n")
    (folder / "cash.csv").unlink(missing_ok=True)
    if cash:
        (folder / "cash.csv").write_text("reporting_date,metric,value\n2025-12-31,cash,5\n")
    return folder


def of(folder):
    return contents.contents(discovery.discover(folder)[0])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"cash": False}, [{"kind": "file", "format": "financial statements, long", "names": ["cash.csv"]}]),
        ({"columns": LOANS.removesuffix(",TPV")}, []),  # no column of the contract
        (
            {"columns": LOANS.replace("interest_rate,", "")},
            [{"kind": "file", "format": "loans", "names": ["loans.csv"]}],  # a required one: it is no loans export now
        ),
        ({"loans": 7}, []),
        ({"loans": 6}, [{"kind": "rows", "format": "loans", "before": 10, "now": 6}]),
        ({"balances": 14}, [{"kind": "rows", "format": "PAR balances", "before": 10, "now": 14}]),
    ],
)
def test_what_is_missing(tmp_path, change, expected):
    before, now = of(exports(tmp_path / "before")), of(exports(tmp_path / "now", **change))
    assert contents.compare(now, before, 30) == expected


def test_missing_column_is_named_by_its_heading(tmp_path):
    before = of(exports(tmp_path / "before", columns=f"{LOANS},Term"))
    found = contents.compare(of(exports(tmp_path / "now")), before, 30)
    assert found == [{"kind": "column", "format": "loans", "names": ["Term"]}]


def test_renamed_file_is_not_missing_but_one_of_two_is(tmp_path):
    before = of(exports(tmp_path / "exports"))
    (tmp_path / "exports" / "loans.csv").rename(tmp_path / "exports" / "loans_2025-12.csv")
    assert contents.compare(of(tmp_path / "exports"), before, 30) == []
    (tmp_path / "exports" / "more.csv").write_text(f"{LOANS}\n9,9,2025-01-01,1,1,1,1,1\n")
    two = of(tmp_path / "exports")
    (tmp_path / "exports" / "more.csv").unlink()
    found = contents.compare(of(tmp_path / "exports"), two, 30)
    assert found == [{"kind": "file", "format": "loans", "names": ["more.csv"]}]


def report(output, folder, date="2025-12-31", run_id="r1", critical=(), limit=30):
    """Leave a report of an input as the pipeline would, and return what it lost."""
    found, _ = discovery.discover(folder)
    expected, lost, _ = contents.compared(output, date, str(folder), found, limit)
    run = left.run(output, date, run_id, f"{date}T02:00:0{len(list(output.rglob('run.json')))}+00:00")
    facts = {"input": str(folder), "contents": contents.contents(found), "expected": expected, "lost": lost}
    files.write_json(run / "run.json", files.read_json(run / "run.json") | facts)
    left.finish(run, {})
    figures = files.read_json(run / "metrics.json")
    inputs = [{"name": s.name, "sha256": s.sha256, "format": s.format.title, "rows": 1, "used_for": ""} for s in found]
    verdict = {"critical": [*critical], "was_critical": []}
    files.write_json(run / "metrics.json", figures | {"inputs": inputs, "verdict": verdict})
    return lost


def kinds(lost):
    return [item["kind"] for item in lost["items"]] if lost else None


def test_file_stays_missing_in_the_second_run_without_it(tmp_path):
    output, folder = tmp_path / "reports", tmp_path / "exports"
    assert report(output, exports(folder), critical=["DebtToEquity"]) is None
    first = report(output, exports(folder, cash=False), run_id="r2")
    assert first["run_id"] == "r1" and first["critical"] == ["DebtToEquity"]
    assert report(output, folder, run_id="r2") == first  # the same files, so that nothing is made again
    assert kinds(report(output, exports(folder, cash=False, loans=9), run_id="r3")) == ["file"]
    assert report(output, exports(folder), run_id="r1") is None  # it is there again


def test_former_report_of_the_date_counts_whatever_its_folder(tmp_path):
    report(tmp_path / "reports", exports(tmp_path / "north"))
    assert kinds(report(tmp_path / "reports", exports(tmp_path / "south", cash=False))) == ["file"]


def test_date_before_counts_when_its_input_is_of_the_same_series(tmp_path):
    output = tmp_path / "reports"
    report(output, exports(tmp_path / "north/2025-11"), date="2025-11-30")
    fewer = {"cash": False, "loans": 5}
    assert kinds(report(output, exports(tmp_path / "north/2025-12", **fewer))) == ["file", "rows"]
    assert report(output, exports(tmp_path / "south/2026-01", **fewer), date="2026-01-31") is None
    # what was missing at one date is not missed at the next
    assert report(output, exports(tmp_path / "north/2026-01", **fewer), date="2026-01-31", run_id="r4") is None


def test_past_date_is_made_again_of_exports_that_have_grown_since(tmp_path):
    output, folder = tmp_path / "reports", tmp_path / "exports"
    report(output, exports(folder), date="2025-11-30")
    assert kinds(report(output, exports(folder, loans=20), date="2025-11-30", run_id="r2")) == ["rows"]
    report(output, exports(folder, loans=20), run_id="r3")
    assert report(output, exports(folder, loans=40), date="2025-11-30", run_id="r4") is None
    assert kinds(report(output, exports(folder, loans=9), date="2025-11-30", run_id="r5")) == ["rows"]


def test_comparison_can_be_switched_off_for_a_change_that_is_right(tmp_path):
    output, folder = tmp_path / "reports", tmp_path / "exports"
    report(output, exports(folder))
    assert report(output, exports(folder, cash=False), limit=0, run_id="r2") is None
    assert report(output, folder, run_id="r3") is None  # and it stays so


def test_report_of_an_earlier_version_is_not_compared(tmp_path):
    output, folder = tmp_path / "reports", exports(tmp_path / "exports")
    left.finish(left.run(output, "2025-12-31", "old", "2025-12-31T02:00:00+00:00"), {})
    assert report(output, folder) is None


def test_facilities_of_the_former_report_are_kept_until_they_are_known(tmp_path):
    output, folder = tmp_path / "reports", exports(tmp_path / "exports")
    report(output, folder)
    path, (found, _) = next(output.glob("2025-12-31/metrics.json")), discovery.discover(folder)
    files.write_json(path, files.read_json(path) | {"facilities": {"A": {"status": "critical"}}})
    _, _, had = contents.compared(output, "2025-12-31", str(folder), found, 30)
    assert had["facilities"] == {"A": "critical"}
    # made again with the same facilities it is the same report
    assert contents.compared(output, "2025-12-31", str(folder), found, 30, {"A": {}})[2] is None
    _, _, later = contents.compared(output, "2026-01-31", str(folder), found, 30)
    assert later["facilities"] == {"A": "critical"}
    assert contents.compared(output, "2025-12-31", str(folder), found, 0)[2] is None


def test_columns_that_had_values_are_kept_for_the_verdict(tmp_path):
    output, folder = tmp_path / "reports", exports(tmp_path / "exports")
    report(output, folder)
    path = next(output.glob("2025-12-31/metrics.json"))
    present = {"loans": ["loan_id", "days_past_due"], "PAR balances": ["reporting_date"]}
    files.write_json(path, files.read_json(path) | {"quality": {"present": present}})
    found, _ = discovery.discover(exports(folder, loans=9))
    _, _, had = contents.compared(output, "2025-12-31", str(folder), found, 30)
    assert had["columns"]["loans"] == {"loan_id": "loan_id", "days_past_due": "dpd"}
    assert had["files"]["loans"] == ["loans.csv"]
    values = {"loans": ["loan_id"], "PAR balances": []}
    emptied = verdict.with_emptied(None, had, values, had["files"])
    assert [(item["kind"], item["names"]) for item in emptied["items"]] == [("emptied", ["dpd"])]
    without = verdict.with_emptied(None, had, {}, had["files"] | {"loans": []})
    assert [(item["kind"], item["names"]) for item in without["items"]] == [("file", ["loans.csv"])]
    known = {"date": "2025-12-31", "run_id": "r1", "items": [{"kind": "file", "format": "loans", "names": ["x"]}]}
    assert verdict.with_emptied(known, had, {}, had["files"] | {"loans": []}) is known


@pytest.mark.parametrize(
    ("critical", "date", "expected"),
    [(["PAR30"], "2025-12-31", ["rows"]), ([], "2025-12-31", None), (["PAR30"], "2026-01-31", None)],
)
def test_any_row_less_is_missed_after_a_critical_report_of_the_date(tmp_path, critical, date, expected):
    report(tmp_path / "reports", exports(tmp_path / "exports"), critical=critical)
    folder = exports(tmp_path / "exports", loans=9)
    assert kinds(report(tmp_path / "reports", folder, date=date, run_id="r2")) == expected


def test_series():
    names = ("Enero 2025", "2025-Nov", "December", "2025 11 Noviembre", "31 de diciembre de 2025", "2025-12")
    assert {contents.series(f"/in/{name}/tape") for name in names} == {"/in/*/tape"}
    assert contents.series("/in/Norte") == "/in/Norte"
    assert contents.series("/in/2025-12-31/x") == contents.series("/in/2025-11/x") == contents.series("/in/202511/x")
    assert contents.series("/in/a1") != contents.series("/in/a2")
    assert contents.series("/in/12025") != contents.series("/in/12024")
