"""explain: what is said of a KPI of the sample's report, and errors that name the way out."""

import datetime as dt
import json
import re
import shutil
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from abaco.core.errors import InputError
from abaco.core.parquet import arrow_schema
from abaco.ingest import masking
from abaco.kpis.facilities import availability, covenants
from abaco.kpis.facilities.lines import TABLE as BORROWING_BASE
from abaco.review import explanation
from abaco.review.explanation import explain
from abaco.run import manifest
from tests.support.facilities import facilities
from tests.support.projects import PII_KEY, Project


@pytest.fixture
def report(kept, monkeypatch):
    """The finished project, and this process in it."""
    monkeypatch.setenv("ABACO_ROOT", str(kept.root))
    monkeypatch.setenv("ABACO_PII_KEY", PII_KEY)
    return kept


@pytest.fixture
def copy(report, tmp_path):
    """The finished project with a copy of its reports, to change."""
    shutil.copytree(report.output, tmp_path / "reports", symlinks=True)
    return Project(report.root, tmp_path / "reports")


def lines(report, *arguments):
    return list(explain(*arguments, output=report.output))


def listed(copy):
    """Write a new manifest for the copied report, as if its run had written what a test changed."""
    folder = (copy.output / "2025-12-31").resolve()
    facts = json.loads((folder / "manifest.json").read_text())
    manifest.write(folder, {name: fact for name, fact in facts.items() if name not in ("schema_version", "outputs")})
    return copy


def cells(text, found):
    """The cells of the line that begins so, which is there once."""
    (line,) = [line for line in found if line.startswith(f"{text}  ")]
    return line.removeprefix(text).split()


def test_window_shows_the_value_of_each_of_its_months(copy):
    path = copy.output / "2025-12-31" / "metrics.json"
    figures = json.loads(path.read_text())
    kpi = figures["kpis"]["PAR90"]
    kpi |= {"formula": "mean of PAR30 over 3 months", "window": {"kpi": "PAR30", "take": "mean", "months": 3}}
    path.write_text(json.dumps(figures))
    found = lines(listed(copy), "PAR90")
    start = found.index("formula          mean of PAR30 over 3 months")
    assert [line.split()[:2] for line in found[start + 1 : start + 4]] == [
        ["PAR30", "2025-12"], ["PAR30", "2025-11"], ["PAR30", "2025-10"]
    ]  # fmt: skip
    shown = {
        row["date"]: row["value"]
        for row in pq.read_table(copy.output / "2025-12-31/tables/history.parquet").to_pylist()
        if row["kpi"] == "PAR30"
    }
    december = next(value for date, value in shown.items() if str(date) == "2025-12-31")
    assert found[start + 1].split()[2] == f"{december.normalize():f}" == "3.7471"


def test_formula_with_figures_thresholds_rows_and_history(report):
    found = lines(report, "PAR30")
    assert found[:3] == [
        "PAR30: Portfolio at risk, 30 days",
        "3.75 % on 2025-12-31, ok",
        "Synthetic sample: invented loans, no real book.",
    ]
    assert found[3].startswith("OK: 1 of 4 figures with limits is past a limit: ")
    start = found.index("") + 1
    assert found[start : start + 6] == [
        "formula       Σ(dpd_30_60 + dpd_60_90 + dpd_90_plus) / Σ total_receivable × 100",
        "with figures  (2,733.35 + 10,480.34 + 7,027.99) / 540,203.00 × 100 = 3.75 %",
        "rows used     143, of which 127 with a balance",
        "limits        warning above 5, critical above 8",
        "owner         Credit risk",
        "note          Share of the outstanding balance that is 30 or more days past due.",
    ]
    history = found[found.index("date        PAR30   status") + 1 :]
    assert len(history) == 13
    assert history[-1] == "2025-12-31  3.75 %  ok"


