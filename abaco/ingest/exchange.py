"""Exchange rates: amounts in other currencies, converted to the report's at the rate of the day of each row."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import narwhals as nw

from abaco.core.currencies import ALIASES, code, of_cell, of_sign
from abaco.core.decimals import MOST
from abaco.core.errors import InputError
from abaco.core.files import row_count
from abaco.engines import Engine
from abaco.ingest.columns import CURRENCY, normalise
from abaco.ingest.csv_records import line_numbers
from abaco.ingest.sources import Source

# The day of a row's amounts: the first of these columns that a file has, else the date of the report.
DAYS = ("measurement_date", "date_due", "date_paid", "paid_on")
IN = "in_currency"  # currency and day of each row that is checked
SEPARATOR, TOO_LARGE = "@", "too large"
DIGITS = (19, 12)  # of a rate: an amount times it has at most 38, which engines compute with exactly
MORE_THAN_CODES = "its column of currencies holds more than codes of ISO 4217, such as USD"
NO_CODES = f"{MORE_THAN_CODES}; correct the column, or remove it and name the one currency in run.currency"
# By how much aging buckets and their receivable may disagree after it: half a cent each of six amounts.
ROUNDING = Decimal("0.03")
_DAY, _CURRENCY, _SAID, _RATE = "rate_day", "row_currency", "said_currency", "row_rate"


@dataclass(frozen=True)
class Exchange:
    """The table of exchange rates of an input.

    Parameters
    ----------
    to
        The currency of the report.
    files
        The files that the rates are from.
    rates
        What one of each currency is worth in it, by day.
    otherwise
        The currency of files that state none, by the setting; "" where it does not say.
    """

    to: str
    files: tuple[str, ...]
    rates: Mapping[str, Mapping[dt.date, Decimal]]
    otherwise: str = ""


Used = Mapping[str, set[dt.date]]  # the days of rows in each currency but the report's


def stated(source: Source) -> set[str]:
    """Return the currencies that a file's mapping says, or else headings, title and name, and its number formats."""
    mapping = source.mapping
    formats = {currency for sign in source.amount_signs if len(meant := of_cell(sign)) == 1 for currency in meant}
    if mapping.currency:
        return {code(mapping.currency)} | formats
    return formats | (mapping.known.currencies([normalise(h) for h in source.headings]) if mapping.is_known else set())


def _stated(source: Source) -> str | None:
    """Return the one currency that they say; None where they do not.

    Raises
    ------
    InputError
        When headings name several.
    """
    found = stated(source)
    if len(found) > 1:
        raise InputError(f"{source.name} has amounts in {' and '.join(sorted(found))} side by side: keep those of one")
    return next(iter(found), None)


def converted(
    rows: nw.LazyFrame, source: Source, date: dt.date, exchange: Exchange | None, engine: Engine
) -> nw.LazyFrame:
    """Return rows with their amounts in the report's currency, rounded half up to cents, in the same order.

    An instalment that is due after the report's date is worth what it is on that date. What is to be checked of the
    rows (see `used`) goes to the column `IN`.
    """
    amounts = [c.name for c in source.format.columns if c.kind == "amount" and c.name in source.columns]
    if exchange is None or not amounts:
        return rows
    day = next((nw.col(name) for name in DAYS if name in source.columns), nw.lit(date))
    day = nw.when(day > date).then(nw.lit(date)).otherwise(day) if "date_due" in source.columns else day
    stated_once, has_column = _stated(source) or "", CURRENCY.name in source.columns
    known = nw.lit(stated_once or exchange.otherwise)
    written = nw.col(CURRENCY.name).str.strip_chars().str.to_uppercase() if has_column else known
    for alias, meant in ALIASES.items():
        written = nw.when(written == alias).then(nw.lit(meant)).otherwise(written)
    is_blank = written.fill_null("") == ""
    said = nw.when(is_blank).then(nw.lit(stated_once)).otherwise(written) if has_column else known
    written = nw.when(is_blank).then(known).otherwise(written)
    rows = rows.with_columns(day.cast(nw.Date()).alias(_DAY), written.alias(_CURRENCY), said.alias(_SAID))
    rate = nw.lit(None).cast(nw.Decimal(*DIGITS))
    for currency, values in exchange.rates.items():
        name = f"rate_{currency}"
        rows = engine.with_value_of_day(rows, _DAY, values, name, DIGITS)
        rate = nw.when(nw.col(_CURRENCY) == currency).then(nw.col(name)).otherwise(rate)
    rows = rows.with_columns(rate.alias(_RATE))
    is_own = nw.col(_CURRENCY) == exchange.to
    has_amount = nw.any_horizontal(*(~nw.col(name).is_null() for name in amounts), ignore_nulls=False)
    is_owing = nw.any_horizontal(*(nw.col(name) != 0 for name in amounts), ignore_nulls=True)
    too_large = [(nw.col(name) * nw.col(_RATE)).abs() >= nw.lit(MOST) for name in amounts]
    is_large = nw.any_horizontal(*too_large, ignore_nulls=True)
    shown = nw.when(is_large).then(nw.lit(TOO_LARGE)).otherwise(nw.col(_DAY).cast(nw.String()))
    key = nw.concat_str([nw.col(_SAID), shown, nw.col("signs").fill_null("")], separator=SEPARATOR)
    made = [
        nw.when(is_own | (nw.col(name) == 0)).then(nw.col(name)).otherwise(_product(name)).alias(name)
        for name in amounts
    ]
    is_checked = has_amount & ((nw.col(_SAID) != "") | is_owing)
    is_checked = is_checked & (nw.col("reasons").fill_null("") == "") & ~(nw.col(_DAY) > date)
    rows = rows.with_columns(*made, nw.when(is_checked).then(key).alias(IN))
    return rows.drop(_DAY, _CURRENCY, _SAID, _RATE, *(f"rate_{currency}" for currency in exchange.rates))


