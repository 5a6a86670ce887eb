"""What the availability of a facility would be: the borrowing base again, after one change and all else as it is."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals as nw

from abaco.core.decimals import rounded, wide
from abaco.core.errors import InputError
from abaco.engines import Engine
from abaco.ingest.columns import ZERO
from abaco.kpis.book import Book
from abaco.kpis.bridge import first_day
from abaco.kpis.catalog import Definition
from abaco.kpis.concentration import borrower_label
from abaco.kpis.contributors import names
from abaco.kpis.facilities import limits
from abaco.kpis.facilities.availability import rate_of
from abaco.kpis.facilities.borrowing_base import cells, lines, uses
from abaco.kpis.facilities.covenant import Covenant
from abaco.kpis.facilities.eligibility import is_pledged, pool
from abaco.kpis.facilities.facility import OTHERWISE, AdvanceRate, Facilities, Facility
from abaco.kpis.facilities.lines import NOTHING

AS_IT_IS, ALL = "as it is", "all of them"
ASKED = ("net_eligible", "borrowing_base", "availability")
Rows = list[dict[str, Any]]


class WhatIf:
    """A facility on the date of a book, and what its borrowing base would be.

    Parameters
    ----------
    key
        The facility.
    facilities
        All facilities: loans that none of them has can be pledged.
    work
        A folder for temporary files.

    Raises
    ------
    InputError
        When the facility is not open on the date.
    """

    def __init__(self, key: str, facilities: Facilities, book: Book, engine: Engine, work: Path):
        self.facility, self.date = facilities[key], book.date
        if not self.facility.is_open(self.date):
            raise InputError(
                f"Facility {key} runs from {self.facility.begins} to {self.facility.ends}, so it has no borrowing base "
                f"on {self.date}"
            )
        tape = book.tape.lazy().filter(nw.col("measurement_date") == self.date)
        self.key, self._others, self._engine, self._work = key, facilities, engine, work
        self._book = replace(book, tape=tape, dates=[self.date])
        self._use = uses(key, self.facility, self._book)[self.date]
        due = tape.select("loan_id", due="maturity_date")
        rows = pool(key, self.facility, self._book).join(due, on="loan_id", how="left")
        self._pool = limits.kept(rows, engine, work / "what_if.parquet")
        self.now = self._base(self._pool)

    def _base(self, rows: nw.LazyFrame, facility: Facility | None = None) -> dict[str, Decimal | None]:
        facility = facility or self.facility
        limited = limits.with_excess(rows, facility, self._engine, self._work)
        found = lines(self.key, facility, cells(limited, facility).get(self.date, ()), self._use)
        return {line["kind"]: line["amount_usd"] for line in found if line["kind"] in ("pool", "eligible", *ASKED)}

    def _row(self, case: Any, base: Mapping[str, Decimal | None], **more: Any) -> dict[str, Any]:
        now, then = self.now["availability"], base["availability"]
        usd = {f"{kind}_usd": base[kind] for kind in ASKED}
        return {"case": case, **more, **usd, "change_usd": None if None in (now, then) else then - now}

    def borrowers_stop(self, largest: int) -> Rows:
        """Return the base if the largest borrowers stopped paying: none of their loans is eligible any more.

        Parameters
        ----------
        largest
            The most borrowers that stop, by their eligible balance: one more a row, from none on.
        """
        held = self._pool.filter((nw.col("left") > 0) & ~nw.col("borrower").is_null())
        held = held.group_by("borrower").agg(usd=nw.col("left").sum(), loans=nw.len())
        found = held.with_columns(less=-nw.col("usd")).sort("less", "borrower").head(largest).collect("pyarrow")
        called = self._borrowers()
        rows, out = [self._row(0, self.now, last=None, loans=None, eligible_usd=None)], []
        for row in found.to_native().to_pylist():
            out.append(row["borrower"])
            stopped = nw.col("borrower").is_in(out).fill_null(False)
            more = {"last": called[row["borrower"]], "loans": row["loans"], "eligible_usd": row["usd"]}
            rows.append(self._row(len(out), self._base(_ineligible(self._pool, stopped)), **more))
        return rows

    def _borrowers(self) -> dict[int, str]:
        found = self._book.export("borrowers").select("borrower", "borrower_id").unique().collect("pyarrow")
        return {row["borrower"]: borrower_label(row) for row in found.to_native().to_pylist()}

    def rates_fall(self, points: Decimal) -> Rows:
        """Return the base if an advance rate fell by so many points, one row per rate, and one if all of them did."""
        advance = self.facility.advance_rate
        classes = [*advance.rates, *([OTHERWISE] if advance.otherwise else [])] or [ALL]
        cases = [[name] for name in classes] + ([classes] if len(classes) > 1 else [])
        rows = [self._row(AS_IT_IS, self.now)]
        for case in cases:
            lowered = self.facility.model_copy(update={"advance_rate": _lowered(advance, case, points)})
            rows.append(self._row(case[0] if len(case) == 1 else ALL, self._base(self._pool, lowered)))
        return rows

    def arrears_rise(self, points: Decimal) -> Rows:
        """Return the base if so many per cent of the pool fell late, the same part of every eligible loan."""
        late, eligible = self.now["pool"] * points / 100, self.now["eligible"]
        kept = max(1 - late / eligible, Decimal(0)) if eligible else Decimal(1)
        less = (wide(nw.col("left")) * nw.lit(rounded(kept, 6)).cast(nw.Decimal(7, 6))).cast(nw.Decimal(18, 2))
        fallen = self._pool.with_columns(left=less)
        return [self._row(AS_IT_IS, self.now), self._row(f"{points.normalize():f} points", self._base(fallen))]

    def repaid(self, until: dt.date) -> Rows:
        """Return the base if the loans that mature until a date were repaid, and nothing lent instead."""
        is_due = ((nw.col("due") > self.date) & (nw.col("due") <= until)).fill_null(False)
        counted = self._pool.filter(is_due & (nw.col("balance") > 0)).select(
            loans=nw.len(), balance_usd=nw.col("balance").sum(), eligible_usd=nw.col("left").sum()
        )
        [due] = counted.collect("pyarrow").to_native().to_pylist()
        due = {name: NOTHING if value is None else value for name, value in due.items()}
        none = dict.fromkeys(due)
        return [
            self._row(AS_IT_IS, self.now, **none),
            self._row(f"to {until}", self._base(self._pool.filter(~is_due)), **due),
        ]

    def pledging(self, wanted: Decimal, key: bytes | None, limit: int) -> Rows:
        """Return the loans to pledge, one more a row, until the availability is as wanted or there are no more.

        Those of no facility that meet the criteria, what gives most first. Limits count, so a loan may give less than
        its balance at the advance rate, or nothing.

        Parameters
        ----------
        wanted
            The availability to reach: with 0 a deficiency is cured.
        key
            The masking key; without one loans have numbers.
        limit
            The most loans.
        """
        now = self.now["availability"]
        if now is None or now >= wanted:
            return []
        taken = nw.lit(False)
        for name, one in self._others.items():
            taken = taken | is_pledged(name, one).fill_null(False)
        free = self._book.tape.filter(~taken).select("loan_id")
        whole = self.facility.model_copy(update={"pledged": "all"})
        rows = pool(self.key, whole, self._book).join(free, on="loan_id", how="semi").filter(nw.col("left") > 0)
        gives = wide(nw.col("left")) * rate_of(self.facility.advance_rate)
        first = rows.with_columns(gives=gives).sort("gives", "loan_id", descending=[True, False]).head(limit)
        found = first.collect("pyarrow").to_native().to_pylist()
        called = names((row["loan_id"] for row in found), key, "Pledged loan")
        own, pledged, chosen = pool(self.key, self.facility, self._book), [], []
        for row in found:
            chosen.append(row["loan_id"])
            base = self._base(nw.concat([own, rows.filter(nw.col("loan_id").is_in(chosen))]))
            more = {"balance_usd": row["balance"], "gives_usd": rounded(row["gives"] / 100, 2)}
            pledged.append(self._row(called[row["loan_id"]], base, **more))
            if base["availability"] >= wanted:
                break
        return pledged


def _ineligible(rows: nw.LazyFrame, is_out: nw.Expr) -> nw.LazyFrame:
    reason = nw.when(is_out & nw.col("reason").is_null()).then(nw.lit("what_if")).otherwise(nw.col("reason"))
    left = nw.when(is_out).then(ZERO).otherwise(nw.col("left")).cast(nw.Decimal(18, 2))
    return rows.with_columns(reason=reason, left=left)


def _lowered(advance: AdvanceRate, classes: Iterable[str], points: Decimal) -> AdvanceRate:
    if advance.rate is not None:
        return advance.model_copy(update={"rate": max(advance.rate - points, Decimal(0))})
    fallen = {name: max(rate - points, Decimal(0)) for name, rate in advance.rates.items() if name in classes}
    changes: dict[str, Any] = {"rates": {**advance.rates, **fallen}}
    if OTHERWISE in classes and advance.otherwise:
        changes["otherwise"] = max(advance.otherwise - points, Decimal(0))
    return advance.model_copy(update=changes)


def covenants_if_arrears_rise(
    facility: Facility, held: Mapping[str, Mapping[str, Any]], definitions: Mapping[str, Definition], points: Decimal
) -> Rows:
    """Return the covenants on portfolios at risk if these rose by so many points on the date.

    Parameters
    ----------
    held
        The facility's ``covenants`` in metrics.json.

    Returns
    -------
    list of dict
        A mean over months rises by the part of one month; without a value there is no row.
    """
    rows = []
    for name, covenant in facility.covenants.items():
        value = held[name]["value"]
        if value is None or covenant.kpi is None or first_day(definitions[covenant.kpi]) is None:
            continue
        then = Decimal(str(value)) + points / _months(covenant)
        better = held[name]["better"]
        rows.append({"covenant": name, "measured": covenant.title, "value": value, "level": held[name]["level"],
                     "value_then": rounded(then, 4), "level_then": covenant.level(then, better)})  # fmt: skip
    return rows


def _months(covenant: Covenant) -> int:
    return covenant.window.months if covenant.window and covenant.window.take == "mean" else 1
