"""Text and numbers in the SQL of the embedded engine."""

import re
from collections.abc import Iterable
from pathlib import Path

from abaco.engines import forms
from abaco.engines.base import DASHES, ERROR_CELL, MOST_DAYS, NO_ID_WORDS, is_parquet
from abaco.engines.forms import Writing

TYPES = {
    "text": "VARCHAR",
    "id": "VARCHAR",
    "date": "DATE",
    "amount": "DECIMAL(18,2)",
    "scaled": "DECIMAL(26,8)",  # an amount in thousands, say
    "rate": "DECIMAL(18,6)",
    "days": "BIGINT",
}
# A number of days with its unit, in English or Spanish.
DAYS = r"^\s*([+-]?\d{1,9})\s*(?i:days?|d[ií]as?)\s*$"
BACKWARDS = r"\{}"  # a group of a pattern
# A folder named column=value does not give a column; a key of a JSON object counts wherever it first appears.
NO_HIVE, EVERY_KEY = "hive_partitioning = false", "sample_size = -1, map_inference_threshold = -1"
NUMBERS = ("DECIMAL", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")


def quoted(name: str) -> str:
    """Return a column's name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return text as SQL."""
    return "'" + str(text).replace("'", "''") + "'"


def cast(name: str, kind: str, source: str, writing: Writing) -> str:
    """Return SQL for a column's value as one of its kind, null where it is not one.

    Parameters
    ----------
    source
        The column's own type.
    writing
        How it is written, where it is text.
    """
    column, target = quoted(name), TYPES[kind]
    if kind in ("text", "id"):
        is_value = f"NOT starts_with({text(column)}, '#') OR NOT regexp_matches({text(column)}, {literal(ERROR_CELL)})"
        if kind == "id":
            is_value = f"({is_value}) AND lower({text(column)}) NOT IN ({', '.join(map(literal, NO_ID_WORDS))})"
        return f"CASE WHEN {is_value} THEN {text(column)} END"
    own = ("DATE", "TIMESTAMP") if kind == "date" else NUMBERS
    if source.startswith(own):
        value = column
    elif kind == "date":
        value = _day(f"{column}::VARCHAR")
        if writing.dates:
            value = f"coalesce(TRY_CAST({value} AS DATE), {_written_day(f'{column}::VARCHAR', writing)})"
    elif kind == "days":
        value = _days(f"{column}::VARCHAR", writing)
    elif kind == "rate":
        value = _rate(f"{column}::VARCHAR", target, writing)
    else:  # the shortest decimal of a float, never the float itself
        number = _number(f"{column}::VARCHAR", target, writing)
        dashes = ", ".join(map(literal, DASHES))
        value = f"coalesce({number}, CASE WHEN trim({column}::VARCHAR) IN ({dashes}) THEN 0 END)"
    if kind == "days":
        is_whole = "" if source in own else f"{value} % 1 = 0 AND "
        return (
            f"CASE WHEN {is_whole}{value} BETWEEN {-MOST_DAYS} AND {MOST_DAYS} THEN TRY_CAST({value} AS {target}) END"
        )
    value = f"TRY_CAST({value} AS {target})"
    if kind == "date":  # the range of Python's dates
        limits = "BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'"
        if writing.dates:
            return _once(value, "d", f"CASE WHEN d {limits} THEN d END")
        return f"CASE WHEN {value} {limits} THEN {value} END"
    return value


def _once(value: str, name: str, sql: str) -> str:
    """Return SQL of a value by a name: a pattern in it is compiled once, however often the SQL has the name."""
    return f"list_transform([{value}], lambda {name}: {sql})[1]"


def text(column: str) -> str:
    """Return SQL for a column as text without stray blanks, null where nothing is left."""
    return f"nullif(trim({column}::VARCHAR), '')"


def _day(text: str) -> str:
    written = r"^\s*(\d{4}[-/]\d{1,2}[-/]\d{1,2})([ T]\d{1,2}:.*)?\s*$"
    plain = f"length({text}) = 10 AND ascii({text}) BETWEEN 48 AND 57"  # most rows need no pattern
    return f"CASE WHEN {plain} THEN {text} ELSE nullif(regexp_extract({text}, {literal(written)}, 1), '') END"


def _written_day(text: str, writing: Writing) -> str:
    """Return SQL for the date that a text says in one of the forms of `forms`."""
    plain = f"lower(trim({text}))"
    if writing.dates == "serial":
        days = f"nullif(regexp_extract({plain}, {literal(forms.SERIAL)}, 1), '')"
        return f"DATE '1899-12-30' + TRY_CAST({days} AS INTEGER)"
    name = f"regexp_extract({plain}, {literal(forms.MONTH)}, 1)"
    place = f"instr({literal(forms.NAMES)}, '.' || left({name}, 3))"
    number = f"lpad((({place} + {forms.NAME_WIDTH - 1}) // {forms.NAME_WIDTH})::VARCHAR, 2, '0')"
    marked = f"CASE WHEN {name} <> '' THEN replace({plain}, {name}, '{{' || {number} || '}}') ELSE {plain} END"
    day = _rewritten(marked, forms.dates(writing), "")
    if not writing.months:
        return f"TRY_CAST({day} AS DATE)"
    month = f"TRY_CAST({_rewritten(marked, forms.OF_MONTHS, '-01')} AS DATE)"
    month = f"last_day({month})" if writing.months == "last" else month
    return f"coalesce(TRY_CAST({day} AS DATE), {month})"


def _rewritten(text: str, patterns: Iterable[tuple[str, tuple[int, ...]]], end: str) -> str:
    """Return SQL for a text that matches a pattern as its groups, the year first; a short year gets its century."""
    cases = "".join(
        f" WHEN regexp_matches(t, {literal(pattern)}) THEN "
        f"regexp_replace(t, {literal(pattern)}, '{'-'.join(map(BACKWARDS.format, groups))}')"
        for pattern, groups in patterns
    )
    century = f"CASE WHEN left(d, 2) <= '{forms.LAST_SHORT_YEAR}' THEN '20' ELSE '19' END"
    whole = f"CASE WHEN d[3] = '-' THEN {century} || d ELSE d END || '{end}'"
    return _once(_once(text, "t", f"CASE{cases} END"), "d", whole)


def _days(text: str, writing: Writing) -> str:
    named = f"nullif(regexp_extract({text}, {literal(DAYS)}, 1), '')"
    number = _number(text, "DECIMAL(38,6)", writing)
    return f"coalesce({number}, TRY_CAST({named} AS DECIMAL(38,6)))"


def _rate(text: str, target: str, writing: Writing) -> str:
    per_cent = _number(f"left(trim({text}), -1)", target, writing)
    number = _number(text, target, writing)
    return f"CASE WHEN ends_with(trim({text}), '%') THEN {per_cent} * 0.01::DECIMAL(3,2) ELSE {number} END"


def _number(text: str, target: str, writing: Writing) -> str:
    group, point = (r"\.", ",") if writing.decimal_mark == "," else (",", r"\.")
    grouped = rf"^\s*[+-]?[1-9]\d{{0,2}}({group}\d{{3}})+({point}\d+)?\s*$"
    ungrouped = f"replace({text}, {literal(group[-1])}, '')"
    with_groups = (
        f"CASE WHEN regexp_matches({text}, {literal(grouped)}) "
        f"THEN TRY_CAST(replace({ungrouped}, {literal(point[-1])}, '.') AS {target}) END"
    )
    if writing.decimal_mark == ",":
        plain = f"CASE WHEN NOT contains({text}, '.') THEN replace({text}, ',', '.') END"
    else:
        plain = text
    checked = f"CASE WHEN NOT contains({text}, '_') THEN TRY_CAST({plain} AS {target}) END"
    dressed = f", {_dressed(text, target, writing.decimal_mark)}" if writing.is_dressed else ""
    return f"coalesce({checked}, {with_groups}{dressed})"


def _dressed(text: str, target: str, decimal_mark: str) -> str:
    """Return SQL for the number that a text says with a currency, signs or groups (see `forms.dressed`)."""
    minus = f"translate(lower(trim({text})), '{forms.MINUS}', '--')"
    bare = f"regexp_replace({minus}, {literal(forms.DRESS)}, '{forms.CURRENCY_SIGN}', 'g')"
    digits = f"replace(regexp_replace(b, '[^0-9{decimal_mark}]', '', 'g'), '{decimal_mark}', '.')"
    sign = "CASE WHEN regexp_matches(b, '[-(]') THEN '-' ELSE '' END"
    is_number = f"regexp_matches(b, {literal(forms.dressed(decimal_mark))})"
    return _once(bare, "b", f"CASE WHEN {is_number} THEN TRY_CAST({sign} || {digits} AS {target}) END")


def local_time(column: str, zone: str) -> str:
    """Return SQL for a time with a zone as it stands on a clock there.

    Parameters
    ----------
    zone
        A name, or hours and minutes before or after UTC.
    """
    if offset := re.fullmatch(r"([+-])(\d{2}):(\d{2})", zone):
        sign, hours, minutes = offset.groups()
        return f"timezone('UTC', {column}) + INTERVAL ({sign}{60 * int(hours) + int(minutes)}) MINUTE"
    return f"timezone({literal(zone)}, {column})"


def mask(column: str, key: bytes | None) -> str:
    """Return SQL for the token of a column under the connection's key, or for ``redacted`` without one."""
    if key is None:
        token = "'redacted'"
    else:
        inner = f"unhex(sha256(getvariable('hmac_inner') || encode({column})))"
        token = f"'tok_' || left(sha256(getvariable('hmac_outer') || {inner}), 32)"
    return f"CASE WHEN {column} IS NOT NULL THEN {token} END"


def digest(texts: list[str], of_bad: bool = False) -> str:
    """Return SQL for a hash of texts under the connection's secret; null where all are null.

    `of_bad`: only of rows that have ``reasons``.
    """
    joined = " || chr(31) || ".join(f"coalesce({text}, '')" for text in texts)
    is_any = f"coalesce({', '.join(texts)}) IS NOT NULL"
    which = f"reasons <> '' AND {is_any}" if of_bad else is_any
    return f"CASE WHEN {which} THEN md5(getvariable('digest_secret') || {joined}) END"


def reader(path: Path, columns: str = "", row_number: bool = False) -> str:
    """Return SQL for the rows of a Parquet or JSON file; `columns` are those of JSON, with their types."""
    if is_parquet(path):
        numbers = ", file_row_number = true" if row_number else ""
        return f"read_parquet({literal(path)}, {NO_HIVE}{numbers})"
    return f"read_json({literal(path)}, {NO_HIVE}, {f'columns = {{{columns}}}' if columns else EVERY_KEY})"
