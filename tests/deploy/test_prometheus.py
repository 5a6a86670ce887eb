"""Configuration and rules of Prometheus: valid, true to the settings, and right on small series."""

import subprocess

import yaml

from abaco.core import settings
from abaco.kpis import catalog
from abaco.service.metrics import snake_case
from tests.support import deploy_files

FOLDER = deploy_files.DEPLOY / "prometheus"
RULES = {
    rule["alert"]: rule
    for path in sorted((FOLDER / "rules").iterdir())
    for group in deploy_files.load(path)["groups"]
    for rule in group["rules"]
}
LEVELS = {"warning": ("KpiWarning", "P3"), "critical": ("KpiCritical", "P2")}


def run(*command):
    """Run promtool, and return what it says when all is well."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_configuration_is_valid(promtool, configuration):
    assert "SUCCESS" in run(promtool, "check", "config", configuration() / "prometheus.yml")


def test_rules_are_valid(promtool):
    said = run(promtool, "check", "rules", *(FOLDER / "rules").iterdir())
    assert sum(int(word) for word in said.split() if word.isdigit()) == len(RULES)


def test_rules_tell_what_they_should(promtool):
    run(promtool, "test", "rules", *(FOLDER / "tests").iterdir())


def test_every_rule_has_a_test():
    tested = [
        case["alertname"]
        for path in (FOLDER / "tests").iterdir()
        for test in deploy_files.load(path)["tests"]
        for case in test["alert_rule_test"]
        if "exp_alerts" in case
    ]
    assert set(tested) == set(RULES)


def test_rules_say_how_urgent_they_are_and_what_to_do():
    for name, rule in RULES.items():
        assert rule["labels"]["severity"] in ("P1", "P2", "P3", "P4"), name
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}, name
        page, section = rule["annotations"]["runbook_url"].split("#")
        lines = (deploy_files.ROOT / page).read_text().splitlines()
        headings = [line.lstrip("# ").lower().replace(" ", "-") for line in lines if line.startswith("#")]
        assert section in headings, name


def test_limits_are_those_of_the_settings():
    found = settings.load()
    days, share = found["alerts"]["max_age_days"], found["ingestion"]["max_reject_pct"] / 2
    assert RULES["FiguresStale"]["expr"].endswith(f"> {days} * 24 * 3600")
    assert RULES["RowsRejected"]["expr"].endswith(f"> {share:g}")


def test_every_kpi_with_limits_is_told_at_each_of_them(promtool, tmp_path):
    definitions = catalog.load().items()
    limits = [(name, *one) for name, kpi in definitions for one in (kpi.thresholds or {}).items()]
    assert {name for name, *_ in limits} >= {"PAR30", "PAR90", "CollectionRate", "PortfolioHealth"}
    tests = [told_at(*one) for one in limits if one[2] is not None]
    path = tmp_path / "kpis.yml"
    path.write_text(yaml.dump({"rule_files": [str(FOLDER / "rules/figures.yml")], "tests": tests}))
    run(promtool, "test", "rules", path)


def told_at(name, level, limit):
    """A test of promtool in which a KPI is a quarter past one of its limits."""
    alert, severity = LEVELS[level]
    series = {
        f"kpi_{snake_case(name)}": limit + 0.25,
        f'kpi_threshold{{kpi="{name}", level="{level}"}}': limit,
        f'kpi_status{{kpi="{name}", status="{level}"}}': 1,
    }
    said = {
        "summary": f"{name} is past its {level} limit of {limit:g}",
        "description": f"It is {limit + 0.25:g}. The report shows since when and what moved it.",
        "runbook_url": "docs/OPERATIONS.md#kpi-past-its-threshold",
    }
    labels = {"severity": severity, "kpi": name, "status": level, "owner": "pipeline", "cause": f"kpi:{name}"}
    expected = [{"exp_labels": labels, "exp_annotations": said}]
    return {
        "interval": "1m",
        "input_series": [{"series": key, "values": str(value)} for key, value in series.items()],
        "alert_rule_test": [{"alertname": alert, "eval_time": "0m", "exp_alerts": expected}],
    }
