"""Reasons as a code and its values: why a figure is missing, why a row was rejected, what to know about an input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from abaco.core import currencies
from abaco.core.quoting import visible
from abaco.core.reason_words import ENGLISH

JOINTS = {"what": " + ", "columns": " and ", "files": " and "}
JOINTS |= dict.fromkeys(("accounts", "names", "titles", "words"), ", ")
PERCENT = ("low", "high")  # values in per cent
AMOUNTS = ("usd", "other_usd", "late_usd", "found")  # values that are amounts


class Reason:
    """A code of `reason_words.ENGLISH` with the values that fill its places; as text it is English.

    Examples
    --------
    >>> reason = Reason("export_begins_late", export="schedules", since="2025-03-01")
    >>> str(reason)
    'the schedules reach back only to 2025-03-01, too short for the figures'
    >>> Reason.from_dict(reason.as_dict()) == reason
    True
    """

    def __init__(self, code: str, **values: Any):
        self.code, self.values = code, values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reason) and (self.code, self.values) == (other.code, other.values)

    def __hash__(self) -> int:
        return hash((self.code, *self.values.values()))

    def __repr__(self) -> str:
        return f"Reason({self.code!r}, {self.values})"

    def __str__(self) -> str:
        return self.told(ENGLISH)

    def told(self, words: Mapping[str, str]) -> str:
        """Return it with the words of a language, and with the values as they are."""
        return words[self.code].format(**{name: _text(name, value) for name, value in self.values.items()})

    @property
    def root(self) -> Reason:
        """The reason that this one goes back to, of figures that are made of others."""
        return self.values["reason"].root if "reason" in self.values else self

    def as_dict(self) -> dict[str, Any]:
        """Return code and values as JSON can hold them."""
        return {"code": self.code, **{name: _plain(value) for name, value in self.values.items()}}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Reason:
        """Return the reason that `as_dict` wrote down."""
        values = dict(content)
        return cls(values.pop("code"), **{name: _restored(value) for name, value in values.items()})


def _text(name: str, value: Any) -> str:
    if isinstance(value, int):
        return currencies.number(value, 0)
    if name in AMOUNTS:
        return currencies.amount(value)
    if name in PERCENT:
        return currencies.number(value, 2)
    return visible(JOINTS[name].join(value) if name in JOINTS else str(value))


def _plain(value: Any) -> Any:
    if isinstance(value, Reason):
        return value.as_dict()
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, int) else str(value)


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        return Reason.from_dict(value)
    return tuple(value) if isinstance(value, list) else value
