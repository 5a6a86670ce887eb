"""The past: every date's figures, oldest first for the charts and newest first for the table."""

from abaco.page.markup import Html, fill
from abaco.page.readings import in_order
from abaco.page.status import STATUSES
from abaco.page.tables import figures
from abaco.page.words import NOTHING, day, number, plural


def timeline(metrics: dict, history) -> list[tuple[str, dict]]:
    """Return (date, {KPI: {value, status}}) pairs, oldest first and ending with the report's own date.

    `history` is a frame or a list of dicts, a row a date and KPI. Later dates are left out: no hindsight.
    """
    rows = history.to_dict("records") if hasattr(history, "to_dict") else history
    dates = {}
    for row in rows:
        date, value = str(row["date"])[:10], row["value"]
        if date < metrics["date"]:
            known = None if value is None or value != value else float(value)
            dates.setdefault(date, {})[row["kpi"]] = {"value": known, "status": row["status"]}
    dates[metrics["date"]] = {
        name: {"value": kpi["value"], "status": kpi["status"]} for name, kpi in metrics["kpis"].items()
    }
    return sorted(dates.items())


def _cell(kpi, then):
    """Return a past value with the symbol and word of a status that needs attention."""
    if then is None:
        return NOTHING
    value = None if then["value"] is None else number(then["value"], kpi["precision"])
    noted = then["status"] in ("warning", "critical", "not_computable")
    return fill(
        "mark.html.j2",
        value=value,
        status=then["status"],
        **(STATUSES[then["status"]] if noted else {"symbol": "", "word": ""}),
    )


def history_table(metrics: dict, history, dates: int = 13) -> Html:
    """Return the last `dates` dates of every KPI to full precision, newest first."""
    past = timeline(metrics, history)
    kpis = in_order(metrics)
    shown = past[: -dates - 1 : -1]
    rows = [[day(date)] + [_cell(kpi, then.get(name)) for name, kpi in kpis] for date, then in shown]
    earlier = len(past) - len(shown)
    return figures(
        "Every figure by date, newest first",
        ["Date", *(f"{name}, {kpi['unit']}".rstrip(", ") for name, kpi in kpis)],
        rows,
        note="! past the warning limit; ✕ past the critical limit; – not computable."
        + (f" {plural(earlier, 'earlier date')} not shown." if earlier else ""),
    )
