"""The doctor: runs every check in turn, also after one that fails or hangs."""

from collections.abc import Iterator
from pathlib import Path

from abaco.core import logs, secrets
from abaco.core.deadlines import call_within
from abaco.core.errors import AbacoError
from abaco.operations import doctor_machine, doctor_places
from abaco.operations.findings import Case, Check, Finding, UnexaminedError, problem, warning

LIMIT_SECONDS = 60.0
LIMITS = {"input": 120.0, "reports": 600.0}  # they read every row of a large tape, and every file of every report
# In this order: the log loads .env.local, and the other checks need the parameters.
CHECKS: dict[str, Check] = {
    "log": doctor_machine.log,
    "python": doctor_machine.python,
    "packages": doctor_machine.packages,
    "parameters": doctor_machine.parameters,
    "variables": doctor_machine.variables,
    "clock": doctor_machine.clock,
    "disk": doctor_machine.disk,
    "access": doctor_machine.access,
    "input": doctor_machine.exports,
    "database": doctor_places.database,
    "reports": doctor_places.reports,
    "deliveries": doctor_places.deliveries,
    **doctor_places.REPORT_CHECKS,
    "alerts": doctor_places.alerts,
    "contacts": doctor_places.contacts,
    "heartbeat": doctor_places.heartbeat_check,
    "cascade": doctor_places.cascade,
    "service": doctor_places.service,
}


def examine(
    params: str | None = None, output: Path | None = None, log_level: str | None = None
) -> Iterator[tuple[str, Finding]]:
    """Yield the name and the finding of each check, as soon as it is known; options as for a report."""
    case = Case(params, output, log_level)
    for name, check in CHECKS.items():
        finding = run_check(check, case, LIMITS.get(name, LIMIT_SECONDS))
        yield name, Finding(finding.level, secrets.hide(" ".join(finding.text.split())))


def run_check(check: Check, case: Case, seconds: float) -> Finding:
    """Return the finding of a check; one that fails, or takes longer than `seconds`, is a problem."""
    try:
        return call_within(seconds, check, case)
    except UnexaminedError as error:
        return warning(str(error))
    except AbacoError as error:
        return problem(str(error))
    except TimeoutError:
        return problem(f"no answer within {seconds:g} s: see what it waits for")
    except Exception as error:
        logs.keep_traceback(error)
        return problem(f"{type(error).__name__}: {error}: see logs/pipeline.log")
