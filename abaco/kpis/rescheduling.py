"""Loans that fall due later than they did by the former report: their schedule was replaced by a longer one."""

from collections.abc import Mapping

import narwhals as nw

from abaco.core.reasons import Reason
from abaco.ingest.columns import RESTRUCTURED
from abaco.ingest.contract import with_amount
from abaco.kpis.book import Book

LEEWAY = "7d"  # by so much a due date may move for a weekend or a holiday
OWED = nw.col("total_receivable_usd")


def rescheduled(book: Book, before: nw.LazyFrame | None, former: Mapping[str, str] | None) -> list[Reason]:
    """Return what to say of loans that fall due later than before, and that no export calls restructured.

    A loan that is paid before its time falls due earlier, so that only new terms make it fall due later. Figures do not
    count it as restructured, as they follow from the input alone.

    Parameters
    ----------
    before
        The schedules of the former report; None if there are none.
    former
        That report, with its ``date``.
    """
    if before is None or (now := book.export("schedules")) is None:
        return []
    was, is_ = (
        rows.lazy().filter(~nw.col("loan_id").is_null()).group_by("loan_id").agg(last=nw.col("date_due").max())
        for rows in (before, now)
    )
    longer = is_.join(was.select("loan_id", was="last"), on="loan_id", how="inner")
    longer = longer.filter(nw.col("last") > nw.col("was").dt.offset_by(LEEWAY).cast(nw.Date()))
    rows = book.tape.lazy().filter((nw.col("measurement_date") == book.date) & (OWED > 0))
    rows = rows.filter(~nw.col(RESTRUCTURED).fill_null(False)).join(longer, on="loan_id", how="semi")
    [sums] = rows.select(rows=nw.len(), usd=OWED.sum()).collect("pyarrow").to_native().to_pylist()
    return (
        [Reason("due_later", date=former["date"], rows=with_amount(sums["rows"], sums["usd"]))] if sums["rows"] else []
    )
