"""Data quality: rejected rows, empty cells, suggested additions, the reconciliation, and the balance's roll-forward."""

from decimal import Decimal

from abaco.page.column_names import capital, column
from abaco.page.language import phrase, say
from abaco.page.markup import Html, absent, fill
from abaco.page.tables import figures, rows_of
from abaco.page.words import NBSP, NOTHING, count, day, listing, money, percent, plain, plural, usd

CASH = "cash_available_usd"

LINES = {
    "lent": "Lent",
    "principal paid": "Principal paid",
    "written off": "Written off",
    "recovered": "Recovered of what was written off",
    "not explained": "Not explained by the exports",
}

PARTS = ("accepted", "quarantined", "duplicates", "totals", "later", "beside")


def _findings(metrics):
    """Yield one sentence a finding, the good news included."""
    quality = metrics["quality"]
    yield say(
        "{share} of the rows were rejected; the run stops above {most}.",
        share=percent(quality["reject_pct"]), most=f"{plain(quality['max_reject_pct'])}{NBSP}%",
    )  # fmt: skip
    yield say(
        "Rejected rows hold {share} of the balances of this date; the run stops above {most}.",
        share=percent(quality["reject_amount_pct"]), most=f"{plain(quality['max_reject_amount_pct'])}{NBSP}%",
    )  # fmt: skip
    if quality["unbalanced_rows"]:
        yield say(
            "{rows} aging buckets that do not add up to the receivable, by {amount} in all.",
            rows=plural(quality["unbalanced_rows"], "row has", "rows have"), amount=usd(quality["unbalanced_usd"]),
        )  # fmt: skip
    else:
        yield phrase("In every row the aging buckets add up to the receivable.")
    yield say(
        "{outliers} beyond {multiple} times the mean balance, and {dust} below {small}: all count as they are.",
        outliers=plural(quality["outliers"], "balance"), multiple=plain(quality["outlier_multiple"]),
        dust=plural(quality["dust"], "balance"), small=usd(quality["dust_usd"]),
    )  # fmt: skip
    if _cash_from_statements(metrics):
        yield phrase("Cash on hand comes from the financial statements; the loan rows carry none.")
    yield from quality["notes"]


def _cash_from_statements(metrics):
    rate = metrics["kpis"].get("CollectionRate", {})
    has_cash = any(item.get("gives_cash") for item in metrics["inputs"])
    is_filled = CASH in metrics["quality"].get("filled", ())
    return has_cash and not is_filled and rate.get("value") is not None and bool(metrics["quality"]["nulls"].get(CASH))


def _masking(quality):
    """Return how personal data is masked in this report."""
    columns = [phrase(column(name)) for name in quality["pii_columns"]]
    if not columns:
        return phrase("The input holds no personal columns.")
    how = {
        "token": "replaced by keyed tokens, which only the holder of the key can match",
        "redacted": "blacked out, since no masking key was set",
    }
    return say(
        "Personal data ({columns}) is {masked}.",
        columns=listing(columns), masked=phrase(how.get(quality["masking"], quality["masking"])),
    )  # fmt: skip


