"""What the values of a column prove: of what kind they are, how they are written, and from where to where they reach.

The first rows tell what to look for, and one pass over all rows counts how many values are so.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import narwhals as nw

from abaco.core.quoting import EMAIL, PHONE, TAX_NUMBER
from abaco.core.text import counted
from abaco.engines import Engine
from abaco.ingest import decimal_marks, write_offs
from abaco.ingest.columns import LOAN_ID
from abaco.ingest.heading_words import Dictionary
from abaco.ingest.total_labels import IS_BLANK, IS_LABEL, is_called_total
from abaco.ingest.unmapped import Table
from abaco.ingest.value_kinds import BLANK, DATE, HAS_DIGIT, MONTH, NUMBER, TEXT, is_of_kind, kind_of, numbers_of

IN_PARTS = r"^\d{1,2}[-/.]\d{1,2}[-/.]"  # a date whose day may be its month
ORDERS = {"dmy": r"^(?:1[3-9]|2\d|3[01])[-/.]", "mdy": r"^\d{1,2}[-/.](?:1[3-9]|2\d|3[01])[-/.]"}
SHORT_YEAR = r"^\d{2}[-/.]\d{1,2}[-/.](?:[0-2]\d|3[01])(?:\D|$)"  # a day that may be the year
MOST_WORDS = 30
LONG = 10**6
FEW_TWICE, SHOWN = 4, 3  # one of so many values is there before where few are, and how many are named
FEW_ROWS = 20  # at most so many rows, or one in so many, are not those of loans
FEW_OTHERS = 5  # words that may stand among numbers or dates, such as - and N/A
SHARE = 0.8  # of the first values that have to be of a kind; all are counted afterwards
NAME = re.compile(r"[^\W\d_][\w'.-]+(?: [^\W\d_][\w'.-]*){1,4}")

Sums = Mapping[str, int | Decimal | None]  # what is counted of all rows, by column


@dataclass(frozen=True)
class Evidence:
    """What the values of one column prove.

    Parameters
    ----------
    kind
        ``blank``, ``text``, ``date``, ``month`` or ``number``.
    rows, filled, alike
        All rows, those with a value, and those whose value is of the kind.
    is_whole
        All numbers are whole.
    low, high, total
        Of numbers; the total is None where a mark is open.
    mark
        The decimal mark, as the values of the column or of the others prove it; None: it may be either.
    marks
        How many values prove each mark, and how many leave it open (see `decimal_marks`).
    order
        ``dmy`` or ``mdy`` where it is proven, empty where it need not be, None where it may be another.
    is_percent, has_percent
        All numbers have a percent sign; some have.
    is_unique
        No value is there twice.
    others
        The words among numbers or dates, where they are few and none has a digit.
    twice
        Some of the values that are, of columns where few are.
    words
        The different values, of columns with few, and how many rows have each.
    looks
        Why the values are those of a person: names, addresses, numbers; empty where they do not look so.
    """

    place: int
    heading: str
    kind: str
    rows: int
    filled: int
    alike: int
    is_whole: bool = False
    low: Decimal | None = None
    high: Decimal | None = None
    total: Decimal | None = None
    mark: str | None = None
    marks: Mapping[tuple[str, str], int] = field(default_factory=Counter)
    order: str | None = ""
    is_percent: bool = False
    has_percent: bool = False
    is_unique: bool = False
    others: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    words: Mapping[str, int] = field(default_factory=dict)
    looks: str = ""

    @property
    def is_pure(self) -> bool:
        """Whether all values are of its kind, but for few words."""
        return self.kind != BLANK and (self.alike == self.filled or bool(self.others))

    @property
    def is_full(self) -> bool:
        """Whether every row has a value."""
        return self.filled == self.rows

    @property
    def is_long(self) -> bool:
        """Whether they are whole numbers of so many digits that they may number people, cards or accounts."""
        return self.kind == NUMBER and (self.high is None or max(abs(self.low), abs(self.high)) >= LONG)

    @property
    def repeats(self) -> bool:
        """Whether its values are few words, each there twice or more on average."""
        return bool(self.words) and 2 * len(self.words) <= self.filled

    def told(self, with_span: bool = True) -> str:
        """Return what the values are, in a few words, and from where to where numbers reach."""
        blank = "" if self.is_full else f", {self.rows - self.filled:,} of {self.rows:,} blank"
        blank += f", {self.filled - self.alike:,} of {self.rows:,} a word" if self.others else ""
        if self.kind == BLANK:
            return "no value"
        if self.kind == NUMBER and self.low is not None and self.mark is not None:
            what = "whole numbers" if self.is_whole else "per cent" if self.is_percent else "numbers"
            span = f", all {plain(self.low)}" if self.low == self.high else f" {plain(self.low)} to {plain(self.high)}"
            return f"{what}{span if with_span else ''}{blank}"
        if self.kind == TEXT and self.words and not self.is_unique:
            return f"{counted(len(self.words), 'word')}{blank}"
        what = {TEXT: self.looks or "text", DATE: "dates", MONTH: "months", NUMBER: "numbers"}[self.kind]
        return f"{what}{', each once' if self.is_unique and self.kind == TEXT else ''}{blank}"


def plain(number: Decimal) -> str:
    """Return a number with groups, without zeros behind its last decimal.

    Examples
    --------
    >>> plain(Decimal("1500.500000")), plain(Decimal("35.000000"))
    ('1,500.5', '35')
    """
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def examine(table: Table, engine: Engine) -> list[Evidence]:
    """Return the evidence of each column of a table, in its order."""
    places = [place for place, heading in enumerate(table.headings) if heading]
    guesses = {place: _Guess.of([row[table.column(place)] for row in table.sample]) for place in places}
    likely = decimal_marks.proven({place: guess.marks for place, guess in guesses.items() if guess.kind == NUMBER})
    sums = _counted(table, guesses, likely, engine)
    found = {place: _evidence(table, place, guesses[place], sums) for place in places}
    counts = {place: _marks(table.column(place), sums) for place in likely}
    for place, mark in decimal_marks.proven(counts).items():
        is_read_so = (mark or ".") == (likely[place] or ".")
        found[place] = _with_numbers(found[place], sums, mark, counts[place], is_read_so)
    return list(found.values())


def of_loans(table: Table, found: Sequence[Evidence], words: Dictionary) -> Table:
    """Return a table without the few rows that are not those of loans: totals, and rows without a loan number."""
    known = [one for one in found if LOAN_ID.name in words.columns_of(one.heading) and one.kind in (TEXT, NUMBER)]
    ids = known or [one for one in found[:1] if one.kind == TEXT]  # of an aging report
    if not ids:
        return table
    number = nw.col(table.column(max(ids, key=lambda one: one.filled).place)).str.strip_chars()
    numbered = table.rows.with_columns(loan_id=number)
    is_blank = IS_BLANK & nw.lit(bool(known))
    rows = numbered.filter(~is_blank & ~IS_LABEL).drop("loan_id")
    [counts] = rows.select(rows=nw.len()).collect("pyarrow").to_native().to_pylist()
    left_out = ids[0].rows - counts["rows"]
    if not 0 < left_out <= max(FEW_ROWS, ids[0].rows // FEW_ROWS):
        return table
    sample = rows.head(len(table.sample)).collect("pyarrow").to_native().to_pylist()
    others = numbered.filter(is_blank).head(len(table.sample)).collect("pyarrow").to_native().to_pylist()
    without_id = tuple(row for row in others if any(row.values()) and not is_called_total(row, [*row]))
    return replace(table, rows=rows, sample=tuple(sample), left_out=left_out, without_id=without_id)


@dataclass(frozen=True)
class _Guess:
    """What the first values of a column look like."""

    kind: str
    marks: Counter
    is_distinct: bool
    words: int
    looks: str

    @classmethod
    def of(cls, cells: Sequence[str | None]) -> "_Guess":
        values = [cell.strip() for cell in cells if cell and cell.strip()]
        kind = kind_of(values, SHARE)
        if kind == MONTH and all(value.isdigit() for value in values) and len(set(values)) > len(values) // 2 > 1:
            kind = NUMBER  # such as amounts between 190,001 and 209,912
        distinct = len(set(values))
        return cls(kind, decimal_marks.evidence(values), 2 * distinct > len(values), distinct, _looks(values))


def _looks(values: Sequence[str]) -> str:
    """Return what of a person the values look like."""
    shares = {
        "email addresses": EMAIL.fullmatch, "phone numbers": PHONE.fullmatch, "tax numbers": TAX_NUMBER.fullmatch,
    }  # fmt: skip
    for what, matches in shares.items():
        if values and 2 * sum(bool(matches(value)) for value in values) >= len(values):
            return what
    if any(map(write_offs.is_known_status, values)):  # Closed Written Off looks like a name
        return ""
    names = [value for value in values if NAME.fullmatch(value) and value.istitle()]
    is_name = 2 * len(names) >= len(values) and 2 * len(set(names)) > len(names)
    return "names" if names and is_name else ""


def _counted(table: Table, guesses: dict[int, _Guess], likely: Mapping[int, str | None], engine: Engine) -> Sums:
    """Return counts and sums of all rows, by column and what is counted, in one pass.

    Parameters
    ----------
    likely
        The decimal marks of numbers, as the first values prove them.
    """
    typed, sums = {}, {"rows": nw.len()}
    for place, guess in guesses.items():
        name = table.column(place)
        text = nw.col(name).str.strip_chars()
        sums[f"{name} filled"] = (text.fill_null("") != "").cast(nw.Int64()).sum()
        tests, sums[f"{name} alike"] = {}, is_of_kind(text, guess.kind).cast(nw.Int64()).sum()
        if guess.kind == DATE:
            tests |= {"parts": IN_PARTS, "short": SHORT_YEAR, **ORDERS}
        elif guess.kind == NUMBER:
            tests |= {"percent": "%"}
            sums |= {f"{name} {i}": count for i, count in enumerate(decimal_marks.counts(f"{name} bare").values())}
            typed[f"{name} number"] = text
        for what, pattern in tests.items():
            sums[f"{name} {what}"] = text.str.contains(pattern).cast(nw.Int64()).sum()
        if guess.kind == NUMBER:
            number = nw.col(f"{name} number")
            sums |= {f"{name} low": number.min(), f"{name} high": number.max(), f"{name} total": number.sum()}
            sums[f"{name} fractions"] = (number != number.cast(nw.Int64())).cast(nw.Int64()).sum()
        if guess.is_distinct:
            is_filled = text.fill_null("") != ""
            sums[f"{name} different"] = nw.when(is_filled).then(text).n_unique() - (~is_filled).cast(nw.Int64()).max()
    marks = {f"{table.column(place)} number": mark for place, mark in likely.items()}
    bare = {f"{table.column(place)} bare": decimal_marks.bare(nw.col(table.column(place))) for place in likely}
    rows = numbers_of(table.rows.with_columns(**typed), marks, engine).with_columns(**bare) if typed else table.rows
    return rows.select(**sums).collect("pyarrow").to_native().to_pylist()[0]


def _marks(name: str, sums: Sums) -> Counter:
    """Return what the values of a column prove of its decimal mark."""
    return Counter({key: sums[f"{name} {i}"] or 0 for i, key in enumerate(decimal_marks.PATTERNS)})


def _with_numbers(one: Evidence, sums: Sums, mark: str | None, marks: Counter, is_read_so: bool) -> Evidence:
    """Return the evidence of a column of numbers, with low, high and total where they were read with their own mark."""
    name = Table.column(one.place)
    low, high, total = (sums[f"{name} {what}"] if is_read_so else None for what in ("low", "high", "total"))
    is_whole = low is not None and not sums[f"{name} fractions"]
    total = total if mark else None
    return replace(one, is_whole=is_whole, low=low, high=high, total=total, mark=mark, marks=marks)


def _evidence(table: Table, place: int, guess: _Guess, sums: Sums) -> Evidence:
    name = table.column(place)
    found = {what: sums.get(f"{name} {what}") or 0 for what in (
        "filled", "alike", "parts", "short", "dmy", "mdy", "percent", "different",
    )}  # fmt: skip
    orders = [order for order in ORDERS if found[order]]
    is_proven = len(orders) == 1 and not (orders[0] == "dmy" and found["short"] == found["parts"])
    order = "" if not found["parts"] else orders[0] if is_proven else None
    words, twice, others = {}, (), ()
    if guess.kind in (NUMBER, DATE, MONTH) and found["alike"] < found["filled"]:
        text = nw.col(name).str.strip_chars().fill_null("")
        rest = table.rows.filter((text != "") & ~is_of_kind(text, guess.kind)).select(word=text).unique()
        listed = sorted(row["word"] for row in rest.head(FEW_OTHERS + 1).collect("pyarrow").to_native().to_pylist())
        others = tuple(listed) if len(listed) <= FEW_OTHERS and not any(map(HAS_DIGIT.search, listed)) else ()
    repeated = found["filled"] - found["different"]
    if guess.is_distinct and 0 < FEW_TWICE * repeated <= found["filled"]:
        counts = table.rows.group_by(name).agg(rows=nw.len()).filter((nw.col("rows") > 1) & (nw.col(name) != ""))
        twice = tuple(row[name] for row in counts.sort(name).head(SHOWN).collect("pyarrow").to_native().to_pylist())
    if guess.kind == TEXT and guess.words <= MOST_WORDS and not guess.looks:
        counts = table.rows.group_by(name).agg(rows=nw.len()).head(MOST_WORDS + 1)
        listed = Counter()
        for row in counts.collect("pyarrow").to_native().to_pylist():
            listed[(row[name] or "").strip()] += row["rows"]
        words = {word: listed[word] for word in sorted(listed) if word}
    return Evidence(
        place, table.headings[place], guess.kind, sums["rows"], found["filled"],
        alike=found["alike"] if guess.kind != TEXT else found["filled"], order=order,
        is_percent=bool(found["percent"]) and found["percent"] == found["filled"], has_percent=bool(found["percent"]),
        is_unique=guess.is_distinct and bool(found["filled"]) and not repeated, others=others, twice=twice,
        words=words if len(words) <= MOST_WORDS else {}, looks=guess.looks,
    )  # fmt: skip
