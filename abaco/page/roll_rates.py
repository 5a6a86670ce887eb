"""Where the balance of each bucket went: the roll-rate matrix as a heat map whose figures are read first."""

from collections.abc import Iterable

from abaco.page.aging import start
from abaco.page.column_names import small
from abaco.page.language import phrase, say
from abaco.page.markup import Html, absent, fill
from abaco.page.tables import rows_of
from abaco.page.words import NBSP, bucket, count, day, number

UNKNOWN = ("rejected", "gone without payment")  # shown only where a loan is in them
NAMES = {
    "new": "New loans", "paid": "Paid", "written off": "Written off", "rejected": "Rejected, not known",
    "gone without payment": "Gone without payment",
}  # fmt: skip


def roll_rate_matrix(metrics: dict, roll_rates) -> Html:
    """Return a row an opening state and a column a closing one; a cell is the share of the opening balance."""
    rows = rows_of(roll_rates, date=metrics["date"])
    if not rows:
        text = (
            "To see how loans moved between buckets, add loan-level balances of two dates: one row per loan and date."
        )
        return absent(phrase(text))
    cells = {(row["opening"], row["closing"]): row for row in rows}
    buckets = _buckets(metrics, cells)
    order = ["paid", *buckets, "written off", *UNKNOWN]
    against = day(rows[0]["against"])
    closings = [one for one in order if one not in UNKNOWN or any(key[1] == one for key in cells)]
    table = fill(
        "heat.html.j2",
        caption=say(
            "From {before} to {now}: per cent of the balance, by what became of it",
            before=against,
            now=day(metrics["as_of"] or metrics["date"]),
        ),
        heads=[
            phrase("At the start"),
            phrase("USD"),
            *(state(one, order).removesuffix(f"{NBSP}{phrase('days')}") for one in closings),
        ],
        rows=[
            _row(one, cells, closings, order)
            for one in (*buckets, "new", "rejected")
            if any(key[0] == one for key in cells)
        ],
    )
    return fill("rolls.html.j2", example=_example(cells, against, order), table=table)


def _buckets(metrics, cells):
    """Return the buckets in their order: those of the aging, where they are the ones of the states."""
    aging, named = [row["bucket"] for row in metrics["aging"]], {state for states in cells for state in states}
    own = {state for state in named if state[0].isdigit()}
    return aging if own <= set(aging) else sorted(own, key=start)


def state(name: str, order: Iterable[str]) -> str:
    """Return the name of what became of a balance: of a bucket its days, as `bucket` has them."""
    return phrase(NAMES[name]) if name in NAMES else bucket(name, order)


def _row(opening, cells, closings, order):
    found = [cells.get((opening, closing)) for closing in closings]
    total = sum(cell["amount_usd"] or 0 for cell in found if cell)
    return {
        "name": state(opening, order),
        "total": count(total),
        "cells": [_cell(opening, closing, cell, order) for closing, cell in zip(closings, found, strict=True)],
    }


def _cell(opening, closing, cell, order):
    """Return a cell's text, colour strength and direction: better, worse or the same bucket."""
    if cell is None or cell["share"] is None:
        return {"text": "", "kind": "none", "depth": 0}
    share = float(cell["share"])
    return {
        "text": number(share, 1),
        "kind": _direction(opening, closing, order),
        "depth": f"{min(max(share, 0), 100) ** 0.5 * 10:.0f}",
    }


def _direction(opening, closing, order):
    if opening == closing or opening == "rejected" or closing in UNKNOWN:
        return "same"
    if opening == "new":
        return "same" if closing == order[1] else "worse" if closing != "paid" else "better"
    return "better" if order.index(closing) < order.index(opening) else "worse"


def _example(cells, against, order):
    """Return how to read the matrix, by the largest share that got worse, or by the first cell."""
    worse = [cell for (opening, closing), cell in cells.items() if _direction(opening, closing, order) == "worse"]
    known = [cell for cell in worse if cell["share"] is not None and cell["opening"] != "new"]
    cell = max(known, key=lambda cell: cell["share"], default=next(iter(cells.values())))
    return say(
        "Read along a row: of the balance that was {opening} at {date}, {share} is {closing} now. "
        "Left of the framed cells is better, right of them worse.",
        opening=small(state(cell["opening"], order)), closing=small(state(cell["closing"], order)), date=against,
        share=f"{number(cell['share'] or 0, 1)}{NBSP}%",
    )  # fmt: skip
