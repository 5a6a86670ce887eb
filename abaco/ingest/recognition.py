"""Recognition: which mapping or known format a file belongs to, by its header."""

from collections.abc import Iterable

from abaco.core.errors import InputError
from abaco.core.quoting import quotable
from abaco.ingest import mappings
from abaco.ingest.columns import normalise
from abaco.ingest.contract import Format
from abaco.ingest.formats import FORMATS


class UnknownFormatError(InputError):
    """A readable table whose header fits no format."""


def recognise(headings: list[str], file: str, rows: Iterable[list[str]] = ()) -> tuple[Format, str]:
    """Return the format that a header belongs to, and the name of the mapping that says so, or "" for a known format.

    The case, order and stray blanks of headings do not matter. A mapping goes before a known format.

    Parameters
    ----------
    headings
        The header's cells as they stand in the file.
    file
        What to call the file in an error.
    rows
        The first rows below, which tell whether the headings are some.

    Raises
    ------
    InputError
        Naming the file, its columns, and the nearest format with the columns that it lacks, or two mappings that both
        fit; nothing of a first line that holds values.
    """
    normalised = [normalise(h) for h in headings]
    if name := _mapping_of(normalised, file):
        return mappings.load(name).format, name
    return _known_format(headings, normalised, file, rows), ""


def _mapping_of(headings: list[str], file: str) -> str | None:
    """Return the name of the mapping that recognises a file by most headings."""
    matched = {name: mappings.load(name).matched(headings) for name in mappings.names()}
    most = max(matched.values(), default=0)
    best = [name for name, count in matched.items() if count == most > 0]
    if len(best) > 1:
        raise InputError(
            f"{file} fits the mappings {' and '.join(best)} alike: name more headings under recognise in one of them, "
            "or move the other out of params/mappings"
        )
    return best[0] if best else None


def _known_format(headings: list[str], names: list[str], file: str, rows: Iterable[list[str]]) -> Format:
    fits = [f for f in FORMATS.values() if not f.lacks(names)]
    best = max(fits, key=lambda f: (f.matched(names), sum(c.required for c in f.columns)), default=None)
    most = max(f.matched(names) for f in FORMATS.values())
    # a snapshot that lacks a column still has a date and cash, like a financial statement
    if best is None or most > 2 * best.matched(names):
        nearest = min(FORMATS.values(), key=lambda f: (-f.matched(names), len(f.lacks(names))))
        if shown := quotable(headings, [any(f.matched([name]) for f in FORMATS.values()) for name in names], rows):
            others = f" and {len(names) - len(shown)} more" if len(shown) < len(names) else ""
            raise InputError(
                f"{file} fits no known format: it has the columns {', '.join(shown)}{others}; "
                f"the nearest format, {nearest.title}, also needs {', '.join(nearest.lacks(names))}"
            )
        raise InputError(
            f"{file} fits no known format: its first line (cells: {len(headings)}) has no known column name; "
            "write the names of the columns there"
        )
    return best
