"""How much of the exports was rejected, in rows and in money, and how much may be."""

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import narwhals as nw
import pyarrow as pa

from abaco.core.decimals import rounded
from abaco.core.errors import InputError
from abaco.core.reasons import Reason
from abaco.engines import Engine
from abaco.ingest.contract import with_amount
from abaco.ingest.quarantine import JOINT, OF_FILES, rejected_rows
from abaco.ingest.staging import Batch

ZERO = Decimal("0.00")
EARLIER = "earlier_dates_rejected"
OTHER_ROWS = (
    "take rows that are not loans out of the file, or name them in a mapping by rows_to_leave_out (docs/INPUT.md)"
)
# What was expected, and the way out, by a reason's code, or by what is wrong with a line.
HINTS = {
    "not_a_date": "write dates as 2025-12-31, or name their order by ingestion.dates",
    "not_a_number": "write numbers in full as 1500.50, not 1.5k or N1,500, or name their decimal mark by "
    "ingestion.decimal_mark",
    "not_whole": "write days as whole numbers; a mapping gives words such as 31-60 their days (make map)",
    "missing columns": "take lines that are not loans, such as a summary below them, out of the file",
    "row_of_text": OTHER_ROWS,
    "row_of_shares": OTHER_ROWS,
    "row_of_units": "write units in the headings, and take their row out of the file",
    "days_missing": "where a blank means not late, set ingestion.not_late to blank",
}
# the way out where the files have no dates
OF_MONTHS = (
    "if each is of a month, have their names tell it by a mapping of one of them: make map INPUT=… "
    'ANSWERS="measurement_date=file_name" (or =folder)'
)
MOST_ACCEPTED_PCT = 10  # beyond this an export is wrong as a whole, and a higher limit is no way out


def reject_pct(book: Mapping[str, int]) -> Decimal:
    """Return how many per cent of the rows up to the date were rejected.

    Parameters
    ----------
    book
        A batch's reconciliation.
    """
    rows = book["rows_in"] - book["later"]
    return rounded(Decimal(100 * book["quarantined"]) / rows, 2) if rows else Decimal(0)


def rejected_on(date: dt.date, batch: Batch, accepted_usd: Decimal, engine: Engine) -> dict[str, Any]:
    """Return how much of the tape was rejected on a date, or on none that can be read.

    Parameters
    ----------
    accepted_usd
        Balances of the accepted rows of the date.

    Returns
    -------
    dict
        ``rejected_usd``, the balances of rejected rows; ``reject_amount_pct`` of them and the accepted ones; and
        ``rejected_unknown``, rejected rows whose balance cannot be read.
    """
    rows = [row for row in rejected_rows(batch, engine) if row.get("measurement_date") in (None, date)]
    broken = sum(len(staged.broken) for staged in batch.staged)
    usd = sum((abs(row["amount_usd"] or 0) for row in rows), ZERO)
    return _shares(usd, accepted_usd, sum(row["amount_usd"] is None for row in rows) + broken)


def rejected_in(batch: Batch, book: Mapping[str, Any], rejects: pa.Table) -> dict[str, Any]:
    """Return how much of an export was rejected, over all of its dates (see `rejected_on`).

    Parameters
    ----------
    book
        The batch's reconciliation.
    rejects
        The quarantine table.
    """
    files = set(batch.names.values())
    amounts = [row["amount_usd"] for row in rejects.select(["file", "amount_usd"]).to_pylist() if row["file"] in files]
    usd = sum((abs(amount or 0) for amount in amounts), ZERO)
    return _shares(usd, abs(Decimal(book["amount_accepted"])), amounts.count(None))


def of_earlier_dates(
    date: dt.date,
    batches: Iterable[Batch],
    accepted: nw.LazyFrame,
    engine: Engine,
    max_reject_pct: float,
    max_reject_amount_pct: float,
) -> list[Reason]:
    """Return which earlier dates of the tape lack more than the limits allow on the date itself.

    Parameters
    ----------
    accepted
        The accepted rows of the tape, of all dates.
    max_reject_pct, max_reject_amount_pct
        The limits in per cent of the rows and of the balances of a date.
    """
    rejected: dict[dt.date, list[Decimal]] = {}
    for row in (row for batch in batches if batch.is_tape for row in rejected_rows(batch, engine)):
        if (day := row.get("measurement_date")) and day < date:
            rejected.setdefault(day, []).append(abs(row["amount_usd"] or ZERO))
    if not rejected:
        return []
    day, found = nw.col("measurement_date"), []
    sums = accepted.lazy().group_by(day).agg(rows=nw.len(), usd=nw.col("total_receivable_usd").sum())
    known = {row["measurement_date"]: row for row in sums.collect("pyarrow").to_native().to_pylist()}
    for one, lost in sorted(rejected.items()):
        kept, usd = known.get(one, {"rows": 0, "usd": ZERO}), sum(lost, ZERO)
        pct, limit = Decimal(100 * len(lost)) / (len(lost) + kept["rows"]), Decimal(str(max_reject_pct))
        share = _shares(usd, kept["usd"] or ZERO, 0)["reject_amount_pct"]
        if pct > limit or share > Decimal(str(max_reject_amount_pct)):
            found.append(f"{one} ({rounded(max(pct, share), 2)} %)")
    return [Reason(EARLIER, names=tuple(found))] if found else []


