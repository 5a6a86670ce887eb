"""The head of the page: title, date, input, and the size of the book."""

import datetime as dt

from abaco.core.dates import month_end
from abaco.ingest.discovery import LOANS_NOT_USED
from abaco.ingest.sample_mark import SENTENCE
from abaco.page.language import phrase, say
from abaco.page.markup import Html, fill
from abaco.page.words import day, month_name, plural, short_day, usd


def masthead(metrics: dict) -> Html:
    """Return the title with the date, the size of the book, and the meaning of a date earlier than its label."""
    name, state = heading(metrics)
    return fill(
        "masthead.html.j2",
        name=name,
        state=state,
        sample=sample(metrics),
        label=say("labelled {date}", date=day(metrics["date"])),
        as_of=as_of(metrics),
        size=size(metrics),
        gross=_gross(metrics),
    )


def size(metrics: dict) -> str:
    """Return how much is outstanding, in how many loans and of how many borrowers, as far as they are known."""
    book = metrics["book"]
    if book["outstanding"] is None:
        return phrase("The outstanding balance could not be computed.")
    owed, loans = usd(book["outstanding"], 0), book["loans_with_balance"]
    borrowers = metrics["kpis"].get("ActiveBorrowers", {}).get("value")
    if loans is None:
        return say("{usd} outstanding", usd=owed)
    counts = [plural(loans, "loan")] + ([plural(int(borrowers), "borrower")] if borrowers is not None else [])
    return say("{usd} outstanding in {loans}", usd=owed, loans=", ".join(counts))


def _gross(metrics):
    """Return a warning where the balances hold what was written off."""
    codes = [note["code"] for note in metrics["reason_codes"]["notes"]]
    if "balances_of_loans" not in codes:
        return ""
    return phrase("The balances come from the loans export and include what was written off, unless a status says so.")


def source(inputs: list[dict]) -> str:
    """Return which files the book was read from; empty for none."""
    if not inputs:
        return ""
    tape = next((item["name"] for item in inputs if item.get("is_tape")), inputs[0]["name"])
    if len(inputs) == 1:
        return say("Read from {name}.", name=tape)
    return say("Read from {name} and {others}.", name=tape, others=plural(len(inputs) - 1, "other file"))


def title(metrics: dict) -> str:
    """Return the report's title with the day of the figures, and that its month is not over."""
    name, state = heading(metrics)
    return f"{name} ({state})" if state else name


def heading(metrics: dict) -> tuple[str, str]:
    """Return the title in two parts: the day of the figures, and what the reader must know of it.

    Without a known day, the date is a label.
    """
    date, as_of = metrics["date"], metrics["as_of"]
    if as_of is None:
        return say("Loan book labelled {date}", date=day(date)), ""
    if as_of >= date:
        return say("Loan book at {date}", date=day(date)), ""
    if str(month_end(dt.date.fromisoformat(as_of))) == date:
        return say("Loan book at {date}", date=day(as_of)), say("{month} so far", month=month_name(as_of))
    return say("Loan book at {date}", date=day(as_of)), say("labelled {date}", date=day(date))


def shown_day(metrics: dict, date) -> str:
    """Return the day that the figures of a date are from: of the report's own date, the day in the title."""
    as_of = metrics.get("as_of")
    return as_of if as_of and as_of < metrics["date"] == str(date)[:10] else str(date)[:10]


def sample(metrics: dict) -> str:
    """Return the mark of the synthetic sample; empty for a real book."""
    return phrase(SENTENCE) if metrics.get("synthetic") else ""


def as_of(metrics: dict) -> str:
    """Return a warning when the figures are from an earlier day than their label; else empty."""
    if not metrics["as_of"] or metrics["as_of"] >= metrics["date"]:
        return ""
    return say(
        "The balances are labelled {date}, but the overdue dates of their loans show that they are those of {as_of}. "
        "What was collected, disbursed or written off in the last month covers only the days up to then.",
        as_of=day(metrics["as_of"]),
        date=day(metrics["date"]),
    )


def undated(metrics: dict) -> str:
    """Return a warning when the day of the figures is unknown; else empty."""
    if metrics["as_of"]:
        return ""
    date, later = day(metrics["date"]), metrics["reconciliation"]["later"]
    text = say(
        "These are not the figures of {date}: the loans export carries no date, so balances and days past due are "
        "those of the day it was made.",
        date=date,
    )
    if later:
        text += " " + say(
            "That day is later than {date}: the export holds {loans} lent after it, left out here.",
            date=date, loans=plural(later, "loan"),
        )  # fmt: skip
    if any(note["code"] in ("table_not_used", LOANS_NOT_USED) for note in metrics["reason_codes"]["notes"]):
        return text  # a file that was not used may hold them
    add = "Add balances of {date} to see the book of that date, or give its mapping their day as measurement_date."
    return f"{text} {say(add, date=date)}"


def partial(kpi: dict) -> str:
    """Return up to which day a figure counts its month, when that is not over; nothing for others."""
    last = kpi["value"] is not None and kpi.get("partial_through")
    return say("partial month, up to {date}", date=short_day(last)) if last else ""
