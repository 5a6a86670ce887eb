"""The examination: every check in turn, none of which can stop or delay the others for long."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from abaco.core import logs, secrets
from abaco.core.errors import AbacoError
from abaco.operations import doctor_machine, doctor_places
from abaco.operations.findings import Case, Finding, UnexaminedError, problem, warning

Check = Callable[[Case], Finding]

LIMIT_SECONDS = 60.0
LIMITS = {"input": 120.0}  # every row of a large tape is read for its date
# In this order: the log brings the variables of .env.local along, the parameters say what to look at.
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
    "deliveries": doctor_places.deliveries,
    "azure": doctor_places.azure,
    "email": doctor_places.email,
    "alerts": doctor_places.alerts,
    "cascade": doctor_places.cascade,
    "service": doctor_places.service,
}


def examine(
    params: str | None = None, output: Path | None = None, log_level: str | None = None
) -> Iterator[tuple[str, Finding]]:
    """Yield the name of each check and what it found, as soon as it is known.

    Parameters
    ----------
    params, output, log_level
        As a report is given them.
    """
    case = Case(params, output, log_level)
    for name, check in CHECKS.items():
        finding = limited(check, case, LIMITS.get(name, LIMIT_SECONDS))
        yield name, Finding(finding.level, secrets.hide(" ".join(finding.text.split())))


def limited(check: Check, case: Case, seconds: float) -> Finding:
    """Return what a check finds; one that fails, or has no end, is a problem."""
    found: list[Finding] = []
    # a daemon, as it may wait for something that never comes, and the command ends all the same
    thread = threading.Thread(target=lambda: found.append(_outcome(check, case)), daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0] if found else problem(f"no answer within {seconds:g} s: see what it waits for")


def _outcome(check: Check, case: Case) -> Finding:
    try:
        return check(case)
    except UnexaminedError as error:
        return warning(str(error))
    except AbacoError as error:
        return problem(str(error))
    except Exception as error:
        logs.keep_traceback(error)
        return problem(f"{type(error).__name__}: {error}: see logs/pipeline.log")
