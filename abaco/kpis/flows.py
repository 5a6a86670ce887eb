"""Disbursements, instalments and payments: the exports in one form, keyed by loan."""

from collections.abc import Iterable
from decimal import Decimal

import narwhals as nw

from abaco.ingest.formats import PAYMENTS, SCHEDULES, TRANSACTIONS
from abaco.kpis.book import Book

MONEY = ("principal_usd", "interest_usd", "fees_usd", "tax_usd")
TITLES = {SCHEDULES.name: "schedules", TRANSACTIONS.name: "transactions", PAYMENTS.name: "real payments"}
# A transaction counts as paid by its type, a real payment by its status; any other is noted in the report.
PAYMENT_TYPES = ("payment", "pago")
DISBURSEMENT_TYPES = ("disbursement", "desembolso")
PAID_STATUSES = ("on time", "late", "prepayment", "early", "partial", "paid", "complete", "completed")
PREFIX = " - "
ZERO = nw.lit(Decimal("0.00"))
PAID, LENT, OTHER = "paid", "lent", "other"


def paid(book: Book) -> nw.LazyFrame | None:
    """Return the payments, one row a transaction; without transactions, one row a real payment.

    Closed loans are part of it. Rebates are credits: negative in transactions, taken off the interest in real
    payments. What is paid back to the borrower (``paid_devolution``) and other charges are no part of it.

    Returns
    -------
    nw.LazyFrame or None
        ``loan_id``, ``day``, `MONEY`, and ``kind``: ``paid``, ``lent``, or ``other`` for what neither is.
    """
    if (transactions := book.export("transactions")) is not None:
        return _transactions(transactions)
    if (payments := book.export("payments")) is not None:
        return _payments(payments, _has_prefixes(book))
    return None


def paid_title(book: Book) -> str:
    """Return the name of the export that `paid` comes from."""
    return TITLES[PAYMENTS.name if book.export("transactions") is None else TRANSACTIONS.name]


def due(book: Book) -> nw.LazyFrame | None:
    """Return the instalments, past and future, one row each: ``loan_id``, ``day`` and `MONEY`."""
    if (rows := book.export("schedules")) is None:
        return None
    return rows.select("loan_id", nw.col("date_due").alias("day"), *_money(rows, *_PLAIN))


def lent(book: Book) -> nw.LazyFrame | None:
    """Return the disbursements, one row a loan: ``loan_id``, ``day``, ``principal_usd`` and ``interest_rate``.

    They come from the loans export, loans that never appear on the tape included, or from a tape that was made of that
    export.
    """
    if (rows := book.export("loans")) is not None:
        day, amount = "disburse_date", "disburse_principal"
    else:
        rows, day, amount = book.tape.lazy(), "disbursed_on", "disbursed_usd"
        if not {day, amount, "interest_rate"} <= set(rows.collect_schema().names()):
            return None
        rows = rows.filter((nw.col("measurement_date") == book.date) & ~nw.col(day).is_null())
    return rows.select("loan_id", nw.col(day).alias("day"), nw.col(amount).alias("principal_usd"), "interest_rate")


_PLAIN = (("principal",), ("interest",), ("fees",), ("to_tax",))


def _transactions(rows: nw.LazyFrame) -> nw.LazyFrame:
    type_ = nw.col("transaction_type").str.to_lowercase()
    lent_or_other = nw.when(type_.is_in(DISBURSEMENT_TYPES)).then(nw.lit(LENT)).otherwise(nw.lit(OTHER))
    kind = nw.when(type_.is_in(PAYMENT_TYPES)).then(nw.lit(PAID)).otherwise(lent_or_other)
    return rows.select("loan_id", nw.col("date_paid").alias("day"), kind.alias("kind"), *_money(rows, *_PLAIN))


def _payments(rows: nw.LazyFrame, is_prefixed: bool) -> nw.LazyFrame:
    schema = rows.collect_schema()
    kind = nw.lit(PAID)
    if "status" in schema:  # a blank status counts as paid
        status = nw.col("status").str.to_lowercase()
        kind = nw.when(status.is_null() | status.is_in(PAID_STATUSES)).then(kind).otherwise(nw.lit(OTHER))
    loan_id = nw.col("loan_id")
    if is_prefixed and "company" in schema:
        bare = ~loan_id.str.contains(PREFIX, literal=True) & ~nw.col("company").is_null()
        keyed = nw.concat_str(nw.col("company"), nw.lit(PREFIX), loan_id)
        loan_id = nw.when(bare).then(keyed).otherwise(loan_id)
    if "paid_rebates" in schema:  # a credit, whichever sign it is written with
        rows = rows.with_columns(paid_rebates=-nw.col("paid_rebates").abs())
    parts = (
        ("paid_principal",), ("paid_interest", "paid_rebates"), ("paid_fees",), ("paid_tax", "paid_fees_tax")
    )  # fmt: skip
    day = nw.col("paid_on").alias("day")
    return rows.select(loan_id.alias("loan_id"), day, kind.alias("kind"), *_money(rows, *parts))


def _has_prefixes(book: Book) -> bool:
    """Return whether loan ids carry their company, as ``ABF - 1``, in the export that payments are matched with."""
    frames = (book.export("loans"), book.export("schedules"), book.tape)
    known = next(rows for rows in frames if rows is not None)
    is_keyed = nw.col("loan_id").str.contains(PREFIX, literal=True).any()
    found = known.lazy().filter(~nw.col("loan_id").is_null()).select(is_keyed=is_keyed).collect("pyarrow")
    return bool(found["is_keyed"][0])


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
