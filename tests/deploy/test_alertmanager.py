"""The Alertmanager of deploy/: what Prometheus alone notices is told once, at the pipeline's own places."""

import datetime as dt
import json
import subprocess
import urllib.request

import pytest
import yaml

from abaco.delivery import registry, rules
from tests.support import deploy_files
from tests.support.mailserver import serving
from tests.support.ports import free_port
from tests.support.programs import END_WITH_US, need
from tests.support.service import until
from tests.support.webhooks import recording

from .test_prometheus import RULES

FILE = deploy_files.DEPLOY / "alertmanager/alertmanager.yml"
CONFIGURATION = deploy_files.load(FILE)
OWN = {name for name, rule in RULES.items() if rule["labels"]["owner"] == "prometheus"}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Slack, PagerDuty and a mail server on this machine, and an Alertmanager that leads there."""
    program, folder = need("prometheus-alertmanager", "tests/setup.sh"), tmp_path_factory.mktemp("alertmanager")
    with recording(tmp_path_factory.mktemp("tls")) as hooks, serving() as mail:
        text = FILE.read_text()
        changes = {
            "<mail server>:587": f"127.0.0.1:{mail.port}", "<sender>": "abaco@example.com",
            "  smtp_auth_username: <user>\n": "  smtp_require_tls: false\n",
            "  smtp_auth_password_file: /run/secrets/smtp_password\n": "", "<alert recipients>": "ops@example.com",
            "/run/secrets": str(folder),
            "group_wait: 10s": "group_wait: 1s", "group_interval: 1m": "group_interval: 1s",
            "routing_key_file:": f"url: {hooks.url}/v2/enqueue\n        routing_key_file:",
        }  # fmt: skip
        for old, new in changes.items():
            assert old in text, old
            text = text.replace(old, new)
        (folder / "slack_webhook_url").write_text(f"{hooks.url}/services/T/B/c")
        (folder / "pagerduty_routing_key").write_text("0123456789abcdef")
        (folder / "alertmanager.yml").write_text(text)
        port = free_port()
        process = subprocess.Popen(
            [*END_WITH_US, program, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=(folder / "log").open("w"),
        )  # fmt: skip
        hooks.mail, hooks.api = mail, f"http://127.0.0.1:{port}"
        until(lambda: answers(hooks.api))
        yield hooks
        process.kill()
        process.wait()


def answers(address):
    try:
        with urllib.request.urlopen(f"{address}/-/ready", timeout=10) as answer:
            return answer.status == 200
    except OSError:
        return False


def fire(places, *names, ended=False):
    """Tell Alertmanager what Prometheus would: that rules fire, or have ended."""
    now = dt.datetime.now(dt.UTC)
    alerts = [
        {
            "labels": {**RULES[name]["labels"], "alertname": name, "job": "abaco", "instance": "abaco:8000"},
            "annotations": {**RULES[name]["annotations"], "summary": name},
            "startsAt": (now - dt.timedelta(hours=1)).isoformat(),
            "endsAt": (now + dt.timedelta(hours=-0.5 if ended else 1)).isoformat(),
        }
        for name in names
    ]
    request = urllib.request.Request(
        f"{places.api}/api/v2/alerts", json.dumps(alerts).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def told(places):
    """Where each rule was told, as "slack P3 DeliveriesPending"."""
    found = set()
    for request in places.received:
        if "/services/" in request.path:
            found |= {f"slack {one['title']}" for one in request.body["attachments"]}
        else:
            found.add(f"pagerduty {request.body['payload']['summary']}" if "payload" in request.body else "")
    return found | {f"email {message['Subject']}" for _, _, message in places.mail.taken}


def test_what_prometheus_owns_goes_where_its_severity_says_and_nothing_else_does(places):
    fire(places, *(set(RULES) - OWN), "PipelineDelayed", "DeliveriesPending")
    until(lambda: len(told(places)) >= 3)
    assert told(places) == {
        "pagerduty [P2] PipelineDelayed", "slack [P2] PipelineDelayed", "slack [P3] DeliveriesPending",
    }  # fmt: skip
    fire(places, "PipelineDelayed", "DeliveriesPending", ended=True)
    until(lambda: "slack Resolved: PipelineDelayed" in told(places))
    places.received.clear()


def test_while_the_service_is_down_only_that_is_told_at_each_place_of_p1(places):
    fire(places, "ServiceDown")
    until(lambda: len(told(places)) >= 3)
    fire(places, "ServiceDown", "PipelineRunsLong", "PipelineNeverRan")
    suppressed = until(
        lambda: {a["labels"]["alertname"] for a in alerts(places) if a["status"]["state"] == "suppressed"}
    )
    assert suppressed == {"PipelineRunsLong", "PipelineNeverRan"}
    assert told(places) == {f"{place} [P1] ServiceDown" for place in ("pagerduty", "slack", "email")}
    assert {recipient for _, recipient, _ in places.mail.taken} == {"ops@example.com"}
    assert places.received[0].body.get("routing_key", "0123456789abcdef") == "0123456789abcdef"


def alerts(places):
    with urllib.request.urlopen(f"{places.api}/api/v2/alerts", timeout=10) as answer:
        return json.load(answer)


def test_each_cause_has_one_owner_and_the_pipelines_names():
    causes = {rule["labels"]["cause"]: rule["labels"]["owner"] for rule in RULES.values()}
    kinds = {cause.partition(":")[0] for cause, owner in causes.items() if owner == "pipeline"}
    assert kinds <= set(rules.SECTIONS)
    owned = {rules.FAILED, rules.REJECTS, rules.STALE, rules.INCOMPLETE, rules.GIVEN_UP}
    assert {cause for cause in causes if cause in owned} == owned
    assert {causes[cause] for cause in owned} == {"pipeline"}
    assert len({name for name, rule in RULES.items() if rule["labels"]["owner"] not in ("pipeline", "prometheus")}) == 0


def test_routes_are_those_of_the_pipeline():
    kinds = {"pagerduty_configs": "pagerduty", "slack_configs": "slack", "email_configs": "email"}
    found = {
        one["name"]: {kinds[key] for key in one if key in kinds}
        for one in CONFIGURATION["receivers"]
        if one["name"] != "pipeline"
    }
    assert found == {name: set(registry.ROUTES[name]) for name in ("P1", "P2", "P3")}
    assert [one for one in CONFIGURATION["receivers"] if one["name"] == "pipeline"] == [{"name": "pipeline"}]


def test_amtool_accepts_it():
    said = subprocess.run([need("amtool", "tests/setup.sh"), "check-config", FILE], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert yaml.safe_load(FILE.read_text())["route"]["group_by"] == ["cause"]
