"""The lines of a borrowing base: what each of them is, the table that has them, and their sums."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from abaco.core.tables import COUNT, DATE, SUM, TEXT, Field, Table

# The lines of a borrowing base in their order, and what each of them is.
KINDS = {
    "pool": "the balances of the pledged loans, net of write-offs",
    "ineligible": "the balances of loans that fail a criterion, each loan once: by the first that it fails",
    "eligible": "what is left of the pool",
    "excess": "what is above a concentration limit: limits apply in their order, each to what the former ones left, "
    "and the loans of a value fill its limit in the order in which they were lent",
    "net_eligible": "what is left of the eligible pool",
    "advance": "the net eligible loans of a class at its advance rate, rounded half up to cents",
    "reserve": "what the lender of the facility keeps back: an amount, or a share of the net eligible loans",
    "cash": "the cash of the facility, at the rate at which it counts",
    "borrowing_base": "advances less reserves and with cash",
    "over_commitment": "the part of the borrowing base above the commitment, which cannot be drawn",
    "drawn": "what is drawn on the date",
    "availability": "what may be drawn besides: borrowing base less what is above the commitment and what is drawn; "
    "below 0 it is a deficiency, which is to be paid back",
}
TABLE = Table(
    "borrowing_base",
    "one row per facility, date and line",
    (
        Field("facility", TEXT, "the facility's key"),
        Field("date", DATE, "the measurement date"),
        Field("position", COUNT, "the line's place, from 1"),
        Field("line", TEXT, "the criterion, limit, class of loans or reserve, or the kind of the line again"),
        Field("kind", TEXT, f"one of {', '.join(KINDS)}"),
        Field(
            "amount_usd", SUM, "the amount, not below 0 but of borrowing_base and availability; empty: not known", "USD"
        ),
        Field("loans", COUNT, "loans in it, of excess those that have some; empty for amounts of no loans", "loans"),
        Field("basis_usd", SUM, "what a rate or limit is of: net eligible loans of a class, cash, or the pool", "USD"),
        Field("rate_pct", "decimal(9, 6)", "the rate or limit that the facility sets", "%"),
    ),
)
NOTHING = Decimal("0.00")


def summed(lines: Iterable[Mapping[str, Any]], kind: str) -> Decimal | None:
    """Return the sum of the lines of a kind of one date; None where one is not known."""
    amounts = [line["amount_usd"] for line in lines if line["kind"] == kind]
    return None if None in amounts else sum(amounts, NOTHING)


def title(kind: str) -> str:
    """Return what sentences call a kind.

    Examples
    --------
    >>> title("net_eligible")
    'Net eligible'
    """
    return kind.replace("_", " ").capitalize()
