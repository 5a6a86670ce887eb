"""A small report of invented figures with every table that the page shows, and the page built from it."""

import ast
import datetime as dt
from collections import defaultdict
from pathlib import Path

import nbformat
import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from abaco import page
from abaco.kpis.verdict import verdict
from abaco.page.language import speaking
from abaco.page.render import render_page

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "04_report.ipynb"
DATE, BEFORE = dt.date(2025, 12, 31), dt.date(2025, 11, 30)


def kpi(title, value=None, **rest):
    """Return one entry of metrics.json."""
    usual = {
        "title": title, "value": value, "unit": "%", "direction": "lower", "status": "ok", "reason": None,
        "numerator": None, "denominator": None, "rows": 4, "previous": None, "change": None,
        "thresholds": None, "formula": "Σ a / Σ b × 100", "precision": 4, "note": "", "group": "core",
        "bounds": None, "decides": True,
    }  # fmt: skip
    return usual | rest


def frame(columns, *rows):
    """Return a frame of literal rows."""
    return pd.DataFrame(list(rows), columns=columns.split())


def metrics():
    """Return metrics.json: PAR90 past a limit, no cash figures."""
    cash = "a financial statement of that date with its cash (efectivo, caja), or a canonical snapshot"
    figures = {
        "schema_version": 1,
        "date": "2025-12-31",
        "as_of": "2025-12-10",
        "currency": "USD",
        "run_id": "20251231-3fa9c1d2e4b0",
        "kpis": {
            "PAR60": kpi("Portfolio at risk, 60 days", 3.5, status="none", group="risk"),
            "PortfolioHealth": kpi(
                "Arrears-and-cash index (PortfolioHealth)", unit="of 10", direction="higher",
                status="not_computable", precision=2,
                reason="CollectionRate is not computable", thresholds={"warning": 5, "critical": 3},
            ),
            "CollectionRate": kpi(
                "Cash coverage (CollectionRate)", direction="higher", status="not_computable", precision=2,
                reason="no cash figures", thresholds={"warning": 1.5, "critical": 1},
                previous={"date": "2025-11-30", "value": None}, note="Cash against eligible receivables.",
            ),
            "PAR90": kpi(
                "Portfolio at risk, 90 days", 3.25, status="warning", numerator="325.00",
                denominator="10000.00", previous={"date": "2025-11-30", "value": 3.5}, change=-0.25,
                thresholds={"warning": 3, "critical": 5},
            ),
            "PAR30": kpi(
                "Portfolio at risk, 30 days", 3.6773, numerator="367.73", denominator="10000.00",
                previous={"date": "2025-11-30", "value": 3.4629}, change=0.2144,
                thresholds={"warning": 5, "critical": 8}, note="The whole balance of late loans.",
            ),
        },
        "book": {"outstanding": "10000.00", "loans_with_balance": 4, "rows": 5},
        "aging": [
            {"bucket": "0–7", "amount": "9000.00", "share": 90.0},
            {"bucket": "7–30", "amount": "632.27", "share": 6.3227},
            {"bucket": "30–60", "amount": "17.73", "share": 0.1773},
            {"bucket": "60–90", "amount": "25.00", "share": 0.25},
            {"bucket": "90+", "amount": "325.00", "share": 3.25},
        ],
        "anomalies": [],
        "reconciliation": {
            "rows_in": 1010, "accepted": 1000, "quarantined": 6, "duplicates": 1, "later": 3, "totals": 0,
            "amount_in": "12000.40", "amount_accepted": "10000.00", "amount_quarantined": "500.10",
            "amount_duplicates": "500.10", "amount_later": "1000.20", "amount_totals": "0.00",
            "rows_without_amount": 2,
        },
        "quality": {
            "reject_pct": 0.59, "max_reject_pct": 5, "rejected_usd": "160.00", "reject_amount_pct": "1.57",
            "max_reject_amount_pct": 5, "rejected_unknown": 2,
            "rejects": {"measurement_date: not a date": 2, "amount: negative": 4},
            "nulls": {"cash_available_usd": 4, "region": 0}, "unbalanced_rows": 1,
            "unbalanced_usd": "3.10", "outliers": 1, "dust": 2, "outlier_multiple": 25.0, "dust_usd": 1.0, "notes": [],
            "columns_left_behind": {"sample.csv": ["collector_note"]}, "masking": "token",
            "pii_columns": ["borrower_name", "borrower_email"],
        },
        "missing": [{"kpi": "CollectionRate", "add": cash}, {"kpi": "PortfolioHealth", "add": cash}],
        "inputs": [
            {
                "name": "sample.csv", "format": "canonical snapshot", "rows": 1010, "bytes": 81234,
                "sha256": "ab" * 32, "used_for": "tape", "mapping": "snapshot",
            },
        ],
        "reason_codes": {
            "kpis": {},
            "rejects": [
                {"reason": {"code": "not_a_date", "column": "measurement_date"}, "rows": 2},
                {"reason": {"code": "negative", "column": "amount"}, "rows": 4},
            ],
            "notes": [],
        },
    }  # fmt: skip
    return judged(figures)


