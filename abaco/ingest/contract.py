"""The contract of an input format: its columns, the checks on its rows, and every reason that a row fails them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

import narwhals as nw

from abaco.core.reasons import Reason
from abaco.core.tables import Table
from abaco.ingest.columns import DAYS_PAST_DUE, TEXTS, Column

NOT_FINITE = r"(?i)^[+-]?(?:nan|inf|infinity)$"
NO_NUMBER_MEANT = r"(?i)^(?:[+-]?(?:nan|inf|infinity))?$"  # or an empty cell
# numbers of which there are too many digits, with separators or an exponent
_POWER = r"|^[+-]?[1-9]\d*(?:[.,]\d+)?[eE]\+?\d{2,}$"
TOO_LARGE = {
    "amount": ("amount_too_large", r"^[+-]?(?:0*[1-9]\d{16,}|[1-9]\d{0,2}(?:[.,]\d{3}){5,})(?:[.,]\d*)?$" + _POWER),
    "days": ("days_too_large", r"^[+-]?0*[1-9](?:\d{4,}|\d?(?:[.,]\d{3})+)(?:[.,]0*)?$" + _POWER),
}
WRONG_KIND = {"date": "not_a_date", "amount": "not_a_number", "rate": "not_a_number", "days": "not_whole"}
SEPARATOR = "; "
NUMBERS = ("amount", "scaled", "rate", "days")


@dataclass(frozen=True)
class Format:
    """One input format: the columns that it keeps, what is checked on its rows, and what they are used for.

    Parameters
    ----------
    grain
        What one row is.
    purpose
        What the rows are used for when they are not the tape; empty when they are then not used.
    replaced_by
        The format that serves the same purpose where an input has both.
    tape_rank
        Of the formats of an input, the one with the lowest rank gives the loan tape; None: it cannot.
    to_tape
        Returns the tape's columns that are not columns of the format, given the columns of the file and the first days
        of its buckets of days past due, if it has some (see `lateness`).
    stands_in
        Columns of the tape that hold the outstanding balance, as the format has none of their own.
    tape_notes
        Codes of the notes on a report whose tape it gives.
    key
        Columns that no two rows may share.
    identity
        The column that numbers the rows, where a file has it; formats without a key (see `copies`).
    date
        The column that says from when a row is known: rows after the measurement date are left out.
    amount
        The column that the reconciliation adds up.
    decreasing
        Amounts of which none may exceed the one before.
    least
        The columns without which the rows say nothing, where these are fewer than those that are required and filled.
    """

    name: str
    title: str
    grain: str
    columns: tuple[Column, ...]
    purpose: str = ""
    replaced_by: str | None = None
    tape_rank: int | None = None
    to_tape: Callable[[set[str], Sequence[int]], dict[str, nw.Expr]] | None = None
    stands_in: tuple[str, ...] = ()
    tape_notes: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    identity: str = ""
    date: str | None = None
    amount: str | None = None
    decreasing: tuple[str, ...] = ()
    least: tuple[str, ...] = ()

    @property
    def balance(self) -> str | None:
        """The balance of a loan among the columns, which is negative where the borrower has paid too much."""
        return next((c.name for c in self.columns if c.name == self.amount and c.credit), None)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns by which its files are known."""
        return tuple(c.name for c in self.columns if c.required)

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the columns that a mapping has to give."""
        return self.least or tuple(c.name for c in self.columns if c.required and c.filled)

    @property
    def personal(self) -> tuple[str, ...]:
        """Names of the columns that are masked."""
        return tuple(c.name for c in self.columns if c.personal)

    @property
    def table(self) -> Table:
        """The table of a report that keeps its rows; columns that the file lacks are left out."""
        return Table(self.name, self.grain, tuple(c.field for c in self.columns))

    @property
    def is_dated(self) -> bool:
        """Whether its rows carry a measurement date."""
        return any(c.name == "measurement_date" for c in self.columns)


@dataclass(frozen=True)
class Check:
    """One check of the contract.

    Parameters
    ----------
    reason
        Why a row is rejected that does not pass it.
    failed
        Whether a row fails it.
    suspect
        The same at a glance, true for every row that fails; None where another check says it.
    """

    reason: Reason
    failed: nw.Expr
    suspect: nw.Expr | None = None

    @property
    def key(self) -> str:
        """The reason in staged rows: its code and columns."""
        return ":".join((self.reason.code, *self.reason.values.values()))


def checks(format_: Format, present: Iterable[str], tolerance: Decimal = Decimal(0)) -> list[Check]:
    """Return the checks that apply to a file.

    Parameters
    ----------
    format_
        The contract.
    present
        Columns that the file has; the frame holds each as its kind, and as ``raw_<name>`` as it stood.
    tolerance
        USD by which an amount may exceed the one before it: sources round each column for itself.
    """
    present, found = set(present), []
    for column in (c for c in format_.columns if c.name in present and not c.optional):
        name, value, raw = column.name, nw.col(column.name), nw.col(f"raw_{column.name}")
        text = raw.cast(nw.String()).str.strip_chars()
        if column.filled:
            is_missing = value.is_null() if column.kind in TEXTS else text.fill_null("") == ""
            code = "days_missing" if name == DAYS_PAST_DUE.name else "missing"
            found.append(Check(Reason(code, column=name), is_missing, value.is_null()))
        if column.kind in ("amount", "rate"):
            found.append(Check(Reason("not_finite", column=name), text.str.contains(NOT_FINITE)))
        if column.kind in WRONG_KIND:
            is_meant = ~text.str.contains(NO_NUMBER_MEANT) if column.kind in ("amount", "rate") else text != ""
            if column.kind in TOO_LARGE:
                code, pattern = TOO_LARGE[column.kind]
                found.append(Check(Reason(code, column=name), value.is_null() & text.str.contains(pattern)))
                is_meant = is_meant & ~text.str.contains(pattern)
            suspect = None if column.filled else value.is_null() & ~raw.is_null()
            found.append(Check(Reason(WRONG_KIND[column.kind], column=name), value.is_null() & is_meant, suspect))
        if column.kind in NUMBERS and not column.signed and name != format_.balance:
            is_wrong = _is_negative(column, format_, present)
            found.append(Check(Reason("negative", column=name), is_wrong, is_wrong))
    for wide, narrow in pairwise(name for name in format_.decreasing if name in present):
        is_more = nw.col(narrow) - nw.max_horizontal(nw.col(wide), nw.lit(Decimal("0.00"))) > nw.lit(tolerance)
        found.append(Check(Reason("more_than", column=narrow, wider_column=wide), is_more, is_more))
    return found


def _is_negative(column: Column, format_: Format, present: Iterable[str]) -> nw.Expr:
    """Return whether a value is negative that may not be: one that goes with the balance may where that is."""
    is_negative = nw.col(column.name) < 0
    if column.credit and format_.balance in set(present):
        return is_negative & ~(nw.col(format_.balance) < 0)
    return is_negative


def unread(format_: Format, present: Iterable[str]) -> nw.Expr:
    """Return the optional columns of each row whose values cannot be used, joined, or null."""
    found, present = [], set(present)
    for column in (
        c for c in format_.columns if c.name in present and c.kind in TEXTS and not (c.filled or c.personal)
    ):
        # of the texts that say no value, an error of a spreadsheet is none that somebody wrote
        is_error = nw.col(f"raw_{column.name}").cast(nw.String()).str.contains("#", literal=True)
        found.append((column.name, nw.col(column.name).is_null() & is_error))
    for column in (c for c in format_.columns if c.optional and c.kind in WRONG_KIND and c.name in present):
        value, raw = nw.col(column.name), nw.col(f"raw_{column.name}")
        is_unread = value.is_null() & (raw.cast(nw.String()).str.strip_chars() != "")
        if not column.signed and column.kind in NUMBERS:
            is_unread = is_unread | _is_negative(column, format_, present).fill_null(False)
        found.append((column.name, is_unread))
    if not found:
        return nw.lit(None).cast(nw.String())
    names = nw.concat_str(
        [nw.when(bad).then(nw.lit(name)) for name, bad in found], separator=SEPARATOR, ignore_nulls=True
    )
    return nw.when(nw.any_horizontal(*(bad for _, bad in found), ignore_nulls=True)).then(names)


def without_unusable(format_: Format, present: Iterable[str]) -> list[nw.Expr]:
    """Return the optional columns that may not be negative, null where they are, and who a loan is pledged to.

    A loan whose pledge date cannot be read is pledged to nobody: nothing shows that it is pledged already.
    """
    present = set(present)
    named = [c for c in format_.columns if c.optional and not c.signed and c.kind in NUMBERS and c.name in present]
    made = [nw.when(~_is_negative(c, format_, present)).then(nw.col(c.name)).alias(c.name) for c in named]
    if {"facility", "pledge_date"} <= present:
        is_blank = nw.col("raw_pledge_date").cast(nw.String()).str.strip_chars().fill_null("") == ""
        is_read = ~nw.col("pledge_date").is_null() | is_blank
        made.append(nw.when(is_read).then(nw.col("facility")).alias("facility"))
    return made


def reasons(format_: Format, present: Iterable[str], tolerance: Decimal = Decimal(0)) -> nw.Expr:
    """Return why each row fails the contract, the keys of all failed checks joined, or null or "" where it passes.

    Parameters
    ----------
    format_, present, tolerance
        See `checks`.
    """
    found = checks(format_, present, tolerance)
    keys = [nw.when(check.failed).then(nw.lit(check.key)) for check in found]
    text = nw.concat_str(keys, separator=SEPARATOR, ignore_nulls=True)
    # the text is put together for the few rows that look wrong, not for every row
    suspect = nw.any_horizontal(*(check.suspect for check in found if check.suspect is not None), ignore_nulls=False)
    return nw.when(suspect).then(text)


def with_amount(count: int, usd: Decimal) -> Reason:
    """Return a number of rows and their amount, for the place ``rows`` of other reasons."""
    return Reason("one_sum" if count == 1 else "many_sums", count=count, usd=usd)
