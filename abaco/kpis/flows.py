"""Disbursements, instalments and payments: the exports in one form, keyed by loan."""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal

import narwhals as nw

from abaco.ingest import flow_words
from abaco.ingest.flow_words import LENT, OTHER, PAID, REVERSAL, REVERSED, TOLD_BY, UNKNOWN
from abaco.ingest.formats import PAYMENTS, SCHEDULES, TRANSACTIONS
from abaco.kpis.book import Book

MONEY = ("principal_usd", "interest_usd", "fees_usd", "tax_usd")
TITLES = {SCHEDULES.name: "schedules", TRANSACTIONS.name: "transactions", PAYMENTS.name: "real payments"}
ZERO = nw.lit(Decimal("0.00"))
Meanings = Mapping[str, Mapping[str, list[str]]]


def paid(book: Book) -> nw.LazyFrame | None:
    """Return the payments, one row per transaction; without transactions, one row per real payment.

    Closed loans are part of it. Rebates are credits: negative in transactions, taken off the interest in real
    payments. A reversal takes a payment back: its amounts are negative. What is paid back to the borrower
    (``paid_devolution``) lowers the principal; other charges are not part of it.

    Returns
    -------
    nw.LazyFrame or None
        ``loan_id``, ``day``, `MONEY`, and ``kind``: ``paid``; ``lent``; ``reversed``, a payment that came back and does
        not count; ``other``, which is none of them; or ``unknown``, which no list of params/flows.yml has.
    """
    rows = _export(book)
    if rows is None:
        return None
    told = book.cached(meanings)
    rows = rows.select("loan_id", _day(rows), _kind(told).alias("kind"), *_amounts(rows))
    has_reversed = any(REVERSED in words for words in told.values())
    return _taken_back(rows, has_reversed) if has_reversed or REVERSAL in told.get("transaction_type", {}) else rows


def paid_title(book: Book) -> str:
    """Return the name of the export that `paid` comes from."""
    return TITLES[paid_export(book)]


def paid_export(book: Book) -> str:
    """Return the format of the export that `paid` comes from."""
    return PAYMENTS.name if book.export(TRANSACTIONS.name) is None else TRANSACTIONS.name


def meanings(book: Book) -> Meanings:
    """Return the words of the export that `paid` comes from, by column and by what they mean (see `flow_words`)."""
    if (rows := _export(book)) is None:
        return {}
    listed, schema = flow_words.load(), rows.collect_schema()
    found = {}
    for column, section in TOLD_BY.items():
        if column in schema:
            values = rows.select(column).unique().collect("pyarrow")[column].to_list()
            found[column] = flow_words.meanings(section, getattr(listed, section), set(values) - {None})
    types = found.get("transaction_type", {})
    if signed := _signed(rows, types.get(REVERSAL, [])):
        types[REVERSAL] = [word for word in types[REVERSAL] if word not in signed]
        types[PAID] = [*types.get(PAID, []), *signed]
    return {column: {meaning: words for meaning, words in told.items() if words} for column, told in found.items()}


def _signed(rows: nw.LazyFrame, reversals: list[str]) -> list[str]:
    """Return the types of reversals with negative amounts: they count as they stand."""
    if not reversals:
        return []
    typed = rows.filter(nw.col("transaction_type").is_in(reversals)).select("transaction_type", *_amounts(rows))
    found = typed.filter(size() < 0).select("transaction_type").unique().collect("pyarrow")
    return sorted(found["transaction_type"].to_list())


def unread(book: Book, name: str) -> dict[str, dict[dt.date, int]]:
    """Return how many amounts of an export could not be read, by the amount of `MONEY` and by day."""
    found: dict[str, dict[dt.date, int]] = {}
    parts = _READ[name]
    for day, counts in book.unread.get(name, {}).items():
        for amount, columns in zip(MONEY, parts, strict=True):
            if count := sum(counts.get(column, 0) for column in columns):
                found.setdefault(amount, {})[day] = count
    return found


def due(book: Book) -> nw.LazyFrame | None:
    """Return the instalments, past and future, one row each: ``loan_id``, ``day`` and `MONEY`."""
    if (rows := book.export("schedules")) is None:
        return None
    return rows.select("loan_id", nw.col("date_due").alias("day"), *_money(rows, *_PLAIN))


def lent(book: Book) -> nw.LazyFrame | None:
    """Return the disbursements, one row per loan: ``loan_id``, ``day``, ``principal_usd`` and ``interest_rate``.

    They come from the loans export, loans that never appear on the tape included, or from a tape that says of its loans
    when they were lent, on any of its dates.
    """
    if (rows := book.export("loans")) is not None:
        day, amount = "disburse_date", "disburse_principal"
    else:
        rows, day, amount = book.tape.lazy(), "disbursed_on", "disbursed_usd"
        if not {day, amount, "interest_rate"} <= set(rows.collect_schema().names()):
            return None
        said = (nw.col(name).max() for name in (day, amount, "interest_rate"))
        rows = rows.filter(~nw.col(day).is_null() & ~nw.col("loan_id").is_null()).group_by("loan_id").agg(*said)
    return rows.select("loan_id", nw.col(day).alias("day"), nw.col(amount).alias("principal_usd"), "interest_rate")


_PLAIN = (("principal",), ("interest",), ("fees",), ("to_tax",))
_PAID = (("paid_principal", "given_back"), ("paid_interest", "rebate"), ("paid_fees",), ("paid_tax", "paid_fees_tax"))
_COLUMNS = {"given_back": "paid_devolution", "rebate": "paid_rebates"}
_READ = {
    SCHEDULES.name: _PLAIN,
    TRANSACTIONS.name: _PLAIN,
    PAYMENTS.name: tuple(tuple(_COLUMNS.get(name, name) for name in names) for names in _PAID),
}


