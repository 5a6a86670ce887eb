"""Personal values that are misplaced: addresses and numbers of people among products or regions, and columns of names.

They are looked for among the different values of each column, not row by row, and hidden before another file has them.
"""

from collections.abc import Mapping

import narwhals as nw

from abaco.core import document_numbers
from abaco.core.errors import InputError
from abaco.core.people import HIDDEN
from abaco.core.quoting import BAND, PERSONAL_ID, PERSONAL_VALUE
from abaco.core.reasons import Reason
from abaco.ingest.columns import LOAN_ID, SEGMENTS
from abaco.ingest.sources import Source

# What is in these is compared with lists of words, and shown by them.
LISTED = ("currency", "loan_status", "metric", "status", "transaction_type")
DIMENSIONS = tuple(column.name for column in SEGMENTS)
# Up to so many values a column may be of parts of a book whatever they are; of more, each has two loans at least.
MOST_PARTS = 50
MOST_LISTED = 1000  # of more personal values the whole column is hidden; so many ids are checked
MAY_BE_ID = rf"{PERSONAL_ID}|^\s*(?:{document_numbers.FORMS})\s*$"
Misplaced = Mapping[str, tuple[str, ...] | None]  # the values to hide by column; None: all


def may_have_personal_id(source: Source, staged: nw.LazyFrame) -> nw.Expr:
    """Return whether the id of a row's loan has the form of an address, a phone or a document number of a person."""
    is_there = LOAN_ID.name in source.columns and LOAN_ID.name in staged.collect_schema().names()
    return nw.col(LOAN_ID.name).str.contains(MAY_BE_ID) if is_there else nw.lit(False)


def form_of_ids(source: Source, staged: nw.LazyFrame, key: bytes | None) -> str:
    """Return the form of the ids of loans that are personal, as a pattern; nothing where none is.

    Numbers of documents are where nearly all that have their form are valid.

    Raises
    ------
    InputError
        When some are, and no key makes tokens of them.
    """
    id_ = nw.col(LOAN_ID.name)
    alike = staged.filter(id_.str.contains(MAY_BE_ID)).select(LOAN_ID.name)
    different = alike.unique().sort(LOAN_ID.name).head(MOST_LISTED).collect("pyarrow").to_native()
    forms = document_numbers.forms_of(text.strip() for text in different[LOAN_ID.name].to_pylist())
    form = rf"{PERSONAL_ID}|^\s*(?:{'|'.join(forms)})\s*$" if forms else PERSONAL_ID
    counted = alike.filter(id_.str.contains(form)).select(rows=nw.len())
    personal = counted.collect("pyarrow").to_native()["rows"][0].as_py()
    if personal and key is None:
        raise InputError(
            f"{source.name}: of the loans' numbers under {source.columns[LOAN_ID.name]} {personal:,} look like "
            "addresses, phones or document numbers of people: set ABACO_PII_KEY, which makes tokens of them, or give "
            "these loans other numbers"
        )
    return form if personal else ""


def misplaced(source: Source, staged: nw.LazyFrame) -> tuple[dict[str, tuple[str, ...] | None], list[Reason]]:
    """Return which values of a source are hidden, by column, and what to say of them.

    Parameters
    ----------
    staged
        Its rows.
    """
    present = staged.collect_schema().names()
    known = {c.name for c in source.format.columns if c.kind == "text" and not c.personal}
    texts = sorted(known.intersection(present).difference(LISTED))
    if not texts:
        return {}, []
    parts = [staged.select(value=nw.col(name)).unique().with_columns(column=nw.lit(name)) for name in texts]
    values, value = nw.concat(parts).filter(~nw.col("value").is_null()), nw.col("value")
    is_personal = value.str.contains(PERSONAL_VALUE) & ~value.str.contains(BAND)
    counts = values.group_by("column").agg(
        count=nw.len(), personal=is_personal.cast(nw.Int64()).sum(), same=(value == HIDDEN).cast(nw.Int64()).sum()
    )
    found: dict[str, tuple[str, ...] | None] = {}
    told = []
    for row in sorted(counts.collect("pyarrow").to_native().to_pylist(), key=lambda row: row["column"]):
        name, place = row["column"], {"name": source.name, "column": source.columns.get(row["column"], row["column"])}
        loans = _loans(staged, name, present) if name in DIMENSIONS and row["count"] > MOST_PARTS else 0
        if loans and 2 * row["count"] > loans:
            found[name] = None
            told.append(Reason("no_dimension", **place, count=row["count"], loans=loans))
        elif row["personal"]:
            few = values.filter((nw.col("column") == name) & is_personal) if row["personal"] <= MOST_LISTED else None
            found[name] = few and tuple(sorted(one["value"] for one in few.collect("pyarrow").to_native().to_pylist()))
            told.append(Reason("values_hidden", **place, count=row["personal"]))
        if row["same"]:
            told.append(Reason("values_of_borrowers", **place))
    return found, told


def _loans(staged: nw.LazyFrame, name: str, present: list[str]) -> int:
    """Return how many borrowers, or else loans, have a value in a column; 0 where the rows are not those of loans."""
    for unit in ("borrower_id", LOAN_ID.name):
        if unit in present:
            rows = staged.filter(~nw.col(name).is_null() & ~nw.col(unit).is_null()).select(nw.col(unit).n_unique())
            if loans := rows.collect("pyarrow").to_native().to_pylist()[0][unit]:
                return loans
    return 0


def hiding(present: list[str], values: Misplaced) -> list[nw.Expr]:
    """Return columns, and what they were read from, with ``…`` for hidden values, and without a dimension of names."""
    shown = []
    for name, listed in values.items():
        hidden = nw.lit(None) if listed is None and name in DIMENSIONS else nw.lit(HIDDEN)
        is_hidden = ~nw.col(name).is_null() if listed is None else nw.col(name).is_in(list(listed)).fill_null(False)
        for column in {name, f"raw_{name}"}.intersection(present):
            text = nw.col(column).cast(nw.String())
            shown.append(nw.when(is_hidden).then(hidden.cast(nw.String())).otherwise(text).alias(column))
    return shown
