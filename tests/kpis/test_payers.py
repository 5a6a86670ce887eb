"""How much of the book a few payers are to pay, and who the payer of a loan is."""

import narwhals as nw
import pyarrow as pa

from abaco.core.parquet import arrow_schema
from abaco.ingest import obligors
from abaco.ingest.formats import PAYMENTS
from abaco.kpis import payers
from tests.support.exports import rows_of
from tests.support.tapes import DECEMBER, NOVEMBER, book, shown, tape

MEASURES = tuple(payers.MEASURES)


def measured(frame, *rows):
    """Return the sums of December of (date, payer, balance)."""
    names = ("measurement_date", "payer", "balance_usd")
    table = pa.Table.from_pylist(
        [dict(zip(names, row, strict=True)) for row in rows], schema=arrow_schema(obligors.PAYERS)
    )
    whole = book(frame, "loan_id\n", exports={"payers": frame(table)})
    return payers.measure(whole, MEASURES, {})[DECEMBER]


def test_largest_payers_of_the_date(frame):
    rows = [(DECEMBER, n, 100 - n) for n in range(1, 13)]
    found = measured(frame, *rows, (NOVEMBER, 1, 500))
    assert shown(found.sums) == {
        "payers_usd": "1122.00", "top_payer_usd": "99.00", "top_10_payers_usd": "945.00",
    }  # fmt: skip
    assert set(found.counts.values()) == {12}


def test_date_without_a_known_payer_has_no_sum(frame):
    assert set(measured(frame, (NOVEMBER, 1, 500)).sums.values()) == {None}
    assert set(payers.measure(book(frame, "loan_id\n"), MEASURES, {})[DECEMBER].sums.values()) == {None}


TAPE = """
loan_id  payer_name  total_receivable_usd
A-1      -           10.00
A-2      -           20.00
A-3      tok_3       40.00
A-4      -           80.00
A-5      tok_1       160.00
"""
PAID = (("A-1", "tok_1"), ("A-1", "tok_1"), ("A-2", "tok_1"), ("A-2", "tok_2"), ("A-3", "tok_1"), ("A-4", None))


def test_payer_is_the_one_that_all_payments_name(embedded, tmp_path):
    paid = pa.table({"loan_id": [loan for loan, _ in PAID], "payer_name": pa.array([p for _, p in PAID], pa.string())})
    staged = paid.append_column("source", pa.array([0] * 6)).append_column("is_later", pa.array([False] * 6))
    staged = staged.append_column("reasons", pa.nulls(6, pa.string()))
    embedded.write(embedded.from_arrow(staged), tmp_path / "paid.parquet")
    batch = {"format": PAYMENTS.name, "is_tape": False, "verdicts": "", "loan_ids": "", "staged": ["paid.parquet"],
             "dates": None}  # fmt: skip
    whole = obligors.with_payers(embedded.from_arrow(tape(TAPE)), [batch], tmp_path, embedded)
    named = {row["loan_id"]: row["payer_name"] for row in rows_of(whole)}
    assert named == {"A-1": "tok_1", "A-2": None, "A-3": "tok_3", "A-4": None, "A-5": "tok_1"}
    sums = rows_of(obligors.payers(whole, embedded, tmp_path))
    assert [(row["payer"], row["payer_name"], str(row["balance_usd"]), row["loans"]) for row in sums] == [
        (1, "tok_1", "170.00", 2), (2, "tok_3", "40.00", 1),
    ]  # fmt: skip


def test_no_payments_leave_the_tape_as_it_is(embedded, tmp_path):
    whole = obligors.with_payers(embedded.from_arrow(tape(TAPE)), [], tmp_path, embedded)
    assert whole.select(nw.col("payer_name").count()).collect().item() == 2