def test_bridge_and_loans_are_those_of_the_report(report):
    found = lines(report, "PAR30")
    start = found.index("Since 2025-11-30 it moved by -0.27, better, from 4.01 %.")
    assert found[start + 2 : start + 11] == [
        "                   USD  points",
        "2025-11-30   18,920.28    4.01",
        "New arrears  +2,733.35   +0.51",
        "Rolled on         0.00    0.00",
        "Cured             0.00    0.00",
        "Paid           -485.10   -0.09",
        "Written off    -926.85   -0.17",
        "Larger book              -0.51",
        "2025-12-31   20,241.68    3.75",
    ]
    table = pq.read_table(report.output / "2025-12-31/tables/bridge_loans.parquet").to_pylist()
    tokens = [row["loan"] for row in table if row["kpi"] == "PAR30"]
    assert found[start + 12].startswith("New arrears: less than 7 days late before, or not there. Rolled on: ")
    assert [line.split()[0] for line in found[start + 15 :][: len(tokens)]] == tokens


def test_lines_of_the_exports_lead_to_the_loans_behind_a_move(report):
    found = list(explain("PAR90", "2025-12-31", "2025-06-30", report.output, lines=True))
    exported = (report.root / "data/sample.csv").read_text(encoding="utf-8").splitlines()
    loan, day = (exported[0].split(",").index(name) for name in ("loan_id", "measurement_date"))
    named = [re.search(r"^(tok_\w+) .* sample\.csv:(\d+) ", line) for line in found if line.startswith("tok_")]
    assert named
    for token, line in (match.groups() for match in named):
        row = exported[int(line) - 1].split(",")
        assert masking.token(row[loan], PII_KEY.encode()) == token
        assert row[day] in ("2025-12-31", "2025-06-30")


def test_lines_of_exports_that_have_changed_are_refused(copy):
    path = copy.output / "2025-12-31/manifest.json"
    facts = json.loads(path.read_text())
    for item in facts["inputs"]:
        item["sha256"] = "0" * 64
    path.write_text(json.dumps(facts))
    with pytest.raises(InputError, match="is not the file that the report was made from"):
        list(explain("PAR30", output=copy.output, lines=True))


def test_any_two_dates_are_bridged_from_the_tape(report):
    found = lines(report, "PAR90", "2025-12-31", "2025-06-30")
    history = pq.read_table(report.output / "2025-12-31/tables/history.parquet").to_pylist()
    risk = {str(row["date"]): row for row in history if row["kpi"] == "PAR90"}
    steps = [line for line in found if "%" not in line]  # not the dates of the history
    assert cells("2025-06-30", steps)[0] == f"{risk['2025-06-30']['numerator']:,}"
    assert cells("2025-12-31", steps)[0] == f"{risk['2025-12-31']['numerator']:,}"
    terms = [
        float(cells(term, found)[0].replace(",", ""))
        for term in ("New arrears", "Rolled on", "Cured", "Paid", "Written off")
    ]
    change = risk["2025-12-31"]["numerator"] - risk["2025-06-30"]["numerator"]
    assert round(sum(terms), 2) == float(change)


def test_loans_of_any_two_dates_carry_tokens_or_numbers(report, monkeypatch):
    tape = pq.read_table(report.output / "2025-12-31/tables/tape.parquet", columns=["loan_id"])
    tokens = {masking.token(loan, PII_KEY.encode()) for loan in set(tape["loan_id"].to_pylist())}
    found = lines(report, "PAR30", "2025-12-31", "2025-01-31")
    named = [line.split()[0] for line in found if line.startswith("tok_")]
    assert len(named) == 10
    assert set(named) <= tokens
    monkeypatch.delenv("ABACO_PII_KEY")
    found = lines(report, "PAR30", "2025-12-31", "2025-01-31")
    numbered = [line[:8].strip() for line in found if line.startswith("Loan ") and line[5].isdigit()]
    assert numbered == [f"Loan {n}" for n in range(1, 11)]


