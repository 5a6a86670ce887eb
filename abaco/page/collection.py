"""Collection by month: what was due, what was paid, and the rate of the two."""

from abaco.page.column_names import capital
from abaco.page.language import phrase, say
from abaco.page.markup import Html, absent
from abaco.page.svg import COLOURS, canvas, picture, tell
from abaco.page.tables import figures, rows_of
from abaco.page.words import NOTHING, count, month, number, percent, usd

SIZE = {"wide": (880, 300, 13), "narrow": (340, 260, 6)}
MARGIN = {"left": 0, "right": 0, "top": 34, "bottom": 50}


def _months(metrics, collections):
    """Return the months up to the report's, oldest first."""
    rows = [row for row in rows_of(collections) if str(row["month"])[:7] <= metrics["date"][:7]]
    return sorted(rows, key=lambda row: str(row["month"]))


def collection_chart(metrics: dict, collections) -> Html:
    """Return a column a month: its height what was due, its filled part what was paid, the rate above."""
    rows = [row for row in _months(metrics, collections) if row["due_usd"]]
    if not rows:
        return absent(
            phrase("To see collection by month, add the schedules (what was due) and the payments (what was paid).")
        )
    finding = _finding(rows)
    detail = say("Column chart of what was due and paid by month. {finding}", finding=finding)
    return picture(
        _figure(rows, "wide"), finding, name="collection", detail=detail, narrow=_figure(rows, "narrow"),
        table=collection_table(metrics, collections),
        note=phrase("Outline: what was due. Filled: what was paid; hatched in a month that is not complete."),
    )  # fmt: skip


def _finding(rows):
    whole = [row for row in rows if not row["is_partial"]] or rows
    last = whole[-1]
    text = say("In {month}, {rate} of what was due was paid.", month=month(last["month"]), rate=percent(last["rate"]))
    year = [row for row in whole[-13:-1] if row["rate"] is not None]
    if year:
        due, paid = sum(row["due_usd"] for row in year), sum(row["paid_usd"] for row in year)
        average = percent(paid / due * 100)
        text += " " + say("Over the months before it was {average}.", average=average)
    if rows[-1]["is_partial"]:
        text += " " + capital(say("{month} is not complete.", month=month(rows[-1]["month"])))
    return text


def _figure(rows, form):
    width, height, most = SIZE[form]
    rows = rows[-most:]
    figure = canvas(width, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.axis("off")
    step = width / len(rows)
    room = height - MARGIN["top"] - MARGIN["bottom"]
    scale = room / max(max(row["due_usd"], row["paid_usd"] or 0) for row in rows)
    for index, row in enumerate(rows):
        _column(axes, row, step * index, step, scale)
    axes.plot([0, width], [MARGIN["bottom"]] * 2, color=COLOURS["muted"], linewidth=1)
    return figure


def _column(axes, row, left, step, scale):
    """Draw a month: an outlined column for what was due, a filled one within it for what was paid."""
    base, middle = MARGIN["bottom"], left + step / 2
    due, paid = row["due_usd"] * scale, (row["paid_usd"] or 0) * scale
    partial = bool(row["is_partial"])
    axes.bar(
        left + step * 0.14, due, step * 0.72, base, align="edge",
        facecolor="none", edgecolor=COLOURS["muted"], linewidth=1.2,
    )  # fmt: skip
    (filled,) = axes.bar(
        left + step * 0.24, paid, step * 0.52, base, align="edge", linewidth=1 if partial else 0,
        facecolor="none" if partial else COLOURS["accent"], edgecolor=COLOURS["accent"],
        hatch="////" if partial else None,
    )  # fmt: skip
    tell(filled, say("{month}: {paid} paid of {due} due", month=month(row["month"]), paid=usd(row["paid_usd"], 0),
                     due=usd(row["due_usd"], 0)))  # fmt: skip
    rate = NOTHING if row["rate"] is None else f"{number(row['rate'], 0)}%"
    axes.text(middle, base + max(due, paid) + 7, rate, ha="center", fontsize=13.5, fontweight="bold")
    axes.text(middle, base - 18, month(row["month"], year=False), ha="center", color=COLOURS["muted"], fontsize=12.5)
    below = phrase("partial") if partial else str(row["month"])[:4]
    axes.text(middle, base - 36, below, ha="center", color=COLOURS["muted"], fontsize=11.5)


def collection_table(metrics: dict, collections, months: int = 13) -> Html:
    """Return due, paid and rate of the last months, of all and of the principal; nothing without any."""
    rows = [row for row in _months(metrics, collections) if row["due_usd"] or row["paid_usd"]]
    if not rows:
        return Html("")
    heads = (
        "Month", "Rate", "Due, USD", "Paid, USD",
        "Principal due, USD", "Paid by the due date", "By 30 days after", "By 60 days after",
    )  # fmt: skip
    cells = [_row(row) for row in rows[: -months - 1 : -1]]
    note = phrase(
        "Paid in a month against due in that month, whatever the month that it was due for; the principal: of what was "
        "due in the month, the part paid by its due date, and by 30 and 60 days after."
    )
    return figures(
        phrase("What was due and paid, newest month first"),
        [phrase(head) for head in heads],
        cells,
        note=note,
        quiet=True,
        look="full",
    )


def _row(row):
    name = f"{month(row['month'])} ({phrase('partial')})" if row["is_partial"] else month(row["month"])
    return [
        name, percent(row["rate"]), count(row["due_usd"]), count(row["paid_usd"]),
        count(row["principal_due_usd"]), percent(row["principal_rate"]), percent(row["paid_30_rate"]),
        percent(row["paid_60_rate"]),
    ]  # fmt: skip
