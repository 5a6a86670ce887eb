"""Input files: one table each, what is read of it, and whether it changed since it was found."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from abaco.core import currencies, yaml
from abaco.core.errors import InputError
from abaco.core.files import sha256
from abaco.core.people import without_people
from abaco.core.quoting import is_value
from abaco.ingest import heading_words, lateness, mappings, said_currencies, workbooks
from abaco.ingest.columns import (
    DAYS_PAST_DUE,
    IS_WRITTEN_OFF,
    LOAN_STATUS,
    MEASUREMENT_DATE,
    REGION,
    REGION_OR_STATUS,
    RESTRUCTURED,
    normalise,
)
from abaco.ingest.containers import TableFile
from abaco.ingest.contract import Format
from abaco.ingest.formats import FORMATS
from abaco.ingest.layout import PART, Layout, layout
from abaco.ingest.reshaping import TRANSPOSED

STAMPS = ("bytes", "modified_ns", "changed_ns")
RECENT_NS = 3600 * 10**9  # clocks of file systems tick coarsely: a later time proves a change, the same one does not


@dataclass(frozen=True)
class Source:
    """One table of the input: where it lies, how it is written, and the fingerprint of its file.

    Parameters
    ----------
    first_line, last_line
        The lines, from 1, of the header (of two rows the second one), and of the last row where others stand below.
    above, below
        How many rows with cells stand above the header, and how many lines below the last row of a text.
    lines, delimiters
        Of text: its lines up to the last row, and the delimiters outside quotes from the header on.
    member, sheet, rows_in
        The file in an archive, the sheet of a workbook, and the keys that lead to the list of rows in JSON.
    is_1904
        Whether the days of its workbook count from 1904.
    shape
        ``transposed`` or ``wide`` (see `reshaping`), then `headings` are those of the table that it becomes.
    cell_date, said_date, named_date
        The date in the cell that its mapping names, the one that rows above a table without dates say it is of, and the
        one in the name of its sheet or file.
    signs
        The signs of currencies in the number formats of a sheet, each with the place of its column.
    currency_place, said_currencies
        The position of a column of currencies that no heading names, and those above the table and in its name.
    """

    name: str
    path: str
    kind: str
    format_name: str
    headings: tuple[str, ...]
    bytes: int
    modified_ns: int
    changed_ns: int
    sha256: str
    first_line: int = 1
    lines: int | None = None
    delimiters: int | None = None
    encoding: str | None = None
    delimiter: str | None = None
    other_sheets: int = 0
    hidden_sheets: int = 0
    hidden_rows: int = 0
    mapping_name: str = ""
    mapping_sha256: str = ""
    last_line: int | None = None
    above: int = 0
    below: int = 0
    member: str | None = None
    sheet: str | None = None
    rows_in: str | None = None
    is_1904: bool = False
    shape: str = ""
    cell_date: str | None = None
    said_date: str | None = None
    named_date: str | None = None
    signs: tuple[tuple[int, str], ...] = ()
    currency_place: int | None = None
    said_currencies: tuple[str, ...] = ()

    @property
    def file(self) -> TableFile:
        """The file that it lies in."""
        return TableFile(Path(self.path), self.name, self.kind, self.member)

    @property
    def is_workbook(self) -> bool:
        """Whether it is a sheet."""
        return self.kind in workbooks.KINDS

    @property
    def is_text(self) -> bool:
        """Whether its cells are read as text: those of CSV, and of sheets, which become CSV."""
        return self.kind == "csv" or self.is_workbook

    @property
    def as_written(self) -> Source:
        """The same as it stands in the file, whatever its shape: of a transposed one all lines."""
        first_line = 1 if self.shape == TRANSPOSED else self.first_line
        return replace(self, shape="", first_line=first_line)

    @property
    def key(self) -> str:
        """What no other table of an input shares, with its content."""
        return f"{self.sha256} {self.member or ''} {self.sheet or ''}"

    @functools.cached_property
    def mapping(self) -> mappings.Mapping:
        """The mapping that it was recognised by."""
        if mappings.digest(self.mapping_name) != self.mapping_sha256:
            raise InputError(f"{mappings.FOLDER}/{self.mapping_name}.yml changed meanwhile: run again")
        return mappings.load(self.mapping_name)

    @property
    def format(self) -> Format:
        """The contract of this file."""
        return FORMATS[self.format_name]

    @functools.cached_property
    def layout(self) -> Layout:
        """What is read of the file, and what is made of it."""
        path = Path(self.path, self.member or "")
        return layout(self.mapping, list(self.headings), path, self.cell_date, self.currency_place)

    @property
    def columns(self) -> Mapping[str, str]:
        """What to call each column that the contract keeps: its heading in the file, or how it is made."""
        return self.layout.columns

    def heading(self, name: str) -> str:
        """Return the heading of a column that is read."""
        return self.headings[self.layout.inputs[name]].strip()

    @property
    def amount_signs(self) -> set[str]:
        """The signs and words of currencies in the title, and in the formats and headings of amounts that are read."""
        others = {column.name for column in self.format.columns if column.kind != "amount"}
        places = {place for name, place in self.layout.inputs.items() if name not in others}
        said = currencies.signs_in if self.mapping.is_known else said_currencies.in_heading
        written = {sign for place in places for sign in said(self.headings[place])}
        return written | {sign for place, sign in self.signs if place in places} | {*self.said_currencies}

    @property
    def first_days(self) -> tuple[int, ...]:
        """The first days of the buckets in which it gives days past due; empty where it gives the days themselves."""
        given = self.mapping.columns.get(DAYS_PAST_DUE.name)
        return given.first_days if given else ()

    @property
    def counted_from(self) -> dict[int, int]:
        """The day from which on it counts each limit of days past due."""
        return {days: lateness.counted_from(days, self.first_days, self.columns) for days in lateness.DAYS}

    @property
    def says_rate(self) -> bool:
        """Whether its mapping says how interest rates are written."""
        origin = self.mapping.columns.get("interest_rate")
        return origin is not None and origin.as_ is not None

    @property
    def tells_restructured(self) -> bool:
        """Whether its mapping has a status for restructured loans, so that the others are not."""
        origin = self.mapping.columns.get(LOAN_STATUS.name)
        return origin is not None and RESTRUCTURED in origin.words.values()

    @property
    def settled(self) -> set[str]:
        """The statuses, in lower case, that its mapping settles by another column, such as days past due."""
        origins = self.mapping.columns
        status = origins.get(LOAN_STATUS.name)
        of_status = [one for one in origins.values() if status and one.heading and one.heading == status.heading]
        return {word.strip().lower() for one in of_status for word in one.words}

    @property
    def is_region_or_status(self) -> bool:
        """Whether its column of regions may be one of statuses: it is called ``estado``, and no other is there."""
        is_named = self.mapping.is_known and normalise(self.columns.get(REGION.name, "")) == REGION_OR_STATUS
        return is_named and self.columns.keys().isdisjoint((LOAN_STATUS.name, IS_WRITTEN_OFF.name))

    @property
    def left_behind(self) -> list[str]:
        """Headings that the contract does not name, without what looks like a value; their columns are not read."""
        positions = set(self.layout.inputs.values())
        left = [h.strip() for i, h in enumerate(self.headings) if i not in positions and h and not is_value(h)]
        return [without_people(heading, any_case=" " in heading) for heading in left]

    @property
    def unmentioned(self) -> dict[str, list[str]]:
        """Headings of our columns that its mapping neither reads nor leaves behind, with these columns."""
        return self.mapping.unmentioned([heading.strip() for heading in self.headings if heading.strip()])

    def check_mentioned(self) -> None:
        """Raise when a column that its mapping does not know changes what its rows count as.

        Raises
        ------
        InputError
            Naming the heading, what it says, and both ways to mention it in the mapping.
        """
        for heading, names in self.unmentioned.items():
            if {*names} <= mappings.WEIGHTY - self.mapping.columns.keys():
                means = {column.name: column.meaning for column in (*self.format.columns, MEASUREMENT_DATE)}
                name = yaml.flow(heading)
                dated = " with rows: loan and date" if names[0] == MEASUREMENT_DATE.name else ""
                raise InputError(
                    f"{self.name}: the heading {heading} says {means[names[0]]}, which changes figures, and "
                    f"{mappings.FOLDER}/{self.mapping_name}.yml does not know it: write {names[0]}: {name} under its "
                    f"columns{dated}, or left_behind: [{name}], or draft it again"
                )

    @property
    def lent_as_balance(self) -> str:
        """The heading of its balances where it says the amount lent; empty where they are what is left."""
        name, lent = self.format.balance, "disburse_principal"
        places = {place for key, place in self.layout.inputs.items() if key.partition(PART)[0] == name}
        if len(places) != 1:
            return ""
        [place] = places
        heading = self.headings[place].strip()
        means = heading_words.load().columns_of(heading)
        is_lent = place == self.layout.inputs.get(lent) or (lent in means and "outstanding_balance" not in means)
        return heading if is_lent else ""

    def without(self, column: str) -> Source:
        """Return the same table as if it did not have one of our columns."""
        headings = ["" if i == self.layout.inputs[column] else h for i, h in enumerate(self.headings)]
        return replace(self, headings=tuple(headings))

    def as_dict(self) -> dict:
        """Return the fields as JSON can hold them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Source:
        """Return the source that `as_dict` wrote down."""
        signs = tuple((place, sign) for place, sign in content["signs"])
        lists = {name: tuple(content[name]) for name in ("headings", "said_currencies")}
        return cls(**{**content, **lists, "signs": signs})