def judged(metrics, lost=None, shrunk=None):
    """Return metrics.json with the verdict that follows from its figures."""
    found = verdict(metrics["kpis"], lost, shrunk)
    codes = metrics["reason_codes"] | {"verdict": [finding.as_dict() for finding in found["findings"]]}
    return metrics | {"verdict": found, "reason_codes": codes}


def history():
    """Three earlier dates; PAR30 has no value at the second."""
    rows = [
        ("2025-09-30", 5.5, "warning", 2.75),
        ("2025-10-31", None, "not_computable", 3.0),
        ("2025-11-30", 3.4629, "ok", 3.5),
    ]
    return [
        {"date": date, "kpi": name, "value": value, "status": status, "numerator": None, "denominator": None, "rows": 4}
        for date, par30, status30, par90 in rows
        for name, value, status in (("PAR30", par30, status30), ("PAR90", par90, "ok"))
    ]


def bridges():
    """PAR30 from 3.4629 to 3.6773: arrears and roll-overs add 0.4644, cures and payments take away 0.25."""
    terms = [
        ("opening", 346.29, 3.4629), ("new arrears", 36.44, 0.3644), ("rolled on", 10.0, 0.1),
        ("cured", -15.0, -0.15), ("paid", -10.0, -0.1), ("written off", 0.0, 0.0),
        ("book growth", None, 0.0), ("closing", 367.73, 3.6773),
    ]  # fmt: skip
    return frame("date against kpi term amount_usd points", *((DATE, BEFORE, "PAR30", *term) for term in terms))


def bridge_loans():
    token = "tok_" + "0123456789abcdef" * 2
    return frame(
        "date against kpi rank loan company product term before_usd after_usd change_usd points",
        (DATE, BEFORE, "PAR30", 1, token, "Abaco Factoring", "Factoring", "new arrears", 0.0, 36.44, 36.44, 0.3644),
        (DATE, BEFORE, "PAR30", 2, "Loan 2", "Abaco Tech", None, "cured", 15.0, 0.0, -15.0, -0.15),
    )  # fmt: skip


def roll_rates():
    return frame(
        "date against opening closing loans amount_usd share",
        (DATE, BEFORE, "0–7", "0–7", 8, 9000.0, 90.0),
        (DATE, BEFORE, "0–7", "paid", 2, 1000.0, 10.0),
        (DATE, BEFORE, "7–30", "0–7", 2, 250.0, 25.0),
        (DATE, BEFORE, "7–30", "30–60", 3, 750.0, 75.0),
        (DATE, BEFORE, "90+", "written off", 1, 40.0, 100.0),
        (DATE, BEFORE, "new", "0–7", 5, 500.0, 100.0),
    )


def roll_forward():
    lines = (
        ("opening", 9850.0), ("lent", 500.0), ("principal paid", -300.0), ("written off", -60.0), ("recovered", 12.5),
        ("not explained", -2.5), ("closing", 10000.0),
    )  # fmt: skip
    return frame("date against line amount_usd", *((DATE, BEFORE, *line) for line in lines))


