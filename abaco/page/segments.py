"""The book by company, product, segment, region, ticket and term: size and arrears of each part."""

from abaco.core.bands import BANDS, UNKNOWN
from abaco.core.text import par_name
from abaco.page.language import phrase, say
from abaco.page.markup import Html, absent, fill
from abaco.page.tables import bar, figures, rows_of
from abaco.page.words import count, money, percent, plural

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
    """Return a table a dimension: balance, share, loans, PAR30 and PAR90 of each of its values."""
    rows = rows_of(segments, date=metrics["date"])
    pars = [par_name(name, metrics["kpis"].get(name, {})) for name in ("PAR30", "PAR90")]
    parts = [
        {"title": phrase(title), "table": _table(phrase(title), name, found, pars)}
        for name, title in DIMENSIONS.items()
        if len(found := [row for row in rows if row["dimension"] == name]) > 1
    ]
    if not parts:
        return absent(
            phrase("To see the book by company, product or region, add loan-level balances with these columns.")
        )
    return fill("segments.html.j2", parts=parts)


def _table(title, name, rows, pars):
    rows = sorted(rows, key=_start if name in BANDS else lambda row: -(row["outstanding_usd"] or 0))
    shown, rest = rows[:MOST], len(rows) - MOST
    heads = [
        *map(phrase, ("Part of the book", "Bar", "Share")), *pars, *map(phrase, ("Outstanding, USD", "Loans")),
    ]  # fmt: skip
    note = say("Not shown: {rest}, each smaller; all are in tables/segments.parquet.", rest=plural(rest, "part"))
    return figures(
        title, heads, [_row(row) for row in shown],
        kinds=("", "b", *("n",) * 5), note=note if rest > 0 else "", quiet=True, look="bars",
    )  # fmt: skip


def _row(row):
    return [
        _value(row), bar(row["share"]), percent(row["share"], 1),
        percent(row["par30"]), percent(row["par90"]), money(row["outstanding_usd"]), count(row["loans"]),
    ]  # fmt: skip


def _start(row):
    """Return where the band of a row begins; what is not given comes last."""
    band = BANDS[row["dimension"]].get(row["value"])
    return band.start if band else float("inf")


def _value(row):
    """Return a part's name; bands of tickets and terms, and what is not given, are the project's own words."""
    name = str(row["value"] or UNKNOWN)
    return phrase(name) if row["dimension"] in BANDS or name == UNKNOWN else name.replace("_", " ")
