r"""Text and numbers in Spark's SQL, with the results of the embedded engine.

Patterns run in Java, where ``$`` also matches before a last line break and ``\s`` includes more than elsewhere, so
they say ``\z`` and list the blanks.
"""

from collections.abc import Iterable

import pyarrow as pa

from abaco.engines import forms
from abaco.engines.base import DASHES, ERROR_CELL, MOST_DAYS, NO_ID_WORDS, NULL_WORDS
from abaco.engines.forms import Writing

TYPES = {
    "text": "STRING",
    "id": "STRING",
    "date": "DATE",
    "amount": "DECIMAL(18,2)",
    "scaled": "DECIMAL(26,8)",  # an amount in thousands, say
    "rate": "DECIMAL(18,6)",
    "days": "BIGINT",
}
# by the name of an Arrow type
STORED = {
    "string": "STRING", "date32[day]": "DATE", "bool": "BOOLEAN", "double": "DOUBLE",
    "int8": "TINYINT", "int16": "SMALLINT", "int32": "INT", "int64": "BIGINT",
}  # fmt: skip
NUMBERS = ("decimal", "tinyint", "smallint", "integer", "bigint", "byte", "short", "int", "long")
BLANK = r"[ \t\n\f\r]"  # \s of RE2
SPACE = r"[ \t\n\x0B\f\r]"  # what casts skip
LINE = r"CASE WHEN endswith(value, '\r') THEN left(value, char_length(value) - 1) ELSE value END"
# Unicode's space separators, which DuckDB's trim takes off.
SEPARATORS = "\u0020\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"


def quoted(name: str) -> str:
    """Return a column's name as SQL."""
    return "`" + name.replace("`", "``") + "`"


def declaration(schema: pa.Schema) -> str | None:
    """Return the columns of an Arrow schema as SQL, or None where Spark has no type for one."""
    types = [
        f"DECIMAL({t.precision},{t.scale})" if pa.types.is_decimal128(t) else STORED.get(str(t)) for t in schema.types
    ]
    if None in types:
        return None
    return ", ".join(f"{quoted(name)} {type_}" for name, type_ in zip(schema.names, types, strict=True))


