"""The aging of the book: how late the balance is, a bar a bucket, and what each PAR counts."""

import re
from decimal import Decimal

from abaco.page.language import phrase, say
from abaco.page.markup import Html, fill, sentence
from abaco.page.tables import bar, figures
from abaco.page.words import bucket, count, percent, usd

LATE_DAYS = 30


def start(name: str) -> int:
    """Return the first day past due of an aging bucket.

    Examples
    --------
    >>> start("30–60"), start("91+")
    (30, 91)
    """
    return int(re.match(r"\d+", name)[0])


def _share(amount, whole):
    return None if not whole else amount * 100 / whole


def aging_table(metrics: dict) -> Html:
    """Return amount and share by bucket, and of it with all later buckets, which is what the PARs count."""
    amounts = [Decimal(row["amount"] or 0) for row in metrics["aging"]]
    whole = sum(amounts)
    if not whole:
        return sentence(aging_finding(metrics))
    names = [row["bucket"] for row in metrics["aging"]]
    rows = [_row(row, amounts[index:], whole, names) for index, row in enumerate(metrics["aging"])]
    heads = ["Days past due", "Bar", "Share", "USD", "This late or later", "This late or later, USD"]
    shares = [Decimal(str(row["share"])) for row in metrics["aging"] if row["share"] is not None]
    total = [phrase("All"), "", percent(sum(shares) if shares else None), count(whole), "", ""]
    table = figures(
        phrase("The book by days past due"), [phrase(head) for head in heads], rows,
        kinds=("", "b", "n", "n", "n", "n"), total=total, quiet=True, look="bars",
    )  # fmt: skip
    return Html(fill("finding.html.j2", text=aging_finding(metrics)) + table)


def aging_finding(metrics: dict) -> str:
    """Return how much of the book is late, from the first bucket of 30 days or more; or why that is not known."""
    amounts = {start(row["bucket"]): Decimal(row["amount"] or 0) for row in metrics["aging"]}
    days = min((day for day in amounts if day >= LATE_DAYS), default=None)
    whole, late = sum(amounts.values()), sum(owed for day, owed in amounts.items() if days and day >= days)
    if not whole and (metrics["aging"] or not Decimal(metrics["book"]["outstanding"] or 0)):
        return phrase("No balance is outstanding on this date, so there is nothing to age.")
    if days is None:
        return phrase("The input does not say how much of the balance is 30 or more days late.")
    return say(
        "{late} of {whole} is {days} days late or more: {share} of the aged balance.",
        late=usd(late, 0), whole=usd(whole, 0), days=days, share=percent(_share(late, whole)),
    )  # fmt: skip


def _row(row, from_here, whole, names):
    rest = sum(from_here)
    return [
        bucket(row["bucket"], names), bar(row["share"]), percent(row["share"]), count(from_here[0]),
        percent(_share(rest, whole)), count(rest),
    ]  # fmt: skip
