"""The head of the page: what is shown, for which date, and how large the book is."""

from abaco.page.markup import Html, fill


def masthead(metrics: dict) -> Html:
    """Return the title with the date, and a sentence when the figures are older than their label."""
    as_of = metrics["as_of"]
    return fill(
        "masthead.html.j2",
        date=metrics["date"],
        as_of=as_of if as_of and as_of < metrics["date"] else None,
        book=metrics["book"],
    )
