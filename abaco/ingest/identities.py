"""Which loan a row is of: its loan id, company and borrower, against those of the loans."""

from pathlib import Path

import narwhals as nw

from abaco.engines import Engine

# what tells which loan a row is of
IDENTITY = ("loan_id", "company", "borrower_id")
KEYS = tuple(f"key_{name}" for name in IDENTITY)
# how the loan of an id is found: by company, else by borrower, else, where neither is known, as the only one
FITS = ("of_company", "of_borrower", "alone")


def with_loan_ids(rows: nw.LazyFrame, loan_ids: Path, engine: Engine) -> nw.LazyFrame:
    """Give rows the ids of their loans, in any order."""
    columns = rows.collect_schema().names()
    joined = with_keys(rows).join(engine.scan(loan_ids), on=list(KEYS), how="left")
    return joined.with_columns(loan_id=nw.coalesce("loan", "loan_id")).select(columns)


def with_keys(rows: nw.LazyFrame) -> nw.LazyFrame:
    """Add what tells which loan a row is of, empty text where it is not known."""
    present = set(rows.collect_schema().names())
    keys = {k: nw.col(n).fill_null("") if n in present else nw.lit("") for k, n in zip(KEYS, IDENTITY, strict=True)}
    return rows.with_columns(**keys)


def chosen(pairs: nw.LazyFrame, ways: tuple[str, ...]) -> nw.LazyFrame:
    """Return the loan of each identity among those that it is paired with, if one way tells only one."""
    company = nw.col("company").str.to_lowercase()
    is_company = nw.any_horizontal(company == nw.col("prefix"), company == nw.col("lender"), ignore_nulls=True)
    untold = nw.col("company").is_null() | (nw.col("prefix").is_null() & nw.col("lender").is_null())
    untold = untold & (nw.col("borrower_id").is_null() | nw.col("debtor").is_null()) & nw.col("is_full")
    fits = dict(zip(FITS, (is_company, nw.col("borrower_id") == nw.col("debtor"), untold), strict=True))
    pairs = pairs.with_columns(nw.when(fits[way]).then(nw.col("loan")).alias(way) for way in ways)
    low, high = ([getattr(nw.col(n), end)().alias(f"{end}_{n}") for n in ("loan", *ways)] for end in ("min", "max"))
    found = pairs.group_by(*KEYS).agg(*low, *high)
    loan = nw.lit(None).cast(nw.String())
    for way in reversed(ways):
        one = "loan" if way == "alone" else way  # no other loan at all may have the id
        only = nw.when(nw.col(f"min_{one}") == nw.col(f"max_{one}")).then(nw.col(f"min_{way}"))
        loan = nw.when(~nw.col(f"min_{way}").is_null()).then(only).otherwise(loan)
    return found.select(*KEYS, loan.alias("loan")).filter(~nw.col("loan").is_null())


def plain(name: str) -> nw.Expr:
    """Return an id in lower case, without blanks, and without zeros in front of its numbers."""
    return nw.col(name).str.to_lowercase().str.replace_all(r"\s+", "").str.replace_all(r"\b0+\B", "")
