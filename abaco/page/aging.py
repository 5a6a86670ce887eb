"""The aging of the book: how late the balance is, a bar a bucket, and what each PAR counts."""

from decimal import Decimal

from abaco.ingest.columns import BUCKET_NAMES, FIRST_DAY
from abaco.page.language import phrase, say
from abaco.page.markup import Html, fill, sentence
from abaco.page.tables import bar, figures
from abaco.page.words import bucket, money, percent, usd

LATE_DAYS = 30
STARTS = {name: FIRST_DAY[bucket] for bucket, name in BUCKET_NAMES.items()}  # days past due


def _share(amount, whole):
    return None if not whole else amount * 100 / whole


def aging_table(metrics: dict) -> Html:
    """Return amount and share by bucket, and of it with all later buckets, which is what the PARs count."""
    amounts = [Decimal(row["amount"] or 0) for row in metrics["aging"]]
    whole = sum(amounts)
    if not whole:
        return sentence(aging_finding(metrics))
    rows = [_row(row, amounts[index:], whole) for index, row in enumerate(metrics["aging"])]
    heads = ["Days past due", "Bar", "Share", "USD", "This late or later", "This late or later, USD"]
    shares = [Decimal(str(row["share"])) for row in metrics["aging"] if row["share"] is not None]
    total = [phrase("All"), "", percent(sum(shares) if shares else None), money(whole), "", ""]
    table = figures(
        phrase("The book by days past due"), [phrase(head) for head in heads], rows,
        kinds=("", "b", "n", "n", "n", "n"), total=total, quiet=True, look="bars",
    )  # fmt: skip
    return Html(fill("finding.html.j2", text=aging_finding(metrics)) + table)


def aging_finding(metrics: dict) -> str:
    """Return how much of the book is late, or that there is no book."""
    amounts = {STARTS[row["bucket"]]: Decimal(row["amount"] or 0) for row in metrics["aging"]}
    whole, late = sum(amounts.values()), sum(owed for day, owed in amounts.items() if day >= LATE_DAYS)
    if not whole:
        return phrase("No balance is outstanding on this date, so there is nothing to age.")
    return say(
        "{late} of {whole} is {days} days late or more: {share} of the aged balance.",
        late=usd(late), whole=usd(whole), days=LATE_DAYS, share=percent(_share(late, whole)),
    )  # fmt: skip


def _row(row, from_here, whole):
    rest = sum(from_here)
    return [
        bucket(row["bucket"]), bar(row["share"]), percent(row["share"]), money(from_here[0]),
        percent(_share(rest, whole)), money(rest),
    ]  # fmt: skip