def identities(sources: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return what the rows of some sources, as dicts, depend on: the names and hashes of the files and mappings."""
    keys = ("name", "sha256", "mapping_name", "mapping_sha256")
    return [{key: source[key] for key in keys} for source in sources]


def check_unchanged(planned: list[dict], read: list[dict]) -> None:
    """Check that files were read as they were when a run was planned: the same files, byte by byte.

    Parameters
    ----------
    planned
        Sources as dicts.
    read
        ``name`` and ``sha256`` of each file that was read.

    Raises
    ------
    InputError
        Naming the first file that is another one.
    """
    hashes, found = ({s["name"]: s["sha256"] for s in files} for files in (planned, read))
    changed = [name for name in sorted(hashes | found) if hashes.get(name) != found.get(name)]
    if changed := changed or [s["name"] for s in planned if _has_changed(s)]:
        raise InputError(f"{changed[0]} changed while it was read: wait until it is complete, then run again")


def _has_changed(source: dict) -> bool:
    try:
        stat = Path(source["path"]).stat()
        if (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) != tuple(source[k] for k in STAMPS):
            return True
        is_recent = time.time_ns() - stat.st_ctime_ns < RECENT_NS
        return is_recent and sha256(Path(source["path"])) != source["sha256"]
    except OSError:  # it is gone
        return True
