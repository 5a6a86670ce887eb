"""Columns beside those that are read: equal ones for one of ours are told, others are refused; and nameless ones."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import narwhals as nw

from abaco.core import currencies
from abaco.core.errors import InputError
from abaco.core.reasons import Reason
from abaco.engines import Engine
from abaco.engines.base import NO_ID_WORDS
from abaco.engines.forms import PLAIN, Writing
from abaco.ingest import heading_words, write_offs
from abaco.ingest.columns import (
    CURRENCY,
    IS_RESTRUCTURED,
    IS_WRITTEN_OFF,
    LOAN_STATUS,
    TEXTS,
    Column,
    heading_at,
    normalise,
)
from abaco.ingest.reading import cells
from abaco.ingest.sources import Source

SAID = (LOAN_STATUS.name, IS_WRITTEN_OFF.name, IS_RESTRUCTURED.name)  # texts of which the meaning is compared
READ, OTHER = "read", "other"
OF_SAME = {"balance", "outstanding", "current", "principal", "loan", "amount"}
OF_BALANCES, OF_OTHERS = {"balance", "outstanding"}, {"original", "opening", "previous", "disburse"}


def told(source: Source, engine: Engine, text: Path | None, writings: Mapping[str, Writing]) -> list[Reason]:
    """Return what to say of two columns of a file for one of ours, of which one is read.

    They may differ where the heading of one alone names a currency: then they are amounts in two currencies; and where
    the other is 0 in every row: then nobody fills it.

    Parameters
    ----------
    text
        Where its text is, for CSV and workbooks.
    writings
        How its columns are written.

    Raises
    ------
    InputError
        Naming both headings, how many rows differ, and a way out.
    """
    found = _balances(source, engine, text, writings.get(source.format.balance, PLAIN))
    for column, place, other in _twins(source):
        headings = [heading_at(source.headings, i) for i in (place, other)]
        rows = cells(source, engine, {READ: place, OTHER: other}, text)
        differing, example, is_unused = _differing(rows, column, engine, writings.get(column.name))
        named = [bool(currencies.of_heading(normalise(heading))) for heading in headings]
        if differing and not is_unused and named[0] == named[1]:
            one, two, count = *headings, f"{differing:,} {'row' if differing == 1 else 'rows'}"
            raise InputError(
                f"{source.name}: {one} and {two} both say {column.meaning}, and differ in {count}{example}: leave the "
                "wrong one out of the file, or say which one is read in a mapping (make map INPUT=… drafts one)"
            )
        code = "column_unused" if is_unused else "column_twice"
        found.append(Reason(code, name=source.name, read=headings[0], other=headings[1]))
    return found + _nameless(source, engine, text)


def _balances(source: Source, engine: Engine, text: Path | None, writing: Writing) -> list[Reason]:
    """Return what to say of other columns of balances, of known formats those whose sum is another one.

    Raises
    ------
    InputError
        When the balance that is read is 0 in every row, and another one is not.
    """
    balance, words, inputs = source.format.balance, heading_words.load(), source.layout.inputs
    said = {i: words.words_of(heading) for i, heading in enumerate(source.headings) if i not in {*inputs.values()}}
    places = {f"c{i}": i for i, of in said.items() if of & OF_BALANCES and not of & OF_OTHERS}
    if balance not in inputs or not places:
        return []
    rows = cells(source, engine, {READ: inputs[balance], **places}, text)
    names = (READ, *places)
    typed = engine.typed(rows, dict.fromkeys(names, "amount"), dict.fromkeys(names, writing))
    is_some = {f"some_{c}": nw.col(f"raw_{c}").cast(nw.String()).str.contains("[1-9]").fill_null(False) for c in names}
    counts = {name: some.cast(nw.Int64()).sum() for name, some in is_some.items()}
    [found] = typed.select(*(nw.col(c).sum() for c in names), **counts).collect("pyarrow").to_native().to_pylist()
    others = {c: source.headings[place].strip() for c, place in places.items() if found[f"some_{c}"]}
    if others and not found[f"some_{READ}"]:
        raise InputError(
            f"{source.name}: {source.columns[balance]} is 0 in every row, and {next(iter(others.values()))} is not: "
            "leave the wrong one out of the file, or say which one is the balance in a mapping "
            "(make map INPUT=… drafts one)"
        )
    told = {"name": source.name, "read": source.columns[balance], "usd": found[READ]}
    return [
        Reason("balance_beside", **told, other=heading, other_usd=found[c])
        for c, heading in others.items()
        if source.mapping.is_known and said[places[c]] <= OF_SAME and not currencies.of_heading(normalise(heading))
        and found[c] and found[c] != found[READ]
    ]  # fmt: skip


def _nameless(source: Source, engine: Engine, text: Path | None) -> list[Reason]:
    """Return what to say of columns with values and without a heading."""
    read = source.layout.inputs.values()
    places = {f"c{i}": i for i, heading in enumerate(source.headings) if not heading.strip() and i not in read}
    if not places:
        return []
    filled = [(nw.col(name).cast(nw.String()).str.strip_chars() != "").cast(nw.Int64()).sum() for name in places]
    [counts] = cells(source, engine, places, text).select(*filled).collect("pyarrow").to_native().to_pylist()
    told = [(place + 1, counts[name]) for name, place in places.items() if counts[name]]
    return [Reason("column_without_heading", name=source.name, place=place, count=count) for place, count in told]


def _twins(source: Source) -> Iterator[tuple[Column, int, int]]:
    """Yield our column, and the places of the one that is read and of another that is the same by its heading."""
    if not source.mapping.is_known:
        return
    known, plain, read = source.mapping.known, [normalise(h) for h in source.headings], source.layout.inputs
    said = {*SAID, CURRENCY.name}
    for place, (heading, name) in enumerate(zip(plain, known.plain(plain), strict=True)):
        column = known.column_of.get(name) or (CURRENCY if known.known[CURRENCY.name].means(heading) else None)
        if column and (column.kind not in TEXTS or column.name in said) and read.get(column.name, place) != place:
            yield column, read[column.name], place


def _are_two(one: str | None, other: str | None) -> bool:
    """Return whether two texts are of two currencies."""
    meant, beside = (currencies.of_cell(text or "") for text in (one, other))
    return bool(meant and beside) and not {*meant} & {*beside}


def _differing(rows: nw.LazyFrame, column: Column, engine: Engine, writing: Writing | None) -> tuple[int, str, bool]:
    """Return in how many rows two columns differ, an example, and whether the other is 0 in all rows.

    A blank beside a value is no difference. The other one is equal where it is so in one way of writing, as nothing
    says how it is written.
    """
    ways = [Writing(mark, True, order) for mark, order in zip(".,.", ("any", "dmy", "mdy"), strict=True)]
    writings = {f"{OTHER}_{i}": way for i, way in enumerate(ways)}
    rows = rows.select(READ, **{name: nw.col(OTHER) for name in writings})
    names = {READ: writing or PLAIN, **writings}
    values = engine.typed(rows, dict.fromkeys(names, column.kind), names)
    first = f"{OTHER}_0"
    raw = nw.col(f"raw_{first}").cast(nw.String()).fill_null("").str.strip_chars().str.to_lowercase()
    if column.name in SAID:
        values = values.with_columns(write_offs.said(column.name, name) for name in names)
    elif column.kind == "days":  # a negative one is no lateness either
        values = values.with_columns(nw.when(nw.col(name) < 0).then(0).otherwise(name).alias(name) for name in names)
    is_equal = nw.any_horizontal(*((nw.col(READ) == nw.col(name)) for name in writings), ignore_nulls=True)
    given = values.filter(~raw.is_in(["", *NO_ID_WORDS]))
    pairs = given.filter(~is_equal).group_by(READ, first).agg(rows=nw.len())
    found = pairs.collect("pyarrow").to_native().to_pylist()
    if column is CURRENCY:  # cells that are neither a code nor a sign do not count
        found = [row for row in found if _are_two(row[READ], row[first])]
    is_unused = bool(found) and column.kind not in ("date", *TEXTS)
    if is_unused:
        filled = given.filter((nw.col(first) != 0).fill_null(True)).select(first).head(1)
        is_unused = not len(filled.collect("pyarrow"))
    known = sorted((str(row[READ]), str(row[first])) for row in found if None not in (row[READ], row[first]))
    example = f", such as {known[-1][0]} and {known[-1][1]}" if known and column.name not in SAID else ""
    return sum(row["rows"] for row in found), example, is_unused
