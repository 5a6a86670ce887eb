"""The synthetic loan book that ships with the project, and snapshots of any size for benchmarks.

`write_sample` writes one small book twice: as a canonical snapshot and as the exports of a loan system.
Both carry a few faulty rows, with their own loan ids (``ALF - X00001``), so that both have the same accepted rows.
`write_snapshot` writes the first form with as many rows as asked. Everything in them is invented.
"""

from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from abaco.sample import simulation
from abaco.sample.exports import exports
from abaco.sample.simulation import HISTORY, SNAPSHOTS

SEED = 38907  # a book with a jump in June that is within its limits at the end
SAMPLE_LOANS = 580  # loan numbers, including loans that ended before the first snapshot
CHUNK_LOANS = 1 << 15
FEWEST_ROWS_WITH_FAULTS = 2_000  # below this the faulty rows would be more than 1 % of the file

BUCKETS = ("dpd_0_7_usd", "dpd_7_30_usd", "dpd_30_60_usd", "dpd_60_90_usd", "dpd_90_plus_usd")
BUCKET_STARTS = (0, 7, 30, 60, 90)
AMOUNT = pa.decimal128(18, 2)
_TEXT = (
    "loan_id", "measurement_date", "customer_id", "borrower_name", "borrower_email", "borrower_phone", "company",
)  # fmt: skip
_TOTALS = ("total_receivable_usd", "total_eligible_usd", "discounted_balance_usd", "cash_available_usd")
SNAPSHOT = pa.schema(
    [(name, pa.date32() if name == "measurement_date" else pa.string()) for name in (*_TEXT, "product", "region")]
    + [(name, AMOUNT) for name in (*_TOTALS, *BUCKETS, "written_off_usd")]
    + [("collector_note", pa.string())]
)


def write_sample(folder):
    """Write the project's sample, always the same bytes: ``sample.csv`` and the exports in ``sample/``.

    Parameters
    ----------
    folder : path-like
        The project's ``data/``; made if it is not there.
    """
    folder = Path(folder)
    (folder / "sample").mkdir(parents=True, exist_ok=True)
    book = simulation.simulate(0, SAMPLE_LOANS, SEED)
    snapshot = snapshot_table(book, limit=1 << 62)
    with open(folder / "sample.csv", "wb") as file:
        _start_csv(file)
        _append_csv(file, snapshot, planted_rows(snapshot))
    cash = snapshot.group_by("measurement_date").aggregate([("cash_available_usd", "sum")]).sort_by("measurement_date")
    cash_by_date = [int(total * 100) for total in cash["cash_available_usd_sum"].to_pylist()]
    for name, (header, rows) in exports(book, cash_by_date).items():
        text = "\n".join([header, *(",".join(map(str, row)) for row in rows), ""])
        (folder / "sample" / name).write_bytes(text.encode())


def write_snapshot(path, rows, seed=SEED):
    """Write a canonical snapshot of exactly ``rows`` rows, one a loan and month-end, in bounded memory.

    More rows are more loans; the month-ends are always the 13 from 2024-12-31 to 2025-12-31. From 2,000
    rows on, they include the faulty ones of `planted_rows`.

    Parameters
    ----------
    path : path-like
        A Parquet file if it ends in ``.parquet`` (decimal amounts and dates; invalid values are null),
        otherwise CSV.
    rows : int
        Number of rows without the header.
    seed : int
        Another seed is another book.
    """
    path = Path(path)
    if path.suffix == ".parquet":
        with pyarrow.parquet.ParquetWriter(path, SNAPSHOT, compression="zstd") as writer:
            for table, planted in _chunks(rows, seed):
                writer.write_table(_mingle(table, planted))
        return
    with open(path, "wb") as file:
        _start_csv(file)
        for table, planted in _chunks(rows, seed):
            _append_csv(file, table, planted)


