"""How a file writes its dates, column by column: proven by the values of a column, declared, or refused.

``01/02/2025`` is 1 February or 2 January. A column of such dates is read in the one order in which all of them are
dates, as ``31/12/2025`` shows, or in the order of the other columns of the file, which is told; days of what is past
are not far ahead. Where several orders read them, and not alike, the file is refused with the readings. So are months
such as ``Dec-2025``, whose day is open.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping

import narwhals as nw

from abaco.core.errors import InputError
from abaco.core.reasons import Reason
from abaco.engines import Engine
from abaco.engines.forms import BY_ORDER, Writing
from abaco.ingest.sources import Source

ORDERS = tuple(order for order in BY_ORDER if order != "any")
DAYS_AHEAD = 366  # from today, of balances that are planned
# Columns of days that are past; and years that no date of a loan has, but for one that says without an end.
PAST = {"measurement_date", "disburse_date", "overdue_on", "written_off_on", "paid_on", "date_paid"}
YEARS, WITHOUT_END = (1900, 2200), (2999, 9999)
ISO = re.compile(r"\s*(?:19|20|21)\d\d[-/]\d{1,2}[-/]\d{1,2}(?:[ T].*)?\s*")
# What a value looks like that may be a date in another form.
OTHER_FORM = (
    r"^ *[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ][0-9]{2}|[A-Za-z]{3}.*[0-9]{2}|^ *[0-9]{5,8}(?:\.0+)? *$"
    r"|^ *[12][0-9]{3}[.-][0-9]|^ *[0-9]{1,2}[-/.][12][0-9]{3} *$"
)
UTC = r"[0-9][T ][0-9]{1,2}:[0-9:.]*[1-9][0-9:.]* ?(?:Z|UTC|\+00:?00)$"
READINGS = {
    "dmy": ("01/02/2025", "1 February"), "mdy": ("01/02/2025", "2 January"), "ymd": ("01-02-03", "3 February 2001")
}  # fmt: skip
_KINDS = {"": Writing(), "serial": Writing(dates="serial"), "month": Writing(dates="any", months="last")}
_KINDS |= {order: Writing(dates=order) for order in (*ORDERS, "any")}


def evidence(rows: nw.LazyFrame, names: Iterable[str], engine: Engine) -> dict[str, Counter]:
    """Return how many values of each column are dates in each order, and how many tell no order.

    Parameters
    ----------
    rows
        The columns as text.
    """
    names = list(names)
    copies = {f"{name} {kind}": (name, writing) for name in names for kind, writing in _KINDS.items()}
    texts = rows.select(nw.col(name).alias(copy) for copy, (name, _) in copies.items())
    typed = engine.typed(texts, dict.fromkeys(copies, "date"), {copy: writing for copy, (_, writing) in copies.items()})
    counts = {f"{name} {key}": count for name in names for key, count in _counts(name).items()}
    [found] = typed.select(**counts).collect("pyarrow").to_native().to_pylist()
    keys = _counts("")
    return {name: Counter({key: int(found[f"{name} {key}"] or 0) for key in keys}) for name in names}


def _counts(name: str) -> dict[str, nw.Expr]:
    days = {kind: nw.col(f"{name} {kind}") for kind in _KINDS}
    orders = [days[order] for order in ORDERS]
    if name in PAST:
        latest = nw.lit(dt.datetime.now(dt.UTC).date() + dt.timedelta(DAYS_AHEAD))
        is_past = nw.any_horizontal(*(day <= latest for day in orders), ignore_nulls=True)
        days |= {order: nw.when((days[order] <= latest) | ~is_past).then(days[order]) for order in ORDERS}
        orders = [days[order] for order in ORDERS]
    is_ordered = days["any"].is_null() & ~nw.all_horizontal(*(day.is_null() for day in orders), ignore_nulls=False)
    differ = [(a != b).fill_null(False) for i, a in enumerate(orders) for b in orders[i + 1 :]]
    text = nw.col(f"raw_{name} ").str.strip_chars()
    years = [day.dt.year() for day in (days[""], days["any"], *orders)]
    is_far = [((year < YEARS[0]) | (year > YEARS[1])) & ~year.is_in(WITHOUT_END) for year in years]
    found = {
        "filled": text != "",
        "known": ~days["any"].is_null(),
        "ordered": is_ordered,
        "open": nw.any_horizontal(*differ, ignore_nulls=False),
        "serial": days[""].is_null() & ~days["serial"].is_null(),
        "months": days["any"].is_null() & ~days["month"].is_null(),
        "other": days[""].is_null() & ~days["any"].is_null(),
        "far": nw.any_horizontal(*is_far, ignore_nulls=True),
        "utc": text.str.contains(UTC),
        **{order: is_ordered & ~days[order].is_null() for order in ORDERS},
    }
    return {key: which.fill_null(False).cast(nw.Int64()).sum() for key, which in found.items()}


def possible(column: Counter) -> list[str]:
    """Return the orders in which all values of a column are dates that are dates in any order."""
    return [order for order in ORDERS if column[order] == column["ordered"]]


def date_writings(
    source: Source, found: Mapping[str, Counter], declared: str, months: str, is_final: bool
) -> tuple[dict[str, Writing], list[Reason]]:
    """Return how the dates of each column are written, and what to tell of it.

    Parameters
    ----------
    found
        See `evidence`; a column that is not there holds dates such as 2025-12-31 alone.
    declared
        ``ymd``, ``dmy`` or ``mdy``, or ``auto`` for what the values prove; a mapping of the file goes before it.
    months
        The day that a month is: ``first`` or ``last``, or ``auto`` where months are refused.
    is_final
        Whether these are all values; else a column that nothing proves yet is not refused.

    Raises
    ------
    InputError
        When dates of a column may be read in several ways: naming its heading, the readings and the setting that
        declares one.
    """
    proven = {order for column in found.values() if column["ordered"] for order in [_proven(column)] if order}
    of_file = proven.pop() if len(proven) == 1 else None
    writings, told = {}, []
    for name, column in found.items():
        heading = source.heading(name)
        if 2 * column["far"] > column["filled"]:
            raise InputError(
                f"{source.name}: dates under {heading} have years before {YEARS[0]} or after {YEARS[1]}, as other "
                "calendars count (2568 is 2025 in the Buddhist one), or stand for no date: write the years of the "
                "Gregorian calendar, and leave cells without a date blank"
            )
        if column["serial"] and column["serial"] == column["filled"]:
            if source.is_1904:
                raise InputError(
                    f"{source.name}: days under {heading} are numbers of a workbook that counts from 1904: format the "
                    "column as dates, and save it again"
                )
            writings[name] = Writing(dates="serial")
            told.append(Reason("dates_serial", column=heading, name=source.name))
            continue
        said = {"dates": declared, "months": months} | source.layout.declared[name]
        order = said["dates"] if said["dates"] != "auto" else _proven(column)
        if not order and column["open"] and of_file in possible(column):
            order = of_file
            told.append(Reason("dates_of_file", column=heading, name=source.name, form=order))
        is_most = column["ordered"] > column["known"]
        if not order and is_final and is_most:
            raise InputError(_refusal(source.name, heading, column))
        day = said["months"] if said["months"] != "auto" else ""
        if column["months"] > column["known"] + column["ordered"] and not day and is_final:
            raise InputError(
                f'{source.name}: months such as "Dec-2025" under {heading} are dates, and nothing tells of which day: '
                "set ingestion.months to last for 31 December, or to first for 1 December"
            )
        if column["utc"]:
            told.append(Reason("dates_utc", column=heading, name=source.name, count=column["utc"]))
        is_plain = not any(column[key] for key in ("ordered", "other", "months"))
        writings[name] = Writing() if is_plain else Writing(dates=order or "any", months=day)
    return writings, told


def _proven(column: Counter) -> str | None:
    """Return the order of a column: the only one that reads its values, or any where all read them alike."""
    orders = possible(column)
    return orders[0] if len(orders) == 1 or (orders and not column["open"]) else None


def _refusal(file: str, heading: str, column: Counter) -> str:
    orders = possible(column)
    if not orders:
        return (
            f"{file}: dates under {heading} are written in several orders, such as 31/12/2025 and 12/31/2025: correct "
            "the export, or set ingestion.dates to dmy or mdy, so that the others are rejected"
        )
    form = "01-02-03" if "ymd" in orders else "01/02/2025"
    readings = {"dmy": "1 February", "mdy": "2 January", "ymd": "3 February 2001"}
    *most, last = (readings[order] for order in orders)
    *words, last_word = (f"{order} for {readings[order]}" for order in orders)
    return (
        f'{file}: dates such as "{form}" under {heading} are {", ".join(most)} or {last}, and nothing in the column '
        f"tells which: set ingestion.dates to {', to '.join(words)}, or to {last_word}"
    )
