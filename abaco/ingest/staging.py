"""Staging: the rows of every source as Parquet, each with its verdict under the contract."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals as nw

from abaco.core.files import row_count
from abaco.core.reasons import Reason
from abaco.engines import RECORDS, Engine
from abaco.engines.forms import Writing
from abaco.ingest import columns_beside, contract, days_late, exchange, tape, unread_columns, write_offs, writing
from abaco.ingest.balances import owed_balances
from abaco.ingest.columns import RESTRUCTURED
from abaco.ingest.contract import Format
from abaco.ingest.days_late import with_days_late
from abaco.ingest.decimal_marks import currency_signs
from abaco.ingest.identities import with_loan_ids
from abaco.ingest.layout import IS_LEFT_OUT
from abaco.ingest.masking import AS_READ, CALLED, PERSON, Masking
from abaco.ingest.misplaced import form_of_ids, may_have_personal_id, misplaced
from abaco.ingest.originals import with_hash, with_originals
from abaco.ingest.reading import read_whole, text_path, typed
from abaco.ingest.sources import Source
from abaco.ingest.write_offs import CONTESTED, ENDED_IN, IS_LOST, LATE_IN, STANDING
from abaco.ingest.writing import DEFAULT_RULES, Rules

ROW_ID = (nw.col("source").cast(nw.Int64()) * RECORDS + nw.col("record")).alias("row_id")
IS_LATER = nw.col("is_later")
TAPE = "tape"  # the role of the rows that become the loan tape
# What staged rows carry beside the columns of their contract or of the tape.
BESIDE = (
    "reasons", "original", IS_LEFT_OUT, "is_later", "has_key", "amount_usd", "credit_usd", "lost_usd", STANDING,
    CONTESTED, write_offs.WORD, "unread", "doubtful", "signs", "is_ahead", "is_late", "source", "record", "row_id",
    "rate_has_sign", PERSON, CALLED, LATE_IN, ENDED_IN, AS_READ, exchange.IN,
)  # fmt: skip
RARE = ("reasons", "unread", "signs", IS_LEFT_OUT)  # that most files leave empty: they need no further look


@dataclass(frozen=True)
class Staged:
    """One source after the contract: its rows as Parquet, and the lines that could not be split into columns.

    `whole` is the copy without those lines, where one had to be made; `writings` say how columns are written, and
    `told` what a reader should know of that; `used` says which exchange rates its rows need; `filled` names those of
    `RARE` that a row has a value in.
    """

    source: Source
    index: int
    path: Path
    text: Path | None
    broken: tuple[tuple[int, str], ...]
    writings: Mapping[str, Writing]
    told: tuple[Reason, ...] = ()
    whole: Path | None = None
    used: exchange.Used = field(default_factory=dict)
    filled: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Batch:
    """All staged sources of one format, with verdicts on totals, on rows that share a key, and on copies.

    `left_out` names the files whose rows are all in others; `loan_ids` has the loans of rows whose id is written in
    another way (see `matching`). Of several batches that give the tape, `dates` are those that this one gives, and
    `filled` the sums of a date that others give (see `precedence`). `unread` counts the values that cannot be used, by
    date and column (see `unread`). `in_doubt` says why the batch cannot give the tape of a date. `notes` is what a
    reader should know.
    """

    format: Format
    role: str
    staged: tuple[Staged, ...]
    verdicts: Path | None = None
    left_out: tuple[str, ...] = ()
    loan_ids: Path | None = None
    dates: tuple[dt.date, ...] | None = None
    filled: Mapping[dt.date, Mapping[str, Decimal]] = field(default_factory=dict)
    unread: Mapping[dt.date, Mapping[str, int]] = field(default_factory=dict)
    in_doubt: str = ""
    notes: tuple[Reason, ...] = ()
    _cache: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def names(self) -> dict[int, str]:
        """The names of the files by their number."""
        return {s.index: s.source.name for s in self.staged}

    @property
    def columns(self) -> set[str]:
        """The columns that its files have."""
        return {name for s in self.staged for name in s.source.columns}

    @property
    def is_tape(self) -> bool:
        """Whether these rows are the loan tape."""
        return self.role == TAPE

    def rows(self, engine: Engine) -> nw.LazyFrame:
        """Return every row that could be split into columns, with ``reasons``, ``is_later``, ``row_id``."""
        return self.cached("rows", lambda: _numbered([s.path for s in self.staged], engine))

    def has(self, name: str) -> bool:
        """Return whether a row has a value in a column of `RARE`."""
        return any(name in s.filled for s in self.staged)

    def named_rows(self, engine: Engine) -> nw.LazyFrame:
        """Return the same with the ids of their loans."""
        if self.loan_ids is None:
            return self.rows(engine)
        return self.cached(("named", self.loan_ids), lambda: with_loan_ids(self.rows(engine), self.loan_ids, engine))

    def accepted(self, engine: Engine) -> nw.LazyFrame:
        """Return the accepted rows: valid, not later than the date, not a duplicate, of a date that the batch gives."""
        return of_dates(self._accepted(engine), self.dates)

    def beside(self, engine: Engine) -> nw.LazyFrame:
        """Return the accepted rows of dates that another batch gives."""
        return of_dates(self._accepted(engine), self.dates, given=False)

    def _accepted(self, engine: Engine) -> nw.LazyFrame:
        given = (self.is_tape, engine, self.loan_ids)
        made = ("accepted", self.verdicts, self.loan_ids)
        return self.cached(made, lambda: _completed(self.usable(engine), *given))

    def usable(self, engine: Engine) -> nw.LazyFrame:
        """Return the accepted rows with the columns of `BESIDE`."""
        return self.cached(("usable", self.verdicts), lambda: _usable(self.rows(engine), self.verdicts, engine))

    def cached(self, name: Any, make: Callable[[], Any]) -> Any:
        """Return what is made once: frames, as an engine checks each step of a frame when it is added, and rows.

        Copies of a batch with other verdicts share it: a name says what it depends on.
        """
        if name not in self._cache:
            self._cache[name] = make()
        return self._cache[name]

    def as_dict(self) -> dict:
        """Return what a later phase needs to read the accepted rows."""
        return {
            "format": self.format.name,
            "is_tape": self.is_tape,
            "staged": [s.path.name for s in self.staged],
            "verdicts": self.verdicts and self.verdicts.name,
            "loan_ids": self.loan_ids and self.loan_ids.name,
            "dates": None if self.dates is None else [str(day) for day in self.dates],
        }


def accepted_rows(
    staged: list[Path], verdicts: Path | None, is_tape: bool, engine: Engine, loan_ids: Path | None = None
) -> nw.LazyFrame:
    """Return the accepted rows of staged files: the columns of the contract, or ``row_id`` and those of the tape."""
    return _completed(_usable(_numbered(staged, engine), verdicts, engine), is_tape, engine, loan_ids)


def _completed(rows: nw.LazyFrame, is_tape: bool, engine: Engine, loan_ids: Path | None) -> nw.LazyFrame:
    if loan_ids is not None:
        rows = engine.in_order(with_loan_ids(rows, loan_ids, engine), "row_id")
    return tape.complete(rows, "row_id") if is_tape else rows.drop(BESIDE, strict=False)


def of_dates(rows: nw.LazyFrame, dates: Collection[dt.date] | None, given: bool = True) -> nw.LazyFrame:
    """Return the rows of the dates that a batch of the tape gives, or those of the other dates; None: it gives all."""
    if dates is None:
        return rows if given else rows.filter(nw.lit(False))
    is_given = nw.col("measurement_date").is_in(list(dates))
    return rows.filter(is_given if given else ~is_given)


def _numbered(staged: list[Path], engine: Engine) -> nw.LazyFrame:
    return engine.scan(staged, row_number="record").with_columns(ROW_ID)


def _usable(rows: nw.LazyFrame, verdicts: Path | None, engine: Engine) -> nw.LazyFrame:
    rows = rows.filter(nw.col("reasons").is_null() & ~IS_LATER)
    return rows if verdicts is None else engine.anti_join(rows, verdicts)


def stage_one(
    source: Source,
    index: int,
    is_tape: bool,
    date: dt.date,
    engine: Engine,
    work: Path,
    masking: Masking,
    rules: Rules = DEFAULT_RULES,
    rates: exchange.Exchange | None = None,
) -> Staged:
    """Write the rows of one source as Parquet, checked.

    Parameters
    ----------
    index
        Number of the source; with a row's position it makes the row's id.
    is_tape
        Whether the rows are turned into those of the tape.
    date, masking, rules, rates
        See `roles.stage`.
    """
    path = work / f"staged_{index:02d}.parquet"
    text = text_path(source, engine) if source.is_text else None
    found = writing.of_sample(source, text, engine, rules)
    not_late = source.mapping.not_late or rules.not_late

    def write(whole: Path | None) -> int:
        rows = typed(source, engine, whole, found.writings, masking, date=date)
        rows = with_days_late(rows, source, not_late)
        is_percent = rules.interest_rate == writing.PERCENT and not source.says_rate
        rows = rows.with_columns(
            *([writing.as_fraction("interest_rate")] if is_percent and "interest_rate" in source.columns else ()),
            reasons=contract.reasons(source.format, source.columns, rules.bucket_tolerance_usd),
            unread=contract.unread(source.format, source.columns),
            doubtful=writing.doubtful(source, found, rows.collect_schema()),
            signs=currency_signs(found.dressed),
        )
        rows = with_hash(rows, source, engine, masking.secret)
        rows = with_originals(rows, source, engine, masking.key, rules.show_rejected_values)
        rows = exchange.converted(rows, source, date, rates, engine)
        engine.write(_staged_rows(rows, source, index, is_tape, date), path, temporary=True)
        return row_count(path)

    whole, broken = read_whole(source, text, engine, write)
    doubtful, days, filled = _seen(source, engine.scan(path))
    if doubtful:
        first, found = found, writing.of_all(source, found, engine, whole or text, rules, doubtful)
        if found.writings != first.writings:
            write(whole)
            _, days, filled = _seen(source, engine.scan(path))
    of_ids = form_of_ids(source, engine.scan(path), masking.key) if days["ids"] else ""
    hidden, told = misplaced(source, engine.scan(path))
    if hidden or of_ids:
        masking = replace(masking, hidden=hidden, of_ids=of_ids)
        write(whole)
    told += columns_beside.told(source, engine, whole or text, found.writings)
    noted = (*found.told, *days_late.told(source, days, not_late), *told)
    used = exchange.used(source, engine, path, rates, text, [line for line, _ in broken])
    return Staged(source, index, path, text, tuple(broken), found.writings, noted, whole, used, filled)


def _seen(source: Source, staged: nw.LazyFrame) -> tuple[set[str], dict[str, int], frozenset[str]]:
    """Return the columns of doubtful writing, how many rows are ahead, late or of possibly personal ids; `filled`."""
    flags = ("is_ahead", "is_late", "ids")
    counts = [nw.col(name).cast(nw.Int64()).sum() for name in flags] + [nw.col(name).count() for name in RARE]
    staged = staged.with_columns(ids=may_have_personal_id(source, staged))
    found = staged.group_by("doubtful").agg(*counts).collect("pyarrow").to_native().to_pylist()
    doubtful = {name for row in found for name in (row["doubtful"] or "").split(contract.SEPARATOR) if name}
    filled = frozenset(name for name in RARE if any(row[name] for row in found))
    return doubtful, {name: sum(row[name] or 0 for row in found) for name in flags}, filled


def _staged_rows(rows: nw.LazyFrame, source: Source, index: int, is_tape: bool, date: dt.date) -> nw.LazyFrame:
    """Return checked rows with the columns of the tape or of their contract, and those of `BESIDE`."""
    format_, present = source.format, set(source.columns)
    restructured = write_offs.restructured(present, source.tells_restructured)
    given = present | {STANDING} | ({RESTRUCTURED} if restructured else set())
    standing = write_offs.standing({*rows.collect_schema().names()}, source.is_region_or_status, date, source.settled)
    made = [*contract.without_unusable(format_, present), *standing, *restructured]
    if is_tape and not format_.is_dated:
        made, given = [*made, nw.lit(date).alias("measurement_date")], given | {"measurement_date"}
    rows = unread_columns.with_statuses(rows.with_columns(*made), source)
    if source.is_region_or_status:
        rows = rows.with_columns(write_offs.region())
    names = rows.collect_schema().names()
    beside = dict.fromkeys(("is_ahead", "is_late", IS_LEFT_OUT), nw.Boolean())
    beside |= dict.fromkeys((exchange.IN, PERSON, CALLED), nw.String())
    beside = [nw.col(c) if c in names else nw.lit(None).cast(type_).alias(c) for c, type_ in beside.items()]
    keys = [nw.col(name).is_null() for name in format_.key if name in present]
    nothing = nw.lit(None).cast(nw.Decimal(18, 2))
    if is_tape:
        rows = rows.with_columns(owed_balances(format_, given))
        columns = tape.tape_columns(format_, given, source.first_days)
        columns += [nw.col(c) for c in ("currency",) if c in present]
        amount = tape.owed(format_, given)
    else:
        columns = [nw.col(c.name) for c in format_.columns if c.name in present]
        amount = nw.col(format_.amount) if format_.amount in present else nothing
    balance = nw.col(format_.balance) if format_.balance in present else nothing
    later = (nw.col(format_.date) > date).fill_null(False) if format_.date in present else nw.lit(False)
    has_sign = nw.col("raw_interest_rate").cast(nw.String()).str.contains("%", literal=True)
    signs = [has_sign.alias("rate_has_sign")] if "interest_rate" in present else []
    return rows.select(
        *columns, *signs, "original", "unread", "doubtful", "signs",
        nw.when(nw.col("reasons") != "").then(nw.col("reasons")).alias("reasons"),
        later.alias("is_later"),
        amount.cast(nw.Decimal(18, 2)).alias("amount_usd"),
        nw.when(balance < 0).then(-balance).cast(nw.Decimal(18, 2)).alias("credit_usd"),
        nw.when(IS_LOST & (balance > 0)).then(balance).cast(nw.Decimal(18, 2)).alias("lost_usd"),
        STANDING, CONTESTED, write_offs.unknown_word(present, source.is_region_or_status),
        (~nw.any_horizontal(*keys, ignore_nulls=False) if keys else nw.lit(False)).alias("has_key"),
        nw.lit(index).alias("source"),
        nw.col(AS_READ), *beside, *(name for name in (LATE_IN, ENDED_IN) if name in names),
    )  # fmt: skip
