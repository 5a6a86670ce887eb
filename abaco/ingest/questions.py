"""Questions: what neither the headings nor the values of a stranger's file prove, with what each answer would give."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from abaco.core.errors import InputError
from abaco.core.quoting import FREQUENT, HIDDEN, LOCAL_PHONE, frequent_word
from abaco.core.text import counted
from abaco.engines.base import NO_ID_WORDS
from abaco.ingest import decimal_marks, write_offs
from abaco.ingest.bucket_words import FIRST_DAY, days_of
from abaco.ingest.heading_words import Dictionary
from abaco.ingest.origins import NOT_LATE
from abaco.ingest.proposals import NONE, SINCE, Proposal, Proposals, is_personal, may_be_shown, told
from abaco.ingest.scales import factor_of
from abaco.ingest.unmapped import Table
from abaco.ingest.value_evidence import Evidence, plain
from abaco.ingest.value_kinds import DATE, MONTH, NUMBER

MAX_CHOICES = 6
TOO_MANY_DAYS, MONTHS = 20_000, 12
MOST_A_YEAR = 250  # per cent; a rate is not asked to be one of a month that is more
STATUSES = {"current": "not late", "late": "late", "written off": "its balance is not outstanding", "paid": "closed",
            "restructured": "with other terms than at first"}  # fmt: skip
WHOLE = "whole"  # amounts that are in no other unit
MARKS = {".": "point", ",": "comma"}
SHORT = re.compile(r"[A-Z]?\d{1,3}|[A-Z]{1,2}|[A-Z]{1,4}[ -]?\d{1,2}")  # a code, which names nobody
LOAN_NUMBER = re.compile(r"[\w/.-]*\d[\w/.-]*")
RATES = {"percent": 1, "fraction": 100, "percent per month": 12, "fraction per month": 1200}  # to per cent a year
DAY = {"YYYY-MM-DD": "the day of all balances"}
UNDATED = "; it has no date: each report is given DATE, or answer measurement_date=YYYY-MM-DD, the day of its balances"
WRITE_DATE = "; if no column has it, write it above the table, or into the name of the file (tape_2025-12.csv)"


@dataclass(frozen=True)
class Question:
    """What is asked under a key, and what each answer would give; without answers to choose from any fitting one is.

    Examples
    --------
    >>> str(Question("dates", "01/02/2025 under Lent", {"dmy": "1 February", "mdy": "2 January"}))
    'dates: 01/02/2025 under Lent: dmy: 1 February; mdy: 2 January'
    """

    key: str
    text: str
    choices: Mapping[str, str]

    def __str__(self) -> str:
        choices = "; ".join(f"{answer}: {means}" for answer, means in self.choices.items())
        return ": ".join(filter(None, (self.key, self.text, choices))).replace("?: ", "? ")


def of_columns(
    proposals: Proposals, words: Dictionary, needs: Sequence[str], unnamed: Sequence[int] = ()
) -> Iterator[Question]:
    """Yield what is asked of columns that several headings may give, and of those that are needed and none gives.

    Parameters
    ----------
    unnamed
        The places of columns without a heading.
    """
    for name, headings in proposals.open.items():
        choices = {heading: told(name, proposals.known[heading]) for heading in headings}
        yield Question(name, f"which heading is {words.columns[name].means}?", {**choices, NONE: "left out"})
    for name in needs:
        if name not in proposals.columns and name not in proposals.open:
            candidates = _candidates(name, proposals, words)
            way_out = (
                f"column {unnamed[0] + 1} has none of its own: write one above it" if unnamed else "add one to the file"
            )
            more = f"; {way_out}" if unnamed or not candidates else ""
            yield Question(name, f"no heading says {words.columns[name].means}, which is needed{more}", candidates)


def _candidates(name: str, proposals: Proposals, words: Dictionary) -> dict[str, str]:
    """Return headings that could give a needed column by their values, and what they say themselves."""
    free = [proposals.known[heading] for heading in proposals.left]
    free = [one for one in free if not is_personal(one, words)]
    if name == "loan_id":
        full = [one for one in free if one.is_full and one.kind != DATE and not words.is_money(one.heading)]
        return _told([one for one in full if one.is_unique] or full, words)
    if name == "days_past_due":
        dates = [one for one in proposals.known.values() if one.kind == DATE and one.is_pure]
        whole = [one for one in free if one.kind == NUMBER and one.is_whole and one.high < TOO_MANY_DAYS]
        whole = [one for one in whole if not words.is_money(one.heading)]
        counts = {one.heading: one.told() for one in whole[:MAX_CHOICES]}
        counts |= _told([one for one in free if one.words], words)
        return counts | {f"{SINCE}{one.heading}": "days from that date, if it is what is due" for one in dates}
    if name == "measurement_date":
        return _told([one for one in free if one.kind == DATE], words)
    lent = proposals.columns.get("disburse_principal")
    choices = {}
    if lent and lent.heading:
        total = proposals.known[lent.heading].total
        for other in proposals.known.values():
            if words.is_principal_paid(other.heading) and other.total is not None and total is not None:
                formula = f"[{lent.heading}] - [{other.heading}]"
                choices[formula] = f"what is left of what was lent: {plain(total - other.total)} in all"
        sums = "" if total is None else f": as the balance {plain(total)} in all"
        choices[lent.heading] = f"its heading says the amount lent{sums}"
    amounts = [one for one in free if one.kind == NUMBER and one.is_pure and not (one.is_long and one.is_unique)]
    for heading, values in _told(amounts, words).items():
        total = proposals.known[heading].total
        is_shown = total is not None and may_be_shown(proposals.known[heading], words)
        choices[heading] = f"{values}, {plain(total)} in all" if is_shown else values
    return choices


def _told(found: Sequence[Evidence], words: Dictionary) -> dict[str, str]:
    return {one.heading: one.told(may_be_shown(one, words)) for one in found[:MAX_CHOICES]}


def of_rate(proposal: Proposal, proposals: Proposals, words: Dictionary) -> Question | None:
    """Return what is asked of how an interest rate is written; None where its values and its heading say it."""
    one = proposals.known[proposal.heading]
    said = words.words_of(one.heading)
    units = ["percent"] if "percent" in said or one.is_percent else ["percent", "fraction"]
    spans = [""] if "year" in said else [" per month"] if "month" in said else ["", " per month"]
    answers = [f"{unit}{span}" for unit in units for span in spans]
    if len(spans) > 1 and one.high is not None:
        answers = [a for a in answers if not a.endswith("month") or one.high * RATES[a] <= MOST_A_YEAR]
    if len(answers) == 1 or one.high is None:
        return None
    given, ends = {}, [one.low] if one.has_percent else [one.high]  # those with a sign are per cent in any case
    ends = [one.low, one.high] if one.high >= 2 > 1 > one.low > 0 and not one.has_percent else ends
    for answer in answers:
        given[answer] = f"{' to '.join(f'{plain(end * RATES[answer])} %' for end in ends)} a year"
    beside = ", beside others with a percent sign" if one.has_percent else ""
    values = f"{' to '.join(map(plain, ends))} under {one.heading}{beside}"
    return Question("interest_rate.as", f"what is {values}?", given)


def dates_of_all(proposals: Proposals, table: Table) -> dict[str, str]:
    """Return headings that are not read, of columns with the same date in all rows, and the date."""
    found = {}
    for heading in proposals.left:
        one = proposals.known[heading]
        cells = {cell.strip() for cell in table.cells(one.place)}
        if one.kind == DATE and one.is_pure and one.is_full and one.rows > 1 and len(cells) == 1:
            found[heading] = f"{cells.pop()} in every row"
    return found


def of_rows(loan: Evidence) -> Question:
    """Return what is asked where the number of a loan is there more than once, and no column has a date."""
    shown = [value if LOAN_NUMBER.fullmatch(value) and not loan.is_long else HIDDEN for value in loan.twice]
    such = f" ({', '.join(shown)})" if shown else ""
    text = f"{loan.heading} has values that are there more than once{such}"
    choices = {"loan": "of a loan with equal rows one counts, and others are rejected",
               "loan and date": "the rows of a loan are of several dates"}  # fmt: skip
    return Question("rows", text, choices)


def of_rows_without_id(rows: Sequence, heading: str) -> Question:
    """Return what is asked of rows that have no number of a loan and no label of a total."""
    choices = {"blank": "they are not loans, but headings and sums of sections, and are left out",
               NONE: "only sums of the others are left out, and loans without a number are rejected"}  # fmt: skip
    return Question("rows_to_leave_out", f"{counted(len(rows), 'row')} without a value under {heading}", choices)


def of_sign(one: Evidence) -> Question:
    """Return what is asked of balances that are negative in all."""
    choices = {"reversed": f"what borrowers owe: {plain(-one.total)} in all",
               "as written": "loans that are overpaid, of which there is no report"}  # fmt: skip
    return Question("outstanding_balance.sign", f"{one.told()} under {one.heading}", choices)


def of_scale(key: str, place: str, one: Evidence | None, scales: Collection[str], is_sure: bool) -> Question:
    """Return what is asked of an amount whose heading and table say several units, or one that is not clear."""
    values = f"{one.told()} under {place}" if one else place
    units = {scale: factor_of(scale) for scale in sorted(scales, key=factor_of)}
    total = one.total if one else None
    sums = {} if total is None else {scale: f", {plain(total * factor)} in all" for scale, factor in units.items()}
    choices = {scale: f"times {factor:,}{sums.get(scale, '')}" for scale, factor in units.items()}
    choices |= {} if is_sure else {WHOLE: "as they are written, and the words mean no unit"}
    return Question(key, f"{values}, in {' or '.join(units)}", choices)


def of_unit(key: str, one: Evidence) -> Question:
    """Return what is asked of a term or a lateness whose heading names no unit."""
    choices = {"days": "days", "months": "months of 30 days"}
    return Question(key, f"{one.told()} under {one.heading}", choices)


def rate_said(proposal: Proposal, proposals: Proposals, words: Dictionary) -> str:
    """Return how an interest rate is written that needs no question."""
    said = words.words_of(proposal.heading)
    one = proposals.known[proposal.heading]
    unit = "percent" if "percent" in said or one.is_percent else "fraction"
    return f"{unit} per month" if "month" in said else unit


def labels(one: Evidence) -> dict[str, str]:
    """Return what to call each word of a column: itself, or its shape where it may be a name that no list knows."""
    found: dict[str, str] = {}
    shapes = {text: re.sub(r"\d", "9", re.sub(r"[^\W\d_]", "A", text)) for text in (*one.words, *one.others)}
    rows = Counter(shapes[text] for text, count in one.words.items() for _ in range(min(count, FREQUENT)))
    for text, shape in shapes.items():
        is_range = FIRST_DAY.search(text.lower()) and not LOCAL_PHONE.search(text)
        is_plain = write_offs.is_known_status(text) or is_range or text.lower() in NO_ID_WORDS or SHORT.fullmatch(text)
        # a bucket such as M4 is as frequent as those like it
        label = text if is_plain or frequent_word(text, rows[shape]) != HIDDEN else shape
        found[text] = label if label not in found.values() else f"{label} ({len(found)})"
    return found


def of_days(one: Evidence, words: Dictionary) -> Iterator[Question]:
    """Yield what is asked of days past due: words that say no days, and blanks."""
    for text, label in labels(one).items():
        if days_of(text, words, one.heading) is None:
            none = {"0": "not late"} if one.kind == NUMBER else {
                "0": "late by fewer days than the other words say, or by none: PAR1 and PAR7 stay unknown",
                NOT_LATE: "0 days late: PAR1 and PAR7 are known",
            }  # fmt: skip
            choices = {**none, "31": "or another number: at least so many days late",
                       "none": "unknown: the rows are rejected"}  # fmt: skip
            yield Question(f"days_past_due.{label}", f"{label} under {one.heading} says no days", choices)
    if not one.is_full:
        yield of_blank_days(one)


def of_blank_days(one: Evidence) -> Question:
    """Return what is asked of loans without days past due, or without the date that they are counted from."""
    blank = counted(one.rows - one.filled, "row")
    told = f"{blank} of {one.rows:,} have no value under {one.heading}"
    return Question("days_past_due.blank", told, {"0": "not late", "unknown": "the rows are rejected"})


def meaning(name: str, answer: str) -> Any:
    """Return what a word means by an answer, as YAML has it; "" for nothing."""
    if name == "days_past_due" and answer not in (NONE, NOT_LATE, "") and not answer.isdigit():
        raise InputError(f"{name}: {answer} is not a number of days: write one, {NOT_LATE}, or none")
    return "" if answer == NONE else int(answer) if answer.isdigit() else answer


def of_status(one: Evidence, words: Dictionary) -> Iterator[Question]:
    """Yield what is asked of words of a status that no list of params/loans.yml has."""
    for text, label in labels(one).items():
        if not write_offs.is_known_status(text) and days_of(text, words) is None:
            yield Question(f"loan_status.{label}", f"{label} under {one.heading} is not known", STATUSES)


def of_writing(read: Sequence[Evidence], samples: Mapping[str, str], rate: str) -> Iterator[Question]:
    """Yield what is asked of how dates, months and numbers are written.

    Parameters
    ----------
    samples
        A value of each heading that may be read in two ways.
    rate
        The heading of an interest rate, which is never a thousand.
    """
    if one := next((one for one in read if one.kind == DATE and one.order is None), None):
        day = samples[one.heading]
        first, second, third = re.findall(r"\d+", day)[:3]
        choices = {} if int(second) > MONTHS else {"dmy": f"day {first}, month {second}"}
        choices |= {} if int(first) > MONTHS else {"mdy": f"month {first}, day {second}"}
        choices |= {} if len(third) > 2 else {"ymd": f"year {first}, month {second}, day {third}"}
        yield Question("dates", f"{day} under {one.heading}, and no value tells the order", choices)
    if one := next((one for one in read if one.kind == MONTH), None):
        text = f"{samples[one.heading]} under {one.heading} has no day"
        yield Question("months", text, {"first": "the first day of the month", "last": "its last day"})
    marks = decimal_marks.proven({one.heading: one.marks for one in read if one.kind == NUMBER}, {rate})
    if one := next((one for one in read if one.heading in marks and marks[one.heading] is None), None):
        text = f"{samples[one.heading]} under {one.heading}, and no value tells the decimal mark"
        yield Question("decimal_mark", text, {"point": "the point is before decimals", "comma": "the comma is"})


def of_proofs(read: Sequence[Evidence]) -> Iterator[tuple[str, str, str]]:
    """Yield how dates and numbers are written where the values of a heading prove it: key, answer and heading."""
    for one in read:
        if one.kind == DATE and one.order:
            yield "dates", one.order, one.heading
        for (what, mark), count in one.marks.items():
            if one.kind == NUMBER and what == "proof" and count:
                yield "decimal_mark", MARKS[mark], one.heading
