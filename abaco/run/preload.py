"""What the fork server imports before it forks a process for a notebook."""

import gc

# The imports make objects that stay: to look for garbage among them takes a sixth of the time.
gc.disable()

from abaco.run import execution, phase  # noqa: E402, F401  # isort: skip  it notes the time, so it comes first
from abaco.ingest import quarantine  # noqa: E402, F401

execution.show_figures_inline()
from abaco.page import charts  # noqa: E402, F401  # isort: skip  with Matplotlib, which three notebooks need

gc.freeze()  # and no fork copies memory to look there
from abaco.engines import duckdb  # noqa: E402, F401  # isort: skip  frozen, it would complain at exit

gc.enable()
