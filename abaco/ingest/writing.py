"""How a file writes its numbers, column by column: proven by the values of a column, declared, or refused.

``1.500`` is one and a half or fifteen hundred. A column is read with a decimal point or comma only if one of its values
can be read in no other way, or if the rest of the file proves that the mark groups thousands. Where neither holds, the
file is refused with both readings; so is one that has both ``12.50`` and ``1.790`` in a column, unless another value
shows that the column has more than two decimals.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import narwhals as nw

from abaco.core.errors import InputError
from abaco.engines import Engine
from abaco.ingest.contract import NUMBERS
from abaco.ingest.fingerprint import sample_rows
from abaco.ingest.reading import read
from abaco.ingest.sources import Source

AUTO = "auto"
PERCENT = "percent"
OTHER = {".": ",", ",": "."}
NAMES = {".": "point", ",": "comma"}
# What each setting may say.
WORDS = {"decimal_mark": (AUTO, "point", "comma"), "interest_rate": (AUTO, "fraction", PERCENT)}
DECLARED = {name: mark for mark, name in NAMES.items()}
# What a number proves of its decimal mark D, when the other mark G groups thousands.
_PROOF = (
    r"^\s*[+-]?(?:\d*D(?:\d{1,2}|\d{4,})|0?D\d+|\d{4,}D\d+|\d{1,3}(?:G\d{3})+D\d+|\d{1,3}(?:G\d{3}){2,}"
    r"|\d+D\d+[eE][+-]?\d+)\s*%?\s*$"
)
# The same of more than two decimals.
_FINE = r"^\s*[+-]?(?:\d*D\d{4,}|0?D\d{3,}|\d{4,}D\d{3,}|\d{1,3}(?:G\d{3})+D\d{3,}|\d+D\d+[eE][+-]?\d+)\s*%?\s*$"
# Three digits behind the only mark: decimals, or a thousand. A rate is never a thousand.
_OPEN = r"^\s*[+-]?[1-9]\d{0,2}D\d{3}\s*%?\s*$"
PATTERNS = {
    (name, mark): pattern.replace("D", rf"\{mark}").replace("G", rf"\{OTHER[mark]}")
    for name, pattern in (("proof", _PROOF), ("fine", _FINE), ("open", _OPEN))
    for mark in OTHER
}
# the patterns tell 0 from the other digits, but not those from each other
SAME_DIGITS = str.maketrans("23456789", "1" * 8)
COMPILED = {key: re.compile(pattern) for key, pattern in PATTERNS.items()}


@dataclass(frozen=True)
class Found:
    """What the values of each column of numbers prove, and the columns of which some values are still to be seen.

    These are those of which nothing is proven, and those that have no more than two decimals, with their mark: a value
    with three digits behind it would be doubtful.
    """

    evidence: Mapping[str, Counter]
    unproven: tuple[str, ...] = ()
    coarse: Mapping[str, str] = field(default_factory=dict)


def of_sample(source: Source, text: Path | None, declared: str = AUTO) -> Found:
    """Return what the first values of each column prove.

    Parameters
    ----------
    text
        Where the text of a CSV or XLSX source is.
    declared
        The decimal mark, when it need not be proven.
    """
    columns = {name: place for name, place in source.layout.inputs.items() if source.layout.kinds[name] in NUMBERS}
    rows, is_whole = sample_rows(text, "utf-8", source.delimiter or ",") if text else ([], False)
    rows = [row for row in rows[1:] if len(row) == len(source.headings)]
    found = {name: evidence(row[place] for row in rows) for name, place in columns.items()}
    if is_whole or declared != AUTO:
        return Found(found)
    marks = {name: max(OTHER, key=lambda mark: found[name]["proof", mark]) for name in found}
    unproven = tuple(name for name, mark in marks.items() if not found[name]["proof", mark])
    amounts = {name for name, kind in source.layout.kinds.items() if kind == "amount"}
    coarse = {
        name: mark
        for name, mark in marks.items()
        if name in amounts and name not in unproven and not found[name]["fine", mark]
    }
    return Found(found | {name: Counter() for name in unproven}, unproven, coarse)


def of_all(source: Source, found: Found, engine: Engine, text: Path | None) -> Found:
    """Return what all values of the columns to be seen prove, and the first ones of the others."""
    rows = read(source, engine, text)
    texts = text_columns((*found.unproven, *found.coarse), rows.collect_schema())
    counts = {
        f"{name}_{place}": nw.col(name).str.contains(pattern).cast(nw.Int64()).sum()
        for name in texts
        for place, pattern in enumerate(PATTERNS.values())
    }
    sums = rows.select(**counts).collect("pyarrow").to_native().to_pylist()[0]
    known = {name: Counter({key: sums[f"{name}_{place}"] or 0 for place, key in enumerate(PATTERNS)}) for name in texts}
    return Found({**found.evidence, **known})


def text_columns(names: Iterable[str], schema: nw.Schema) -> tuple[str, ...]:
    """Return those of the columns that a file writes as text; the marks of its own numbers need no proof."""
    return tuple(name for name in names if schema[name] == nw.String)


def evidence(values: Iterable[str]) -> Counter:
    """Return how many values prove each decimal mark, and how many leave it open.

    Examples
    --------
    >>> sorted(evidence(["1.500,50", "1.500", "500"]))
    [('open', '.'), ('proof', ',')]
    """
    shapes = Counter(value.translate(SAME_DIGITS) for value in values if "." in value or "," in value)
    found: Counter = Counter()
    for shape, count in shapes.items():
        found.update({key: count for key, pattern in COMPILED.items() if pattern.match(shape)})
    return found


def check_declared(**settings: str) -> None:
    """Raise when a setting does not say how numbers are written.

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
    """How strictly rows are read.

    Parameters
    ----------
    bucket_tolerance_usd
        USD by which the columns of a row may disagree.
    decimal_mark
        ``point`` or ``comma``, or ``auto`` for what the values prove.
    interest_rate
        What an interest rate is written as: a ``fraction`` or ``percent``; ``auto``: a fraction, if they look like it.
    show_rejected_values
        Whether the quarantine shows cells that are not of their column's kind, or their shape.
    """

    bucket_tolerance_usd: Decimal = Decimal("0.01")
    decimal_mark: str = AUTO
    interest_rate: str = AUTO
    show_rejected_values: bool = False

    def __post_init__(self):
        check_declared(decimal_mark=self.decimal_mark, interest_rate=self.interest_rate)


