"""How good the data is: what was rejected, what is empty, what was left behind, and what could be added."""

from abaco.page.column_names import capital, column
from abaco.page.language import phrase, say, translated
from abaco.page.markup import Html, fill
from abaco.page.tables import figures
from abaco.page.words import NBSP, count, listing, percent, plain, plural, usd

CASH = "cash_available_usd"


def _findings(metrics):
    """Yield one sentence a finding, the good news included."""
    quality = metrics["quality"]
    yield say(
        "{share} of the rows were rejected; the run stops above {most}.",
        share=percent(quality["reject_pct"]), most=f"{plain(quality['max_reject_pct'])}{NBSP}%",
    )  # fmt: skip
    if quality["unbalanced_rows"]:
        yield say(
            "{rows} aging buckets that do not add up to the receivable, by {amount} in all.",
            rows=plural(quality["unbalanced_rows"], "row has", "rows have"), amount=usd(quality["unbalanced_usd"]),
        )  # fmt: skip
    else:
        yield phrase("In every row the aging buckets add up to the receivable.")
    yield say(
        "{outliers} beyond {multiple} times the mean balance, and {dust} below {small}: all count as they are.",
        outliers=plural(quality["outliers"], "balance"), multiple=plain(quality["outlier_multiple"]),
        dust=plural(quality["dust"], "balance"), small=usd(quality["dust_usd"]),
    )  # fmt: skip
    if _cash_from_statements(metrics):
        yield phrase("Cash on hand comes from the financial statements; the loan rows carry none.")
    yield from quality["notes"]


def _cash_from_statements(metrics):
    rate = metrics["kpis"].get("CollectionRate", {})
    given = any(item.get("gives_cash") for item in metrics["inputs"])
    return given and rate.get("value") is not None and bool(metrics["quality"]["nulls"].get(CASH))


def _masking(quality):
    """Return how personal data is kept out of this report."""
    columns = [translated(column(name)) for name in quality["pii_columns"]]
    if not columns:
        return phrase("The input holds no personal columns.")
    how = {
        "token": "replaced by keyed tokens, which only the holder of the key can match",
        "redacted": "blacked out, since no masking key was set",
    }
    return say(
        "Personal data ({columns}) is {masked}.",
        columns=listing(columns), masked=phrase(how.get(quality["masking"], quality["masking"])),
    )  # fmt: skip


def _most_first(counts):
    """Return rows of (name, count), the highest count first, without those that are zero."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [[name, count(rows)] for name, rows in ordered if rows]


def _empty_cells(metrics):
    """Return how many cells are empty by what they would hold; cash that statements give is none of them."""
    nulls, found = metrics["quality"]["nulls"], {}
    for name, rows in nulls.items():
        if name != CASH or not _cash_from_statements(metrics):
            words = capital(translated(column(name)))
            found[words] = max(found.get(words, 0), rows)
    return _most_first(found)


def data_quality(metrics: dict) -> Html:
    """Return the findings in sentences, rejects by reason, and empty cells by what they would hold."""
    quality = metrics["quality"]
    rejects, nulls = _most_first(quality["rejects"]), _empty_cells(metrics)
    reasons = phrase("Why rows were rejected (a row can have several reasons)")
    empty = phrase("Empty cells in the accepted rows of this date")
    left = sorted(quality["columns_left_behind"].items())
    return fill(
        "quality.html.j2",
        findings=[*_findings(metrics), _masking(quality)],
        left_behind={name: columns for name, columns in left if columns},
        rejects=figures(reasons, [phrase("Reason"), phrase("Rows")], rejects) if rejects else "",
        nulls=figures(empty, [phrase("What is empty"), phrase("Rows")], nulls) if nulls else "",
    )


def missing_list(metrics: dict) -> Html:
    """Return what to add to the input so that more figures can be computed."""
    wanted = {}
    for item in metrics["missing"]:
        title = metrics["kpis"].get(item["kpi"], {}).get("title", item["kpi"])
        wanted.setdefault(item["add"].rstrip("."), []).append(title)
    return fill("missing.html.j2", wanted=[(listing(kpis), add) for add, kpis in wanted.items()])
