"""Imports of a library without those of its parts that nothing here uses."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Papermill can read notebooks from Azure; that it may would cost every run a quarter of its imports.
UNUSED = ("papermill.abs",)


@contextmanager
def imports(unused: tuple[str, ...] = UNUSED) -> Iterator[None]:
    """Within it, `unused` modules cannot be imported: who would take them along does without."""
    absent = [name for name in unused if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))
    try:
        yield
    finally:
        for name in absent:
            sys.modules.pop(name, None)  # another thread may be within it, too
