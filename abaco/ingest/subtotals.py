"""Subtotals that have numbers as loans have: rows that part a file into groups of loans, each of which one adds up."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import narwhals as nw

from abaco.core.errors import InputError
from abaco.core.files import row_count
from abaco.engines import RECORDS, Engine
from abaco.ingest.quarantine import lines
from abaco.ingest.staging import Batch
from abaco.ingest.total_sums import BALANCE, CREDIT, LOST, ZERO, additive

MOST_ROWS = 50_000  # a list with subtotals is one for readers
LEAST_GROUPS = 2  # of several loans: fewer may be so by chance
SHOWN = 5


def check_subtotals(batch: Batch, engine: Engine) -> Batch:
    """Return a batch in which no file is parted into groups, each with a row that is the sum of the others.

    Raises
    ------
    InputError
        Naming the lines of such rows.
    """
    small = [staged for staged in batch.staged if row_count(staged.path) <= MOST_ROWS]
    if not (batch.is_tape and batch.format.key and "loan_id" in batch.columns and small):
        return batch
    rows = batch.rows(engine) if batch.verdicts is None else engine.anti_join(batch.rows(engine), batch.verdicts)
    schema = rows.collect_schema()
    amounts = [name for name in additive(batch, schema) if name != BALANCE]
    beside = [name for name in (CREDIT, LOST, "measurement_date") if name in schema]
    for staged in small:
        found = rows.filter(nw.col("source") == staged.index).select("row_id", BALANCE, *amounts, *beside)
        days: dict = {}
        for row in found.sort("row_id").collect("pyarrow").to_native().to_pylist():
            days.setdefault(row.get("measurement_date"), []).append(row)
        for of_day in (order for rows_ in days.values() for order in (rows_, rows_[::-1])):
            groups = groups_of([
                (row[BALANCE] or ZERO) + (row.get(LOST) or ZERO) - (row.get(CREDIT) or ZERO) for row in of_day
            ])  # fmt: skip
            sums = [(of_day[group[-1]], [of_day[i] for i in group[:-1]]) for group in groups]
            if not groups or any(_differ(row, loans, amounts) for row, loans in sums):
                continue
            at = sorted(lines(staged, sorted(row["row_id"] % RECORDS for row, _ in sums)).values())
            more = f" and {len(at) - SHOWN:,} more" if len(at) > SHOWN else ""
            raise InputError(
                f"{staged.source.name} lines {', '.join(map(str, at[:SHOWN]))}{more} are subtotals, or loans: each has "
                "the balance of all rows between it and the next one; remove the lines if they are not loans; if they "
                "are, move one of them to another place"
            )
    return batch


def groups_of(balances: Sequence[Decimal]) -> list[range]:
    """Return the groups that balances are parted into, each of which ends with its sum; none if they are not.

    A total of the groups before it, or of all, is a group of its own.

    Examples
    --------
    >>> [[*group] for group in groups_of([1, 2, 3, 4, 5, 9])]
    [[0, 1, 2], [3, 4, 5]]
    >>> len(groups_of([1, 2, 3, 4, 5, 9, 12])), groups_of([1, 2, 3, 4, 5, 8]), groups_of([1, 2, 3])
    (3, [], [])
    >>> len(groups_of([1, 2, 3, 4, 5, 9, 12, 7, 7, 14, 14, 26]))
    6
    """
    ends = {ZERO: (0, 0, 0)}  # by what is summed up to the end of a group: where, how many positive, how many groups
    sum_, owed, before = ZERO, 0, [-1] * (len(balances) + 1)
    for place, balance in enumerate(balances, 1):
        last, sum_, owed = ends.get(sum_), sum_ + balance, owed + (balance > 0)
        start = ends.get(sum_ - 2 * balance) if balance > 0 else None
        is_total = balance > 0 and last and last[2] and any(sum_ - times * balance in ends for times in (3, 4))
        if start and owed - start[1] > 1:
            before[place] = start[0]
            ends[sum_] = (place, owed, start[2] + (owed - start[1] > 2))
        elif is_total:
            before[place] = last[0]
            ends[sum_] = (place, owed, last[2])
    if before[-1] < 0 or ends[sum_][2] < LEAST_GROUPS:
        return []
    groups, end = [], len(balances)
    while end:
        groups.append(range(before[end], end))
        end = before[end]
    return groups[::-1]


def _differ(row: dict, loans: Iterable[dict], amounts: Iterable[str]) -> bool:
    """Return whether another amount of a row is not the sum of those of the loans."""
    loans = list(loans)
    return bool(loans) and any(row[name] and row[name] != sum(loan[name] or ZERO for loan in loans) for name in amounts)
