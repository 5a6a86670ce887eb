"""A small report of invented figures, as metrics.json holds it: PAR90 past a limit, no cash figures."""

import pytest


def kpi(title, value=None, **rest):
    usual = {
        "title": title, "value": value, "unit": "%", "direction": "lower", "status": "ok", "reason": None,
        "numerator": None, "denominator": None, "rows": 4, "previous": None, "change": None,
        "thresholds": None, "formula": "Σ a / Σ b × 100", "precision": 4, "note": "",
    }  # fmt: skip
    return usual | rest


@pytest.fixture
def metrics():
    cash = "cash_available_usd: a financial statement with cash for 2025-12-31"
    return {
        "schema_version": 1,
        "date": "2025-12-31",
        "as_of": "2025-12-10",
        "run_id": "20251231-3fa9c1d2e4b0",
        "kpis": {
            "PAR60": kpi("Portfolio at risk, 60 days", 3.5, status="none"),
            "PortfolioHealth": kpi(
                "Portfolio health", unit="of 10", direction="higher", status="not_computable", precision=2,
                reason="CollectionRate is not computable", thresholds={"warning": 5, "critical": 3},
            ),
            "CollectionRate": kpi(
                "Collection rate", direction="higher", status="not_computable", precision=2,
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
            "rows_in": 1010, "accepted": 1000, "quarantined": 6, "duplicates": 1, "later": 3,
            "amount_in": "12000.40", "amount_accepted": "10000.00", "amount_quarantined": "500.10",
            "amount_duplicates": "500.10", "amount_later": "1000.20", "rows_without_amount": 2,
        },
        "quality": {
            "reject_pct": 0.59, "max_reject_pct": 5,
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
                "sha256": "ab" * 32, "used_for": "tape",
            },
        ],
    }  # fmt: skip


@pytest.fixture
def history():
    """Three earlier dates; PAR30 has no value at the second."""
    rows = [
        ("2025-09-30", 5.5, "warning", 2.75),
        ("2025-10-31", None, "not_computable", 3.0),
        ("2025-11-30", 3.4629, "ok", 3.5),
    ]
    return [
        {
            "date": date,
            "kpi": name,
            "value": value,
            "status": status,
            "numerator": None,
            "denominator": None,
            "rows": 4,
        }
        for date, par30, status30, par90 in rows
        for name, value, status in (("PAR30", par30, status30), ("PAR90", par90, "ok"))
    ]


@pytest.fixture
def empty(metrics):
    """The same report for an empty portfolio: nothing is computable."""
    for one in metrics["kpis"].values():
        one.update(
            value=None,
            status="not_computable",
            reason="no balance is outstanding",
            previous=None,
            change=None,
        )
        one.update(numerator="0.00", denominator="0.00", rows=0)
    for bucket in metrics["aging"]:
        bucket.update(amount="0.00", share=None)
    metrics["book"] = {"outstanding": "0.00", "loans_with_balance": 0, "rows": 0}
    metrics["inputs"] = []
    return metrics