def test_neighbours_of_the_tape_are_bridged_as_the_report_did(copy):
    before = lines(copy, "PAR30")
    folder = copy.output / "2025-12-31/tables"
    for name in ("bridges", "bridge_loans"):
        table = pq.read_table(folder / f"{name}.parquet")
        pq.write_table(table.slice(0, 0), folder / f"{name}.parquet")
    assert lines(listed(copy), "PAR30") == before


def test_composite_is_explained_through_its_inputs(report):
    found = lines(report, "PortfolioHealth")
    start = found.index("") + 1
    assert found[start : start + 4] == [
        "formula           (10 − PAR30 / 10) × (CollectionRate / 10), kept within 0–10",
        "with figures      (10 − 3.7471 / 10) × (2.95 / 10), kept within 0–10 = 2.84 of 10",
        "  PAR30           (2,733.35 + 10,480.34 + 7,027.99) / 540,203.00 × 100 = 3.75 %",
        "  CollectionRate  15,936.49 / 540,203.00 × 100 = 2.95 %",
    ]
    assert cells("PAR30", found) == ["4.0131", "3.7471", "-0.2660"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"formula": "what is late in the book"}, "with figures  20,241.68 / 540,203.00 × 100 = 3.75 %"),
        (
            {"formula": "Σ total_receivable", "value": 540203.0, "unit": "USD", "precision": 2},
            "with figures  540,203.00 USD",
        ),
    ],
)
def test_formula_in_words_and_a_plain_sum_in_figures(copy, changes, expected):
    path = copy.output / "2025-12-31/metrics.json"
    figures = json.loads(path.read_text())
    figures["kpis"]["PAR30"] |= changes
    path.write_text(json.dumps(figures))
    assert expected in lines(listed(copy), "PAR30")


def test_kpi_without_a_bridge_says_so(report):
    found = lines(report, "CollectionRate")
    assert "Loan by loan, the portfolio at risk alone is explained, such as PAR30 and PAR90." in found


def test_name_in_any_case(report):
    assert lines(report, "par30") == lines(report, "PAR30")


def test_former_date_that_is_not_computable_is_said(copy):
    path = copy.output / "2025-12-31/tables/history.parquet"
    rows = pq.read_table(path)
    emptied = [
        {**row, "value": None, "reason": "nobody knows"}
        if (str(row["date"]), row["kpi"]) == ("2025-11-30", "PAR30")
        else row
        for row in rows.to_pylist()
    ]
    pq.write_table(rows.from_pylist(emptied, schema=rows.schema), path)
    found = lines(listed(copy), "PAR30")
    assert "What moved it since 2025-11-30 cannot be said: nobody knows." in found
    assert "2025-11-30  –       nobody knows" in found


def test_first_date_has_nothing_to_be_held_against(report, project):
    assert project.report(date="2024-12-31").returncode == 0
    found = lines(project, "PAR30")
    assert "The report has no earlier date to compare it with." in found


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("PAR45",), "No KPI PAR45 in the report of 2025-12-31: did you mean "),
        (("SENIOR",), "No KPI SENIOR in .*; it has no facilities, whose file is named by run.facilities$"),
        (("PAR30", "2025-11-30"), "No finished report for 2025-11-30 in .*: run make report DATE=2025-11-30"),
        (("PAR30", "2025-11-31"), "DATE 2025-11-31 is not a valid date"),
        (("PAR30", None, "2025-12-31"), "--against 2025-12-31 is not before 2025-12-31: name an earlier date"),
        (("PAR30", None, "2026-01-31"), "--against 2026-01-31 is not before 2025-12-31: name an earlier date"),
        (
            ("PAR30", None, "2025-11-15"),
            "The report of 2025-12-31 has no figures of 2025-11-15; "
            "the nearest earlier dates are 2025-10-31 and 2025-11-30",
        ),
    ],
)
def test_what_there_is_not_is_one_line_with_the_way_out(report, arguments, expected):
    with pytest.raises(InputError, match=expected):
        lines(report, *arguments)


def test_report_of_an_older_version_is_to_be_made_again(copy):
    (copy.output / "2025-12-31/tables/measures.parquet").unlink()
    with pytest.raises(InputError, match="The report of 2025-12-31 has no table measures: run make report DATE"):
        lines(listed(copy), "PAR30")