def literal(text: str) -> str:
    """Return text as SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fields(delimiter: str) -> str:
    """Return SQL for the fields of ``line``, those in quotes with them; null where it is not a whole number of them."""
    cut = f"\\x{ord(delimiter):02x}"
    field = rf'(?:"[^"]*+(?:""[^"]*+)*+"|[^"{cut}]*+)'
    whole, one = rf"\A(?:{cut}{field})++\z", f"{cut}({field})"
    line = f"concat({literal(delimiter)}, line)"
    return (
        "CASE WHEN contains(line, char(13)) THEN NULL "
        f"""WHEN NOT contains(line, '"') THEN split(line, {literal(cut)}, -1) """
        f"WHEN {line} RLIKE {literal(whole)} THEN regexp_extract_all({line}, {literal(one)}, 1) END"
    )


def field(position: int) -> str:
    """Return SQL for one of ``fields`` without its quotes; null when it says "no value"."""
    value = f"fields[{position}]"
    bare = f"""replace(substring({value}, 2, char_length({value}) - 2), '""', '"')"""
    return cell(f"""(CASE WHEN startswith({value}, '"') THEN {bare} ELSE {value} END)""")


def cell(text: str) -> str:
    """Return SQL for text, null when it says "no value"."""
    return f"CASE WHEN {text} NOT IN ({', '.join(map(literal, NULL_WORDS))}) THEN {text} END"


def as_text(column: str, source: str) -> str:
    """Return SQL for a column as text; years of more than four digits have no sign."""
    return f"trim(LEADING '+' FROM string({column}))" if source == "date" else f"string({column})"


def cast(column: str, kind: str, source: str, writing: Writing) -> str:
    """Return SQL for a column as its kind, null where it is not one.

    Parameters
    ----------
    source
        Spark's name for the type of the column.
    writing
        How it is written, where it is text.
    """
    if kind in ("text", "id"):
        plain = text(column, source)
        is_value = f"NOT rlike({plain}, {pattern(ERROR_CELL)})"
        if kind == "id":
            is_value += f" AND lower({plain}) NOT IN ({', '.join(map(literal, NO_ID_WORDS))})"
        return f"CASE WHEN {is_value} THEN {plain} END"
    target, written = TYPES[kind], as_text(column, source)
    own = source == "date" if kind == "date" else source in NUMBERS
    if own:
        value = column
    elif kind == "date":
        value = _day(written)
        if writing.dates:
            value = f"coalesce(try_cast({value} AS DATE), {_written_day(written, writing)})"
    elif kind == "days":
        value = _days(written, writing)
    elif kind == "rate":
        value = _rate(written, target, writing)
    else:
        number, dashes = _number(written, target, writing), ", ".join(map(literal, DASHES))
        value = f"coalesce({number}, CASE WHEN {text(column, source)} IN ({dashes}) THEN 0 END)"
    whole = f"try_cast({value} AS {target})"
    if kind == "days":
        return f"CASE WHEN {value} = {whole} AND {whole} BETWEEN {-MOST_DAYS} AND {MOST_DAYS} THEN {whole} END"
    if kind == "date" and own:  # the range of Python's dates
        return f"CASE WHEN {column} BETWEEN DATE'0001-01-01' AND DATE'9999-12-31' THEN {column} END"
    return whole


def text(column: str, source: str) -> str:
    """Return SQL for a column as text without stray blanks, null where nothing is left."""
    return f"nullif(trim(BOTH {literal(SEPARATORS)} FROM {as_text(column, source)}), '')"


def _day(text: str) -> str:
    day = r"((?!0000)\d{4}([-/])\d{1,2}\2\d{1,2})"
    written = rf"\A{BLANK}*{day}(?:[ T]\d{{1,2}}:[^\n]*)?{BLANK}*\z"
    # the embedded engine reads it as a date
    alone = rf"\A({{}}([-/ \\])\d{{{{1,2}}}}\2\d{{{{1,2}}}}){SPACE}*\z"
    short, early = (literal(alone.format(year)) for year in (r"(?!0000)\d{4}", r"(?!0+\D)\d{1,3}"))
    day_text = (
        f"CASE WHEN char_length({text}) = 10 AND ascii({text}) BETWEEN 48 AND 57 "
        f"THEN coalesce(nullif(regexp_extract({text}, {short}, 1), ''), "
        f"concat('000', regexp_extract({text}, {early}, 1))) "
        f"ELSE regexp_extract({text}, {literal(written)}, 1) END"
    )
    return f"translate({day_text}, '/ \\\\', '---')"


def _written_day(text: str, writing: Writing) -> str:
    """Return SQL for the date that a text says in one of the forms of `forms`."""
    plain = f"lower(trim(BOTH {literal(SEPARATORS)} FROM {text}))"
    if writing.dates == "serial":
        return f"date_add(DATE'1899-12-30', try_cast(regexp_extract({plain}, {pattern(forms.SERIAL)}, 1) AS INT))"
    name = f"regexp_extract({plain}, {pattern(forms.MONTH)}, 1)"
    place = f"instr({literal(forms.NAMES)}, concat('.', left({name}, 3)))"
    number = f"lpad(string(({place} + {forms.NAME_WIDTH - 1}) div {forms.NAME_WIDTH}), 2, '0')"
    marked = f"CASE WHEN {name} <> '' THEN replace({plain}, {name}, concat('{{', {number}, '}}')) ELSE {plain} END"
    day = _rewritten(marked, forms.dates(writing), "")
    if not writing.months:
        return f"try_cast({day} AS DATE)"
    month = f"try_cast({_rewritten(marked, forms.OF_MONTHS, '-01')} AS DATE)"
    month = f"last_day({month})" if writing.months == "last" else month
    return f"coalesce(try_cast({day} AS DATE), {month})"


def _rewritten(text: str, patterns: Iterable[tuple[str, tuple[int, ...]]], end: str) -> str:
    """Return SQL for a text that matches a pattern as its groups, the year first; a short year gets its century."""
    cases = "".join(
        f" WHEN t RLIKE {pattern(one)} THEN "
        f"regexp_replace(t, {pattern(one)}, '{'-'.join(f'${group}' for group in groups)}')"
        for one, groups in patterns
    )
    century = f"CASE WHEN left(d, 2) <= '{forms.LAST_SHORT_YEAR}' THEN '20' ELSE '19' END"
    whole = f"concat(CASE WHEN substring(d, 3, 1) = '-' THEN concat({century}, d) ELSE d END, '{end}')"
    return f"transform(transform(array({text}), t -> CASE{cases} END), d -> {whole})[0]"


def pattern(text: str) -> str:
    """Return a pattern of `forms` as SQL: Java's dollar sign also matches before a last line break."""
    return literal(text.replace("$", r"\z"))