def _export(book: Book) -> nw.LazyFrame | None:
    """Return the transactions, or else the real payments, their rebates and devolutions as negative amounts."""
    if (rows := book.export("transactions")) is not None or (rows := book.export("payments")) is None:
        return rows
    schema = rows.collect_schema()
    if "paid_devolution" in schema:
        given_back = nw.when(nw.col("paid_devolution") != 0).then(-nw.col("paid_devolution").abs())
        rows = rows.with_columns(given_back=given_back.cast(nw.Decimal(18, 2)))
    if "paid_rebates" not in schema:
        return rows
    # a row with negative interest or tax already carries its rebate there
    credits = [nw.col(name) < 0 for name in ("paid_interest", "paid_tax") if name in schema]
    is_there = nw.any_horizontal(*credits, ignore_nulls=True) if credits else nw.lit(False)
    rebate = nw.when(~is_there).then(-nw.col("paid_rebates").abs())
    return rows.with_columns(rebate=rebate.cast(nw.Decimal(18, 2)))


def _day(rows: nw.LazyFrame) -> nw.Expr:
    return nw.col("paid_on" if "paid_on" in rows.collect_schema() else "date_paid").alias("day")


def _amounts(rows: nw.LazyFrame) -> list[nw.Expr]:
    return _money(rows, *(_PAID if "paid_on" in rows.collect_schema() else _PLAIN))


def _kind(told: Meanings) -> nw.Expr:
    """Return what a row is by its type and its state; a reversal that was itself reversed takes nothing back."""
    type_, state = _meaning(told, "transaction_type"), _meaning(told, "status", "is_reversed")
    reversal = nw.when(state == PAID).then(nw.lit(REVERSAL))
    reversal = reversal.otherwise(nw.when(state == REVERSED).then(nw.lit(OTHER)).otherwise(state))
    return nw.when(type_ == PAID).then(state).otherwise(nw.when(type_ == REVERSAL).then(reversal).otherwise(type_))


def _meaning(told: Meanings, *columns: str) -> nw.Expr:
    found = nw.lit(PAID)
    for meaning in (UNKNOWN, OTHER, LENT, REVERSAL, REVERSED):
        for column in columns:
            if words := told.get(column, {}).get(meaning):
                found = nw.when(nw.col(column).is_in(words)).then(nw.lit(meaning)).otherwise(found)
    return found


def _taken_back(rows: nw.LazyFrame, has_reversed: bool) -> nw.LazyFrame:
    """Return payments with what takes others back as negative payments.

    A payment that is flagged as reversed does not count. Where a row of its own takes it back as well, the row does not
    count either: of a loan, as many such rows as there are flagged payments of the same amounts.
    """
    kind, is_reversal = nw.col("kind"), nw.col("kind") == REVERSAL
    rows = rows.with_columns(size=size())
    turned = (
        nw.when(is_reversal & (nw.col("size") > 0)).then(-nw.col(name)).otherwise(nw.col(name)).alias(name)
        for name in MONEY
    )
    is_back = is_reversal | ((nw.col("size") < 0) & kind.is_in((PAID, REVERSED)))
    rows = rows.with_columns(*turned, is_back=is_back.cast(nw.Int64()))
    counts = nw.lit(True)
    if has_reversed:
        rows = rows.with_columns(
            *(nw.coalesce(name, ZERO).abs().alias(f"abs_{name}") for name in MONEY),
            is_flagged=((kind == REVERSED) & (nw.col("is_back") == 0)).cast(nw.Int64()),
        )
        same = ("loan_id", *(f"abs_{name}" for name in MONEY))
        rows = rows.with_columns(
            flagged=nw.col("is_flagged").sum().over(*same),
            place=nw.col("is_back").cum_sum().over(*same, order_by="day"),
        )
        counts = nw.col("place") > nw.col("flagged")
    back = nw.when(counts).then(nw.lit(PAID)).otherwise(nw.lit(REVERSED))
    kind = nw.when(nw.col("is_back") == 1).then(back).otherwise(kind)
    return rows.with_columns(kind=kind).select("loan_id", "day", "kind", *MONEY)


def size() -> nw.Expr:
    """Return the principal of a payment, or the whole of one without principal: its sign is that of the payment."""
    whole = sum((nw.coalesce(name, ZERO) for name in MONEY[1:]), start=nw.coalesce(MONEY[0], ZERO))
    return nw.when(nw.col(MONEY[0]) != 0).then(nw.col(MONEY[0])).otherwise(whole)


def _money(rows: nw.LazyFrame, *parts: Iterable[str]) -> list[nw.Expr]:
    """Return `MONEY`, each the sum of the columns that give it, null where none has a value."""
    schema = rows.collect_schema()
    return [
        _sum([nw.col(c) for c in names if c in schema]).cast(nw.Decimal(18, 2)).alias(name)
        for name, names in zip(MONEY, parts, strict=True)
    ]


def _sum(parts: list[nw.Expr]) -> nw.Expr:
    if len(parts) < 2:
        return parts[0] if parts else nw.lit(None)
    is_known = ~nw.all_horizontal(*(part.is_null() for part in parts), ignore_nulls=False)
    return nw.when(is_known).then(sum((nw.coalesce(part, ZERO) for part in parts), start=ZERO))
