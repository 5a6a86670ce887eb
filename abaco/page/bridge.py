"""Why a PAR moved: the bridge from one date to the next as a waterfall, and the loans that moved it most."""

from collections.abc import Iterable, Mapping
from typing import Any

from abaco.core.text import late_days, par_name
from abaco.page.concentration import label, numbers_note
from abaco.page.kpi_text import with_unit
from abaco.page.language import phrase, say
from abaco.page.markup import Html, absent, fill
from abaco.page.masthead import shown_day
from abaco.page.tables import figures, rows_of
from abaco.page.words import MINUS, NBSP, NOTHING, count, listing, number, short_day

# term → its name on the page and in a sentence
TERMS = {
    "new arrears": ("New arrears", "new arrears"),
    "rolled on": ("Rolled on", "loans that rolled on"),
    "cured": ("Cured", "cures"),
    "paid": ("Paid", "payments"),
    "written off": ("Written off", "write-offs"),
    "rejected": ("Rejected, not known", "rejected rows, whose balances nobody knows"),
    "gone without payment": ("Gone without payment", "loans gone without payment"),
    "book growth": ("Change of the book", ""),
}
UNUSUAL = ("rejected", "gone without payment")
GROWN, SHRUNK = ("Larger book", "a larger book"), ("Smaller book", "a smaller book")
ENDS = ("opening", "closing")
NOTICED = 0.005  # points below which two decimals show nothing
MOST_CAUSES = 5
FRAME_ROOM = 1.02  # the scale goes a little further than the longest bar
CUT_ROOM = 0.8  # of the moves' span: what is left of the bars below a scale that does not begin at 0


def naming(row: dict) -> tuple[str, str]:
    """Return a term's name on the page and in a sentence; a larger book makes a PAR smaller."""
    if row["term"] == "book growth" and row["points"]:
        return GROWN if row["points"] < 0 else SHRUNK
    return TERMS.get(row["term"], (row["term"], row["term"]))


def signed(value: float | None, decimals: int = 2) -> str:
    """Return a number with its sign, also when it is positive.

    >>> signed(0.5), signed(-0.5), signed(0)
    ('+0.50', '−0.50', '0.00')
    """
    if value is None:
        return NOTHING
    shown = number(value, decimals)
    return shown if shown.startswith(MINUS) or not shown.strip("0.,") else f"+{shown}"


def bridge_rows(bridges, metrics: dict, kpi: str) -> list[dict]:
    """Return the rows of a KPI's bridge to the report's date, in their order; empty when there is none."""
    rows = rows_of(bridges, date=metrics["date"], kpi=kpi)
    return rows if {row["term"] for row in rows} >= set(ENDS) and all(_known(row) for row in rows) else []


def _known(row):
    return row["points"] is not None


def explanation(rows: list[dict]) -> str:
    """Return what moved a PAR by size: the terms along with its change and those against it, and what others add.

    Rows that were rejected and loans that are gone come first, whatever their size.
    """
    moved = [row for row in rows if row["term"] in TERMS and abs(row["points"]) >= NOTICED]
    terms = sorted(moved, key=lambda row: (row["term"] not in UNUSUAL, -abs(row["points"])))
    rest = terms[MOST_CAUSES - 1 :] if len(terms) > MOST_CAUSES else []
    rose, named = rows[-1]["points"] >= rows[0]["points"], terms[: len(terms) - len(rest)]
    along = _causes([row for row in named if (row["points"] > 0) == rose])
    against = _causes([row for row in named if (row["points"] > 0) != rose])
    if along and against:
        text = say("mainly {along}, against {against}", along=along, against=against)
    elif along or against:
        text = say("mainly {along}", along=along) if along else say("against {against}", against=against)
    else:
        return ""
    return f"{text}; {say('others {points}', points=_points(sum(row['points'] for row in rest)))}" if rest else text


def _points(value):
    return f"{signed(value)}{NBSP}{phrase('points')}"


def _causes(rows):
    """Return terms by name: 'new arrears (+0.40 points) and loans that rolled on (+0.10 points)'."""
    named = [f"{phrase(naming(row)[1])} ({_points(row['points'])})" for row in rows]
    return listing(named) if named else ""


def bridge_chart(metrics: dict, bridges, kpis: tuple[str, ...] = ("PAR30", "PAR90")) -> Html:
    """Return a waterfall a KPI, as a table whose bars stand beside their figures."""
    parts = [
        fill("bridge.html.j2", **waterfall(metrics, name, rows))
        for name in kpis
        if (rows := bridge_rows(bridges, metrics, name))
    ]
    if not parts:
        return absent(
            phrase("To see why the PARs moved, add loan-level balances of two dates: one row per loan and date.")
        )
    return Html("\n".join(parts))


