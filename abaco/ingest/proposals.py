"""Proposals: which of our columns each heading of a stranger's file gives, or none, and why.

A heading gives a column when its words mean it and all of its values are of the column's kind. Where two headings may
give a column, or a heading two columns, nothing is proposed: it is asked (see `questions`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from abaco.core.quoting import is_value
from abaco.ingest import write_offs
from abaco.ingest.amount_proofs import Proof
from abaco.ingest.balances import OFF
from abaco.ingest.columns import (
    BORROWER,
    DAYS_PAST_DUE,
    IS_RESTRUCTURED,
    IS_REVERSED,
    IS_WRITTEN_OFF,
    LOAN_ID,
    LOAN_STATUS,
    REGION,
    Column,
    normalise,
)
from abaco.ingest.formats import FORMATS
from abaco.ingest.formulas import Formula
from abaco.ingest.heading_words import Dictionary
from abaco.ingest.value_evidence import Evidence
from abaco.ingest.value_kinds import BLANK, DATE, MONTH, NUMBER, TEXT

NONE = "none"  # the answer that leaves a column out
SINCE = "since "  # an answer that counts days from a due date
COLUMNS = {column.name: column for name in ("payments", "loans", "par_balances") for column in FORMATS[name].columns}
SERIALS = (30_000, 60_000)  # days of a spreadsheet from 1982 to 2064
PERSONAL = {column.name for column in BORROWER}
FEW_ROWS = 6
OF_PAYMENTS = ("paid_on", "paid_principal", "paid_interest", "paid_fees", "paid_total_payment", "is_reversed")


@dataclass(frozen=True)
class Proposal:
    """Where one of our columns comes from, as a mapping writes it, and why."""

    origin: Mapping[str, Any]
    reason: str

    @property
    def heading(self) -> str | None:
        """The one heading that it is read from."""
        return self.origin.get("heading") or self.origin.get("since")


@dataclass(frozen=True)
class Proposals:
    """What is proposed of a table, and what may be meant.

    Parameters
    ----------
    columns
        The proposals by our columns.
    open
        The headings that may give each column for which nothing is proposed.
    left
        Why each heading is not read.
    """

    columns: Mapping[str, Proposal]
    open: Mapping[str, Sequence[str]]
    left: Mapping[str, str]
    known: Mapping[str, Evidence] = field(repr=False)


def propose(
    found: Sequence[Evidence], words: Dictionary, answers: Mapping[str, str], proof: Proof | None = None
) -> Proposals:
    """Return what the headings and values of a table propose, with the answers that were given.

    Parameters
    ----------
    proof
        Which amounts are lent, paid and left, where their sums prove it.
    answers
        By our column: a heading, a formula, ``since`` a heading, or ``none``.
    """
    known = {one.heading: one for one in found}
    fits = {one.heading: _fitting(one, words) for one in found}
    chosen = {name: _chosen(name, text, known) for name, text in answers.items() if name in COLUMNS}
    loan = chosen.get(LOAN_ID.name)
    if loan and loan.heading and {*words.columns_of(loan.heading)} & (PERSONAL - {"borrower_id"}):
        raise ValueError(f"loan_id={loan.heading}: it names people, and ids are not masked: add a column of numbers")
    taken = {proposal.heading for proposal in chosen.values() if proposal}
    balance = chosen.get("outstanding_balance")
    # what was lent is that also where it stands for the balance
    free = {"disburse_principal": taken - {balance.heading} if balance else taken}
    is_payments = _is_payments({name for heading in fits for name in fits[heading]} | {*chosen})
    columns, open_ = {name: proposal for name, proposal in chosen.items() if proposal}, {}
    for name in words.columns:
        if name in chosen or (name in OF_PAYMENTS and not is_payments):
            continue
        headings = [
            heading for heading, names in fits.items() if name in names and heading not in free.get(name, taken)
        ]
        proven = {"disburse_principal": proof.lent, "outstanding_balance": proof.left}.get(name) if proof else None
        if proven and proven not in taken and (proven in headings or not headings):
            sums = f"in every row {proof.lent} is {proof.paid} and {proof.left}"
            columns[name] = Proposal({"heading": proven}, f"{known[proven].told()}; {sums}")
            continue
        rivals = {other for heading in headings for other in _rivals(fits[heading], chosen, is_payments)} - {name}
        if len(headings) == 1 and not rivals:
            one = known[headings[0]]
            columns[name] = Proposal(
                {"heading": one.heading}, f"{told(name, one)}; the heading says {words.columns[name].means}"
            )
        elif headings:
            open_[name] = headings
    if balance and balance.heading and balance.heading == getattr(columns.get("disburse_principal"), "heading", None):
        reason = f"{balance.reason}; the amount lent: nothing that was paid is taken off"
        columns["outstanding_balance"] = replace(balance, reason=reason)
    read = {h for p in columns.values() for h in headings_of(p.origin)} | {h for hs in open_.values() for h in hs}
    left = {one.heading: _why_left(one, words) for one in found if one.heading not in read}
    return Proposals(columns, open_, left, known)


def _rivals(names: Sequence[str], chosen: Mapping[str, Any], is_payments: bool) -> list[str]:
    return [name for name in names if name not in chosen and (is_payments or name not in OF_PAYMENTS)]


def _is_payments(names: set[str]) -> bool:
    """Return whether the rows are payments: a day and an amount of what was paid, and no balance."""
    return {"paid_on", "paid_principal"} <= names and names.isdisjoint(("outstanding_balance", "disburse_principal"))


def headings_of(origin: Mapping[str, Any]) -> list[str]:
    """Return the headings that a column is read from."""
    if "compute" in origin:
        return list(Formula.parse(origin["compute"]).headings)
    return [origin[key] for key in ("heading", "since") if key in origin]


def _chosen(name: str, text: str, known: Mapping[str, Evidence]) -> Proposal | None:
    """Return the proposal that an answer is; None leaves the column out.

    Raises
    ------
    ValueError
        When it names no heading of the table.
    """
    if text.strip().lower() in ("", NONE):
        return None
    by_name = {normalise(heading): heading for heading in known}
    if heading := text if text in known else by_name.get(normalise(text)):
        return Proposal({"heading": heading}, f"as answered: {told(name, known[heading])}")
    if text.startswith(SINCE) and (heading := by_name.get(normalise(text.removeprefix(SINCE)))):
        return Proposal({"since": heading}, "as answered: days from that date to the measurement date")
    is_formula = any(sign in text for sign in "[+-*")
    if is_formula and {normalise(part) for part in Formula.parse(text).headings} <= by_name.keys():
        return Proposal({"compute": text}, "as answered")
    day = "a day as YYYY-MM-DD, " if name == "measurement_date" else ""
    raise ValueError(f"{name}={text}: write a heading of the file, {day}a formula of its headings, or none")


def told(name: str, one: Evidence) -> str:
    """Return what the values of one of our columns are, without numbers of people and accounts."""
    return "personal, masked" if name in PERSONAL else one.told(name != LOAN_ID.name)


def _fitting(one: Evidence, words: Dictionary) -> list[str]:
    """Return our columns that a heading means and its values may be."""
    if one.kind == BLANK:
        return []
    return [name for name in words.columns_of(one.heading) if _is_of(COLUMNS[name], one)]


def _is_of(column: Column, one: Evidence) -> bool:
    """Return whether all values of a column may be of the kind of one of ours."""
    if column.name in (DAYS_PAST_DUE.name, LOAN_STATUS.name) and _names_rows(one):
        return False
    if column.name == DAYS_PAST_DUE.name and one.words:
        return True
    if column.name in (LOAN_STATUS.name, REGION.name):
        has_status = any(write_offs.is_known_status(word) for word in one.words)
        is_either = normalise(one.heading).endswith(("state", "estado"))
        return one.kind == TEXT and (not is_either or has_status == (column.name == LOAN_STATUS.name))
    if column.name == IS_REVERSED.name:
        return True
    if column.name in (IS_WRITTEN_OFF.name, IS_RESTRUCTURED.name):
        return _is_flag(one)
    if column.kind == "text":
        return column.personal or (one.kind == TEXT and not one.looks)
    if column.name == LOAN_ID.name:
        return one.is_full and (one.kind == TEXT or one.is_whole or one.mark is None)
    if column.kind == "id":
        return one.kind in (TEXT, NUMBER)
    if column.kind == "date":
        is_serial = one.kind == NUMBER and one.is_whole and SERIALS[0] <= one.low <= one.high <= SERIALS[1]
        return is_serial or (one.kind in (DATE, MONTH) and one.is_pure)
    is_number = one.kind == NUMBER and one.is_pure and not (column.name == OFF and _is_flag(one))
    if column.kind == "amount" and one.is_percent:
        return False
    return is_number and (column.kind != "days" or one.is_whole)


def _names_rows(one: Evidence) -> bool:
    """Return whether a column has a text of its own in every row, and none that says how a loan is."""
    return (
        one.kind == TEXT
        and one.is_unique
        and one.filled > FEW_ROWS
        and not any(map(write_offs.is_known_status, one.words))
    )


def _is_flag(one: Evidence) -> bool:
    """Return whether all values of a column say yes or no."""
    flags = write_offs.load().flags
    words = one.words or (("0", "1") if one.kind == NUMBER and one.is_whole and 0 <= one.low <= one.high <= 1 else ())
    return bool(words) and {word.lower() for word in words} <= {*flags.affirmative, *flags.negative}


def _why_left(one: Evidence, words: Dictionary) -> str:
    if one.kind == BLANK:
        return "no value"
    if is_personal(one, words):
        return "may name people"
    meant = [words.columns[name].means for name in words.columns_of(one.heading) if name not in OF_PAYMENTS]
    values = one.told(may_be_shown(one, words))
    if meant and _fitting(one, words):
        return f"{values}; another heading is {meant[0]}"
    if meant:
        return f"{values}; the heading says {meant[0]}, but the values do not"
    return f"{values}; no column of ours"


def may_be_shown(one: Evidence, words: Dictionary) -> bool:
    """Return whether values of a column that is not read may be shown: amounts, rates, and few words that repeat."""
    if is_personal(one, words) or one.is_long:
        return False
    return words.is_amount(one.heading) if one.kind == NUMBER else one.repeats


def is_personal(one: Evidence, words: Dictionary) -> bool:
    """Return whether the values of a column may be personal, by its heading or by what they look like."""
    names = {*words.columns_of(one.heading)}
    return bool(one.looks or names & PERSONAL or words.is_personal(one.heading) or is_value(one.heading))
