"""Origins: where one of our columns comes from in a lender's file, and how its values are written."""

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from abaco.core.dates import parse_date
from abaco.core.errors import InputError
from abaco.ingest import lateness
from abaco.ingest.columns import Column
from abaco.ingest.formulas import Formula
from abaco.ingest.reshaping import NUMBERS
from abaco.ingest.scales import factor_of, scales_in
from abaco.ingest.words import STRICT

NOT_LATE = "not late"  # what a word of days past due means that are 0, and not those of the first bucket
OPEN = "?"  # stands in a draft for an answer
# Ways to say where a column comes from, of which it has one.
ORIGINS = ("heading", "compute", "since", "constant", "file_name", "folder", "cell")
CELL = re.compile(r"[A-Z]{1,3}[1-9]\d{0,3}")
PLACES = {
    "year": r"(?P<year>(?:19|20)\d\d)", "month": r"(?P<month>0[1-9]|1[0-2])", "day": r"(?P<day>[0-3]\d)",
    "month_name": rf"(?<![^\W\d_])(?P<month_name>(?:{'|'.join(NUMBERS)})[^\W\d_]*)",
}  # fmt: skip

# a heading whose numbers are of months, and not of days
IN_MONTHS = re.compile(
    r"(?i)^(?!.*(?:days?|d[ií]as?|tage?|dias|jours)(?![^\W_])).*(?<![^\W_])(?:months|meses|mois|monate)(?![^\W_])"
)


def _text(value: Any) -> Any:
    """Return a number or date of YAML as it is written; yes and no, which YAML takes for truth, are refused."""
    if isinstance(value, bool):
        raise ValueError('is yes or no to YAML: write it in quotes, such as "No"')
    if value == OPEN:
        raise ValueError("the draft asks this: write the answer")
    return value if isinstance(value, (list, dict)) else str(value)


Text = Annotated[str, BeforeValidator(_text)]


def listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Headings = Annotated[list[Text], BeforeValidator(listed), Field(min_length=1)]


