"""Checks of places: database, deliveries, channels, Cascade and the service; none is changed."""

from typing import Any

import httpx2

from abaco.core import project, secrets
from abaco.database import connection, queries
from abaco.database import notes as database_notes
from abaco.delivery import heartbeat
from abaco.delivery.email import EmailChannel, alert_recipients, report_recipients
from abaco.delivery.registry import CHANNELS, REPORT_CHANNELS, ROUTES, create_channel
from abaco.delivery.rules import FALLBACK
from abaco.ingest.cascade.export import probe
from abaco.operations.findings import TIMEOUT_SECONDS, Case, Check, Finding, ok, problem, warning
from abaco.run import folders, manifest, record
from abaco.service.schedule import NOTE, PORT, read_note
from abaco.service.security import USER, Access

LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}
SERVICE_METRIC = "pipeline_status"  # the service always has it


def database(case: Case) -> Finding:
    """Open the database and count its runs; a SQLite file is also read completely."""
    file = case.output / connection.FILE
    if not connection.is_elsewhere() and not file.exists() and not file.is_symlink():
        return ok(f"SQLite, {project.display_path(file)}: the first run makes it")
    engine = connection.connect(case.output, case.settings["delivery"]["timeout_seconds"])
    with connection.reading(engine) as opened:
        count = queries.count_runs(opened)
        if connection.is_postgresql(engine):
            text = f"PostgreSQL at {engine.url.host or 'this machine'} answers, runs: {count}"
            mode = engine.url.query.get("sslmode") or secrets.read("PGSSLMODE")
            if mode in ("verify-full", "verify-ca"):
                return ok(f"{text}; its certificate is verified ({mode})")
            return warning(f"{text}; its certificate is not verified, as sslmode is {mode}") if mode else ok(text)
        damage = queries.damage(opened)
    if damage:
        return problem(f"{project.display_path(file)} is damaged ({damage}): {connection.REBUILD}")
    return ok(f"SQLite, {project.display_path(file)}, runs: {count}")


def reports(case: Case) -> Finding:
    """Compare the files of every report with its manifest, and look for runs whose record is damaged."""
    if taken := folders.taken(case.output):
        return problem(taken)
    visible = folders.visible(case.output)
    altered = [f"{date}/{name}" for date in visible for name in manifest.altered(case.output / date)]
    damaged = [path.name for path in folders.damaged_reports(case.output)] + altered
    if damaged:
        return problem(f"damaged: {', '.join(damaged)}: make the report of that date again, or restore a backup")
    if runs := folders.damaged_runs(case.output):
        names = ", ".join(f"{project.display_path(run)}/{folders.RECORD}" for run in runs)
        return warning(f"former runs are damaged, and stepped over: {names}: remove their folders")
    if lost := database_notes.damaged(case.output):
        names = ", ".join(map(project.display_path, lost))
        return warning(
            f"damaged, and stepped over: {names}: it tells of starts that failed and of alerts while the database was "
            "away: read it, then remove it"
        )
    notes = [*folders.damaged_notes(case.output)]
    if (note := case.output / folders.RUNS / NOTE).exists() and read_note(case.output) is None:
        notes.append(note)
    if notes:
        names = ", ".join(map(project.display_path, notes))
        return warning(f"damaged, and stepped over: {names}: the next run writes it anew, or remove it")
    return ok(f"every file is what its run wrote, reports: {len(visible)}")


def deliveries(case: Case) -> Finding:
    """Count the deliveries that have not arrived."""
    if not connection.is_elsewhere() and not (case.output / connection.FILE).exists():
        return ok("none yet")
    engine = connection.connect(case.output, case.settings["delivery"]["timeout_seconds"])
    with connection.reading(engine) as opened:
        pending = queries.deliveries_with(opened, "pending")
        dead = queries.deliveries_with(opened, "dead")
        held = queries.deliveries_with(opened, "held")
    if held:
        others = f", {len(dead)} given up, {len(pending)} pending" if dead or pending else ""
        return warning(
            f"{len(held)} held{others}; the last: {held[-1]['error']}: ask who should have it, "
            "then abaco deliver --held DATE, or --drop RUN, which abaco status lists"
        )
    if dead:
        return warning(
            f"{len(dead)} given up, {len(pending)} pending; the last: {dead[-1]['error']}: mend it, "
            "then abaco deliver --pending --dead"
        )
    if pending:
        reason = pending[-1]["error"] or "not tried yet"
        return warning(f"{len(pending)} pending; the last: {reason}: mend it, then abaco deliver --pending")
    return ok("nothing is pending")


def email(case: Case) -> Finding:
    """Sign in at the mail server, and count the recipients of reports and alerts."""
    channel = EmailChannel(case.settings)
    channel.check()
    reports, alerts = report_recipients(), alert_recipients()
    if missing := channel.missing():
        text = f"not set up: nothing is sent unless {missing} is set"
        return warning(f"{text}, though there are recipients") if reports or alerts else ok(text)
    text = f"{channel.probe()}; {len(reports)} receive reports, {len(alerts)} alerts"
    if not reports:
        return warning(f"{text}: set REPORT_RECIPIENTS")
    return ok(text) if alerts else warning(f"{text}: no alert goes anywhere by email, set ALERT_RECIPIENTS")


