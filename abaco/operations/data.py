"""The data: parameters, the variables of the environment, and the exports that the next run reads."""

import datetime as dt
import os
import stat

from abaco.core import project, secrets, settings
from abaco.core.errors import InputError
from abaco.operations.case import Case, Finding, ok, warning

ENVIRONMENT = ".env.local"


def parameters(case: Case) -> Finding:
    """Check every setting, and the definitions of the KPIs."""
    from abaco.kpis import catalog
    from abaco.service.schedule import trigger

    loaded = settings.load(case.params)
    trigger(loaded["service"]["cron"])
    count = len(catalog.load())
    case.loaded = loaded
    overlay = os.environ.get("ABACO_ENV")
    files = "params/pipeline.yml" + (f" with params/{overlay}.yml" if overlay else "")
    return ok(f"{files} is valid, and so are {count} KPIs of params/kpis.yml")


def variables(_: Case) -> Finding:
    """List which secrets are set, and see that nobody else on the machine reads their file."""
    names = (*secrets.WHOLE, *secrets.URLS, *secrets.PARTS)
    given = [name for name in names if os.environ.get(name)]
    absent = [name for name in names if name not in given]
    text = f"set: {', '.join(given) or 'none'}; not set: {', '.join(absent) or 'none'}"
    path = project.root() / ENVIRONMENT
    if path.is_file() and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        return warning(f"{text}; others on this machine can read {ENVIRONMENT}: chmod 600 {ENVIRONMENT}")
    return ok(text)


def exports(case: Case) -> Finding:
    """Look whether the input is there, is recognised, and is not older than it may be."""
    from abaco.ingest import sources
    from abaco.ingest.coverage import tape_dates

    source = case.exports
    if case.reads_cascade and not source.exists():
        return ok("cascade: nothing is downloaded yet, the next run does it")
    found, skipped = sources.discover(source)
    text = f"{project.shown(source)}: {_counted(len(found), 'file')}"
    if skipped:
        text += f", {len(skipped)} more not used (make check says why)"
    try:
        newest = tape_dates(found)[-1]
    except InputError as error:
        return warning(f"{text}; {error}")
    age = (dt.datetime.now(dt.UTC).date() - newest).days
    limit = case.settings["alerts"]["max_age_days"]
    text += f", the newest date {newest}"
    if limit and age > limit:
        return warning(f"{text} is {age} days old, {limit} are allowed: see whether new exports came")
    return ok(text)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
