"""The section of a facility: its verdict, the waterfall from pool to availability, its covenants, and why it moved."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from abaco.core.precision import covenant_decimals
from abaco.page.bridge import signed
from abaco.page.concentration import label
from abaco.page.kpi_text import marked, sign, standing, with_unit
from abaco.page.language import phrase, say
from abaco.page.markup import Html, fill, unset
from abaco.page.tables import bar, figures, rows_of
from abaco.page.words import NBSP, NOTHING, count, day, money, number, plain, quarter, usd

# lines of the borrowing base that are balances; all others lead from one to the next
ENDS = {
    "pool": "Pool", "net_eligible": "Net eligible", "borrowing_base": "Borrowing base", "availability": "Availability",
}  # fmt: skip
FALLS = {
    "ineligible": "Ineligible: {name}",
    "excess": "Above the limit: {name}",
    "held_back": "Not advanced",
    "reserve": "Reserve: {name}",
    "over_commitment": "Above the commitment",
    "drawn": "Drawn",
}
CASH = "Cash that counts"
# what covenants on lines of the borrowing base call them
LINES = {
    "pool": "Pool", "ineligible": "Ineligible", "eligible": "Eligible", "excess": "Excess",
    "net_eligible": "Net eligible", "advance": "Advance", "reserve": "Reserve", "cash": "Cash",
    "borrowing_base": "Borrowing base", "over_commitment": "Over commitment", "drawn": "Drawn",
    "availability": "Availability",
}  # fmt: skip
MARKS = {
    "default": "critical", "curing": "warning", "trigger": "warning", "warning": "warning",
    "not_computable": "not_computable", "ok": "ok",
}  # fmt: skip
LEVELS = {
    "default": "default", "curing": "in its cure period", "trigger": "trigger", "warning": "warning", "ok": "holds",
    "not_computable": "not computable",
}  # fmt: skip
LIMITS = {"warning": "Warning at {limit}", "trigger": "Trigger at {limit}", "default": "Default at {limit}"}
MOST_MONTHS = 36
HEADS = ("Covenant", "Value", "Next limit", "Used", "Headroom", "USD", "Months")
LOAN_HEADS = ("Loan", "What happened", "Before, USD", "Now, USD", "Change, USD")
CAUSES = {
    "opening": "Availability before", "new lending": "New lending", "repaid": "Repaid", "written off": "Written off",
    "fell ineligible": "Fell ineligible", "became eligible": "Became eligible",
    "other advance rate": "Other advance rate", "excess": "Excess concentration", "rounding": "Rounding",
    "reserve": "Reserves", "cash": "Cash", "over_commitment": "Above the commitment", "drawn": "Drawn or paid back",
    "closing": "Availability now",
}  # fmt: skip


def facility_sections(metrics: dict, lines, bridges=(), loans=()) -> Html:
    """Return a part per facility that is open on the report's date; a report without facilities has no such section.

    Parameters
    ----------
    lines, bridges, loans
        The tables borrowing_base, availability_bridges and availability_loans.
    """
    if not (facilities := metrics.get("facilities")):
        return unset()
    date = metrics["date"]
    return Html("\n".join(
        fill(
            "facility.html.j2",
            key=key, title=one["title"], sign=sign(one["status"]),
            lender=say("{lender}, commitment of {amount}", lender=one["lender"], amount=usd(one["commitment"])),
            verdict=standing(one),
            caption=say("From the pool to what may be drawn, {title}", title=one["title"]),
            rows=_waterfall(rows_of(lines, date=date, facility=key)), covenants=_covenants(one),
            moved=_moved(rows_of(bridges, date=date, facility=key)),
            loans_moved=_loans(rows_of(loans, date=date, facility=key)),
        )
        for key, one in facilities.items()
    ))  # fmt: skip


def _steps(lines: list[dict]) -> Iterator[dict[str, Any]]:
    """Yield the lines that a waterfall shows, with what the advance rates hold back in one line."""
    amounts = {
        kind: [row["amount_usd"] or 0 for row in lines if row["kind"] == kind] for kind in ("net_eligible", "advance")
    }
    for row in lines:
        if row["kind"] in ENDS or row["kind"] in FALLS or row["kind"] == "cash":
            yield row
        if row["kind"] == "net_eligible":
            held = sum(amounts["net_eligible"]) - sum(amounts["advance"])
            yield {"kind": "held_back", "line": "", "amount_usd": held, "loans": None}


def _waterfall(lines: list[dict]) -> list[dict[str, Any]]:
    """Return the lines with their bars in per cent of the width; lines of 0 are left out, unknown ones have no bar."""
    level, steps = 0, []
    for row in _steps(lines):
        usd, is_end = row["amount_usd"], row["kind"] in ENDS
        if not is_end and usd == 0:
            continue
        before = 0 if is_end else level
        level = (usd or 0) if is_end else before + (usd or 0) * (1 if row["kind"] == "cash" else -1)
        steps.append((row, min(before, level), max(before, level)))
    low = min([0, *(low for _, low, _ in steps)])
    scale = 100 / ((max([0, *(high for _, _, high in steps)]) - low) or 1)
    return [
        _bar(row, float(first - low) * float(scale), float(last - first) * float(scale)) for row, first, last in steps
    ]


def _bar(row, left, width):
    kind = "end" if row["kind"] in ENDS else "rise" if row["kind"] == "cash" else "fall"
    usd = row["amount_usd"]
    if usd is not None and kind == "fall":
        usd = -usd
    shown = NOTHING if usd is None else money(usd) if kind == "end" else signed(usd)
    loans = "" if row["loans"] is None else count(row["loans"])
    return {"kind": kind, "name": _named(row), "amount": shown, "loans": loans, "left": f"{left:.2f}",
            "width": f"{width:.2f}"}  # fmt: skip


def _named(row):
    if row["kind"] in ENDS or row["kind"] == "cash":
        return phrase(ENDS.get(row["kind"], CASH))
    return say(FALLS[row["kind"]], name=str(row["line"]).replace("_", " "))


def _covenants(one: dict) -> Html | str:
    """Return the covenants with their headroom: how much of the limit is used as a bar, and what is left of it."""
    if not one["covenants"]:
        return ""
    return figures(
        say("Covenants of {title}, and how far each is from its next contractual limit", title=one["title"]),
        [phrase(head) for head in HEADS],
        [_covenant(name, entry) for name, entry in one["covenants"].items()],
        kinds=("", "n", "t", "b", "n", "n", "n"),
        note=phrase("Used: how much of the limit the value takes up. USD: by how much its numerator may "
                    "still change. Months: how long the headroom lasts at the pace of the last three months."),
        look="bars covenants stacked",
    )  # fmt: skip


def _covenant(name, entry):
    name = say("{covenant}: {measured}", covenant=name.replace("_", " "), measured=measured(entry))
    if entry["value"] is None:
        return [name, marked("not_computable", None), entry["reason"], "", NOTHING, NOTHING, NOTHING]
    limit = entry[f"{entry['headroom_to']}_at"]
    used = (entry["value"], limit) if entry["better"] == "lower" else (limit, entry["value"])
    decimals, of_headroom = covenant_decimals(entry)
    shown = with_unit(entry | {"unit": phrase(entry["unit"])}, entry["value"], decimals)
    value = say("{value}, {level}", value=shown, level=phrase(LEVELS[entry["level"]]))
    return [
        name, marked(MARKS[entry["level"]], value), say(LIMITS[entry["headroom_to"]], limit=_with_unit(entry, limit)),
        bar(used[0], used[1]), number(entry["headroom_points"], of_headroom), money(entry["headroom_usd"]),
        lasting(entry["headroom_months"]),
    ]  # fmt: skip


def lasting(months: Any) -> str:
    """Return for how many months headroom lasts; a pace of three months says nothing about years.

    >>> lasting(2.5), lasting(484.0), lasting(None)
    ('2.5', '> 36', '–')
    """
    if months is None:
        return NOTHING
    return number(months, 1) if months <= MOST_MONTHS else f"> {MOST_MONTHS}"


def measured(entry: Mapping[str, Any]) -> str:
    """Return what a covenant of metrics.json measures: figure, window, and of which loans."""
    name = figure(entry)
    if entry["window"] is not None:
        is_mean = entry["window"]["take"] == "mean"
        name = say("mean of {kpi} over {months} months" if is_mean else "sum of {kpi} over {months} months",
                   kpi=name, months=entry["window"]["months"])  # fmt: skip
    if entry["line"]:
        return name
    return say("{kpi} of the pool" if entry["of"] == "pool" else "{kpi} of the book", kpi=name)


def figure(entry: Mapping[str, Any]) -> str:
    """Return the KPI of a covenant, its line of the borrowing base, or its quarter of lending."""
    if entry["cohorts"]:
        if not entry["cohort"]:
            return say("PAR{days} at {months} months of a quarter of lending", **entry["cohorts"])
        return say(
            "PAR{days} at {months} months of {cohort} lending", cohort=quarter(entry["cohort"]), **entry["cohorts"]
        )
    if entry["line"]:
        return " / ".join(phrase(LINES[kind]) for kind in (entry["line"], entry["share_of"]) if kind)
    return entry["kpi"]


def _with_unit(entry, value):
    return f"{plain(value)}{NBSP}{phrase(entry['unit'])}"


def _moved(rows: list[dict]) -> Html | str:
    """Return why the availability moved since the date before."""
    if not rows:
        return ""
    show = {"opening": money, "closing": money}
    cells = [[_cause(row), show.get(row["term"], signed)(row["amount_usd"]),
              "" if row["loans"] is None else count(row["loans"])] for row in rows]  # fmt: skip
    caption = say("Why the availability moved since {date}", date=day(rows[0]["against"]))
    return figures(
        caption, [phrase(head) for head in ("Cause", "Amount, USD", "Loans")], cells[:-1], total=cells[-1],
        note=phrase("Both dates are computed by the present terms of the facility: a changed advance rate or limit "
                    "applies to both."),
    )  # fmt: skip


def _cause(row):
    name = phrase(CAUSES[row["term"]])
    return f"{name}: {str(row['line']).replace('_', ' ')}" if row["line"] else name


def _loans(rows: Iterable[dict]) -> Html | str:
    """Return the loans that moved the availability most."""
    cells = [[label(str(row["loan"])), _cause(row), *(money(row[f"{side}_usd"]) for side in ("before", "after")),
              signed(row["change_usd"])] for row in sorted(rows, key=lambda row: row["rank"])]  # fmt: skip
    heads = [phrase(head) for head in LOAN_HEADS]
    caption = phrase("The loans that moved the availability most")
    return figures(caption, heads, cells, texts=2, look="stacked") if cells else ""
