"""The foot of the page: which run made it, from which files, so that it can be checked."""

from abaco.page.language import phrase
from abaco.page.markup import Html, fill
from abaco.page.tables import figures
from abaco.page.words import count


def provenance(metrics: dict) -> Html:
    """Return the run's id and each input's name, form, size, SHA-256 and use."""
    rows = [
        [
            item["name"],
            item["format"],
            item["used_for"],
            fill("digest.html.j2", digest=item["sha256"]),
            count(item["rows"]),
            count(item["bytes"]),
        ]
        for item in metrics["inputs"]
    ]
    heads = [phrase(head) for head in ("File", "Format", "Used for", "SHA-256", "Rows", "Bytes")]
    table = figures(phrase("Input files"), heads, rows, texts=4) if rows else ""
    return fill("provenance.html.j2", run_id=metrics["run_id"], table=table)
