"""How good the data is: what was rejected, what is empty, what was left behind, and what could be added."""

from abaco.page.markup import Html, fill
from abaco.page.tables import figures
from abaco.page.words import NBSP, count, listing, percent, plain, plural, usd


def _findings(quality):
    """Return one sentence a finding, the good news included."""
    most = plain(quality["max_reject_pct"])
    yield f"{percent(quality['reject_pct'])} of the rows were rejected; the run stops above {most}{NBSP}%."
    if quality["unbalanced_rows"]:
        rows = plural(quality["unbalanced_rows"], "row has", "rows have")
        amount = usd(quality["unbalanced_usd"])
        yield f"{rows} aging buckets that do not add up to the receivable, by {amount} in all."
    else:
        yield "In every row the aging buckets add up to the receivable."
    outliers, dust = plural(quality["outliers"], "balance"), plural(quality["dust"], "balance")
    multiple = plain(quality["outlier_multiple"])
    small = usd(quality["dust_usd"])
    yield f"{outliers} beyond {multiple} times the mean balance, and {dust} below {small}: all count as they are."
    yield from quality["notes"]


def _masking(quality):
    """Return how personal data is kept out of this report."""
    columns = quality["pii_columns"]
    if not columns:
        return "The input holds no personal columns."
    how = {
        "token": "replaced by keyed tokens, which only the holder of the key can match",
        "redacted": "blacked out, since no masking key was set",
    }
    noun = "column is" if len(columns) == 1 else "columns are"
    masked = how.get(quality["masking"], quality["masking"])
    return f"{len(columns)} personal {noun} {masked}: {listing(columns)}."


def _most_first(counts):
    """Return rows of (name, count), the highest count first, without those that are zero."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [[name, count(rows)] for name, rows in ordered if rows]


def data_quality(metrics: dict) -> Html:
    """Return the findings in sentences, rejects by reason, and empty cells by column."""
    quality = metrics["quality"]
    rejects, nulls = _most_first(quality["rejects"]), _most_first(quality["nulls"])
    return fill(
        "quality.html.j2",
        findings=list(_findings(quality)),
        masking=_masking(quality),
        left_behind={
            name: columns for name, columns in sorted(quality["columns_left_behind"].items()) if columns
        },
        rejects=figures(
            "Why rows were rejected (a row can have several reasons)", ["Reason", "Rows"], rejects
        )
        if rejects
        else "",
        nulls=figures("Empty cells in the accepted rows", ["Column", "Rows"], nulls) if nulls else "",
    )


def missing_list(metrics: dict) -> Html:
    """Return what to add to the input so that more figures can be computed."""
    wanted = {}
    for item in metrics["missing"]:
        wanted.setdefault(item["add"], []).append(item["kpi"])
    return fill("missing.html.j2", wanted=[(listing(kpis), add) for add, kpis in wanted.items()])