def collections():
    months = [dt.date(2025, 10, 31), BEFORE, DATE]
    return frame(
        "month due_usd paid_usd rate principal_due_usd principal_paid_usd principal_rate paid_30_rate paid_60_rate "
        "is_partial",
        (months[0], 1000.0, 950.0, 95.0, 800.0, 720.0, 90.0, 92.0, 94.0, False),
        (months[1], 1200.0, 1080.0, 90.0, 1000.0, 850.0, 85.0, 87.0, None, False),
        (months[2], 600.0, 300.0, 50.0, 500.0, 250.0, 50.0, None, None, True),
    )


def vintages():
    cells = [("2025 Q1", m, 0.5 * (m - 2) if m > 2 else 0.0) for m in range(10)]
    cells += [("2025 Q2", m, 0.2 * m) for m in range(7)] + [("2025 Q3", m, 0.0) for m in range(4)]
    return frame(
        "cohort months_on_book loans disbursed_usd defaulted_usd share",
        *((cohort, month, 10, 5000.0, 50 * share, share) for cohort, month, share in cells),
    )


def concentration():
    return frame(
        "date rank borrower amount_usd share late_usd",
        (DATE, 1, "Borrower 1", 2000.0, 20.0, 17.73), (DATE, 2, "Borrower 2", 1000.0, 10.0, None),
        (BEFORE, 1, "Borrower 9", 9000.0, 90.0, 0.0),
    )  # fmt: skip


def segments():
    return frame(
        "date dimension value loans outstanding_usd share par30 par90",
        (DATE, "company", "Abaco Tech", 1, 2500.0, 25.0, 0.0, 0.0),
        (DATE, "company", "Abaco Factoring", 3, 7500.0, 75.0, 4.9, 4.3333),
        (DATE, "product", "Factoring", 4, 10000.0, 100.0, 3.6773, 3.25),
        (DATE, "ticket", "below 1,000", 2, 1500.0, 15.0, 2.0, 1.0),
        (DATE, "ticket", "1,000–4,999", 2, 8500.0, 85.0, 3.97, None),
    )


def tables(history):
    """Return every table that the page shows."""
    return defaultdict(list) | {
        "history": history, "bridges": bridges(), "bridge_loans": bridge_loans(),
        "roll_rates": roll_rates(), "roll_forward": roll_forward(), "collections": collections(),
        "vintages": vintages(), "concentration": concentration(), "segments": segments(),
    }  # fmt: skip


def front(metrics, **given):
    """Return the first screen of a report: `front(metrics, bridges=bridges())`."""
    return page.front_page(page.in_words(metrics), defaultdict(list) | given)


def nothing(history=()):
    """Return the tables of an input that gives none of them."""
    return defaultdict(list) | {"history": list(history)}


def shown(data, kind="display_data", source="SECRET_SOURCE = 1", tags=(), **metadata):
    """Return an executed code cell with one output."""
    data = {"text/html": str(data)} if isinstance(data, str) else data
    more = {"execution_count": 1} if kind == "execute_result" else {}
    output = new_output(kind, data=data | {"text/plain": "<Figure size 640x480>"}, metadata=metadata, **more)
    return new_code_cell(source, outputs=[output], metadata={"tags": list(tags)})


def executed(metrics, tables, language="en"):
    """Return the cells of notebooks/04_report.ipynb that make the page, with what each of them shows."""
    cells = []
    with speaking(language):
        names = {"page": page, "metrics": page.in_words(metrics), "tables": tables, "history_dates": 13}
        for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
            if {"analyst", "parameters"} & set(cell.metadata.get("tags", [])):
                continue
            if cell.cell_type == "markdown":
                cells.append(new_markdown_cell(cell.source))
                continue
            *before, last = ast.parse(cell.source).body
            exec(compile(ast.Module(before, []), cell.id, "exec"), names)
            result = eval(compile(ast.Expression(last.value), cell.id, "eval"), names)
            cells.append(shown(result, "execute_result"))
    return cells


def render(folder, cells, name="report", language="en"):
    """Return the page that the cells make."""
    notebook, out = folder / f"{name}.ipynb", folder / "out" / f"{name}.html"
    for index, cell in enumerate(cells):
        cell["id"] = f"cell-{index}"
    nbformat.write(new_notebook(cells=cells), notebook)
    return render_page(notebook, out, metrics=metrics(), language=language).read_text(encoding="utf-8")
