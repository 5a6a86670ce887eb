"""How a file writes its numbers, column by column: proven by the values of a column, declared, or refused.

``1.500`` is one and a half or fifteen hundred. A column is read with a decimal point or comma only if one of its values
can be read in no other way, or if the rest of the file proves that the mark groups thousands. Where neither holds, the
file is refused with both readings; so is one that has both ``12.50`` and ``1.790`` in a column, unless another value
shows that the column has more than two decimals.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import narwhals as nw

from abaco.core.errors import InputError
from abaco.engines.forms import APART, BLANK, CURRENCY, CURRENCY_SIGN, DRESS, FLAT, FLAT_SIGN, MINUS
from abaco.ingest.sources import Source

AUTO = "auto"
OTHER = {".": ",", ",": "."}
NAMES = {".": "point", ",": "comma"}
DECLARED = {name: mark for mark, name in NAMES.items()}
# What may stand around a number; S groups thousands beside D and G.
_BEFORE, _AFTER = rf"^[\s{BLANK}{CURRENCY_SIGN}(+{MINUS}-]*", rf"[\s{BLANK}{CURRENCY_SIGN}{FLAT_SIGN})%-]*$"
# What a number proves of its decimal mark D, when the other mark G groups thousands.
_PROOF = (
    r"(?:\d*D(?:\d{1,2}|\d{4,})|0?D\d+|\d{4,}D\d+|\d{1,3}(?:G\d{3})+D\d+|\d{1,3}(?:G\d{3}){2,}"
    rf"|\d{{1,3}}(?:G\d{{3}})+[{BLANK}]*{FLAT_SIGN}"
    r"|\d+D\d+[eE][+-]?\d+|\d{1,3}(?:S\d{3})+D\d+|\d{1,2}(?:G\d{2})+G\d{3}(?:D\d+)?)"
)
# The same of more than two decimals.
_FINE = (
    r"(?:\d*D\d{4,}|0?D\d{3,}|\d{4,}D\d{3,}|\d{1,3}(?:G\d{3})+D\d{3,}|\d+D\d+[eE][+-]?\d+|\d{1,3}(?:S\d{3})+D\d{3,})"
)
# Three digits behind the only mark: decimals, or a thousand. A rate is never a thousand.
_OPEN = r"[1-9]\d{0,2}D\d{3}"
PATTERNS = {
    (name, mark): _BEFORE + pattern.replace("D", rf"\{mark}").replace("G", rf"\{OTHER[mark]}") + _AFTER
    for name, pattern in (("proof", _PROOF), ("fine", _FINE), ("open", _OPEN))
    for mark in OTHER
}
PATTERNS = {key: pattern.replace("S", f"[{APART}]") for key, pattern in PATTERNS.items()}
# What is not a plain number, and may be a dressed one (see `forms.dressed`).
PATTERNS["dressed", ""] = (
    rf"[0-9][{APART}][0-9]|[{CURRENCY_SIGN}{FLAT_SIGN}({MINUS}]|[0-9][{BLANK}]*-|[.,][0-9]{{2}}[.,]|[{BLANK[1:]}]"
)
# the patterns tell 0 from the other digits, but not those from each other
SAME_DIGITS = str.maketrans("23456789", "1" * 8)
_CURRENCY, _FLAT = re.compile(CURRENCY), re.compile(FLAT)
COMPILED = {key: re.compile(pattern) for key, pattern in PATTERNS.items()}


def bare(text: nw.Expr) -> nw.Expr:
    """Return text with signs in the place of its currencies, and of what is behind amounts without decimals."""
    return text.str.to_lowercase().str.replace_all(CURRENCY, CURRENCY_SIGN).str.replace_all(FLAT, FLAT_SIGN)


def counts(name: str) -> dict[tuple[str, str], nw.Expr]:
    """Return how many values of a column of `bare` text match each of `PATTERNS`."""
    return {key: nw.col(name).str.contains(pattern).cast(nw.Int64()).sum() for key, pattern in PATTERNS.items()}


def currency_signs(names: Iterable[str]) -> nw.Expr:
    """Return the codes and signs of currencies that stand beside the amounts of a row, joined, or null.

    Parameters
    ----------
    names
        Columns of amounts in text that may have some.
    """
    signs = []
    for name in names:
        text = nw.col(f"raw_{name}").str.to_lowercase().str.replace_all(rf"[0-9][{BLANK}]*{FLAT}", "")
        text = text.str.replace_all(rf"[\s0-9.,%+({APART}{MINUS})-]", "")
        signs.append(nw.when(~nw.col(name).is_null() & (text != "")).then(text))
    return nw.concat_str(signs, separator=" ", ignore_nulls=True) if signs else nw.lit(None).cast(nw.String())


def is_dressed(text: nw.Expr) -> nw.Expr:
    """Return whether a value is not a plain number, and may be a dressed one."""
    return text.str.to_lowercase().str.contains(rf"{DRESS}|{PATTERNS['dressed', '']}")


def evidence(values: Iterable[str]) -> Counter:
    """Return how many values prove each decimal mark, and how many leave it open.

    Examples
    --------
    >>> sorted(evidence(["1.500,50", "1.500", "500"]))
    [('open', '.'), ('proof', ',')]
    """
    shapes = Counter(value.translate(SAME_DIGITS) for value in values if not value.isdecimal())
    found: Counter = Counter()
    for value, count in shapes.items():
        shape = _FLAT.sub(FLAT_SIGN, _CURRENCY.sub(CURRENCY_SIGN, value.lower()))
        found.update({key: count for key, pattern in COMPILED.items() if pattern.search(shape)})
    return found


def decimal_marks(source: Source, found: Mapping[str, Counter], declared: str = AUTO) -> dict[str, str]:
    """Return the decimal mark of each column of numbers.

    Parameters
    ----------
    found
        What the values of each column prove.
    declared
        ``point`` or ``comma`` for all columns of which the mapping of the file does not say it, or ``auto``.

    Raises
    ------
    InputError
        When a mark of a column may be either: naming its heading, both readings and the setting that declares one.
    """
    marks = proven(found, [name for name, kind in source.layout.kinds.items() if kind == "rate"])
    for name, column in found.items():
        said = source.layout.declared[name].get("decimal_mark", declared)
        mark = DECLARED.get(said) or marks[name]
        if mark is None:
            open_ = max(OTHER, key=lambda one: column["open", one])
            heading = source.heading(name)
            such = f'{source.name}: numbers such as "1{open_}500" under {heading} '
            if column["proof", open_] and not column["proof", OTHER[open_]]:
                raise InputError(
                    f'{such}stand among others such as "1{open_}50", and are 1.5, or 1500 written in another way: '
                    f"correct the export, or set ingestion.decimal_mark to {NAMES[open_]} for 1.5"
                )
            raise InputError(
                f"{such}are 1500 or 1.5, and nothing in the file tells which: set ingestion.decimal_mark to "
                f"{NAMES[OTHER[open_]]} for 1500, or to {NAMES[open_]} for 1.5"
            )
        marks[name] = mark
    return marks


def proven(found: Mapping[str, Counter], rates: Collection[str] = ()) -> dict[str, str | None]:
    """Return the decimal mark of each column, as its values or those of the other columns prove it; None: it is open.

    Parameters
    ----------
    found
        What the values of each column prove.
    rates
        The columns of rates.
    """
    of_file = {mark: sum(column["proof", mark] for column in found.values()) for mark in OTHER}
    return {name: _decimal_mark(column, of_file, is_rate=name in rates) for name, column in found.items()}


def _decimal_mark(column: Counter, of_file: Mapping[str, int], is_rate: bool) -> str | None:
    """Return the decimal mark of a column; None where it is open."""
    proof = {mark: column["proof", mark] + is_rate * column["open", mark] for mark in OTHER}
    open_ = [mark for mark in OTHER if column["open", mark] and not is_rate]
    most = max(OTHER, key=lambda mark: (proof[mark], of_file[mark]))
    if not open_ or (proof[most] and not proof[OTHER[most]] and (open_ != [most] or column["fine", most])):
        return most
    grouped = open_[0]
    is_proven = not any(proof.values()) and of_file[OTHER[grouped]] and not of_file[grouped]
    return OTHER[grouped] if len(open_) == 1 and is_proven else None