def _shares(rejected_usd: Decimal, accepted_usd: Decimal, unknown: int) -> dict[str, Any]:
    whole = rejected_usd + accepted_usd
    return {
        "rejected_usd": rejected_usd,
        "reject_amount_pct": rounded(100 * rejected_usd / whole, 2) if whole else Decimal(0),
        "rejected_unknown": unknown,
    }


def notes(
    batches: Iterable[Batch], books: Mapping[str, Mapping[str, Any]], rejects: pa.Table, on_date: Mapping[str, Any]
) -> list[Reason]:
    """Return what to say of rejected rows: those of the tape whose balance is unknown, and all of other exports.

    Parameters
    ----------
    books
        Reconciliations by format.
    rejects
        The quarantine table.
    on_date
        See `rejected_on`.
    """
    found = [Reason("balances_unknown", count=n)] if (n := on_date["rejected_unknown"]) else []
    for batch in (b for b in batches if not b.is_tape and books[b.format.name]["quarantined"]):
        book, export = books[batch.format.name], batch.format.title
        held = rejected_in(batch, book, rejects)
        rows = with_amount(book["quarantined"], held["rejected_usd"])
        if unknown := held["rejected_unknown"]:
            found.append(Reason("rows_rejected_unknown", rows=rows, export=export, count=unknown))
        else:
            found.append(Reason("rows_rejected", rows=rows, export=export))
    return found


def check_reject_limit(
    batch: Batch,
    book: Mapping[str, int],
    reasons: Mapping[Reason, int],
    max_reject_pct: float,
    places: Mapping[str, str] | None = None,
) -> None:
    """Raise when more than `max_reject_pct` per cent of the rows up to the date were rejected, or two files contradict.

    Parameters
    ----------
    book
        The batch's reconciliation.
    reasons
        Rows by reason, most frequent first.
    places
        See `quarantine.first_places`.

    Raises
    ------
    InputError
        Naming the counts, the limit, and the most frequent reasons; or the files that contradict each other.
    """
    restated = {reason: count for reason, count in reasons.items() if reason.code in OF_FILES.values()}
    if restated:
        hint = "" if batch.format.is_dated else f"; {OF_MONTHS}"
        raise InputError(f"Rows of the {batch.format.title} are in two files: {_most_frequent(restated, places)}{hint}")
    rejected, rows = book["quarantined"], book["rows_in"] - book["later"]
    if 100 * rejected > Decimal(str(max_reject_pct)) * rows:
        raise InputError(
            f"{rejected} of {rows} rows of the {batch.format.title} are rejected "
            f"({reject_pct(book)} %, more than max_reject_pct {max_reject_pct}): {_most_frequent(reasons, places)}; "
            f"{_advice(reject_pct(book), 'max_reject_pct')}"
        )


def check_amount_limit(
    found: Mapping[str, Any],
    whole: str,
    reasons: Mapping[Reason, int],
    max_reject_amount_pct: float,
    places: Mapping[str, str] | None = None,
) -> None:
    """Raise when rejected rows hold more than a limit of the money of an export.

    Parameters
    ----------
    found
        See `rejected_on` and `rejected_in`.
    whole
        What they hold a part of, as a phrase.
    reasons
        Rows by reason, most frequent first.
    max_reject_amount_pct
        The limit in per cent.
    places
        See `quarantine.first_places`.

    Raises
    ------
    InputError
        Naming the amount, the limit, and the most frequent reasons.
    """
    if found["reject_amount_pct"] > Decimal(str(max_reject_amount_pct)):
        raise InputError(
            f"Rejected rows hold {found['reject_amount_pct']} % of {whole} "
            f"({found['rejected_usd']:,}, more than max_reject_amount_pct {max_reject_amount_pct}): "
            f"{_most_frequent(reasons, places)}; {_advice(found['reject_amount_pct'], 'max_reject_amount_pct')}"
        )


def _most_frequent(reasons: Mapping[Reason, int], places: Mapping[str, str] | None) -> str:
    often = dict(list(reasons.items())[:5])
    firsts = {reason: f", first in {places[str(reason)]}" if places else "" for reason in often}
    hints = dict.fromkeys(HINTS.get(reason.values.get("fault", reason.code)) for reason in often)
    found = JOINT.join(f"{reason} ({count}{firsts[reason]})" for reason, count in often.items())
    return JOINT.join((found, *filter(None, hints)))


def _advice(pct: Decimal, setting: str) -> str:
    if pct > MOST_ACCEPTED_PCT:
        return "correct the export"
    return f"correct the export, or accept them with PARAMS=ingestion.{setting}={math.ceil(pct)}"
