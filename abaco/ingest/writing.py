"""How a file writes its values, column by column: proven by the values of a column, declared, or refused.

The first values of a file are looked at before its rows are read. Where they prove how a column is written, the rows
are read once, and a row that shows something else is doubtful: only then are all values looked at, and read again.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa

from abaco.core.errors import InputError
from abaco.core.reasons import Reason
from abaco.engines import Engine
from abaco.engines.base import NULL_WORDS
from abaco.engines.forms import Writing
from abaco.ingest import date_orders, days_late, decimal_marks
from abaco.ingest.contract import NUMBERS, SEPARATOR
from abaco.ingest.decimal_marks import AUTO, OTHER
from abaco.ingest.fingerprint import sample_rows
from abaco.ingest.reading import read
from abaco.ingest.sources import Source

PERCENT = "percent"
# What each setting may say.
WORDS = {
    "decimal_mark": (AUTO, "point", "comma"),
    "interest_rate": (AUTO, "fraction", PERCENT),
    "dates": (AUTO, *date_orders.ORDERS),
    "months": (AUTO, "first", "last"),
    "not_late": tuple(days_late.WORDS),
}


def check_declared(**settings: str) -> None:
    """Raise when a setting does not say how values are written.

    Raises
    ------
    InputError
        Naming the setting and the words that it may be.
    """
    for name, word in settings.items():
        if word not in WORDS[name]:
            *most, last = WORDS[name]
            raise InputError(f"ingestion.{name} is {word!r}: write {', '.join(most)} or {last}")


@dataclass(frozen=True)
class Rules:
    """How strictly rows are read, and how all columns are written.

    Parameters
    ----------
    bucket_tolerance_usd
        USD by which the columns of a row may disagree.
    decimal_mark
        ``point`` or ``comma``, or ``auto`` for what the values prove.
    interest_rate
        What an interest rate is written as: a ``fraction`` or ``percent``; ``auto``: a fraction, if they look like it.
    dates
        The order of dates in numbers: ``ymd``, ``dmy`` or ``mdy``, or ``auto`` for what the values prove.
    months
        The day that a month is: ``first`` or ``last``, or ``auto``: a month is not a date.
    not_late
        What means 0 days past due beside 0: ``blank``, ``negative``, ``both``, or ``auto`` (see `days_late`).
    show_rejected_values
        Whether the quarantine shows cells that are not of their column's kind, or their shape.
    """

    bucket_tolerance_usd: Decimal = Decimal("0.01")
    decimal_mark: str = AUTO
    interest_rate: str = AUTO
    dates: str = AUTO
    months: str = AUTO
    not_late: str = AUTO
    show_rejected_values: bool = False

    def __post_init__(self):
        check_declared(**{name: getattr(self, name) for name in WORDS})


DEFAULT_RULES = Rules()


def rules_of(ingestion: Mapping[str, Any]) -> Rules:
    """Return the rules that the section ``ingestion`` of the settings gives."""
    tolerance = Decimal(str(ingestion["bucket_tolerance_usd"]))
    named = {name: ingestion[name] for name in (*WORDS, "show_rejected_values")}
    return Rules(tolerance, **named)


@dataclass(frozen=True)
class Found:
    """How the columns of a source are written, as far as its values were looked at.

    Parameters
    ----------
    writings
        How each column of text is written that is not plain.
    told
        What a reader should know of it.
    evidence, dates
        What the values of each column of numbers prove of its decimal mark, and those of each column of dates.
    unproven, coarse
        Columns of numbers of which some values are still to be seen: those of which nothing is proven, and those that
        have no more than two decimals, with their mark: a value with three digits behind it would be doubtful.
    """

    writings: Mapping[str, Writing]
    told: tuple[Reason, ...] = ()
    evidence: Mapping[str, Counter] = field(default_factory=dict)
    dates: Mapping[str, Counter] = field(default_factory=dict)
    unproven: tuple[str, ...] = ()
    coarse: Mapping[str, str] = field(default_factory=dict)

    @property
    def dressed(self) -> list[str]:
        """The columns of numbers that may have a currency."""
        return [name for name, writing in self.writings.items() if writing.is_dressed]


def of_sample(
    source: Source, text: Path | None, engine: Engine, rules: Rules = DEFAULT_RULES, names: Collection[str] = ()
) -> Found:
    """Return how the columns of a source are written by its first values.

    Parameters
    ----------
    text
        Where the text of a CSV or XLSX source is.
    rules
        What is declared, and need not be proven.
    names
        The columns that are wanted, when not all are.

    Raises
    ------
    InputError
        When these are all values, and some may be read in several ways.
    """
    kinds, places = _kinds(source, names), source.layout.inputs
    rows, is_whole = sample_rows(text, "utf-8", source.delimiter or ",") if text else ([], False)
    rows = [row for row in rows[1:] if len(row) == len(source.headings)]
    cells = {name: [row[places[name]] for row in rows] for name in kinds}
    marks = {name: decimal_marks.evidence(cells[name]) for name, kind in kinds.items() if kind in NUMBERS}
    dates = _date_evidence({name: cells[name] for name, kind in kinds.items() if kind == "date"}, engine)
    if is_whole:
        return _found(source, marks, dates, rules, is_final=True)
    is_open = {name: source.layout.declared[name].get("decimal_mark", rules.decimal_mark) == AUTO for name in marks}
    likely = {name: max(OTHER, key=lambda mark: marks[name]["proof", mark]) for name in marks if is_open[name]}
    unproven = tuple(name for name, mark in likely.items() if not marks[name]["proof", mark])
    coarse = {
        name: mark
        for name, mark in likely.items()
        if kinds[name] == "amount" and name not in unproven and not marks[name]["fine", mark]
    }
    kept = {name: Counter({key: n for key, n in marks[name].items() if key[0] == "dressed"}) for name in unproven}
    found = _found(source, marks | kept, dates, rules, is_final=False)
    if text is None:
        unproven = text_columns(unproven, read(source, engine).collect_schema())
    return replace(found, unproven=unproven, coarse=coarse)


def _date_evidence(cells: Mapping[str, list[str]], engine: Engine) -> dict[str, Counter]:
    """Return what the columns prove of which a value is not written as 2025-12-31."""
    found = {
        name: [None if value in NULL_WORDS else value for value in values]
        for name, values in cells.items()
        if not all(value in NULL_WORDS or date_orders.ISO.fullmatch(value) for value in values)
        or any("Z" in value for value in values)
    }
    if not found:
        return {}
    table = pa.table({name: pa.array(values, pa.string()) for name, values in found.items()})
    return date_orders.evidence(engine.from_arrow(table), found, engine)


def of_all(
    source: Source, found: Found, engine: Engine, text: Path | None, rules: Rules, names: Collection[str] = ()
) -> Found:
    """Return how the columns of a source are written by all values of some of them.

    Parameters
    ----------
    found
        What the first values of the others prove.
    names
        The columns to see; by default, all.

    Raises
    ------
    InputError
        When values of a column may be read in several ways.
    """
    rows = read(source, engine, text)
    kinds = _kinds(source, names)
    texts = text_columns(kinds, rows.collect_schema())
    numbers = [name for name in texts if kinds[name] in NUMBERS]
    counts = {f"{name} {i}": n for name in numbers for i, n in enumerate(decimal_marks.counts(name).values())}
    bare = rows.select(decimal_marks.bare(nw.col(name)).alias(name) for name in numbers) if counts else rows
    sums = bare.select(**counts).collect("pyarrow").to_native().to_pylist()[0] if counts else {}
    marks = {
        name: Counter({key: sums[f"{name} {i}"] or 0 for i, key in enumerate(decimal_marks.PATTERNS)})
        for name in numbers
    }
    days = [name for name in texts if kinds[name] == "date"]
    dates = date_orders.evidence(rows.select(days), days, engine) if days else {}
    return _found(source, {**found.evidence, **marks}, {**found.dates, **dates}, rules, is_final=True)


def _found(
    source: Source, marks: Mapping[str, Counter], dates: Mapping[str, Counter], rules: Rules, is_final: bool
) -> Found:
    found = decimal_marks.decimal_marks(source, marks, rules.decimal_mark)
    writings = {name: Writing(mark, bool(marks[name]["dressed", ""])) for name, mark in found.items()}
    of_dates, told = date_orders.date_writings(source, dates, rules.dates, rules.months, is_final)
    plain = {name: writing for name, writing in (writings | of_dates).items() if writing != Writing()}
    return Found(plain, tuple(told), marks, dates)


def _kinds(source: Source, names: Collection[str]) -> dict[str, str]:
    """Return the kinds of the columns that are read, or of those that are wanted."""
    return {name: kind for name, kind in source.layout.kinds.items() if not names or name in names}


def text_columns(names: Iterable[str], schema: nw.Schema) -> tuple[str, ...]:
    """Return those of the columns that a file writes as text; the marks of its own numbers need no proof."""
    return tuple(name for name in names if schema[name] == nw.String)


def doubtful(source: Source, found: Found, schema: nw.Schema, names: Collection[str] = ()) -> nw.Expr:
    """Return the columns of a row that `of_all` must see before it is certain how they are written, joined, if any."""
    unproven = text_columns((f"raw_{name}" for name in found.unproven), schema)
    coarse = {f"raw_{name}": mark for name, mark in found.coarse.items()}
    texts = [(name, nw.col(name).str.contains(mark, literal=True)) for name in unproven for mark in OTHER]
    texts += [(name, nw.col(name).str.slice(-4, 1) == coarse[name]) for name in text_columns(coarse, schema)]
    suspect = [is_other for _, is_other in texts]
    kinds = _kinds(source, names)
    for name in text_columns((f"raw_{name}" for name in kinds), schema):
        column = name.removeprefix("raw_")
        raw, is_unread = nw.col(name), nw.col(column).is_null() & ~nw.col(name).is_null()
        if kinds[column] == "date":
            looks_other = raw.str.contains(date_orders.OTHER_FORM)
        elif kinds[column] in NUMBERS and not found.writings.get(column, Writing()).is_dressed:
            looks_other = decimal_marks.is_dressed(raw)
        else:
            continue
        suspect.append(is_unread)
        texts.append((name, nw.when(is_unread).then(looks_other)))
    if not texts:
        return nw.lit(None).cast(nw.String())
    named = [nw.when(is_other).then(nw.lit(name.removeprefix("raw_"))) for name, is_other in texts]
    # patterns are looked for in the few rows with a value that could not be read, not in every row
    is_suspect = nw.any_horizontal(*suspect, ignore_nulls=True)
    return nw.when(is_suspect).then(nw.concat_str(named, separator=SEPARATOR, ignore_nulls=True))


def as_fraction(name: str) -> nw.Expr:
    """Return rates that are written as per cent as fractions; those with a percent sign are fractions already."""
    rate, raw = nw.col(name), nw.col(f"raw_{name}").cast(nw.String())
    written_out = (rate * nw.lit(Decimal("0.01"))).cast(nw.Decimal(18, 6))
    return nw.when(raw.str.contains("%")).then(rate).otherwise(written_out).alias(name)