def test_on_the_command_line(report):
    result = report.abaco(
        "explain", "PAR30", "--date", "2025-12-31", "--against", "2025-09-30", "--output", report.output
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("PAR30: Portfolio at risk, 30 days\n3.75 % on 2025-12-31, ok\n")
    result = report.abaco("explain", "PAR31", "--output", report.output)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: No KPI PAR31 in the report of 2025-12-31: did you mean PAR30 or PAR90?")


def test_no_loan_id_and_no_key_is_in_what_the_run_left(finished):
    folder = finished.output / "2025-12-31"
    ids = set(pq.read_table(folder / "tables/tape.parquet", columns=["loan_id"])["loan_id"].to_pylist())
    table = pq.read_table(folder / "tables/bridge_loans.parquet").to_pylist()
    assert table
    assert not [cell for row in table for cell in row.values() if cell in ids]
    notebook = json.loads((folder / "notebooks/03_calculation.ipynb").read_text())
    text = json.dumps([cell.get("outputs") for cell in notebook["cells"]])
    assert PII_KEY not in text
    assert not [loan for loan in ids if loan in text]


def test_last_dates_are_listed_and_all_of_them_on_request(report, monkeypatch):
    monkeypatch.setattr(explanation, "DATES", 2)
    assert lines(report, "PAR30")[-3:] == [
        "2025-11-30  4.01 %  ok",
        "2025-12-31  3.75 %  ok",
        "The last 2 of 13 dates; --all shows the others.",
    ]
    assert list(explain("PAR30", output=report.output, every=True))[-13].startswith("2024-12-31  4.02 %")


def test_facility_is_explained_with_its_base_its_covenants_and_what_moved_it(copy):
    folder = copy.output / "2025-12-31"
    path = folder / "metrics.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"facilities": facilities()}))
    tables = {
        BORROWING_BASE: {"line": "pool", "kind": "pool", "amount_usd": Decimal("1000.00"), "loans": 9},
        covenants.TABLE: {
            "covenant": "arrears", "measured": "PAR30, of the pool", "level": "default", "value": Decimal("9"),
            "headroom_to": "default", "default_at": Decimal("8"), "headroom_points": Decimal("-1"),
            "headroom_usd": Decimal("-10.00"),
        },
        availability.TABLE: {
            "against": dt.date(2025, 11, 30), "term": "fell ineligible", "line": "not_late",
            "amount_usd": Decimal("-90.00"), "loans": 2,
        },
        availability.LOANS: {
            "loan": "Loan 1", "term": "repaid", "before_usd": Decimal("5.00"), "after_usd": Decimal("0.00"),
            "change_usd": Decimal("-5.00"),
        },
    }  # fmt: skip
    for table, row in tables.items():
        row |= {"facility": "SENIOR", "date": dt.date(2025, 12, 31)}
        other = row | {"facility": "OTHER"}
        rows = pa.Table.from_pylist([row, other], schema=arrow_schema(table))
        pq.write_table(rows, folder / "tables" / f"{table.name}.parquet")
    assert lines(listed(copy), "senior") == [
        "SENIOR: Senior line, Bank, on 2025-12-31",
        *facilities()["SENIOR"]["verdict"],
        "",
        "line         USD  loans",
        "pool    1,000.00      9",
        "",
        "covenant  of                  level    value      limit  headroom     USD  months",
        "arrears   PAR30, of the pool  default   9.00  default 8     -1.00  -10.00       –",
        "",
        "Since 2025-11-30:",
        "cause                         USD  loans",
        "fell ineligible  not_late  -90.00      2",
        "",
        "loan    cause     before   now  change",
        "Loan 1  repaid      5.00  0.00   -5.00",
    ]
    with pytest.raises(InputError, match=r"No KPI JUNIOR in the report of 2025-12-31: did you mean SENIOR"):
        lines(copy, "JUNIOR")