DEFAULT_RULES = Rules()


def decimal_marks(source: Source, found: Mapping[str, Counter], declared: str = AUTO) -> dict[str, str]:
    """Return the decimal mark of each column of numbers.

    Parameters
    ----------
    found
        What the values of each column prove.
    declared
        ``point`` or ``comma`` for all columns, or ``auto``.

    Raises
    ------
    InputError
        When a mark of a column may be either: naming its heading, both readings and the setting that declares one.
    """
    if declared != AUTO:
        return dict.fromkeys(found, DECLARED[declared])
    rates = {name for name, kind in source.layout.kinds.items() if kind == "rate"}
    of_file = {mark: sum(column["proof", mark] for column in found.values()) for mark in OTHER}
    marks = {}
    for name, column in found.items():
        mark = _decimal_mark(column, of_file, is_rate=name in rates)
        if mark is None:
            open_ = max(OTHER, key=lambda one: column["open", one])
            heading = source.headings[source.layout.inputs[name]].strip()
            such = f'{source.name}: numbers such as "1{open_}500" under {heading} '
            if column["proof", open_] and not column["proof", OTHER[open_]]:
                raise InputError(
                    f'{such}stand among others such as "1{open_}50", and are 1.5, or 1500 written in another way: '
                    f"correct the export, or set ingestion.decimal_mark to {NAMES[open_]} for 1.5"
                )
            raise InputError(
                f"{such}are 1500 or 1.5, and nothing in the file tells which: set ingestion.decimal_mark to "
                f"{NAMES[OTHER[open_]]} for 1500, or to {NAMES[open_]} for 1.5"
            )
        marks[name] = mark
    return marks


def _decimal_mark(column: Counter, of_file: Mapping[str, int], is_rate: bool) -> str | None:
    """Return the decimal mark of a column; None where it is open."""
    proof = {mark: column["proof", mark] + is_rate * column["open", mark] for mark in OTHER}
    open_ = [mark for mark in OTHER if column["open", mark] and not is_rate]
    most = max(OTHER, key=lambda mark: (proof[mark], of_file[mark]))
    if not open_ or (proof[most] and not proof[OTHER[most]] and (open_ != [most] or column["fine", most])):
        return most
    grouped = open_[0]
    is_proven = not any(proof.values()) and of_file[OTHER[grouped]] and not of_file[grouped]
    return OTHER[grouped] if len(open_) == 1 and is_proven else None


def as_fraction(name: str) -> nw.Expr:
    """Return rates that are written as per cent as fractions; those with a percent sign are fractions already."""
    rate, raw = nw.col(name), nw.col(f"raw_{name}").cast(nw.String())
    written_out = (rate * nw.lit(Decimal("0.01"))).cast(nw.Decimal(18, 6))
    return nw.when(raw.str.contains("%")).then(rate).otherwise(written_out).alias(name)


def doubtful(found: Found, schema: nw.Schema) -> nw.Expr:
    """Return whether a row has a value that `of_all` must see before the decimal marks are certain."""
    unproven = text_columns((f"raw_{name}" for name in found.unproven), schema)
    coarse = {f"raw_{name}": mark for name, mark in found.coarse.items()}
    texts = [nw.col(name).str.contains(mark, literal=True) for name in unproven for mark in OTHER]
    texts += [nw.col(name).str.slice(-4, 1) == coarse[name] for name in text_columns(coarse, schema)]
    return nw.any_horizontal(*texts, ignore_nulls=True) if texts else nw.lit(False)
