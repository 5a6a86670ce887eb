"""Progress of a run on a terminal: the phase, its cell and the time."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table

from abaco.core.phases import PHASES
from abaco.core.quoting import visible
from abaco.core.text import show


class Progress:
    """A live table of the phases; empty if standard error is not a terminal."""

    def __init__(self, console: Console | None = None):
        self._began: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._cell = (0, 0)
        self._live = None
        if console or sys.stderr.isatty():
            console = console or Console(stderr=True)
            self._live = Live(console=console, refresh_per_second=4, transient=True, get_renderable=self._table)

    def __enter__(self) -> Progress:
        if self._live and self._live.console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        if self._live:
            self._live.stop()

    def begin(self, phase: str) -> None:
        """Mark a phase as running."""
        self._began[phase], self._cell = time.monotonic(), (0, 0)

    def cell(self, number: int, total: int) -> None:
        """Show the number of the running cell."""
        self._cell = (number, total)

    def end(self, phase: str) -> None:
        """Mark a phase as ended."""
        self._ended[phase] = time.monotonic()

    def say(self, text: str) -> None:
        """Print a line above the table."""
        if self._live:
            self._live.console.print(visible(text), highlight=False, markup=False, soft_wrap=True)
        else:
            show(text, error=True)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for phase in PHASES:
            if phase in self._ended:
                table.add_row("✓", phase, "", f"{self._ended[phase] - self._began[phase]:.1f} s")
            elif phase in self._began:
                number, total = self._cell
                cell = f"cell {number}/{total}" if total else "starting"
                table.add_row("▸", f"[bold]{phase}", cell, f"{time.monotonic() - self._began[phase]:.1f} s")
            else:
                table.add_row("·", f"[dim]{phase}", "", "")
        return table