def _days(text: str, writing: Writing) -> str:
    named = rf"\A{BLANK}*([+-]?\d{{1,9}}){BLANK}*(?iu:days?|d[ií]as?){BLANK}*\z"
    number = _number(text, "DECIMAL(38,6)", writing)
    return f"coalesce({number}, try_cast(regexp_extract({text}, {literal(named)}, 1) AS DECIMAL(38,6)))"


def _rate(text: str, target: str, writing: Writing) -> str:
    bare = f"trim(BOTH {literal(SEPARATORS)} FROM {text})"
    per_cent = _number(f"left({bare}, char_length({bare}) - 1)", target, writing)
    number = _number(text, target, writing)
    return f"CASE WHEN endswith({bare}, '%') THEN {per_cent} * 0.01BD ELSE {number} END"


def _number(text: str, target: str, writing: Writing) -> str:
    group, point = (".", ",") if writing.decimal_mark == "," else (",", ".")
    grouped = rf"\A{BLANK}*[+-]?[1-9]\d{{0,2}}(?:\x{ord(group):02x}\d{{3}})+(?:\x{ord(point):02x}\d+)?{BLANK}*\z"
    ungrouped = f"replace(replace({text}, '{group}', ''), '{point}', '.')"
    plain = text
    if writing.decimal_mark == ",":
        plain = f"CASE WHEN NOT contains({text}, '.') THEN replace({text}, ',', '.') END"
    mantissa = rf"\A{SPACE}*[+-]?(?:\d+\.?\d*|\.\d+)"
    simple = rf"{mantissa}{SPACE}*\z"
    power = rf"{mantissa}[eE][+-]?0*\d{{1,3}}\.?{SPACE}*\z"  # longer exponents are 0 or out of range
    last_point = rf"\.(?={SPACE}*\z)"
    bare = f"regexp_replace({plain}, {literal(last_point)}, '')"
    dressed = f"ELSE {_dressed(text, target, writing.decimal_mark)} " if writing.is_dressed else ""
    return (
        f"CASE WHEN {plain} RLIKE {literal(simple)} THEN try_cast({plain} AS {target}) "
        f"WHEN {text} RLIKE {literal(grouped)} THEN try_cast({ungrouped} AS {target}) "
        f"WHEN {plain} RLIKE {literal(power)} THEN try_cast({bare} AS {target}) {dressed}END"
    )


def _dressed(text: str, target: str, decimal_mark: str) -> str:
    """Return SQL for the number that a text says with a currency, signs or groups (see `forms.dressed`)."""
    minus = f"translate(lower(trim(BOTH {literal(SEPARATORS)} FROM {text})), '{forms.MINUS}', '--')"
    bare = f"regexp_replace({minus}, {pattern(forms.DRESS)}, '{forms.CURRENCY_SIGN}')"
    digits = f"replace(regexp_replace({bare}, '[^0-9{decimal_mark}]', ''), '{decimal_mark}', '.')"
    sign = f"CASE WHEN {bare} RLIKE '[-(]' THEN '-' ELSE '' END"
    is_number = f"{bare} RLIKE {pattern(forms.dressed(decimal_mark))}"
    return f"CASE WHEN {is_number} THEN try_cast(concat({sign}, {digits}) AS {target}) END"


def mask(column: str, key: bytes | None) -> str:
    """Return SQL for the token of a column; with a key, the frame has its blocks beside it."""
    if key is None:
        token = "'redacted'"
    else:
        inner = f"unhex(sha2(concat(hmac_inner, encode({column}, 'UTF-8')), 256))"
        token = f"concat('tok_', left(sha2(concat(hmac_outer, {inner}), 256), 32))"
    return f"CASE WHEN {column} IS NOT NULL THEN {token} END"


def digest(texts: list[str], of_bad: bool = False) -> str:
    """Return SQL for a hash of texts; the frame has the secret beside it. Null where all are null.

    `of_bad`: only of rows that have ``reasons``.
    """
    joined = ", char(31), ".join(f"coalesce({text}, '')" for text in texts)
    value = f"md5(concat(lower(hex(digest_secret)), {joined}))"
    is_any = f"coalesce({', '.join(texts)}) IS NOT NULL"
    which = f"reasons <> '' AND {is_any}" if of_bad else is_any
    return f"CASE WHEN {which} THEN {value} END"


def before(counts: list[int], number: str) -> str:
    """Return SQL for how many rows come before the part of that number."""
    sums = [0]
    for count in counts[:-1]:
        sums.append(sums[-1] + count)
    return f"array({', '.join(f'{s}L' for s in sums)})[{number}]"
