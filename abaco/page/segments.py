"""The book by company, product, segment, region, ticket and term: arrears and size of each part."""

from abaco.core.bands import BANDS
from abaco.core.precision import drawn_limits
from abaco.core.text import par_name
from abaco.page.kpi_text import limits, marked, status_at
from abaco.page.language import phrase, say
from abaco.page.lateness import bar_scale, contribution, is_missing
from abaco.page.markup import Html, absent, fill
from abaco.page.tables import bar, figures, rows_of
from abaco.page.words import count, listing, percent, plural, usd

DIMENSIONS = {
    "company": "By lending company",
    "product": "By product",
    "segment": "By segment",
    "region": "By region",
    "ticket": "By ticket, USD disbursed",
    "term": "By term, days",
}
MOST = 12


def segment_tables(metrics: dict, segments) -> Html:
    """Return a table a dimension: PAR30 as a bar with its limit, what each part adds to it, and its size."""
    rows = rows_of(segments, date=metrics["date"])
    parts = [
        {"title": phrase(title), "table": _table(metrics, phrase(title), found)}
        for name, title in DIMENSIONS.items()
        if len(found := [row for row in rows if row["dimension"] == name]) > 1
    ]
    single = [phrase(title) for name, title in DIMENSIONS.items() if any(row["dimension"] == name for row in rows)]
    if single and not parts:
        one = "To see parts of the book compared, add others to these, which are one part each: {titles}."
        return absent(say(one, titles=listing(single)))
    if not parts:
        return absent(
            phrase("To see the book by company, product or region, add loan-level balances with these columns.")
        )
    kpi = metrics["kpis"].get("PAR30", {"thresholds": None})
    note = say("The line in a bar is the limit of the whole book ({limits}).", limits=limits(kpi))
    return fill("segments.html.j2", parts=parts, note=note if drawn_limits(kpi) else "")


def _table(metrics, title, rows):
    kpi = metrics["kpis"].get("PAR30")
    rows = sorted(rows, key=lambda row: (-contribution(row, kpi), -(row["outstanding_usd"] or 0)))
    shown, rest = rows[:MOST], len(rows) - MOST
    names = [par_name(name, metrics["kpis"].get(name, {})) for name in ("PAR30", "PAR90")]
    heads = [
        phrase("Part of the book"), phrase("Bar"), names[0], phrase("Of the arrears"), phrase("Of the book"), names[1],
        phrase("Outstanding"), phrase("Loans"),
    ]  # fmt: skip
    most, drawn = bar_scale(kpi, [row["par30"] for row in rows])
    cells = [_row(row, kpi, most, drawn) for row in shown]
    note = say(
        "Not shown: {rest}, each smaller; all are in tables/segments.parquet of the report's folder.",
        rest=plural(rest, "part"),
    )
    return figures(
        title, heads, cells, kinds=("", "b", *("n",) * 6), note=note if rest > 0 else "", quiet=True,
        look="bars stacked",
    )  # fmt: skip


def _row(row, kpi, most, limit):
    status = status_at(kpi, row["par30"]) if kpi and row["par30"] is not None else "none"
    return [
        part(row), bar(row["par30"], most, limit), marked(status, percent(row["par30"], 1)),
        percent(contribution(row, kpi), 1), percent(row["share"], 1), percent(row["par90"], 1),
        usd(row["outstanding_usd"], 0), count(row["loans"]),
    ]  # fmt: skip


def part(row: dict) -> str:
    """Return a part's name; bands of tickets and terms, and what is not given, are the project's own words."""
    if is_missing(row["value"]):
        return phrase("not given (missing data)")
    name = str(row["value"])
    return phrase(name) if row["dimension"] in BANDS else name.replace("_", " ")
