"""Recognition: which mapping or known format a file belongs to, by its header."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from abaco.core.errors import InputError
from abaco.core.quoting import quotable
from abaco.ingest import heading_words, mappings
from abaco.ingest.columns import BUCKETS, normalise

LOANS = {"outstanding_balance", "days_past_due"}  # what tells a file of loans
DRAFT = "make map INPUT=… drafts a mapping of it"


def _way_out(headings: Sequence[str]) -> str:
    """Return how to have a file read that fits nothing, with drafts that wait for answers and name its headings."""
    waiting = [f"{name}.yml" for name in mappings.names() if mappings.is_open(name) and _mentions(name, headings)]
    return f"{DRAFT}; drafts that wait for answers: {', '.join(waiting)}" if waiting else DRAFT


def _mentions(name: str, headings: Sequence[str]) -> bool:
    """Return whether a draft names most of some headings."""
    text = mappings.path_of(name).read_text(encoding="utf-8", errors="replace")
    filled = [heading.strip() for heading in headings if heading.strip()]
    return 2 * sum(heading in text for heading in filled) > len(filled)


# headings of which one, beside a loan's number, says that a table is one of what loans owe, or how late they are
OF_BOOK = {"outstanding_balance", "total_receivable_usd", "days_past_due", "lateness", *BUCKETS}


class UnknownFormatError(InputError):
    """A readable table whose header fits no format, and whether its headings are those of loans of a book."""

    def __init__(self, message: str, is_of_loans: bool = False):
        super().__init__(message)
        self.is_of_loans = is_of_loans


def load_all() -> dict[str, mappings.Mapping]:
    """Return all mappings by name, but for drafts whose questions are open."""
    return {name: mappings.load(name) for name in mappings.names() if not mappings.is_open(name)}


def recognise(
    headings: Sequence[str],
    file: str,
    rows: Iterable[list[str]] = (),
    among: Mapping[str, mappings.Mapping] | None = None,
) -> str:
    """Return the name of the mapping that a header belongs to, a lender's own before a known format.

    The case, order and stray blanks of headings do not matter.

    Parameters
    ----------
    headings
        The header's cells as they stand in the file.
    file
        What to call the file in an error.
    rows
        The first rows below, which tell whether the headings are some.
    among
        All mappings by name, where they are loaded already.

    Raises
    ------
    UnknownFormatError
        Naming the file, its columns, and the nearest format with the columns that it lacks; nothing of a first line
        that holds values.
    InputError
        Naming two mappings that both fit.
    """
    names = [normalise(h) for h in headings]
    found = load_all() if among is None else among
    if best := fitting(names, file, found):
        return best
    for name, lacks in ((name, m.lacks(names)) for name, m in found.items() if not m.is_known and len(m.signs) > 2):
        if len(lacks) == 1:
            raise UnknownFormatError(
                f"{file} fits no known format: params/mappings/{name}.yml is nearest, and also needs the heading "
                f"{lacks[0]}; correct the mapping or the export, or {_way_out(headings)}"
            )
    known = {name: m for name, m in found.items() if m.is_known}
    lacks = {name: m.lacks(names) for name, m in known.items()}
    matched = {name: m.known.matched(names) for name, m in known.items()}
    words = heading_words.load()
    is_known = [
        any(m.known.matched([name]) for m in known.values()) or bool(words.columns_of(heading))
        for name, heading in zip(names, headings, strict=True)
    ]
    if shown := quotable(headings, is_known, rows):
        nearest = min(filter(lacks.get, known), key=lambda name: (-matched[name], len(lacks[name])))
        others = f" and {len(names) - len(shown)} more" if len(shown) < len(names) else ""
        columns = [m.known.column_of.get(heading) for m in known.values() for heading in m.known.plain(names)]
        near = (
            f"the nearest format, {known[nearest].title}, also needs {', '.join(lacks[nearest])}"
            + _lent(known[nearest], headings, lacks[nearest])
            if any(column and not column.personal for column in columns)
            else "none of them tells which export it is"
        )
        raise UnknownFormatError(
            f"{file} fits no known format: it has the columns {', '.join(shown)}{others}; "
            f"{'; '.join((near, *hints(shown, words), _way_out(headings)))}",
            _is_of_loans(headings, known, words),
        )
    raise UnknownFormatError(
        f"{file} fits no known format: its first line (cells: {len(headings)}) has no known column name; "
        f"write the names of the columns there; if they are there, {_way_out(headings)}"
    )


def fitting(names: list[str], file: str, among: Mapping[str, mappings.Mapping]) -> str | None:
    """Return the name of the mapping that headings, normalised, belong to, or None (see `recognise`).

    Raises
    ------
    InputError
        Naming two mappings that both fit.
    """
    own = {name: len(m.signs) for name, m in among.items() if not (m.is_known or m.without_header or m.lacks(names))}
    best = [name for name, signs in own.items() if signs == max(own.values())]
    if len(best) > 1:
        raise InputError(
            f"{file} fits the mappings {' and '.join(best)} alike: name more headings under recognise in one of them, "
            "or move the other out of params/mappings"
        )
    if best:
        return best[0]
    known, words = {name: m for name, m in among.items() if m.is_known}, heading_words.load()
    fits = {name: m.known.matched(names) for name, m in known.items() if not m.lacks(names)}
    if "schedules" in fits and {column for name in names for column in words.columns_of(name)[:1]} >= LOANS:
        del fits["schedules"]  # a due date may be that of the loan
    if not fits:
        return None
    best_known = max(fits, key=lambda name: (fits[name], len(known[name].signs)))
    # a snapshot that lacks a column still has a date and cash, like a financial statement
    most = max(m.known.matched(names) for m in known.values())
    return best_known if most <= 2 * fits[best_known] else None


def _is_of_loans(
    headings: Sequence[str], known: Mapping[str, mappings.Mapping], words: heading_words.Dictionary
) -> bool:
    """Return whether headings have the number of a loan, and what it owes or how late it is."""
    meant = {name for heading in headings for name in words.columns_of(heading)}
    plain = [normalise(heading) for heading in headings]
    meant |= {name for m in known.values() for name in m.known.assign(plain)}
    return "loan_id" in meant and not meant.isdisjoint(OF_BOOK)


def hints(headings: Sequence[str], words: heading_words.Dictionary) -> Iterator[str]:
    """Yield what an export lacks that no mapping can give it, by what its headings mean."""
    meant = {heading: words.columns_of(heading) for heading in headings}
    names = {name for listed in meant.values() for name in listed}
    lent = next((heading for heading, listed in meant.items() if "disburse_principal" in listed), None)
    if lent and "outstanding_balance" not in names and not any(map(words.is_principal_paid, headings)):
        yield (
            f"no column has what is left of {lent}: add the balance of each loan, or the principal that it has paid (a "
            "ledger of payments in another file is not taken off)"
        )
    if days := next((heading for heading in headings if words.is_relative(heading)), None):
        yield f"days such as {days}, counted from a day of each loan, are not dates: export the dates"


def _lent(mapping: mappings.Mapping, headings: list[str], lacks: list[str]) -> str:
    """Return, of a file without what is owed, which of its columns says what was lent, and so does not stand for it."""
    place = mapping.known.assign([normalise(h) for h in headings]).get("disburse_principal")
    is_owed_unknown = any(name.startswith("outstanding_balance") for name in lacks)
    return f" ({headings[place].strip()} is the amount lent)" if is_owed_unknown and place is not None else ""
