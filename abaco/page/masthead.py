"""The head of the page: what is shown, for which date, from which input, and how large the book is."""

from abaco.page import period
from abaco.page.language import say
from abaco.page.markup import Html, fill
from abaco.page.words import count, plural


def masthead(metrics: dict) -> Html:
    """Return the title with the date, the input, and what a date earlier than its label means."""
    return fill(
        "masthead.html.j2",
        title=period.title(metrics),
        sample=period.sample(metrics),
        as_of=period.as_of(metrics),
        book=metrics["book"],
        rows=_rows(metrics["book"]),
        source=_source(metrics["inputs"]),
    )


def _rows(book):
    """Return why the input has more rows than the book has loans; empty when it has not."""
    if book["loans_with_balance"] is None or book["rows"] <= book["loans_with_balance"]:
        return ""
    without = book["rows"] - book["loans_with_balance"]
    return say(
        "The input has {rows} for this date; {without} of them without a balance.",
        rows=plural(book["rows"], "row"),
        without=count(without),
    )


def _source(inputs):
    """Return which files the book was read from."""
    if not inputs:
        return ""
    tape = next((item["name"] for item in inputs if item.get("is_tape")), inputs[0]["name"])
    if len(inputs) == 1:
        return say("Read from {name}.", name=tape)
    return say("Read from {name} and {others}.", name=tape, others=plural(len(inputs) - 1, "other file"))
