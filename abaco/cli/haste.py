"""What lets a report begin and end sooner; it is imported before all else."""

import atexit
import gc
import os
import sys
from contextlib import suppress

from abaco.kernels import forking

IS_REPORT = sys.argv[1:2] == ["report"]
gc.set_threshold(50_000)  # imports leave next to no garbage, and looking for it takes a tenth of their time
if IS_REPORT:
    forking.prepare()  # it imports what kernels need while this process finds out whether one is needed


def leave(exit_code: int) -> None:
    """End the process; after a report without taking its modules apart, which takes long and frees nothing."""
    if IS_REPORT:
        atexit._run_exitfuncs()
        with suppress(OSError):  # nobody reads any more
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(exit_code)
    sys.exit(exit_code)