def _most_first(counts):
    """Return rows of (name, count), the highest count first, without those that are zero."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [[name, count(rows)] for name, rows in ordered if rows]


def _empty_cells(metrics):
    """Return how many cells are empty by what they would hold; cash that statements give is none of them."""
    nulls, cells = metrics["quality"]["nulls"], {}
    for name, rows in nulls.items():
        is_filled = name in metrics["quality"].get("filled", ())
        if not is_filled and (name != CASH or not _cash_from_statements(metrics)):
            words = capital(phrase(column(name)))
            cells[words] = max(cells.get(words, 0), rows)
    return _most_first(cells)


def data_quality(metrics: dict) -> Html:
    """Return the findings in sentences, rejects by reason, and empty cells by what they would hold."""
    quality = metrics["quality"]
    rejects, nulls = _most_first(quality["rejects"]), _empty_cells(metrics)
    reasons = phrase("Why rows were rejected (a row can have several reasons)")
    empty = phrase("Empty cells in the accepted rows of this date")
    left = sorted(quality["columns_left_behind"].items())
    return fill(
        "quality.html.j2",
        findings=[*_findings(metrics), _masking(quality)],
        left_behind={name: columns for name, columns in left if columns},
        rejects=figures(reasons, [phrase("Reason"), phrase("Rows")], rejects) if rejects else "",
        nulls=figures(empty, [phrase("What is empty"), phrase("Rows")], nulls) if nulls else "",
    )


def missing_list(metrics: dict) -> Html:
    """Return what to add to the input so that more figures can be computed."""
    wanted = {}
    for item in metrics["missing"]:
        title = metrics["kpis"].get(item["kpi"], {}).get("title", item["kpi"])
        wanted.setdefault(item["add"].rstrip("."), []).append(title)
    return fill("missing.html.j2", wanted=[(listing(kpis), add) for add, kpis in wanted.items()])


def _parts(rows):
    """Return the parts that the rows went to; most inputs have no rows beside the tape."""
    return [part for part in PARTS if part != "beside" or rows.get(part)]


def _sums(rows):
    """Return (rows in, rows found again, amount in, amount found again)."""
    amounts = [Decimal(rows[f"amount_{part}"] or 0) for part in _parts(rows)]
    return rows["rows_in"], sum(rows[part] for part in _parts(rows)), Decimal(rows["amount_in"] or 0), sum(amounts)


def reconciles(rows: dict) -> bool:
    """Return whether rows in = the sum of its `PARTS`, in rows and in amounts."""
    rows_in, rows_found, amount_in, amount_found = _sums(rows)
    return rows_in == rows_found and amount_in == amount_found


def _sentence(rows):
    rows_in, rows_found, amount_in, amount_found = _sums(rows)
    if reconciles(rows):
        return say(
            "It adds up: {row_parts} = {rows}, and {amount_parts} = {amount}.",
            row_parts=" + ".join(count(rows[part]) for part in _parts(rows)), rows=plural(rows_in, "row"),
            amount_parts=" + ".join(money(rows[f"amount_{part}"] or 0) for part in _parts(rows)), amount=usd(amount_in),
        )  # fmt: skip
    return say(
        "IT DOES NOT ADD UP. {rows} came in and {rows_found} were found again (difference {rows_lost}); {amount} came "
        "in and {amount_found} were found again (difference {amount_lost}). "
        "Do not use these figures before this is explained.",
        rows=plural(rows_in, "row"), rows_found=count(rows_found), rows_lost=count(rows_in - rows_found),
        amount=usd(amount_in), amount_found=usd(amount_found), amount_lost=usd(amount_in - amount_found),
    )  # fmt: skip


def went(metrics: dict) -> list[tuple[str, int, str]]:
    """Return what became of the rows: each part in words, its rows and its amount."""
    rows = metrics["reconciliation"]
    names = {
        "accepted": phrase("Accepted"),
        "quarantined": phrase("Rejected: could not be used"),
        "duplicates": phrase("Dropped: copies of another row"),
        "totals": phrase("Left out: totals of other rows"),
        "later": say("Left out: dated after {date}", date=day(metrics["date"])),
        "beside": phrase("Beside the tape: another export gives the date"),
    }
    return [(names[part], rows[part], rows[f"amount_{part}"]) for part in _parts(rows)]


def reconciliation_table(metrics: dict) -> Html:
    """Return rows and amounts in and where they went, with the sentence that says if they add up."""
    rows = metrics["reconciliation"]
    heads = ("What became of them", "Rows of all dates", "Balances of all dates added up, USD")
    table = figures(
        phrase("Rows and amounts of the balances, and where they went"),
        [phrase(head) for head in heads],
        [[name, count(found), money(amount)] for name, found, amount in went(metrics)],
        total=[phrase("Came in"), count(rows["rows_in"]), money(rows["amount_in"])],
        note=phrase("The amounts add up the balances of every date in the input, so that no row can hide; "
                    "they are not the size of the book."),
    )  # fmt: skip
    return fill(
        "reconciliation.html.j2",
        sentence=_sentence(rows),
        adds_up=reconciles(rows),
        notes=list(filter(None, [_unread(rows.get("rows_without_amount") or 0), _without_balance(metrics["book"])])),
        table=table,
    )


def _without_balance(book):
    """Return why the input has more rows than the book has loans; empty when it has not."""
    if book["loans_with_balance"] is None or book["rows"] <= book["loans_with_balance"]:
        return ""
    without = book["rows"] - book["loans_with_balance"]
    return say(
        "The input has {rows} for this date; {without} of them without a balance.",
        rows=plural(book["rows"], "row"), without=count(without),
    )  # fmt: skip


def _unread(rows):
    """Return a sentence on rows without an amount; empty when there are none."""
    if not rows:
        return ""
    one = "1 row has no amount that can be read; it counts as a row and as 0.00 USD."
    many = "{rows} rows have no amount that can be read; they count as rows and as 0.00 USD."
    return phrase(one) if rows == 1 else say(many, rows=count(rows))


def roll_forward_table(metrics: dict, roll_forward) -> Html:
    """Return the lines between the opening and the closing balance of the report's month, which sum to the closing."""
    rows = rows_of(roll_forward, date=metrics["date"])
    amounts = {row["line"]: row["amount_usd"] for row in rows}
    if not rows or amounts["lent"] is None or amounts["principal paid"] is None:
        return absent(phrase("To see how the balance rolled forward, add loans, payments and balances of two dates."))
    note = phrase("A payment on a written-off balance is in what was paid, and in what was recovered.")
    if amounts["not explained"] is None:
        note += " " + phrase("Without written-off balances on both dates nobody can say what is not explained.")
    return figures(
        say("The outstanding balance from {start} to {end}", start=day(rows[0]["against"]), end=day(metrics["date"])),
        [phrase("Line"), phrase("Amount, USD")],
        [
            [phrase("Opening balance"), money(amounts["opening"])],
            *([phrase(name), _amount(amounts[line])] for line, name in LINES.items()),
        ],
        total=[phrase("Closing balance"), money(amounts["closing"])],
        note=note,
    )


def _amount(usd):
    return NOTHING if usd is None else money(usd)
