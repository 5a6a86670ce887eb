"""Names of files that say that their loans have left the book."""

import re
from collections.abc import Collection

from abaco.core.errors import InputError
from abaco.ingest import write_offs
from abaco.ingest.columns import normalise


def check_names(names: Collection[str], stating: Collection[str]) -> None:
    """Raise when the name of a file says that its loans have left the book, and that of another does not.

    Parameters
    ----------
    names
        The files with balances of a date.
    stating
        Those of them with a column of statuses or write-offs, or another one that says which loans ended.

    Raises
    ------
    InputError
        With both readings, and the word of its name.
    """
    ended = {name: word for name in names if (word := ended_by_name(name))}
    others = sorted(set(names) - set(ended))
    unclear = sorted(set(ended) - set(stating))
    if others and unclear:
        [name, *_] = unclear
        raise InputError(
            f"The name of {name} says that its loans have left the book ({ended[name]}), and none of its columns does: "
            f"if they count beside those of {others[0]}, rename it; if they do not, take it out of the input, or give "
            "it a column loan_status that says so"
        )


def ended_by_name(name: str) -> str | None:
    """Return the word by which the name of a file, or of a folder above it, says that its loans have left the book.

    Examples
    --------
    >>> [ended_by_name(name) for name in ("castigados_2025.xlsx", "old/loans.csv", "household.csv", "not closed.csv")]
    ['castigados', 'old', None, None]
    """
    known, words = write_offs.load(), f"_{normalise(re.sub('[0-9]+', ' ', name))}_"
    for word in known.names.ended:
        before, found, _ = words.partition(f"_{normalise(word)}_")
        if found and before.rpartition("_")[2] not in known.unread.excepted:
            return word
    return None
