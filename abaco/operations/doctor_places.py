"""The places: database, deliveries, Azure Blob, email, alerts and Cascade, each asked once and left as it is."""

import os

from abaco.core import project
from abaco.operations.case import Case, Finding, ok, problem, warning


def database(case: Case) -> Finding:
    """Open the database and count its runs; SQLite is also read through."""
    from sqlalchemy import func, select

    from abaco.database import connection, schema

    file = case.output / connection.FILE
    if not connection.is_elsewhere() and not file.exists():
        return ok(f"SQLite, {project.shown(file)}: the first run makes it")
    engine = connection.connect(case.output, case.settings["delivery"]["timeout_seconds"])
    with connection.reading(engine) as opened:
        count = opened.scalar(select(func.count()).select_from(schema.runs))
        if engine.dialect.name == "postgresql":
            return ok(f"PostgreSQL at {engine.url.host or 'this machine'} answers, runs: {count}")
        said = opened.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if said != "ok":
        return problem(
            f"{project.shown(file)} is damaged ({said}): restore a backup, or move it away and run abaco status"
        )
    return ok(f"SQLite, {project.shown(file)}, runs: {count}")


def deliveries(case: Case) -> Finding:
    """Count what has not arrived."""
    from abaco.database import connection, queries

    if not connection.is_elsewhere() and not (case.output / connection.FILE).exists():
        return ok("none yet")
    with connection.reading(
        connection.connect(case.output, case.settings["delivery"]["timeout_seconds"])
    ) as opened:
        pending = queries.deliveries_with(opened, "pending")
        dead = queries.deliveries_with(opened, "dead")
    if dead:
        return warning(
            f"{len(dead)} given up, {len(pending)} pending; the last: {dead[-1]['error']}: mend it, "
            "then abaco deliver --pending --dead"
        )
    if pending:
        said = pending[-1]["error"] or "not tried yet"
        return warning(f"{len(pending)} pending; the last: {said}: mend it, then abaco deliver --pending")
    return ok("nothing is pending")


def azure(case: Case) -> Finding:
    """Ask for the container."""
    from abaco.delivery.azure import AzureChannel

    channel = AzureChannel(case.settings)
    if missing := channel.missing():
        return ok(f"not set up: nothing is uploaded unless {missing} is set")
    return ok(channel.probe())


def email(case: Case) -> Finding:
    """Sign in at the mail server, and count who receives reports."""
    from abaco.delivery.email import EmailChannel, alert_recipients, report_recipients

    channel = EmailChannel(case.settings)
    reports, alerts = report_recipients(), alert_recipients()
    if missing := channel.missing():
        text = f"not set up: nothing is sent unless {missing} is set"
        return warning(f"{text}, though there are recipients") if reports or alerts else ok(text)
    text = f"{channel.probe()}; {len(reports)} receive reports, {len(alerts)} alerts"
    return ok(text) if reports else warning(f"{text}: set REPORT_RECIPIENTS")


def alerts(case: Case) -> Finding:
    """Say where alerts of each severity go, once the addresses of these places have the right form."""
    from abaco.delivery import rules
    from abaco.delivery.email import alert_recipients
    from abaco.delivery.registry import channel

    places = {place for route in rules.ROUTES.values() for place in route}
    usable = {place for place in places if channel(place, case.settings).missing() is None}
    for place in sorted(usable - {"email"}):  # an incident would be the first to find a wrong one
        channel(place, case.settings).probe()
    usable -= set() if alert_recipients() else {"email"}
    if not usable:
        return warning(
            "nobody is told of failures: set PAGERDUTY_ROUTING_KEY, SLACK_WEBHOOK_URL, or SMTP_URL and "
            "ALERT_RECIPIENTS"
        )
    told = {
        severity: [place for place in route if place in usable] or sorted(usable & {"email"})
        for severity, route in rules.ROUTES.items()
    }
    text = ", ".join(f"{severity} to {' and '.join(to) or 'nobody'}" for severity, to in told.items())
    if case.settings["alerts"]["dry_run"]:
        return warning(f"{text}, but alerts.dry_run is true: they are printed only")
    return ok(text)


def cascade(case: Case) -> Finding:
    """Ask for the head of the export, with the token and without its content."""
    from abaco.ingest.cascade.probe import TOKEN_VARIABLE, probe

    is_set = bool(case.settings["cascade"]["url"] and os.environ.get(TOKEN_VARIABLE))
    if not (is_set or case.reads_cascade):
        return ok(f"not set up: the input cascade needs cascade.url and {TOKEN_VARIABLE}")
    return ok(probe(case.settings["cascade"]["url"], case.settings["delivery"]["timeout_seconds"]))