def _chunks(rows, seed):
    """Tables of whole loans until there are ``rows`` rows, each with the faulty rows to spread over it."""
    first, chunk = 0, min(CHUNK_LOANS, max(rows, 1))
    while rows > 0:
        lives = simulation.simulate(first, chunk, seed)
        faults = len(planted_rows()) if first == 0 and rows >= FEWEST_ROWS_WITH_FAULTS else 0
        table = snapshot_table(lives, limit=rows - faults)
        yield table, planted_rows(table) if faults else []
        rows -= table.num_rows + faults
        first += chunk


def snapshot_table(lives, limit):
    """The canonical snapshot of these loans: one row per loan and month-end, dates in order.

    Parameters
    ----------
    lives : Lives
        From `simulate`.
    limit : int
        Maximum number of rows; the last loans are left out, so that the others keep all their months.

    Returns
    -------
    pyarrow.Table
        Amounts in US dollars, decimal(18,2).
    """
    is_row = lives.is_reported[HISTORY:]
    rows_so_far = np.cumsum(is_row.T).reshape(is_row.T.shape).T
    is_row &= rows_so_far <= limit
    month, loan = np.nonzero(is_row)
    texts = simulation.borrower_columns(lives) | {
        "loan_id": simulation.loan_ids(lives),
        "company": simulation.company_of(lives),
        "product": simulation.product_of(lives),
    }
    columns = {name: column.take(pa.array(loan)) for name, column in texts.items()}
    columns |= {name: _cents_column(cents) for name, cents in snapshot_amounts(lives, month, loan).items()}
    columns["measurement_date"] = pa.array(SNAPSHOTS).take(pa.array(month)).cast(pa.date32())
    columns["collector_note"] = _notes(lives, month, loan)
    return pa.table([columns[field.name] for field in SNAPSHOT], schema=SNAPSHOT)


def snapshot_amounts(lives, month, loan):
    """Amount columns, in cents, of the given snapshot months and loans (two index vectors, a row each)."""
    owed, overdue = lives.balance[HISTORY:][month, loan], lives.days_past_due[HISTORY:][month, loan]
    is_off = lives.is_written_off[HISTORY:][month, loan]
    balance = np.where(is_off, 0, owed)
    share = simulation.draw(lives.key, 8)[loan]
    # A lender advances a little less than the invoice. Every loan that is not written off is eligible, as in the
    # tape that is made from the exports.
    amounts = {
        "total_receivable_usd": balance,
        "total_eligible_usd": balance,
        "discounted_balance_usd": balance - balance * (share % 50 + 10) // 1000,
        "cash_available_usd": balance * (np.array(simulation.CASH_RATE)[month] * (share % 61 + 70)) // 1_000_000,
        "written_off_usd": owed - balance,
    }
    bucket = np.searchsorted(BUCKET_STARTS, overdue, side="right") - 1
    return amounts | {name: np.where(bucket == place, balance, 0) for place, name in enumerate(BUCKETS)}


def _notes(lives, month, loan):
    """Notes of the collector, more often for loans in arrears."""
    overdue = lives.days_past_due[HISTORY:][month, loan]
    chance = simulation.draw(lives.key[loan], 7) + 7919 * month
    is_noted = ((overdue >= 7) & (chance % 3 == 0)) | (chance % 61 == 0)
    count = len(simulation.NOTES)
    return simulation.take([*simulation.NOTES, None], np.where(is_noted, chance % count, count))


def _cents_column(cents):
    """Integer cents as an exact decimal(18,2) column."""
    words = np.empty((len(cents), 2), np.int64)
    words[:, 0], words[:, 1] = cents, cents >> 63
    return pa.Array.from_buffers(AMOUNT, len(cents), [None, pa.py_buffer(words)])


