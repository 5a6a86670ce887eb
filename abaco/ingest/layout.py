"""The columns of our side that a mapping makes of a file's: which are read, and what is made of them once they have
their kinds.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import narwhals as nw

from abaco.core.dates import month_end
from abaco.core.decimals import MOST, day_number, wide
from abaco.core.errors import InputError
from abaco.core.quoting import file_name
from abaco.ingest import mappings
from abaco.ingest.columns import CURRENCY, Column, heading_at, normalise
from abaco.ingest.origins import Origin, date_in, value_of
from abaco.ingest.scales import scale_of
from abaco.ingest.tape import KINDS

KNOWN = Origin(heading="known")  # of a column that its mapping does not list
IS_LEFT_OUT = "is_left_out"  # rows that a mapping says to leave out
PART = "__"  # parts the name of a column from the number of a heading that it is computed of


@dataclass(frozen=True)
class Layout:
    """What is read of a file, and what is made of it.

    Parameters
    ----------
    inputs
        Position of each column that is read, by the name that it has among the rows.
    kinds
        The kind of each.
    declared
        What its mapping says of how each is written: ``dates``, ``months`` and ``decimal_mark`` (see `Origin`).
    columns
        What to call each column of our side to people: its heading, or how it is made.
    made
        Returns the columns that are made, and what each is made of (``raw_<name>``), on a date.
    """

    inputs: Mapping[str, int]
    kinds: Mapping[str, str]
    declared: Mapping[str, Mapping[str, str]]
    columns: Mapping[str, str]
    made: Callable[[dt.date | None], list[nw.Expr]] = lambda _: []


def layout(
    mapping: mappings.Mapping,
    headings: list[str],
    path: Path,
    cell_date: str | None = None,
    currency_place: int | None = None,
) -> Layout:
    """Return the layout of a file by its mapping; columns of which it has no heading are left out.

    Parameters
    ----------
    cell_date
        The date in the cell that the mapping names.
    currency_place
        The position of a column of currencies that no heading names.

    Raises
    ------
    InputError
        When it has not what a needed column is made of, or its name has no date where the mapping looks for it.
    """
    plain = [normalise(h) for h in headings]
    known = mapping.known.assign(plain) if mapping.is_known else {}
    known |= {} if currency_place is None else {CURRENCY.name: currency_place}
    inputs, kinds, declared, columns, making, left_out = {}, {}, {}, {}, [], []
    for column in mapping.format.columns:
        origin, name = mapping.columns.get(column.name, KNOWN), column.name
        if origin is KNOWN or name in known:
            places = [known.get(name)]
        else:
            places = [_place(any_of, headings, path) for any_of in origin.headings]
        if None in places:
            _check_needed(column, origin, mapping, path)
            continue
        shown = [heading_at(headings, place) for place in places]
        is_scaled = column.kind == "amount" and scale_of(origin.compute or "")
        kind = "date" if origin.since else "scaled" if is_scaled else column.kind
        if origin.formula:
            read = {heading: f"{name}{PART}{i}" for i, heading in enumerate(origin.formula.headings)}
            making.append(_computed(origin, read, column))
        elif origin.since:
            read = {origin.since: f"{name}{PART}since"}
            making.append(_since(f"{name}{PART}since", name, mapping.format.is_dated))
        elif places:
            read = {shown[0]: name}
            left_out += [_is_one_of(name, words)] if (words := mapping.rows_to_leave_out.get(name)) else []
            making += [_written(origin, column)] if origin.is_converted or origin.words else []
        else:
            read, shown = {}, [cell_date if origin.cell else _constant(origin, path)]
            making.append(_always(shown[0], column))
        columns[name] = origin.compute or shown[0]
        inputs |= dict(zip(read.values(), places, strict=True))
        kinds |= dict.fromkeys(read.values(), kind)
        declared |= dict.fromkeys(read.values(), _said(mapping) | _said(origin))
    if left_out:
        is_left_out = nw.any_horizontal(*left_out, ignore_nulls=True).alias(IS_LEFT_OUT)
        making.append(lambda _: [is_left_out])
    return Layout(inputs, kinds, declared, columns, lambda day: [made for make in making for made in make(day)])


def _is_one_of(name: str, words: list[str]) -> nw.Expr:
    """Return whether a column has one of some values, in any case; an asterisk stands for any letters."""
    patterns = (".*".join(map(re.escape, word.strip().split("*"))) for word in words)
    return _raw(name).fill_null("").str.strip_chars().str.contains(rf"(?i)^(?:{'|'.join(patterns)})$")


def _said(one: mappings.Mapping | Origin) -> dict[str, str]:
    return one.model_dump(include={"dates", "months", "decimal_mark"}, exclude_none=True)


def _check_needed(column: Column, origin: Origin, mapping: mappings.Mapping, path: Path) -> None:
    """Raise when a file does not have what a column is made of that its rows cannot do without."""
    if column.name in mapping.columns and column.name in mapping.format.needs:
        lacking = " and ".join(" or ".join(any_of) for any_of in origin.headings)
        raise InputError(f"{file_name(path)} has no column {lacking}, of which the mapping makes {column.name}")


def _place(any_of: list[str], headings: list[str], path: Path) -> int | None:
    """Return the position of the first of some headings that a file has; signs tell those that are alike else."""
    for heading in any_of:
        places = [place for place, one in enumerate(headings) if normalise(one) == normalise(heading)]
        exact = [place for place in places if headings[place].strip() == heading.strip()]
        if len(places) > 1 and len(exact) != 1:
            raise InputError(f"{file_name(path)} has the column {heading} more than once: keep one of them")
        if places:
            return (exact or places)[0]
    return None


Make = Callable[[dt.date | None], list[nw.Expr]]


def _raw(name: str) -> nw.Expr:
    return nw.col(f"raw_{name}").cast(nw.String())


def _written(origin: Origin, column: Column) -> Make:
    """Return a column in the unit of our side, in which words of the file are values; a word for nothing is empty."""
    value, shown = _meant(origin, column, _scaled(origin, column) if origin.is_converted else nw.col(column.name))
    made = [value.cast(KINDS[column.kind]).alias(column.name), shown.cast(nw.String()).alias(f"raw_{column.name}")]
    return lambda _: made


def _meant(origin: Origin, column: Column, value: nw.Expr, name: str = "") -> tuple[nw.Expr, nw.Expr]:
    """Return a value that is read, and as it is written, with what words of the file mean in their place."""
    raw = shown = _raw(name or column.name)
    text, nothing = raw.fill_null("").str.strip_chars().str.to_lowercase(), nw.lit(None)
    for word, meaning in origin.words.items():
        is_word = text == word.strip().lower()
        meant = nw.lit(value_of(meaning, column.kind)) if meaning else nothing
        value = nw.when(is_word).then(meant).otherwise(value)
        # what is meant counts as written, so that a blank that means 0 is not missing
        shown = nw.when(is_word).then(nw.lit(meaning) if meaning else nothing).otherwise(shown)
    return value, shown


def _scaled(origin: Origin, column: Column) -> nw.Expr:
    """Return a number in the unit of our side; per cent with a sign is read as a fraction already."""
    value, factor = nw.col(column.name), origin.factor
    if origin.as_ == "percent":
        has_sign = _raw(column.name).str.contains("%", literal=True)
        value = nw.when(has_sign).then(value).otherwise((value * nw.lit(Decimal("0.01"))).cast(KINDS[column.kind]))
    if factor != 1 and column.kind == "amount":
        value = wide(value) * nw.lit(factor)
        value = nw.when(value.abs() < nw.lit(MOST)).then(value)
    elif factor != 1:
        value = value * (nw.lit(int(factor)) if column.kind == "days" else nw.lit(factor))
    return value.cast(KINDS[column.kind])


def _computed(origin: Origin, read: Mapping[str, str], column: Column) -> Make:
    """Return what is computed of several headings, in each of which words of the file are values."""
    terms = {heading: _meant(origin, column, nw.col(name), name) for heading, name in read.items()}
    value = origin.formula.value({heading: value for heading, (value, _) in terms.items()})
    value = nw.when(value.abs() < nw.lit(MOST)).then(value) if column.kind == "amount" else value
    raw = nw.concat_str([shown for _, shown in terms.values()], separator=" | ", ignore_nulls=False)
    made = [value.cast(KINDS[column.kind]).alias(column.name), raw.alias(f"raw_{column.name}")]
    return lambda _: made


def _since(due: str, name: str, is_dated: bool) -> Make:
    """Return the days from a due date to the measurement date, 0 before it."""

    def make(day: dt.date | None) -> list[nw.Expr]:
        today = day_number("measurement_date") if is_dated else nw.lit(day and day.toordinal())
        late = today - day_number(due)
        days = nw.when(late < 0).then(nw.lit(0)).otherwise(late).cast(nw.Int64())
        return [days.alias(name), _raw(due).alias(f"raw_{name}")]

    return make


def _constant(origin: Origin, path: Path) -> str:
    """Return the value of every row, as text: given, or the date in the name of the file or its folder."""
    if origin.constant is not None:
        return origin.constant
    pattern, place, text = (
        (origin.file_name, "its name", path.name)
        if origin.file_name
        else (origin.folder, "the folder", path.parent.name)
    )
    found = date_in(pattern, text)
    try:
        year, month, day = found or (0, 0, 0)
        return str(dt.date(year, month, day) if day else month_end(dt.date(year, month, 1)))
    except ValueError:
        raise InputError(
            f"{file_name(path)}: {place} has no date as {pattern}: rename it, or correct it in the mapping"
        ) from None


def _always(written: str, column: Column) -> Make:
    value = nw.lit(value_of(written, column.kind)).cast(KINDS[column.kind])
    return lambda _: [value.alias(column.name), nw.lit(written).alias(f"raw_{column.name}")]
