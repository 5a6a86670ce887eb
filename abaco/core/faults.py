"""Faults of settings that pydantic finds, in the words of whoever wrote them: what to write instead."""

from collections.abc import Mapping
from typing import Any

NUMBER, WHOLE, DATE, KEYS = "a number, such as 1500.00", "a whole number", "a date, such as 2025-12-31", "keys below it"
EXPECTED = {  # by the type of the error, as pydantic names it
    "string_type": "text", "bool_type": "true or false", "bool_parsing": "true or false",
    "int_type": WHOLE, "int_parsing": WHOLE, "int_from_float": WHOLE, "int_parsing_size": WHOLE,
    "float_type": NUMBER, "float_parsing": NUMBER, "decimal_type": NUMBER, "decimal_parsing": NUMBER,
    "is_instance_of": f"{NUMBER}, without separators", "finite_number": "a number that is not infinite",
    "date_type": DATE, "date_parsing": DATE, "date_from_datetime_parsing": DATE, "date_from_datetime_inexact": DATE,
    "tuple_type": "a list, such as [one, two]", "list_type": "a list, such as [one, two]",
    "dict_type": KEYS, "model_type": KEYS, "mapping_type": KEYS, "model_attributes_type": KEYS,
    "literal_error": "{expected}", "too_short": "at least {min_length}", "too_long": "at most {max_length}",
    "string_too_short": "{min_length} or more characters", "string_too_long": "{max_length} or fewer characters",
    "greater_than": "more than {gt}", "greater_than_equal": "{ge} or more",
    "less_than": "less than {lt}", "less_than_equal": "{le} or less",
    "decimal_max_digits": "at most {max_digits} digits", "decimal_max_places": "at most {decimal_places} decimals",
    "decimal_whole_digits": "at most {whole_digits} digits before the point",
}  # fmt: skip
UNIONS = ("float", "int", "str", "bool", "date", "Decimal", "[key]")  # parts of a place that no key has


def place(fault: Mapping[str, Any], *above: str) -> str:
    """Return the key that is wrong, with those above it."""
    return ".".join(str(part) for part in (*above, *fault["loc"]) if part not in UNIONS)


def remedy(fault: Mapping[str, Any]) -> str:
    """Return what to write in the place of what is wrong.

    Examples
    --------
    >>> remedy({"type": "less_than_equal", "ctx": {"le": 100}, "msg": "Input should be …", "input": 101})
    'write 100 or less'
    >>> remedy({"type": "value_error", "msg": "Value error, it holds two", "input": 2})
    'it holds two'
    """
    if fault["type"] == "extra_forbidden":
        return "it is not a known key: take it out"
    if fault["type"] == "missing":
        return "it is missing: write it"
    if (form := EXPECTED.get(fault["type"])) is None:
        return fault["msg"].removeprefix("Value error, ")
    bounds = fault.get("ctx", {})
    return "write " + form.format(
        **{name: f"{at:.15g}" if isinstance(at, float) else at for name, at in bounds.items()}
    )


def found(fault: Mapping[str, Any]) -> str:
    """Return what was written, for the end of a sentence.

    Examples
    --------
    >>> [found({"input": value}) for value in ("much", True, None, [1])]
    [", not 'much'", ', not true', ', not nothing', ', not a list']
    """
    value = fault["input"]
    if isinstance(value, str):
        shown = repr(value[:80])
    elif isinstance(value, (Mapping, list, tuple)):
        shown = "keys" if isinstance(value, Mapping) else "a list"
    else:
        shown = "nothing" if value is None else str(value).lower()[:80]
    return f", not {shown}"
