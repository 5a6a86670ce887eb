"""What a reader should know of facilities: names, words and dates that fit nothing, and loans pledged twice."""

from collections.abc import Iterator, Mapping
from itertools import combinations

import narwhals as nw

from abaco.core import quoting
from abaco.core.reasons import Reason
from abaco.ingest.contract import with_amount
from abaco.kpis.book import Book
from abaco.kpis.facilities.conditions import Condition, kind_of, plain
from abaco.kpis.facilities.eligibility import is_pledged
from abaco.kpis.facilities.facility import AdvanceRate, Facility, Limit

MOST_NAMED = 3
OWED = nw.col("total_receivable_usd")


def notes(facilities: Mapping[str, Facility], book: Book) -> list[Reason]:
    """Return what to say of facilities on the date of a book."""
    if not facilities:
        return []
    found = undescribed(facilities, book)
    found += _pledged_twice(facilities, book)
    found += _drawn_when_closed(facilities, book)
    return found + [note for key, facility in facilities.items() for note in _unknown_words(key, facility, book)]


def undescribed(facilities: Mapping[str, Facility], book: Book) -> list[Reason]:
    """Return what names a facility that is not described: loans of the date, and rows of the drawn amounts."""
    if not facilities:
        return []
    known = set().union(*(facility.names(key) for key, facility in facilities.items()))
    owed = book.tape.lazy().filter((nw.col("measurement_date") == book.date) & (nw.col("total_receivable_usd") > 0))
    listed, found = book.export("drawings"), []
    are_all_pledged = any(facility.pledged == "all" for facility in facilities.values())
    for code, rows in (("pledged_to_others", None if are_all_pledged else owed), ("drawn_of_others", listed)):
        if rows is None or "facility" not in rows.collect_schema().names():
            continue
        named = rows.filter(~nw.col("facility").is_null()).group_by("facility").agg(nw.len().alias("rows"))
        others = [
            row for row in named.collect("pyarrow").to_native().to_pylist() if plain(row["facility"]) not in known
        ]
        if others:
            names = sorted({quoting.word(row["facility"]) for row in others})
            found.append(Reason(code, rows=sum(row["rows"] for row in others), words=tuple(names[:MOST_NAMED])))
    return found


def _pledged_twice(facilities: Mapping[str, Facility], book: Book) -> Iterator[Reason]:
    """Yield the loans that are in the pools of two facilities, as one of them has all loans of the book."""
    rows = book.tape.lazy().filter((nw.col("measurement_date") == book.date) & (OWED > 0))
    for (key, one), (other_key, other) in combinations(facilities.items(), 2):
        if "all" in (one.pledged, other.pledged) and one.is_open(book.date) and other.is_open(book.date):
            both = rows.filter(is_pledged(key, one) & is_pledged(other_key, other))
            [sums] = both.select(rows=nw.len(), usd=OWED.sum()).collect("pyarrow").to_native().to_pylist()
            if sums["rows"]:
                rows_ = with_amount(sums["rows"], sums["usd"])
                yield Reason("pledged_twice", words=(key, other_key), rows=rows_)


def _drawn_when_closed(facilities: Mapping[str, Facility], book: Book) -> Iterator[Reason]:
    """Yield what is drawn on the date from facilities that do not run on it."""
    listed = book.export("drawings")
    rows = [] if listed is None else listed.filter(nw.col("measurement_date") == book.date).collect("pyarrow")
    drawn = [] if listed is None else rows.to_native().to_pylist()
    for key, facility in facilities.items():
        own = [row["drawn"] for row in drawn if plain(row["facility"]) in facility.names(key)]
        if not facility.is_open(book.date) and (usd := facility.drawn or sum(own)):
            yield Reason("drawn_when_closed", facility=key, usd=usd, first=facility.begins, last=facility.ends)


def _unknown_words(key: str, facility: Facility, book: Book) -> Iterator[Reason]:
    """Yield the words of criteria, limits and advance rates that no loan of any date has in their column."""
    asked: dict[str, dict[str, str]] = {}
    for place, column, words in _words(facility):
        for word in words if kind_of(column) == "text" else ():
            asked.setdefault(column, {}).setdefault(word, place)
    for column, words in asked.items():
        known = {plain(value) for value in book.words(column)}
        for word, place in words.items():
            if plain(word) not in known:
                yield Reason("word_of_no_loan", facility=key, place=place, word=word, column=column)


def _words(facility: Facility) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    parts: list[tuple[str, Condition | Limit | AdvanceRate]] = [("advance_rate", facility.advance_rate)]
    parts += [(f"eligibility.{name}", criterion) for name, criterion in facility.eligibility.items()]
    parts += [(f"limits.{name}", limit) for name, limit in facility.limits.items()]
    parts += [(f"{place}.when", part.when) for place, part in parts if getattr(part, "when", None)]
    for place, part in parts:
        if part.column is not None:
            words = (getattr(part, name, None) or () for name in ("one_of", "none_of", "rates"))
            yield place, part.column, tuple(word for listed in words for word in listed)