def waterfall(metrics: dict, name: str, rows: list[dict]) -> dict:
    """Return a bridge as charts take it: finding, title, rows with their bars, and whether the scale is cut."""
    kpi, cause = metrics["kpis"][name], explanation(rows)
    called = par_name(name, kpi)
    opening, closing = (with_unit(kpi, row["points"], 2) for row in (rows[0], rows[-1]))
    if opening == closing:
        finding = say("{name} stayed at {end}", name=called, end=closing)
    else:
        form = (
            "{name} rose from {start} to {end}"
            if rows[-1]["points"] > rows[0]["points"]
            else "{name} fell from {start} to {end}"
        )
        finding = say(form, name=called, start=opening, end=closing)
    low, bars = _bars(metrics, kpi, rows)
    return {
        "name": name, "title": kpi["title"], "rows": bars, "is_cut": low > 0,
        "finding": f"{finding}: {cause}." if cause else f"{finding}.",
        "reading": reading(name, [row["term"] for row in rows], kpi),
    }  # fmt: skip


def reading(name: str, terms: Iterable[str], kpi: Mapping[str, Any] | None = None) -> str:
    """Return how to read the terms of a bridge; that of PAR30 sets the cure rate apart."""
    days, terms = late_days(name, kpi or {}), set(terms)
    sentences = [
        say("New arrears: less than 7 days late before, or not there. Rolled on: late before, but less than {days} "
            "days, or owing more now; what was {days} days late already counts once, however late it is now. Cured: "
            "still owed, but less than {days} days late now. Paid: paid off or paid down.", days=days)
    ]  # fmt: skip
    if "rejected" in terms:
        sentences.append(phrase("Rejected, not known: the loan's row of one of the dates was rejected."))
    if "gone without payment" in terms:
        sentences.append(
            phrase("Gone without payment: not in the balances any more, but less than half of it was paid since.")
        )
    if name == "PAR30":
        sentences.append(phrase("The cure rate counts both what is cured and what is paid off."))
    return " ".join(sentences)


def _bars(metrics, kpi, rows):
    """Return where the scale begins, and the rows with their bars in per cent of its width."""
    level, spans = 0.0, []
    for row in rows:
        before = 0.0 if row["term"] in ENDS else level
        level = row["points"] if row["term"] in ENDS else level + row["points"]
        spans.append((min(before, level), max(before, level)))
    tops = [high for _, high in spans]
    low = _start(min(tops), max(tops))
    scale = 100 / ((max(tops) - low) * FRAME_ROOM or 1)
    return low, [
        _bar(metrics, kpi, row, (max(start, low) - low) * scale, (end - low) * scale)
        for row, (start, end) in zip(rows, spans, strict=True)
    ]


def _start(lowest, highest):
    """Return where the scale begins: at 0, or higher where the moves are too small to be seen from there."""
    start = lowest - (highest - lowest) * CUT_ROOM
    return start if start > highest / 2 else 0.0


def _bar(metrics, kpi, row, low, high):
    shape = {"left": f"{low:.2f}", "width": f"{high - low:.2f}"}
    if row["term"] in ENDS:
        date = row["against"] if row["term"] == "opening" else row["date"]
        name, kind = short_day(shown_day(metrics, date)), "end"
        points, usd = with_unit(kpi, row["points"], 2), count(row["amount_usd"])
    else:
        name, kind = phrase(naming(row)[0]), _kind(row["points"])
        points, usd = signed(row["points"]), signed(row["amount_usd"], 0)
    return {"name": name, "kind": kind, "points": points, "usd": usd, **shape}


def _kind(points):
    return "rise" if points > 0 else "fall" if points < 0 else "none"


def bridge_loans_table(metrics: dict, loans, kpi: str = "PAR30") -> Html:
    """Return the loans that moved a PAR most, largest first; nothing when the bridge has none."""
    rows = rows_of(loans, date=metrics["date"], kpi=kpi)
    if not rows:
        return absent(phrase("To see which loans moved the PARs, add loan-level balances of two dates."))
    days = late_days(kpi, metrics["kpis"][kpi])
    late = [say(form, days=days) for form in ("{days}+ days late before, USD", "{days}+ days late now, USD")]
    heads = [*map(phrase, ("Loan", "Points", "What happened", "Company", "Product")), *late]
    cells = [
        [
            label(str(row["loan"])), signed(row["points"]), phrase(naming(row)[0]), _plain(row["company"]),
            _plain(row["product"]), count(row["before_usd"]), count(row["after_usd"]),
        ]
        for row in sorted(rows, key=lambda row: row["rank"])
    ]  # fmt: skip
    caption = say("The loans that moved {kpi} most", kpi=kpi)
    command = f".venv/bin/abaco explain {kpi} --date {metrics['date']} --lines"
    note = fill("lookup.html.j2", command=command, numbering=numbers_note(str(row["loan"]) for row in rows))
    return figures(caption, heads, cells, kinds=("", "n", "t", "t", "t", "n", "n"), note=note, look="full stacked")


def _plain(name):
    """Return a company or a product as people write it; a dash for one that is not given."""
    return str(name).replace("_", " ") if name else NOTHING
