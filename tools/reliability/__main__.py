"""`python -m tools.reliability inputs 100000` or `faults 200`: try so many and write the page."""

import sys

from abaco.core import project
from tools.reliability import faults, fuzz, page

if __name__ == "__main__":
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
