"""Totals and subtotals in an export: rows that add up the others, with or without a label."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import narwhals as nw
import pyarrow as pa

from abaco.core.errors import InputError
from abaco.core.reasons import Reason
from abaco.engines import RECORDS, Engine
from abaco.ingest import total_labels, total_sums
from abaco.ingest.columns import DAYS_PAST_DUE
from abaco.ingest.contract import with_amount
from abaco.ingest.quarantine import lines
from abaco.ingest.sections import check_numbers
from abaco.ingest.staging import Batch, Staged
from abaco.ingest.total_labels import HAS_DIGIT, IN_FRONT, IS_BLANK, IS_LABEL, IS_LIKE, counts_of, doubt_of_ids
from abaco.ingest.total_sums import BALANCE, CREDIT, LOST, ZERO, additive

TOTAL = "total"
# An ordinary id is believed to be a loan's unless the row adds up as many others as this, in two amounts at least.
MANY = 5
# Rows that are unlike the others are looked at one by one if there are so few of them.
FEW = 200
# One loan is seldom by chance what so many others are.
LEAST = 3
SAYS_NOTHING = {"measurement_date", DAYS_PAST_DUE.name}
NOT_TOLD = {"loan_id", "reasons", "original", "unread"}
LABELS = ("labels", "called")
KEPT = ("row_id", "source", "record", "amount_usd", "is_later")


def leave_out_totals(batch: Batch, engine: Engine, work: Path) -> Batch:
    """Return a batch with a verdict on rows that add up others, and a note that says so.

    Such a row has a label instead of a loan's id ("TOTAL", "Suma:"); or it has no id, or one without a digit where
    others have digits, and its amounts are the sums of all loans, those of its date, or those before or after it, and
    it lacks what the loans have, or adds up many; or it adds up many in several amounts. One at the end or beginning
    that adds up all others, and says nothing else of a loan, is doubtful.

    Raises
    ------
    InputError
        When a row may be a total or a loan.
    """
    rows = batch.rows(engine) if batch.verdicts is None else engine.anti_join(batch.rows(engine), batch.verdicts)
    present = rows.collect_schema().names()
    has_loans = any(column.name == "loan_id" for column in batch.format.columns)
    if not has_loans or not ("loan_id" in present or batch.has("reasons")):
        return batch
    if "loan_id" not in present:
        found = [row | {"differs": None} for row in _collected(rows.filter(IN_FRONT).select(*KEPT))]
    else:
        counts = counts_of(rows, present)
        found = []
        for staged in batch.staged:
            own = [row for row in counts if row["source"] == staged.index]
            if "loan_id" in staged.source.columns and own:
                batch = replace(batch, in_doubt=batch.in_doubt or doubt_of_ids(own, staged))
                found += _of_files(rows.filter(nw.col("source") == staged.index), own, (staged,), batch)
            elif any(row["labels"] for row in own):
                labelled = rows.filter((nw.col("source") == staged.index) & IN_FRONT)
                found += [row | {"differs": None} for row in _collected(labelled.select(*KEPT))]
        if len(batch.staged) > 1:
            found += _of_all_files(rows, counts, [row["row_id"] for row in found], batch, present)
    if not found:
        return batch
    verdicts = work / f"totals_{batch.format.name}.parquet"
    columns = {"row_id": pa.int64(), "verdict": pa.string(), "amount_usd": pa.decimal128(18, 2)}
    judged = [{**row, "verdict": TOTAL} for row in found if not row["is_later"]]
    table = pa.table({name: pa.array([row[name] for row in judged], type_) for name, type_ in columns.items()})
    known = [] if batch.verdicts is None else [engine.scan(batch.verdicts)]
    engine.write(nw.concat([engine.from_arrow(table), *known]), verdicts, temporary=True)
    return replace(batch, verdicts=verdicts, notes=(*batch.notes, *_notes(batch, found)))


def _of_all_files(
    rows: nw.LazyFrame, counts: list[dict], known: list[int], batch: Batch, present: list[str]
) -> list[dict]:
    """Return the totals that add up the rows of several files.

    Parameters
    ----------
    known
        The rows that are totals of their own file.
    """
    together = rows.with_columns(record=nw.col("row_id"))
    if known:
        together = together.filter(~nw.col("row_id").is_in(known))
        counts = counts_of(together, present)
    of_dates: dict[dt.date | None, dict] = {}
    for row in counts:
        of_date = of_dates.setdefault(row.get("measurement_date"), row | {"most": row["most"] or ZERO, "usd": ZERO})
        of_date["usd"] += row["usd"] or ZERO
        of_date["most"] = max(of_date["most"], row["most"] or ZERO)
        if of_date["source"] != row["source"]:
            of_date |= {name: of_date[name] + row[name] for name in (*total_labels.FLAGS, "rows", "named")}
    return _of_files(together, list(of_dates.values()), batch.staged, batch)


def _of_files(rows: nw.LazyFrame, counts: list[dict], files: Sequence[Staged], batch: Batch) -> list[dict]:
    """Return the totals of a file, or of several together."""
    schema, total = rows.collect_schema(), sum(row["rows"] for row in counts)
    number = {name: sum(row[name] for row in counts) for name in (*total_labels.FLAGS, "named")}
    number["words"] = total - number.pop("digits") - number["blanks"]
    named = number.pop("named")
    number |= {"unnamed": total - named} if batch.format.key else dict.fromkeys(("called", "named_so", "beside"), 0)
    few = {name for name, n in number.items() if (0 < n <= FEW and 2 * n < total) or (name in LABELS and n)}
    usd, most = sum((row["usd"] or ZERO for row in counts), ZERO), max(row["most"] or ZERO for row in counts)
    is_most = [total_sums.is_half(row["most"] or ZERO, row["usd"] or ZERO, row["rows"]) for row in counts]
    if not few and not total_sums.is_half(most, usd, total) and not any(is_most):
        return []
    amounts = additive(batch, schema)
    given = dict.fromkeys(c for staged in files for c in staged.source.columns)
    columns = [c for c in given if c in schema and _is_told(c, schema)]
    unlike = {
        "labels": (IS_LIKE if number["labels"] <= FEW else IS_LABEL) | IN_FRONT,
        "words": ~HAS_DIGIT & ~IS_BLANK,
        "blanks": IS_BLANK,
        "called": total_labels.IS_CALLED,
        "named_so": total_labels.IS_NAMED_SO,
        "beside": total_labels.IS_BESIDE,
        "unnamed": nw.col("borrower_id").is_null() if "borrower_id" in schema else nw.lit(False),
    }
    is_suspect = nw.any_horizontal(*(unlike[name] for name in sorted(few)), nw.lit(False), ignore_nulls=True)
    flags = {f"is_{name}": flag & nw.lit(name in few) for name, flag in unlike.items()}
    flags["is_average"] = total_labels.IS_AVERAGE
    kinds = (CREDIT, LOST), ("measurement_date",), total_labels.OWN
    beside, date, own = ([name for name in names if name in schema] for names in kinds)
    suspects = _collected(
        rows.filter(is_suspect).with_columns(is_label=IS_LABEL | IN_FRONT, **flags).select(
            *dict.fromkeys((*KEPT, *date, *amounts, *beside, *columns, *own)), "loan_id", "reasons", "is_label", *flags,
        ).sort("record")
    ) if few else []  # fmt: skip
    check_numbers(suspects, rows, batch)
    ids = [row["row_id"] for row in suspects]
    loans = rows.filter(~nw.col("row_id").is_in(ids)) if ids else rows
    breaks = [row["record"] for row in suspects] if len(suspects) <= 2 * FEW else []
    added_up = list(dict.fromkeys([*amounts, *beside]))
    sums = total_sums.between(loans, breaks, added_up, columns)
    whole = total_sums.added(sums)
    usual = [name for name in columns if 10 * whole.told.get(name, 0) >= 9 * whole.rows]
    places = {row["row_id"]: 2 * i + 1 for i, row in enumerate(suspects)} if breaks else {}
    with_loans = sums + [
        (places[row["row_id"]], row.get("measurement_date"), total_sums.of_row(row, added_up))
        for row in suspects
        if breaks and _may_be_loan(row, usual)
    ]
    total_labels.call_beside(suspects, whole)
    found = []
    for row in suspects:
        around = [
            block
            for some in (sums, with_loans)
            for block in total_sums.around(some, places.get(row["row_id"], 0), row.get("measurement_date"))
        ] if breaks else []  # fmt: skip
        if _is_total(row, around, amounts, usual, batch):
            adds_up = any(block.equals(row, [BALANCE]) for block in around)
            differs = row["is_label"] and not row["is_average"] and row[BALANCE] is not None and around and not adds_up
            found.append({**row, "differs": whole.usd[BALANCE] if differs else None})
    if any(whole.equals(row, [BALANCE]) for row in found if row[BALANCE] is not None):
        return found
    days = {day for _, day, _ in sums} if date else set()
    of_days = {day: total_sums.added(one for one in sums if one[1] == day) for day in days}
    alike = []
    for day, of_day in of_days.items():
        if total_sums.is_half(of_day.most, of_day.usd[BALANCE], of_day.rows):
            is_day = nw.col("measurement_date").is_null() if day is None else nw.col("measurement_date") == day
            alike += _proven(loans.filter(is_day), of_day.most, amounts, columns, batch)
    if not alike and whole.rows and total_sums.is_half(whole.most, whole.usd[BALANCE], whole.rows):
        alike = _proven(loans, whole.most, amounts, columns, batch)
    return found + alike


def _may_be_loan(row: dict, usual: list[str]) -> bool:
    """Return whether a row that is unlike the loans has what they have, but for a borrower or a digit in its id."""
    is_called = row["is_called"] and not total_labels.has_own(row)
    is_other = row["is_blanks"] or row["is_labels"] or row["is_label"] or is_called
    lacks = [name for name in usual if row[name] is None]
    return not is_other and row["reasons"] is None and (not row["is_words"] or not lacks)


def _is_total(row: dict, around: list, amounts: list[str], usual: list[str], batch: Batch) -> bool:
    """Return whether a row that is unlike the loans adds some of them up.

    Raises
    ------
    InputError
        When it may be a loan as well.
    """
    if row["is_label"]:
        return True
    lacks = [name for name in usual if row[name] is None]
    is_owed = (row[BALANCE] or ZERO) > 0
    equal = [block for block in around if is_owed and block.positive and block.equals(row, [BALANCE])]
    proven = [block for block in equal if block.equals(row, amounts)]
    loans = max((block.positive for block in proven), default=0)
    if row["is_blanks"]:
        return loans > 1
    if row["is_called"] and loans > 1:
        return True
    if row["is_labels"] or row["is_words"]:
        if loans >= MANY or (lacks and loans > 1):
            return True
        is_doubtful = is_owed and (lacks or loans > 1 or any(block.positive >= MANY for block in equal))
    else:
        if loans >= MANY and (row["is_named_so"] or len({row[name] for name in amounts if row[name]}) > 1):
            return True
        is_doubtful = any(block.positive > 1 for block in proven)
    is_part = any(2 * (row[BALANCE] or ZERO) <= block.usd[BALANCE] for block in around)
    is_loan = is_part and not lacks and total_labels.has_own(row)
    is_doubtful = is_doubtful or (row["is_called"] and is_owed and not is_loan)
    if is_doubtful and batch.format.key and row["reasons"] is None:
        heading = _file_of(row, batch).source.columns
        signs = [f"{heading['loan_id']} begins like a total"] if row["is_labels"] else []
        signs += [f"{heading['loan_id']} has no digit, as others have"] if row["is_words"] else []
        signs += ["a text in it reads like one"] if row["is_called"] or row["is_named_so"] else []
        signs += [f"no {heading.get(name, name)}" for name in lacks[:2]]
        signs += ["its balance is a sum of other rows" if equal else "its balance is not the sum of the rows around it"]
        raise _doubtful(row, batch, signs, "write it as the other loans are written")
    return False


def _file_of(row: dict, batch: Batch) -> Staged:
    return next(staged for staged in batch.staged if staged.index == row["source"])


def _doubtful(row: dict, batch: Batch, signs: list[str], remedy: str) -> InputError:
    """Return the error for a row that may be a total or a loan."""
    staged, record = _file_of(row, batch), row["row_id"] % RECORDS
    line = lines(staged, [record])[record]
    return InputError(
        f"{staged.source.name} line {line} is a loan, or a total, average or carried balance ({'; '.join(signs)}): "
        f"remove the line if it is not a loan; if it is one, {remedy}"
    )


def _proven(rows: nw.LazyFrame, amount: Decimal, amounts: list[str], columns: list[str], batch: Batch) -> list[dict]:
    """Return the row with that amount, if it adds up many others in several amounts.

    Raises
    ------
    InputError
        When it is the first or last row, adds up all others, and nothing tells it from a total.
    """
    of_row = (nw.col(c).alias(f"of_{c}") for c in amounts)
    largest = _collected(
        rows.filter(nw.col("amount_usd") == amount).select(*KEPT, *of_row, *columns, "reasons").head(2)
    )
    if len(largest) != 1:
        return []
    [row] = largest
    others = (nw.col("amount_usd") > 0).cast(nw.Int64()).sum() - 1
    ends = {"first": nw.col("record").min(), "last": nw.col("record").max()}
    kinds = {f"kinds_{c}": nw.col(c).n_unique() for c in columns}
    days = {"days": nw.col(DAYS_PAST_DUE.name).sum()} if DAYS_PAST_DUE.name in columns else {}
    [whole] = _collected(rows.select(others=others, **{c: nw.col(c).sum() for c in amounts}, **ends, **kinds, **days))
    told = [c for c in amounts if whole[c] and row[f"of_{c}"] is not None]
    if not all(total_sums.near(row[f"of_{c}"], whole[c] - row[f"of_{c}"], whole["others"]) for c in told):
        return []
    is_several = len({whole[c] for c in told}) > 1
    texts = total_labels.texts_of(columns, rows.collect_schema())
    is_called = total_labels.is_called_total(row, texts)
    if whole["others"] >= (MANY if is_several else LEAST) and (is_several or is_called):
        return [{**row, "differs": None}]
    says_nothing = SAYS_NOTHING.union(texts)
    says = [c for c in columns if c not in says_nothing and row[c] is not None and whole[f"kinds_{c}"] > 1]
    is_late = bool(days) and row[DAYS_PAST_DUE.name] not in (None, 0) and 2 * row[DAYS_PAST_DUE.name] != whole["days"]
    is_exact = all(row[f"of_{c}"] in (whole[c] / 2, round(row[f"of_{c}"])) for c in told)
    is_like = is_exact and (is_several or not (says or is_late)) and row["record"] in (whole["first"], whole["last"])
    if whole["others"] >= LEAST and is_like and batch.format.key and row["reasons"] is None:
        sums = "its balance is the sum of all other rows"
        raise _doubtful(row, batch, [sums], "move it between the others")
    return []


def _is_told(name: str, schema: nw.Schema) -> bool:
    """Return whether a column says something of a loan that no sum says."""
    return name not in NOT_TOLD and not (schema[name].is_decimal() and schema[name].scale == 2)


def _notes(batch: Batch, found: Iterable[dict]) -> list[Reason]:
    """Return what to say of each file: which totals are left out, and whether they are the sum of its rows."""
    notes = []
    for staged in batch.staged:
        if not (own := [row for row in found if row["source"] == staged.index]):
            continue
        usd = [row["amount_usd"] for row in own if row["amount_usd"] is not None]
        notes.append(Reason("totals_rows", name=staged.source.name, rows=with_amount(len(own), sum(usd, ZERO))))
        if len(own) == 1 and own[0]["differs"] is not None:
            notes.append(Reason("totals_differ", name=staged.source.name, usd=usd[0], found=own[0]["differs"]))
    return notes


def _collected(frame: nw.LazyFrame) -> list[dict]:
    return frame.collect("pyarrow").to_native().to_pylist()
