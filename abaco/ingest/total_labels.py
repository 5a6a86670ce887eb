"""Labels of totals, and how many rows of a file look unlike loans by their ids."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw

from abaco.ingest import masking
from abaco.ingest.staging import Staged
from abaco.ingest.total_sums import BALANCE, ZERO, Sums
from abaco.ingest.total_words import ALONE, AVERAGE, IN_FULL, LABEL, LIKE, SHARE

IS_AVERAGE = nw.col("loan_id").str.contains(rf"(?i)^[ *=_-]*(?:{AVERAGE}|{ALONE}|{SHARE})$").fill_null(False)
IS_LABEL = nw.col("loan_id").str.contains(rf"(?i)^{IN_FULL}$").fill_null(False) | IS_AVERAGE
# with a number: a label, or an id that begins with such a word
IS_LIKE = nw.col("loan_id").str.contains(rf"(?i)^[ *=_-]*{LIKE}(?:[^a-z]|$)").fill_null(False) | IS_AVERAGE
# the first value of a rejected row, as JSON
LABEL_IN_FRONT = rf'(?i)^[{{]"[^"]*":"[ *=_-]*(?:{LABEL}|{AVERAGE}|{SHARE})"'
IN_FRONT = nw.col("original").str.contains(LABEL_IN_FRONT).fill_null(False)
IS_BLANK = (nw.col("loan_id") == "").fill_null(True)
FLAGS = ("labels", "digits", "blanks", "called", "named_so", "beside")  # what `counts_of` counts
IS_CALLED = (nw.col(masking.CALLED) == masking.LABEL).fill_null(False)
IS_NAMED_SO = (nw.col(masking.CALLED) == masking.NAME).fill_null(False)
IS_BESIDE = (nw.col(masking.CALLED) == masking.BESIDE).fill_null(False)
DAYS = ("disbursed_on", "disburse_date", "maturity_date")  # which no total has
OWN = (*DAYS, "borrower_id", "interest_rate")
HAS_DIGIT = nw.col("loan_id").str.contains(r"[0-9]").fill_null(False)


def counts_of(rows: nw.LazyFrame, present: list[str]) -> list[dict]:
    """Return of each file and date how many rows look unlike loans, and sum and maximum of the balances."""
    named = nw.col("borrower_id").count() if "borrower_id" in present else nw.len()
    told = (IS_LIKE | IN_FRONT, HAS_DIGIT, IS_BLANK, IS_CALLED, IS_NAMED_SO, IS_BESIDE)
    flags = dict(zip(FLAGS, told, strict=True))
    groups = ["source", *(name for name in ("measurement_date",) if name in present)]
    read = ["amount_usd", *(name for name in ("borrower_id",) if name in present)]
    rows = rows.select(*groups, *read, **{name: flag.cast(nw.Int64()) for name, flag in flags.items()})
    found = rows.group_by(groups).agg(
        *(nw.col(name).sum() for name in flags), rows=nw.len(), named=named,
        usd=nw.col("amount_usd").sum(), most=nw.col("amount_usd").max(),
    )  # fmt: skip
    return found.collect("pyarrow").to_native().to_pylist()


def doubt_of_ids(counts: list[dict], staged: Staged) -> str:
    """Return why it is in doubt whether the rows of a file, one per date, are loans; else empty."""
    rows, source = sum(row["rows"] for row in counts), staged.source
    is_needed = any(column.name == "loan_id" and column.required for column in source.format.columns)
    has_borrowers = "borrower_id" in source.columns and any(row["named"] for row in counts)
    is_by_date = sum(row["blanks"] for row in counts) == rows and max(row["rows"] for row in counts) == 1
    if not is_by_date or is_needed or has_borrowers:
        return ""
    found = (
        f"{source.name}: {source.columns['loan_id']} is empty in every row: if each row is the whole book of a date,"
    )
    return f"{found} drop the column; if each is a loan, fill it"


def texts_of(columns: Sequence[str], schema: nw.Schema) -> list[str]:
    """Return the columns of words and names, which a total may have as well as a loan; a borrower's number is none."""
    return [name for name in columns if schema[name] == nw.String and name != "borrower_id"]


def has_own(row: Mapping[str, Any]) -> bool:
    """Return whether a row has what each loan has of its own: the day lent or its maturity, and one thing more."""
    found = [name for name in OWN if row.get(name) is not None]
    return len(found) > 1 and found[0] in DAYS


def is_called_total(row: Mapping[str, Any], texts: Sequence[str]) -> bool:
    """Return whether a text of a row, where it is not masked, is the label of a total."""
    return any(re.search(rf"(?i)^{IN_FULL}$", row[name] or "") for name in texts)


def call_beside(suspects: list[dict], whole: Sums) -> None:
    """Call rows totals that a column that is not read calls so.

    Where one of them is less than loans are on average, it is a word of loans (a whole cover, say): sums tell.
    """
    owed = [row for row in suspects if row["is_beside"] and (row[BALANCE] or ZERO) > 0]
    is_label = all(row[BALANCE] * whole.rows >= whole.usd[BALANCE] for row in owed)
    for row in owed:
        row["is_called" if is_label else "is_named_so"] = True
