"""Every expression of rules and dashboard, asked of a real Prometheus that scrapes a real service."""

import json
import re

from tests.support import deploy_files

from .conftest import rules
from .test_prometheus import RULES

DASHBOARD = json.loads((deploy_files.DEPLOY / "grafana/dashboards/abaco.json").read_text())


def operands(expression):
    """Return what tells whether the figures of an alert are there: it is empty itself while all is well.

    Each side of ``and`` and ``unless`` is taken alone, and its comparison says 0 or 1 instead of leaving out.
    """
    sides = re.split(r"\s(?:and|unless)\s+(?:on\s*\([^)]*\)\s*)?", expression)
    return [re.sub(r"\s(==|>|<)\s", r" \1 bool ", side) for side in sides]


def test_operands_are_whole_without_what_compares_them():
    assert operands("time() - a > 26 * 3600") == ["time() - a > bool 26 * 3600"]
    assert operands('up{job="x"} == 1 unless on (instance) b') == ['up{job="x"} == bool 1', "b"]


def test_figures_of_every_alert_are_there(prometheus):
    for rule in RULES.values():
        for operand in operands(rule["expr"]):
            prometheus.assert_has(operand)


def test_every_panel_has_data(prometheus):
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            if not target["expr"].startswith(("facility_", "covenant_")):  # by default there are no facilities
                prometheus.assert_has(target["expr"])


def test_server_has_all_rules_and_evaluates_them(prometheus):
    assert {rule["name"]: rule["health"] for rule in rules(prometheus)} == dict.fromkeys(RULES, "ok")


def test_alert_has_the_figure_and_the_limit_of_the_report(prometheus, finished):
    kpis = json.loads((finished.output / "2025-12-31/metrics.json").read_text())["kpis"]
    critical = {name: kpi for name, kpi in kpis.items() if kpi["status"] == "critical"}
    assert critical
    prometheus.wait_for(lambda: set(firing(prometheus, "KpiCritical")) == set(critical))
    told = firing(prometheus, "KpiCritical")
    for name, kpi in critical.items():
        assert told[name]["summary"] == f"{name} is past its critical limit of {kpi['thresholds']['critical']:g}"
        assert told[name]["description"].startswith(f"It is {kpi['value']:g}.")


def firing(prometheus, name):
    """What an alert says, by KPI."""
    alerts = next(rule["alerts"] for rule in rules(prometheus) if rule["name"] == name)
    return {alert["labels"]["kpi"]: alert["annotations"] for alert in alerts if alert["state"] == "firing"}


def test_panels_have_names_of_their_own_and_do_not_overlap():
    panels = DASHBOARD["panels"]
    assert len({panel["title"] for panel in panels}) == len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (place["x"] + right, place["y"] + down)
        for place in (panel["gridPos"] for panel in panels)
        for right in range(place["w"])
        for down in range(place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_dashboard_finds_its_source_and_its_file():
    source = deploy_files.load(deploy_files.DEPLOY / "grafana/provisioning/datasources/prometheus.yml")["datasources"][
        0
    ]
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == {source["uid"]}
    provider = deploy_files.load(deploy_files.DEPLOY / "grafana/provisioning/dashboards/abaco.yml")["providers"][0]
    compose = deploy_files.load(deploy_files.DEPLOY / "compose.yml")["services"]
    mounted = dict(mount.removesuffix(":ro").split(":") for mount in compose["grafana"]["volumes"])
    assert mounted["./grafana/dashboards"] == provider["options"]["path"]
    assert source["url"] == "http://prometheus:9090" and "prometheus" in compose
