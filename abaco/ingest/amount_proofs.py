"""Proofs of amounts: headings of a stranger's file where in every row the amount lent is what was paid and is left."""

from collections.abc import Sequence
from dataclasses import dataclass

import narwhals as nw

from abaco.engines import Engine
from abaco.ingest.heading_words import Dictionary
from abaco.ingest.unmapped import Table
from abaco.ingest.value_evidence import Evidence
from abaco.ingest.value_kinds import NUMBER, numbers_of


@dataclass(frozen=True)
class Proof:
    """Three headings: in every row the first amount is the sum of the two others."""

    lent: str
    paid: str
    left: str


def prove(table: Table, found: Sequence[Evidence], words: Dictionary, engine: Engine) -> Proof | None:
    """Return which amounts are lent, paid and left by their sums; None where no headings are proven, or several.

    The principal paid is known by its heading, as the values do not tell it from what is left.
    """
    amounts = [one for one in found if one.kind == NUMBER and one.is_pure and one.total]
    paid = [one for one in amounts if words.is_principal_paid(one.heading)]
    others = [one for one in amounts if one not in paid]
    sums = [
        (lent, part, left)
        for part in paid
        for lent in others
        for left in others
        if lent is not left and lent.total == part.total + left.total
    ]
    if not sums:
        return None
    used = {one.place: one for triple in sums for one in triple}
    marks = {table.column(place): one.mark for place, one in used.items()}
    rows = numbers_of(table.rows.select(list(marks)), marks, engine)
    columns = [[nw.col(table.column(one.place)).fill_null(0) for one in triple] for triple in sums]
    misses = {f"{i}": (lent != part + left).cast(nw.Int64()).sum() for i, (lent, part, left) in enumerate(columns)}
    [missed] = rows.select(**misses).collect("pyarrow").to_native().to_pylist()
    proven = [triple for i, triple in enumerate(sums) if not missed[f"{i}"]]
    return Proof(*(one.heading for one in proven[0])) if len(proven) == 1 else None