def report_check(name: str) -> Check:
    """Return the check that a channel of reports is set up and answers."""

    def check(case: Case) -> Finding:
        channel = create_channel(name, case.settings)
        if missing := channel.missing():
            return ok(f"not set up: nothing is uploaded unless {missing} is set")
        return ok(channel.probe())

    return check


REPORT_CHECKS: dict[str, Check] = {name: report_check(name) for name in REPORT_CHANNELS} | {"email": email}


def alerts(case: Case) -> Finding:
    """Name the receivers of the alerts of each severity, and check the addresses of their channels."""
    channels = {name: channel(case.settings) for name, channel in CHANNELS.items()}
    usable = {name for route in ROUTES.values() for name in route if channels[name].missing() is None}
    for name in sorted(usable - set(REPORT_CHECKS)):  # those of reports have checks of their own
        channels[name].probe()
    if not alert_recipients():
        usable -= {"email"}
    if not usable:
        return warning(
            "nobody is told of failures: set PAGERDUTY_ROUTING_KEY, SLACK_WEBHOOK_URL, or SMTP_URL and ALERT_RECIPIENTS"
        )
    receivers = {
        severity: [name for name in route if name in usable] or sorted(usable & {FALLBACK})
        for severity, route in ROUTES.items()
    }
    text = ", ".join(f"{severity} to {' and '.join(to) or 'nobody'}" for severity, to in receivers.items())
    if case.settings["alerts"]["dry_run"]:
        return warning(f"{text}, but alerts.dry_run is true: they are printed only")
    return (
        warning(f"{text}: set ALERT_RECIPIENTS, or another place")
        if any(not to for to in receivers.values())
        else ok(text)
    )


def contacts(case: Case) -> Finding:
    """Say who is called when something is wrong, which alerts of P1 and P2 name."""
    wanted = {
        "alerts.on_call": case.settings["alerts"]["on_call"],
        "alerts.escalation": case.settings["alerts"]["escalation"],
    }
    if empty := [name for name, value in wanted.items() if not value.strip()]:
        return warning(f"nobody is named: set {' and '.join(empty)}")
    return ok("; ".join(wanted.values()))


def heartbeat_check(case: Case) -> Finding:
    """Say whether somebody outside would notice a night that never came, and how the last call went; none is made."""
    if not heartbeat.url():
        return warning(f"nobody outside notices a night that never came: set {heartbeat.VARIABLE}")
    last, text = record.last_heartbeat(case.output), f"{heartbeat.VARIABLE} is called after each good run"
    if last and last["error"]:
        return warning(f"{text}, but at {last['at']} it failed: {last['error']}")
    return ok(f"{text}, the last time at {last['at']}" if last else text)


def cascade(case: Case) -> Finding:
    """Ask for the head of the export with the token, without downloading it."""
    is_set = bool(case.settings["cascade"]["url"] and secrets.cascade_token())
    if not (is_set or case.reads_cascade):
        return ok(f"not set up: the input cascade needs cascade.url and {secrets.CASCADE_TOKEN}")
    return ok(probe(case.settings["cascade"]["url"], case.settings["delivery"]["timeout_seconds"]))


def service(case: Case) -> Finding:
    """Ask /health and /metrics, with the token or the password of the environment."""
    host, port = case.settings["service"]["host"], _port(case)
    host = LOOPBACK.get(host, host)
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    try:
        with httpx2.Client(base_url=address, timeout=TIMEOUT_SECONDS, trust_env=False, **_access()) as client:
            return _examine_answers(client, address)
    except httpx2.ConnectError:
        if (case.output / folders.RUNS / NOTE).exists():
            return warning(
                f"nothing answers at {address}, and it ran before: start it with make serve, or set service.port if it "
                "runs at another"
            )
        return ok(f"does not run at {address}; make serve starts it")
    except httpx2.HTTPError as error:
        return problem(f"{address} gives no answer ({type(error).__name__}): see logs/service.log, start it again")


def _port(case: Case) -> int:
    """Return the port that the service of these reports noted, else that of the settings."""
    try:
        return int((case.output / folders.RUNS / PORT).read_text())
    except (OSError, ValueError):
        return case.settings["service"]["port"]


def _access() -> dict[str, Any]:
    access = Access(*map(secrets.read, secrets.SERVICE))  # another check tells of a short one
    if access.token:
        return {"headers": {"Authorization": f"Bearer {access.token}"}}
    return {"auth": (USER, access.password)} if access.password else {}


def _examine_answers(client: httpx2.Client, address: str) -> Finding:
    answer = client.get("/health")
    try:
        state, last_error = answer.json()["status"], answer.json()["last_error"]
    except (ValueError, KeyError, TypeError):
        return problem(f"{address} is another program's: stop it, or choose another service.port")
    if state == "unhealthy":
        return problem(f"{address} is unhealthy: {last_error}")
    metrics = client.get("/metrics")
    if metrics.status_code == 401:
        return problem(
            f"{address} has another token than this environment: set ABACO_SERVE_TOKEN as the service has it"
        )
    if metrics.status_code != 200 or SERVICE_METRIC not in metrics.text:
        return problem(f"{address}/metrics answers {metrics.status_code} and no metrics: see logs/service.log")
    count = sum(bool(line) and line[0] != "#" for line in metrics.text.splitlines())
    text = f"{address} is {state} and has {count} metrics for Prometheus"
    return warning(f"{text}; {last_error}") if last_error else ok(text)