def _product(name: str) -> nw.Expr:
    """Return an amount at its row's rate; null for one beyond what tables hold."""
    value = nw.col(name) * nw.col(_RATE)
    return nw.when(value.abs() < nw.lit(MOST)).then(value.cast(nw.Decimal(18, 2)))


def used(
    source: Source, engine: Engine, staged: Path, exchange: Exchange | None, text: Path | None, broken: list[int]
) -> Used:
    """Return the days and currencies of the rates that the staged rows of a file need.

    Parameters
    ----------
    staged
        The staged rows of the file.
    text
        Its text, where it is one, for the numbers of lines.
    broken
        Lines that could not be split.

    Raises
    ------
    InputError
        Naming the first row's day and currency without a rate, or what is wrong with the currencies of the file.
    """
    if exchange is None:
        return {}
    name, known, days = source.name, _stated(source), {}
    rows = engine.scan(staged, row_number="record").filter(~nw.col(IN).is_null())
    found = rows.group_by(IN).agg(rows=nw.len(), record=nw.col("record").min())
    seen = {row[IN]: (row["rows"], row["record"]) for row in found.collect("pyarrow").to_native().to_pylist()}
    written = {key: key.rsplit(SEPARATOR, 2)[0] for key in seen}

    def named(found: list[tuple[int, int]]) -> str:
        count, first = sum(rows for rows, _ in found), min(record for _, record in found)
        place = line_numbers(source, text, [first], row_count(staged), broken)[first] if text else first + 1
        return f"{count:,} row{'s' * (count != 1)}, the first in line {place}"

    if unread := [seen[key] for key, currency in written.items() if currency and code(currency) is None]:
        raise InputError(f"{name}: {MORE_THAN_CODES}, in {named(unread)}: write the currency of each")
    blank, others = [seen[key] for key, currency in written.items() if not currency], {*written.values()} - {""}
    if blank and (others - {exchange.to} or not exchange.otherwise):
        way = "add a column currency, or set run.currency to what they are in"
        way = "write the currency of each" if CURRENCY.name in source.columns else way
        raise InputError(f"{name} has rows that state no currency, {named(blank)}, and there are exchange rates: {way}")
    for key in sorted(key for key in seen if written[key]):
        currency, day, signs = key.rsplit(SEPARATOR, 2)
        if known and currency != known:
            raise InputError(
                f"{name} says {known} in its headings, title, name or mapping, and {currency} in "
                f"{source.columns[CURRENCY.name]}: state one of them"
            )
        if other := next((sign for sign in signs.split() if currency not in of_sign(sign)), None):
            raise InputError(
                f"{name} has amounts with {other} in rows that are in {currency}: state the currency of each row in a "
                "column currency"
            )
        if day == TOO_LARGE:
            raise InputError(f"{name} has an amount in {currency} of more than 16 digits in {exchange.to}: correct it")
        days.setdefault(currency, set()).add(dt.date.fromisoformat(day))
    days.pop(exchange.to, None)
    for currency, found in days.items():
        if absent := sorted(found - exchange.rates.get(currency, {}).keys()):
            more = f", and of {len(absent) - 1:,} more days" if len(absent) > 1 else ""
            raise InputError(
                f"{name} has amounts in {currency} of {absent[0]}{more}, but {' and '.join(exchange.files)} no rate: "
                f"add the line {absent[0]},{currency},{exchange.to},<rate>"
            )
    return days
