"""The contract of a row: every check as one vectorized expression, and every reason why a row fails it."""

from collections.abc import Iterable
from dataclasses import dataclass

import narwhals as nw

from abaco.core.reasons import Reason
from abaco.ingest.formats import PAR_BALANCES_USD, Format

NOT_FINITE = r"^[+-]?(?:nan|inf|infinity)$"
WRONG_KIND = {
    "date": "not_a_date",
    "amount": "not_a_number",
    "rate": "not_a_number",
    "days": "not_whole",
}
SEPARATOR = "; "


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


def checks(format_: Format, present: Iterable[str]) -> list[Check]:
    """Return the checks that apply to a file.

    Parameters
    ----------
    format_
        The contract.
    present
        Columns that the file has; the frame holds each as its kind, and as ``raw_<name>`` as it stood.
    """
    present, found = set(present), []
    for column in (c for c in format_.columns if c.name in present):
        name, value, raw = column.name, nw.col(column.name), nw.col(f"raw_{column.name}")
        text = raw.cast(nw.String()).str.strip_chars().str.to_lowercase()
        if column.filled:
            is_missing = raw.is_null() | (text == "")
            found.append(Check(Reason("missing", column=name), is_missing, value.is_null()))
        if column.kind in WRONG_KIND:
            unread = value.is_null() & ~raw.is_null()
            infinite = text.str.contains(NOT_FINITE) if column.kind in ("amount", "rate") else nw.lit(False)
            wrong_kind = unread & ~infinite & (text != "")
            suspect = None if column.filled else unread
            found.append(Check(Reason("not_finite", column=name), unread & infinite, suspect))
            found.append(Check(Reason(WRONG_KIND[column.kind], column=name), wrong_kind))
        if column.kind in ("amount", "rate", "days") and not column.signed:
            found.append(Check(Reason("negative", column=name), value < 0, value < 0))
    if present.issuperset(PAR_BALANCES_USD):
        wider = ("outstanding_balance_usd", *PAR_BALANCES_USD)
        for wide, narrow in zip(wider, PAR_BALANCES_USD, strict=False):
            is_more = nw.col(narrow) > nw.col(wide)
            found.append(Check(Reason("more_than", column=narrow, wider_column=wide), is_more, is_more))
    return found


def reasons(format_: Format, present: Iterable[str]) -> nw.Expr:
    """Return why each row fails the contract, the keys of all failed checks joined, or null where it passes.

    Parameters
    ----------
    format_, present
        See `checks`.
    """
    found = checks(format_, present)
    keys = [nw.when(check.failed).then(nw.lit(check.key)) for check in found]
    text = nw.concat_str(keys, separator=SEPARATOR, ignore_nulls=True)
    # the text is put together for the few rows that look wrong, not for every row
    suspect = nw.any_horizontal(
        *(check.suspect for check in found if check.suspect is not None), ignore_nulls=True
    )
    return nw.when(suspect).then(nw.when(text != "").then(text))
