"""check: what is said of an input, worked out by hand on small ones."""

import pytest

from abaco.core.errors import InputError
from abaco.kpis.measures import MEASURES
from abaco.review.check import inspect
from tests.run import test_contents
from tests.support.exports import LOANS, write

BALANCES = """
loan_id_raw,reporting_date,outstanding_balance_usd,par_7_balance_usd,par_30_balance_usd,par_60_balance_usd,par_90_balance_usd
A - 1,2025-11-30,100.00,0.00,0.00,0.00,0.00
A - 1,2025-12-31,100.00,40.00,30.00,20.00,10.00
A - 2,2025-12-31,50.00,0.00,0.00,0.00,0.00
A - 2,2025-12-31,50.00,0.00,0.00,0.00,0.00
A - 3,2025-12-31,n.d.,0.00,0.00,0.00,0.00
A - 1,2026-01-31,100.00,0.00,0.00,0.00,0.00
""".lstrip()
CASH = "metric,value,measurement_date\nEfectivo,5.00,2025-12-31\n"
NO_CASH = "the input does not give the cash available on 2025-12-31"
CASH_COLUMN = MEASURES["cash_available_usd"].add
LENIENT = {"ingestion": {"max_reject_pct": 25.0}}


@pytest.fixture(autouse=True)
def usual_settings(monkeypatch, copied_project):
    monkeypatch.setenv("ABACO_ROOT", str(copied_project))
    for name in ("ABACO_ENV", "ABACO_PII_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def balances(tmp_path):
    path = tmp_path / "exports/balances.csv"
    path.parent.mkdir()
    path.write_text(BALANCES)
    return path


def test_short_token_of_the_service_is_refused(balances, monkeypatch):
    monkeypatch.setenv("ABACO_SERVE_TOKEN", "short")
    with pytest.raises(InputError, match=r"^ABACO_SERVE_TOKEN has 5 characters, and needs 16 or more: "):
        list(inspect(balances, "2025-12-31"))


def test_title_names_the_day_that_the_figures_are_from(balances):
    # 10 days late since 30 November: the balances are of 10 December, though they are called those of the 31st
    head, *rows = BALANCES.splitlines()
    made = [f"{row},{'10,2025-11-30' if row.startswith('A - 1,2025-12') else '0,'}" for row in rows]
    balances.write_text("\n".join([f"{head},dpd,dpd_date", *made, ""]))
    [title, *_] = "\n".join(inspect(balances, "2025-12-31", LENIENT)).splitlines()
    assert title == (
        "The report of 2025-12-31 would be headed “Loan book at 10 December 2025 (December so far)”, and say:"
    )


def test_everything_that_is_to_be_said(balances):
    assert "\n".join(inspect(balances, "2025-12-31", LENIENT)).splitlines() == [
        "The report of 2025-12-31 would be headed “Loan book at 31 December 2025”, and say:",
        "Critical, and incomplete: 2 of 4 limits checked; 2 of these are past a limit: PAR30 at 20.00 % (critical "
        "above 8) and PAR90 at 6.67 % (critical above 5).",
        "Limits not checked: Cash coverage (CollectionRate), Arrears-and-cash index (PortfolioHealth).",
        "1 row would be rejected: see below.",
        "Dates after 2025-12-31 with far fewer rows than it, which may be typing errors: 2026-01-31 (1). These rows do "
        "not count.",
        "2 of 4 figures can be computed: see below for the others.",
        "",
        "file          format        mapping       used for  columns left behind",
        "balances.csv  PAR balances  par_balances  tape",
        "",
        "Personal columns would be shown as: redacted",
        "",
        "PAR balances: 6 rows in = accepted 3 + rejected 1 + duplicates 1 + later than 2025-12-31 1",
        "  1 × outstanding_balance_usd: not a number, first in balances.csv:6 (\"A.A.\")",
        "",
        "Dates up to 2025-12-31: 2, from 2025-11-30",
        f"  CollectionRate: not computable: {NO_CASH}",
        f"  PortfolioHealth: not computable: CollectionRate is not computable: {NO_CASH}",
        f"  to see CollectionRate, PortfolioHealth, add {CASH_COLUMN}",
    ]  # fmt: skip


def test_statement_in_the_folder_gives_the_cash(balances):
    (balances.parent / "statement.csv").write_text(CASH)
    (balances.parent / "readme.md").write_text("Exports of December.")
    lines = list(inspect(balances.parent, "2025-12-31", LENIENT))
    assert "4 of 4 figures can be computed." in lines
    assert "readme.md was not used: not a table." in lines
    assert not [line for line in lines if "add " in line]


def test_without_a_date_it_is_the_latest(balances):
    first = next(inspect(balances, None, LENIENT))
    assert first == "The report of 2026-01-31 would be headed “Loan book at 31 January 2026”, and say:"


def test_key_of_the_environment_gives_tokens(balances, monkeypatch):
    monkeypatch.setenv("ABACO_PII_KEY", "a key of sixteen letters")
    assert "\nPersonal columns would be shown as: token\n" in list(inspect(balances, None, LENIENT))


def test_nothing_is_written(balances):
    before = sorted(balances.parent.parent.rglob("*"))
    list(inspect(balances, "2025-12-31", LENIENT))
    assert sorted(balances.parent.parent.rglob("*")) == before


def test_former_report_is_that_of_the_folder_of_the_reports(balances, tmp_path):
    folder, mine, cash = balances.parent, tmp_path / "mine", balances.parent / "cash.csv"
    cash.write_text(CASH)
    test_contents.report(mine, folder)
    cash.unlink()
    assert any("cash.csv" in line for line in inspect(folder, "2025-12-31", LENIENT, mine))
    assert not any("cash.csv" in line for line in inspect(folder, "2025-12-31", LENIENT, tmp_path / "other"))


@pytest.mark.parametrize(
    ("date", "params", "expected"),
    [
        (
            "2025-12-31",
            {"ingestion": {"max_reject_pct": 19.0}},
            r"1 of 5 rows of the PAR balances are rejected \(20.00 %",
        ),
        (
            "2025-12-15",
            LENIENT,
            r"No row for 2025-12-15 in the input; the nearest that it has: DATE=2025-11-30 or DATE=2025-12-31",
        ),
        ("2025-12-32", LENIENT, r"DATE 2025-12-32 is not a valid date"),
        ("2025-12-31", {"ingestion": {"max": 1}}, r"params: ingestion.max is not a known parameter"),
    ],
)
def test_what_would_stop_a_report_stops_it(balances, date, params, expected):
    with pytest.raises(InputError, match=expected):
        list(inspect(balances, date, params))


def test_rejects_exactly_at_the_limit_are_accepted(balances):
    assert list(inspect(balances, "2025-12-31", {"ingestion": {"max_reject_pct": 20.0}}))


def test_type_that_nobody_knows_is_told_before_the_files(tmp_path):
    write(tmp_path / "in" / "loans.csv", LOANS, "A - 1,C-1,2025-01-01,0.4,9.00,5.00,30")
    write(tmp_path / "in" / "paid.csv", "loan_id,transaction_type,date_paid,principal", "A - 1,Zzz,2025-12-05,1.00")
    said = list(inspect(tmp_path / "in", "2025-12-31"))
    note = (
        "Left out of the transactions: 1 row (1.00 USD of principal), as Zzz is not in params/flows.yml; add it there."
    )
    assert said.index(note) < said.index("")


def test_loans_alone_are_the_tape(tmp_path):
    path = tmp_path / "loans.csv"
    path.write_text(LOANS + "\nA - 1,C-1,2025-01-01,0.4,9.00,5.00,30\n")
    said = list(inspect(path, "2025-12-31"))
    assert "loans: 1 rows in = accepted 1 + rejected 0" in said
    assert said[0] == "The report of 2025-12-31 would be headed “Loan book labelled 31 December 2025”, and say:"