def planted_rows(table=None):
    """Faulty rows for a snapshot, to be rejected, dropped as a duplicate, or accepted with a warning.

    Parameters
    ----------
    table : pyarrow.Table, optional
        The good rows; the first is repeated.

    Returns
    -------
    list of dict
        Texts by column. A row without ``measurement_date`` is a line with one field too few; the unquoted amount
        ``1,250.00`` makes one field too many.
    """
    usual = {"measurement_date": "2025-10-31", "total_receivable_usd": "1250.00"}
    cases = [
        usual | {"measurement_date": "2025-02-30"},
        usual | {"measurement_date": ""},
        usual | {"total_receivable_usd": "n.d."},
        usual | {"total_receivable_usd": "-1250.00"},
        usual | {"total_receivable_usd": "NaN"},
        usual | {"total_receivable_usd": "inf"},
        usual | {"loan_id": ""},
        usual | {"total_receivable_usd": ""},
        usual | {"loan_id": "ALF - X00010"},
        usual | {"loan_id": "ALF - X00010", "total_receivable_usd": "1350.00", "dpd_0_7_usd": "1350.00"},
        {"total_receivable_usd": "1250.00"},
        usual | {"total_receivable_usd": "1,250.00", "collector_note": simulation.NOTES[0]},
        # accepted with a warning: the buckets are 20 dollars off, on loans that are not in arrears
        _unbalanced("2025-01-31", "120.00"),
        _unbalanced("2025-02-28", "80.00"),
    ]
    planted = [_planted_row(f"ALF - X{place:05d}", case) for place, case in enumerate(cases, 1)]
    first = {} if table is None else table.slice(0, 1).to_pylist()[0]
    return [*planted, {name: _text(value) for name, value in first.items()}]


def _unbalanced(day, owed):
    """A small loan with 100 dollars in its buckets, whatever it owes."""
    totals = dict.fromkeys(("total_receivable_usd", "total_eligible_usd", "discounted_balance_usd"), owed)
    return {"measurement_date": day, **totals, "dpd_0_7_usd": "100.00"}


def _planted_row(loan_id, case):
    """One faulty row: an ordinary loan of 1,250 dollars, except for ``case``."""
    amounts = dict.fromkeys((field.name for field in SNAPSHOT if field.type == AMOUNT), "0.00")
    ordinary = {
        "loan_id": loan_id, "measurement_date": "", "customer_id": "C-99999",
        "borrower_name": "Elena Ensayo Muestra", "borrower_email": "elena.ensayo.99999@example.org",
        "borrower_phone": "+503 5550-9999", "company": "ALF", "product": "factoring",
        "region": "Santa Ana", **amounts,
        "total_eligible_usd": "1250.00",
        "discounted_balance_usd": "1218.75", "dpd_0_7_usd": "1250.00", "collector_note": "",
    }  # fmt: skip
    absent = {"measurement_date"} - case.keys()
    return {name: text for name, text in (ordinary | case).items() if name not in absent}


def _text(value):
    """A value as text in the CSV."""
    return "" if value is None else str(value)


def _typed(text, kind):
    """A text as a Parquet value; null if it is not valid."""
    try:
        if kind == AMOUNT:
            return Decimal(text) if Decimal(text).is_finite() else None
        return date.fromisoformat(text) if kind == pa.date32() else text or None
    except (InvalidOperation, ValueError, TypeError):
        return None


def _slices(table, planted):
    """Cut the table so that one faulty row can follow each piece but the last."""
    cuts = [table.num_rows * place // (len(planted) + 1) for place in range(len(planted) + 2)]
    return [table.slice(start, stop - start) for start, stop in pairwise(cuts)]


def _mingle(table, planted):
    """The table with the faulty rows spread over it; their invalid values are null."""
    pieces = _slices(table, planted)
    for place, row in enumerate(planted):
        typed = {field.name: _typed(row.get(field.name), field.type) for field in SNAPSHOT}
        pieces.insert(2 * place + 1, pa.Table.from_pylist([typed], SNAPSHOT))
    return pa.concat_tables(pieces)


def _start_csv(file):
    file.write((",".join(SNAPSHOT.names) + "\n").encode())


def _append_csv(file, table, planted):
    """Append the table's rows with the faulty rows spread over them."""
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")
    for piece, row in zip(_slices(table, planted), [*planted, None], strict=True):
        pyarrow.csv.write_csv(piece, file, options)
        if row is not None:
            file.write((",".join(row.values()) + "\n").encode())
