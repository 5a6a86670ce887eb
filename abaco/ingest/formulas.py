"""Formulas of mappings: sums, differences and products of a file's headings and numbers, computed exactly.

A heading is a word (``loan_amount``) or stands in brackets (``[Principal Outstanding]``). There is no division, which
is not exact: 10 per cent of a column is ``0.1 * [Fee]``.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import narwhals as nw

_HEADING = r"(?P<heading>(?:[^\[\]]|\[[^\[\]]*\])+)"  # which may have brackets of its own
TOKEN = re.compile(rf"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<word>[^\W\d]\w*)|\[{_HEADING}\]|(?P<sign>[-+*()]))")
MAX_LENGTH = 500
Term = Callable[[Mapping[str, nw.Expr]], nw.Expr]


@dataclass(frozen=True)
class Formula:
    """A formula over headings.

    Parameters
    ----------
    headings
        The headings that it reads, in order, each once.
    value
        Returns the value, given that of each heading.
    """

    headings: tuple[str, ...]
    value: Term

    @classmethod
    def parse(cls, text: str) -> "Formula":
        """Return the formula that a text says.

        Raises
        ------
        ValueError
            Naming the place that cannot be read.

        Examples
        --------
        >>> Formula.parse("loan_amount - [Principal Paid]").headings
        ('loan_amount', 'Principal Paid')
        >>> Formula.parse("[Outstanding [Mn]] * 1000000 + [Fee]").headings
        ('Outstanding [Mn]', 'Fee')
        """
        parser = _Parser(text)
        value = parser.sum()
        if parser.tokens:
            raise parser.fault()
        if not parser.headings:
            raise ValueError(f"{text!r} reads no heading: give a constant")
        return cls(tuple(parser.headings), value)


class _Parser:
    def __init__(self, text: str):
        if len(text) > MAX_LENGTH:
            raise ValueError(f"has more than {MAX_LENGTH:,} characters")
        self.text, self.headings, self.tokens, place = text, [], [], 0
        while place < len(text.rstrip()):
            found = TOKEN.match(text, place)
            if not found:
                raise ValueError(
                    f"{text!r} cannot be read from {text[place:].strip()[:20]!r} on: write headings with blanks in "
                    "brackets, joined by + - *"
                )
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            place = found.end()

    def fault(self) -> ValueError:
        at = f"before {self.tokens[0][1]!r}" if self.tokens else "at its end"
        return ValueError(f"{self.text!r} cannot be read {at}: write headings and numbers joined by + - *")

    def sum(self) -> Term:
        value = self.product()
        while self._next("+", "-"):
            sign, left, right = self.tokens.pop(0)[1], value, self.product()
            value = _joined(left, right, (lambda a, b: a + b) if sign == "+" else (lambda a, b: a - b))
        return value

    def product(self) -> Term:
        value = self.term()
        while self._next("*"):
            self.tokens.pop(0)
            value = _joined(value, self.term(), lambda a, b: a * b)
        return value

    def term(self) -> Term:
        if not self.tokens:
            raise self.fault()
        kind, text = self.tokens[0]
        if kind == "sign" and text not in "-(":
            raise self.fault()
        self.tokens.pop(0)
        if kind == "number":
            return lambda _: nw.lit(Decimal(text))
        if kind != "sign":
            heading = text.strip()
            if heading not in self.headings:
                self.headings.append(heading)
            return lambda values: values[heading]
        if text == "-":
            term = self.term()
            return lambda values: nw.lit(Decimal(-1)) * term(values)
        value = self.sum()
        if not self._next(")"):
            raise self.fault()
        self.tokens.pop(0)
        return value

    def _next(self, *signs: str) -> bool:
        return bool(self.tokens) and self.tokens[0][0] == "sign" and self.tokens[0][1] in signs


def _joined(left: Term, right: Term, operation: Callable[[Any, Any], nw.Expr]) -> Term:
    return lambda values: operation(left(values), right(values))
