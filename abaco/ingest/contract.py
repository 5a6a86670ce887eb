"""The contract of a row: every check as one vectorized expression, and every reason that a row fails it."""

from collections.abc import Iterable

import narwhals as nw

from abaco.ingest.formats import PAR_BALANCES_USD, Format

NOT_FINITE = r"^[+-]?(?:nan|inf|infinity)$"
WRONG_KIND = {
    "date": "not a date",
    "amount": "not a number",
    "rate": "not a number",
    "days": "not a whole number",
}


def reasons(format_: Format, present: Iterable[str]) -> nw.Expr:
    """Return why each row fails the contract, all reasons joined by ``; ``, or null where it passes.

    Parameters
    ----------
    format_
        The contract.
    present
        Columns that the file has; the frame holds each as its kind, and as ``raw_<name>`` as it stood.
    """
    present = set(present)
    suspect, found = [], []

    def check(failed: nw.Expr, reason: str):
        found.append(nw.when(failed).then(nw.lit(reason)))

    for column in (c for c in format_.columns if c.name in present):
        name, value, raw = column.name, nw.col(column.name), nw.col(f"raw_{column.name}")
        text = raw.cast(nw.String()).str.strip_chars().str.to_lowercase()
        if column.filled:
            suspect.append(value.is_null())
            check(raw.is_null() | (text == ""), f"{name}: missing")
        if column.kind in WRONG_KIND:
            unread = value.is_null() & ~raw.is_null()
            if not column.filled:
                suspect.append(unread)
            infinite = text.str.contains(NOT_FINITE) if column.kind in ("amount", "rate") else nw.lit(False)
            check(unread & infinite, f"{name}: not a finite number")
            check(unread & ~infinite & (text != ""), f"{name}: {WRONG_KIND[column.kind]}")
        if column.kind in ("amount", "rate", "days") and not column.signed:
            suspect.append(value < 0)
            check(value < 0, f"{name}: negative")
    if present.issuperset(PAR_BALANCES_USD):
        wider = ("outstanding_balance_usd", *PAR_BALANCES_USD)
        for wide, narrow in zip(wider, PAR_BALANCES_USD, strict=False):
            suspect.append(nw.col(narrow) > nw.col(wide))
            check(nw.col(narrow) > nw.col(wide), f"{narrow}: more than {wide}")
    # the text is put together for the few rows that look wrong, not for every row
    return nw.when(nw.any_horizontal(*suspect, ignore_nulls=True)).then(joined(found))


def joined(found: list[nw.Expr]) -> nw.Expr:
    """Return the reasons of each row as one text, or null where there is none."""
    text = nw.concat_str(found, separator="; ", ignore_nulls=True)
    return nw.when(text != "").then(text)
