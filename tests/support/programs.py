"""Programs of the system that a test needs: what happens where one is missing, and how one ends with the tests."""

import os
import shutil

import pytest

# a program started behind this is killed when the tests are, however they end
END_WITH_US = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
TIMEOUT_SECONDS = 180  # for what comes of itself, however busy the machine is


def missing(reason: str) -> None:
    """Skip the test, or fail it where every part must be there."""
    (pytest.fail if os.environ.get("ABACO_REQUIRE_ALL") else pytest.skip)(reason)


def need(program: str, where: str) -> str:
    """Return the path of a program, or skip the test and say where it comes from."""
    return shutil.which(program) or missing(f"{program} is not installed: {where}")
