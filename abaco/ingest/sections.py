"""Sections: rows that hold words of the end or the lateness of loans, beside rows of which no column says it."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import narwhals as nw

from abaco.core.errors import InputError
from abaco.engines import RECORDS, Engine
from abaco.ingest import bucket_words, heading_words, headings, total_sums, unread_columns, unread_lateness, write_offs
from abaco.ingest.columns import normalise
from abaco.ingest.csv_records import records
from abaco.ingest.layout import IS_LEFT_OUT
from abaco.ingest.quarantine import lines
from abaco.ingest.staging import Batch, Staged
from abaco.ingest.total_sums import BALANCE
from abaco.ingest.total_words import LIKE

MOST_FILLED = 3  # cells of a row that is not a loan
MOST_ROWS, SAID = 10_000, "is_said"  # rows of a sum; and whether a column says of a row what a text does
ENDED, LATE, COUNTING = "ended", "late", "counting"  # what a text says of loans
OF_KIND = {ENDED: ("unread_written_off", "unread_closed", unread_columns.SECTION), LATE: (unread_lateness.LATE,)}
NUMBER = re.compile(r"^\W*(?:\d+(?:\.\d+)*|[ivx]+|[a-z])\s*[.):–—-]\s*", re.IGNORECASE)  # before a text: B., II., 2.1)
TOTAL = re.compile(rf"^\W*{LIKE}(?![^\W\d_])\W*", re.IGNORECASE)
DATE = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{1,4}")
WAY_OUT = (
    "and no column says that they are; add a column loan_status that does, or take line {0} out of the file if it says "
    "nothing of them"
)


@dataclass(frozen=True)
class Section:
    """A row that says something of loans: its line, how many rows stand above it, what it says, in which words."""

    line: int
    place: int
    kind: str
    words: str
    is_total: bool


def check_sections(batch: Batch, engine: Engine) -> None:
    """Raise when a row has only such a text as ``Written-off loans``, if not a sum too, and no column says so.

    It says it of the rows that follow, or of those whose sum it has. Only rows are looked at that are rejected, or
    could not be split into columns; only a word of a longer text is shown.

    Raises
    ------
    InputError
        Naming the row, and a way out.
    """
    is_bad = ~nw.col("reasons").is_null() & ~nw.col(IS_LEFT_OUT).fill_null(False)
    for staged in batch.staged if batch.format.balance else ():
        sums = {}
        if staged.text and "reasons" in staged.filled:
            rows = engine.scan(staged.path, row_number="record").filter(is_bad).select("record", BALANCE)
            sums = {row["record"]: row[BALANCE] for row in rows.collect("pyarrow").to_native().to_pylist()}
        bad = {*lines(staged, sorted(sums)).values(), *(line for line, _ in staged.broken)}
        found = [*_sections(staged, bad)] if bad else []
        if any(section.kind != COUNTING for section in found):
            _check(staged, found, sums, engine)


def _sections(staged: Staged, bad: set[int]) -> Iterator[Section]:
    place, last, broken = -1, max(bad), {line for line, _ in staged.broken}
    known = Words.load()
    for line, fields, _ in records(staged.source, staged.text):
        if line in bad and (said := _said(fields, known, staged.source.layout.inputs.get("loan_id"))):
            yield Section(line, place, *said)
        if line >= last:
            return
        place += line not in broken


def _check(staged: Staged, found: Sequence[Section], sums: Mapping[int, Decimal | None], engine: Engine) -> None:
    rows, name = engine.scan(staged.path, row_number="record"), staged.source.name
    for section, following in zip(found, [*found[1:], None], strict=True):
        if section.kind == COUNTING:
            continue
        valid = _valid(rows, section.kind)
        if not section.is_total:
            below = valid.filter((nw.col("record") >= section.place) & ~nw.col(SAID) & (nw.col(BALANCE) != 0))
            if following:
                below = below.filter(nw.col("record") < following.place)
            if len(below.head(1).collect("pyarrow")):
                raise _unsaid(name, section.line, f"has only {section.words}, rows follow")
        if (amount := sums.get(section.place)) and _is_sum(valid, section.place, amount, sums):
            raise _unsaid(name, section.line, f"has {section.words} and the sum of other rows")


def check_numbers(suspects: Iterable[Mapping[str, Any]], rows: nw.LazyFrame, batch: Batch) -> None:
    """Raise when a valid row says in place of a loan's number that loans ended, alone or as the total of others.

    Parameters
    ----------
    suspects
        Rows whose number is unlike that of loans.
    rows
        All rows.
    """
    of_loans = [row for row in suspects if row["loan_id"] and (row[BALANCE] or 0) > 0 and not row["reasons"]]
    known = Words.load() if of_loans else None
    for row in of_loans:
        kind, words = known.said(row["loan_id"]) or ("", "")
        is_total = bool(TOTAL.match(row["loan_id"]))
        if kind == ENDED and (not is_total or _is_sum(_valid(rows, kind), row["record"], row[BALANCE], ())):
            staged, record = next(s for s in batch.staged if s.index == row["source"]), row["row_id"] % RECORDS
            line = lines(staged, [record])[record]
            raise _unsaid(staged.source.name, line, f"has {words} in place of a loan's number, perhaps of other rows")


def _unsaid(name: str, line: int, what: str) -> InputError:
    return InputError(f"{name}: line {line} {what}, {WAY_OUT.format(line)}")


def _valid(rows: nw.LazyFrame, kind: str) -> nw.LazyFrame:
    """Return the valid rows, and by `SAID` whether a column says of them what a text of that kind does."""
    is_said = nw.col(write_offs.STANDING).is_in([write_offs.WRITTEN_OFF, write_offs.CLOSED, write_offs.LATE])
    is_late = write_offs.is_late(rows.collect_schema().names()) if kind == LATE else nw.lit(False)
    said = (is_said.fill_null(False) | is_late).alias(SAID)
    return rows.filter(nw.col("reasons").is_null()).select("record", BALANCE, total_sums.LOST, said)


def _is_sum(rows: nw.LazyFrame, place: int, amount: Decimal, breaks: Container[int]) -> bool:
    """Return whether an amount is the sum of the rows right above or below of which a column does not say the same.

    That of a single row counts up to a break alone.
    """
    for step, side in ((-1, nw.col("record") < place), (1, nw.col("record") > place)):
        beside = rows.filter(side).sort("record", descending=step < 0).head(MOST_ROWS)
        sum_, is_said = Decimal(0), True
        for count, row in enumerate(beside.collect("pyarrow").to_native().to_pylist(), 1):
            sum_ += (row[BALANCE] or 0) + (row[total_sums.LOST] or 0)
            is_said = is_said and row[SAID]
            if total_sums.near(amount, sum_, count) and (count > 1 or row["record"] + step in breaks):
                return not is_said
    return False


def _said(fields: Sequence[str], known: "Words", place: int | None) -> tuple[str, str, bool] | None:
    """Return what a row says of loans, if it is none: a branch or a date may stand before it, and sums behind it.

    Parameters
    ----------
    place
        That of the loans' numbers: a text there is none, whatever stands behind it.
    """
    filled = [text.strip() for text in fields if text.strip()]
    is_name = len(filled) > 1 and not known.said(filled[0])
    is_name = is_name and bool(DATE.fullmatch(filled[0]) or not any(map(str.isdigit, filled[0])))
    text, *others = filled[is_name:] or [""]
    is_number = place is not None and place < len(fields) and text == fields[place].strip()
    if (len(filled) > MOST_FILLED and not is_number) or any(map(str.isalpha, "".join(others))):
        return None
    said = known.said(text)
    return (*said, bool(TOTAL.match(text))) if said else None


@dataclass(frozen=True)
class Words:
    """Words of the end and the lateness of loans, by what they say: as a whole text, and within a longer one."""

    whole: Mapping[str, set[str]]
    within: Mapping[str, set[str]]
    known: Mapping[str, headings.Known]
    negative: set[str]

    @classmethod
    def load(cls) -> "Words":
        """Return the words of params/loans.yml and params/headings.yml."""
        loans, known = write_offs.load(), headings.load()
        said, unread = loans.statuses, loans.unread
        whole = {
            ENDED: [*said.written_off, *said.closed, *unread.sold],
            COUNTING: [*said.outstanding, *said.restructured, *unread.not_late],
            LATE: [*said.late, *unread.late, *unread.long],
        }
        long = [word for word in (*said.written_off, *unread.sold) if len(word) >= unread_columns.LEAST_LETTERS]
        several = {kind: [word for word in listed if " " in word] for kind, listed in whole.items()}
        within = {ENDED: {*long, *several[ENDED], *known[unread_columns.SECTION].headings}, LATE: {*several[LATE]}}
        return cls(
            {kind: {*write_offs.forms(listed)} for kind, listed in whole.items()},
            {kind: {normalise(word) for word in listed} for kind, listed in within.items()},
            known,
            {normalise(word) for word in unread.excepted},
        )

    def said(self, text: str) -> tuple[str, str] | None:
        """Return what a text says of loans, and the words that say so: all, or those within a longer text.

        Examples
        --------
        >>> words = Words.load()
        >>> [words.said(text) for text in ("B. Written-off loans", "Total sold to Acme", "CARTERA CASTIGADA:")]
        [('ended', 'B. Written-off loans'), ('ended', 'a text with "sold"'), ('ended', 'CARTERA CASTIGADA:')]
        >>> [words.said(text) for text in ("91+ days", "Closed accounts (3)", "Loans past due in Lima")]
        [('late', '91+ days'), ('ended', 'Closed accounts (3)'), ('late', 'a text with "past due"')]
        >>> [words.said(text) for text in ("No vencidos", "Lima branch", "Total", "Loans without written-off ones")]
        [('counting', 'No vencidos'), None, None, None]
        """
        plain = TOTAL.sub("", NUMBER.sub("", text))
        beside = {*self.known[unread_columns.SECTION].beside}
        given = [word for word in normalise(plain).split("_") if not word.isdigit()]
        said = [word for word in given if not {word, word.removesuffix("s")} & beside]
        forms = {"_".join(said), "_".join(word.removesuffix("s") for word in said)}
        letters = {form.replace("_", "") for form in forms}
        for kind in (ENDED, COUNTING, LATE):
            is_known = any(self.known[name].has(form) for name in OF_KIND.get(kind, ()) for form in forms)
            if is_known or not letters.isdisjoint(self.whole[kind]):
                return kind, text
        dictionary = heading_words.load()
        if bucket_words.is_bucket(text.strip(), dictionary):
            return (LATE, text) if bucket_words.days_of(text.strip(), dictionary) else (COUNTING, text)
        for kind, listed in self.within.items():
            for form in ("_".join(given), "_".join(word.removesuffix("s") for word in given)):
                found = [word for word in sorted(listed) if f"_{word}_" in f"_{form}_"]
                before = {*form.partition(found[0])[0].split("_")} if found else set()
                if found and before.isdisjoint(self.negative):
                    return kind, f'a text with "{found[0].replace("_", " ")}"'
        return None
