"""The definition of each KPI: formula, meaning and limits; and the provenance of the figures."""

from collections.abc import Sequence

from abaco.page.kpi_text import limits
from abaco.page.language import phrase, say
from abaco.page.markup import Html, fill
from abaco.page.tables import figures
from abaco.page.words import count, money

BETTER = {"lower": "Lower is better", "higher": "Higher is better", None: "Neither high nor low is better"}


def definition(name: str, kpi: dict, summary: str | Html, lines: Sequence[str] = ()) -> Html:
    """Return a KPI's formula with its numbers filled in, its note and its limits, folded away.

    Parameters
    ----------
    summary
        What is always seen, and opens the rest.
    lines
        Further sentences, which come first.
    """
    return fill("definition.html.j2", summary=summary, lines=lines, entry=_entry(name, kpi))


def _entry(name, kpi):
    filled = kpi["numerator"] is not None and kpi["denominator"] is not None
    return {
        "id": name,
        "formula": kpi["formula"],
        "filled": _filled(kpi) if filled else "",
        "reason": "" if kpi["value"] is not None else _reason(kpi),
        "note": " ".join(filter(None, (kpi.get("note"), kpi.get("convention")))),
        "judged": "; ".join(filter(None, [phrase(BETTER[kpi["direction"]]), limits(kpi)])),
    }


def _reason(kpi):
    reason = (kpi["reason"] or phrase("no reason given")).rstrip(".")
    return say("Not computable: {reason}.", reason=reason)


def _filled(kpi):
    form = "Here: {above} / {below}, from 1 row." if kpi["rows"] == 1 else "Here: {above} / {below}, from {rows} rows."
    return say(form, above=_sum(kpi["numerator"]), below=_sum(kpi["denominator"]), rows=count(kpi["rows"]))


def _sum(text):
    """Return a sum as it is published: money to the cent, numbers of loans or borrowers whole."""
    return money(text) if "." in text else count(text)


def provenance(metrics: dict) -> Html:
    """Return the run's id and each input's name, form, mapping, size, SHA-256 and use."""
    rows = [
        [
            item["name"],
            item["format"],
            f"{item['mapping']}.yml",
            item["used_for"],
            fill("digest.html.j2", digest=item["sha256"]),
            count(item["rows"]),
            count(item["bytes"]),
        ]
        for item in metrics["inputs"]
    ]
    heads = [phrase(head) for head in ("File", "Format", "Mapping", "Used for", "SHA-256", "Rows", "Bytes")]
    table = figures(phrase("Input files"), heads, rows, texts=5) if rows else ""
    return fill("provenance.html.j2", run_id=metrics["run_id"], table=table)