class Origin(BaseModel):
    """Where one of our columns comes from, and how its values are written.

    A bare text or list is short for `heading`: of several headings the first that a file has is read. `compute` is a
    sum of headings (see `formulas`), `since` the heading of a due date, from which days are counted, and `constant` a
    value of every row; `file_name` and `folder` are patterns with the ``{year}``, ``{month}`` (or ``{month_name}``) and
    ``{day}`` of a date, and `cell` is the address, such as B2, of one above the header that has it.
    `words` says what words of the file are on our side, such as 31 for "Late (31-60 days)"; "" is an empty cell.
    `as` and `per` are those of rates, `unit` that of days, a month of 30, and `sign` that of amounts. `dates`, `months`
    and `decimal_mark` say how one column is written, as those of the mapping do for all.
    """

    model_config = STRICT
    heading: Headings | None = None
    compute: Text | None = None
    since: Text | None = None
    constant: Text | None = None
    file_name: Text | None = None
    folder: Text | None = None
    cell: Text | None = None
    words: dict[Text, Text] = Field(default_factory=dict)
    as_: Literal["fraction", "percent"] | None = Field(None, alias="as")
    per: Literal["year", "month"] = "year"
    sign: Literal["as written", "reversed"] = "as written"
    unit: Literal["days", "months"] = "days"
    dates: Literal["ymd", "dmy", "mdy"] | None = None
    months: Literal["first", "last"] | None = None
    decimal_mark: Literal["point", "comma"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else {"heading": value}

    @model_validator(mode="after")
    def _one(self) -> "Origin":
        given = [name for name in ORIGINS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(ORIGINS)}, and not {' and '.join(given) or 'none'}")
        if self.words and self.heading is None and self.compute is None:
            raise ValueError("words are those of a column: give its heading, or compute")
        return self

    @property
    def is_converted(self) -> bool:
        """Whether its numbers are in another unit than ours."""
        return self.factor != 1 or self.as_ == "percent"

    @property
    def factor(self) -> Decimal:
        """What numbers are multiplied by, but for per cent with a sign."""
        reversed_ = -1 if self.sign == "reversed" else 1
        return Decimal(reversed_ * (12 if self.per == "month" else 1) * (30 if self.unit == "months" else 1))

    @property
    def first_days(self) -> tuple[int, ...]:
        """The first days of the buckets that words or months of days past due stand for; empty where they are days.

        A word for 0 days alone is not a bucket: "Current" beside numbers. What is `NOT_LATE` is 0 days late, where a
        word for 0 reaches to the next bucket.
        """
        words = {int(value_of(meaning, "days")) for meaning in self.words.values() if meaning}
        words |= {1} if NOT_LATE in self.words.values() else set()
        buckets = (words if any(words) else set()) | set(lateness.MONTHS if self.unit == "months" else ())
        return tuple(sorted(buckets))

    @property
    def formula(self) -> Formula | None:
        """What is computed of several headings."""
        return Formula.parse(self.compute) if self.compute is not None else None

    @property
    def headings(self) -> list[list[str]]:
        """The headings that are read, each with those that may stand in its place."""
        if self.formula:
            return [[heading] for heading in self.formula.headings]
        return [self.heading or [self.since]] if self.heading or self.since else []


def check(column: Column, origin: Origin) -> None:
    """Raise when a column cannot come from where a mapping says."""
    if column.personal and (origin.heading is None or origin.words):
        raise ValueError(f"columns: {column.name} is personal, and masked as it is read: give its heading only")
    if origin.formula and column.kind not in ("amount", "rate", "days"):
        raise ValueError(f"columns: {column.name} is not a number: give its heading")
    dated = "days" if origin.since is not None else "date"
    kinds = {"as_": "rate", "per": "rate", "unit": "days", "sign": "amount", "dates": dated, "months": dated}
    for key, kind in kinds.items():
        if column.kind != kind and getattr(origin, key) != Origin.model_fields[key].default:
            raise ValueError(
                f"columns: {column.name} is not {'an' if kind == 'amount' else 'a'} {kind}: leave out {key.rstrip('_')}"
            )
    if column.kind == "days" and not origin.words and "unit" not in origin.model_fields_set:
        for heading in filter(IN_MONTHS.search, origin.heading or ()):
            raise ValueError(f"columns: {column.name}: {heading} says months: add unit: months, or unit: days")
    if column.kind == "amount":
        for heading in origin.heading or ():
            if scales := scales_in([heading]):
                ways = " or ".join(f'"[{heading}] * {factor_of(scale)}"' for scale in scales)
                told = " or ".join(scales)
                raise ValueError(f"columns: {column.name}: {heading} says {told}: write compute: {ways}")
    if origin.since is not None and column.kind != "days":
        raise ValueError(f"columns: {column.name} is not a number of days: give its heading")
    for meaning in (*origin.words.values(), *([origin.constant] if origin.constant is not None else ())):
        if meaning:
            value_of(meaning, column.kind, column.name)
    for key in ("file_name", "folder"):
        pattern = getattr(origin, key)
        if pattern is not None and (column.kind != "date" or "{year}" not in pattern or "{month" not in pattern):
            raise ValueError(f"columns: {column.name}: {key} gives dates, by {{year}}, {{month}} and {{day}}")

    if origin.cell is not None and (column.kind != "date" or not CELL.fullmatch(origin.cell)):
        raise ValueError(f"columns: {column.name}: cell gives dates, by an address such as B2")


def value_of(text: str, kind: str, name: str = "") -> str | int | Decimal | dt.date:
    """Return the value of a kind (see `columns.KINDS`) that a mapping writes out.

    Raises
    ------
    ValueError
        Naming the column and what is allowed.
    """
    try:
        if kind == "date":
            return parse_date(text)
        if kind == "days":
            return 0 if text == NOT_LATE else int(text)
        return Decimal(text) if kind in ("amount", "rate") else text
    except (InputError, ValueError, InvalidOperation):
        forms = {"date": "a date, YYYY-MM-DD", "days": f"a whole number, or {NOT_LATE}"}
        form = forms.get(kind, "a number, with a decimal point")
        raise ValueError(f"columns: {name}: {text!r} is not {form}") from None


def date_in(pattern: str, text: str) -> tuple[int, int, int | None] | None:
    """Return year, month and day (None: not said) that a text has at the places of a pattern.

    Examples
    --------
    >>> date_in("loans_{year}-{month}", "loans_2025-11.csv"), date_in("{year}{month}{day}", "no date")
    ((2025, 11, None), None)
    >>> date_in("{month_name} {year}", "Cartera Diciembre 2025.xlsx")
    (2025, 12, None)
    """
    parts = re.split(r"(\{(?:year|month|month_name|day)\})", pattern)
    regex = "".join(PLACES[part[1:-1]] if part[:1] == "{" else re.escape(part) for part in parts)
    found = re.search(regex, text, re.IGNORECASE)
    if found is None:
        return None
    said = found.groupdict()
    month = int(said["month"]) if "month" in said else NUMBERS[said["month_name"][:3].lower()]
    return int(said["year"]), month, int(said["day"]) if "day" in said else None
