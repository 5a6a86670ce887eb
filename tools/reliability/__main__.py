"""Writes the page: `python -m tools.reliability inputs 100000`, `faults 200`, or `bounded`, which times the tests."""

import subprocess
import sys
import time

from abaco.core import project
from tools.reliability import faults, fuzz, page

TESTS = "tests/tools/test_reliability.py"


def bounded() -> None:
    """Write how long the few take that `make test` tries."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "pytest", "--quiet", "-n0", TESTS], check=True, stdout=subprocess.DEVNULL)
    page.write("Bounded", page.of_bounded(TESTS, time.perf_counter() - began))


if __name__ == "__main__":
    if sys.argv[1:] == ["bounded"]:
        sys.exit(bounded())
    part, count = sys.argv[1], int(sys.argv[2])
    if part == "inputs":
        tally = fuzz.at_least(count)
        text = page.of_inputs(tally)
    else:
        tally = faults.run(count)
        text = page.of_faults(tally)
    for kind, where, seen in tally.faults:
        print(f"{kind}: {where}: {seen}", file=sys.stderr)
    print(project.display_path(page.write(part.capitalize(), text)))
    sys.exit(bool(tally.faults))
