"""What the command line begins before it imports the rest."""

import gc
import sys

from abaco.kernels import forking

gc.set_threshold(50_000)  # imports leave next to no garbage, and looking for it takes a tenth of their time
if sys.argv[1:2] == ["report"]:
    forking.prepare()  # it imports what kernels need while this process finds out whether one is needed
