"""The past: every date's figures, oldest first for the charts and newest first for the table."""

from abaco.core.precision import shown_decimals
from abaco.page.kpi_text import FIRST_KPIS, first, in_order, is_large, marked
from abaco.page.language import phrase, say
from abaco.page.markup import Html, fill
from abaco.page.masthead import partial, shown_day
from abaco.page.tables import figures
from abaco.page.words import NOTHING, day, number, plural, short_day

ACROSS = 6  # dates that fit beside one another


def timeline(metrics: dict, history) -> list[tuple[str, dict]]:
    """Return (date, {KPI: {value, status}}) pairs, oldest first and ending with the day of the report's figures.

    `history` is a frame or a list of dicts, one row per date and KPI. Later dates are left out: no hindsight.
    """
    rows = history.to_dict("records") if hasattr(history, "to_dict") else history
    dates = {}
    for row in rows:
        date, value = str(row["date"])[:10], row["value"]
        if date < metrics["date"]:
            known = None if value is None or value != value else float(value)
            dates.setdefault(date, {})[row["kpi"]] = {"value": known, "status": row["status"]}
    last = shown_day(metrics, metrics["date"])
    dates[last if last > max(dates, default="") else metrics["date"]] = {
        name: {"value": kpi["value"], "status": kpi["status"]} for name, kpi in metrics["kpis"].items()
    }
    return sorted(dates.items())


def course(past: list[tuple[str, dict]], kpi: str) -> list[tuple[str, float | None]]:
    """Return (date, value) pairs of one KPI over a `timeline`."""
    return [(date, values.get(kpi, {}).get("value")) for date, values in past]


def _cell(kpi, then):
    """Return a past value with the symbol and word of a status that needs attention."""
    if then is None:
        return NOTHING
    value = None if then["value"] is None else number(then["value"], shown_decimals(kpi, then["value"]))
    return marked(then["status"], value)


def _short_cell(kpi, then):
    """Return a past value as short as it can honestly be written, its unit being named by its row."""
    if then is None or then["value"] is None:
        return NOTHING
    decimals = 0 if is_large(kpi, then["value"]) else shown_decimals(kpi, then["value"])
    return marked(then["status"], number(then["value"], decimals))


def history_table(metrics: dict, history, dates: int = 13) -> Html:
    """Return the last `dates` dates of the four first KPIs, and fewer of all others, newest first."""
    past = timeline(metrics, history)
    kpis = first(metrics)
    shown = past[: -dates - 1 : -1]
    rows = [[day(date)] + [_cell(kpi, then.get(name)) for name, kpi in kpis] for date, then in shown]
    earlier = plural(len(past) - len(shown), "earlier date is not shown.", "earlier dates are not shown.")
    key = phrase("! past the warning limit; ✕ past the critical limit; – not computable.")
    table = figures(
        phrase("Key figures by date, newest first"),
        [phrase("Date"), *(f"{name}, {kpi['unit']}".rstrip(", ") for name, kpi in kpis)],
        rows,
        note=key if len(past) == len(shown) else f"{key} {earlier}",
        look="stacked",
    )
    return Html(table + _others(metrics, past))


def _others(metrics, past):
    """Return the other KPIs over the last few dates, one row per KPI."""
    kpis = [(name, kpi) for name, kpi in in_order(metrics) if name not in FIRST_KPIS]
    shown = past[: -ACROSS - 1 : -1]
    known = [
        (name, kpi) for name, kpi in kpis if any(then.get(name, {}).get("value") is not None for _, then in shown)
    ]  # fmt: skip
    if not known or len(past) < 2:
        return ""
    rows = [
        [
            fill("past.html.j2", title=_with_unit(kpi), partial=partial(kpi)),
            *(_short_cell(kpi, then.get(name)) for _, then in shown),
        ]
        for name, kpi in known
    ]
    return figures(
        say("All other figures, the last {dates}", dates=plural(len(shown), "date")),
        [phrase("Figure"), *(short_day(date) for date, _ in shown)],
        rows,
        look="full past stacked",
    )


def _with_unit(kpi):
    """Return a figure's title with its unit, unless the title says it: 'Cash, USD', but 'Active loans'."""
    is_in_title = kpi["unit"].lower() in kpi["title"].lower()
    return kpi["title"] if is_in_title else f"{kpi['title']}, {kpi['unit']}"
