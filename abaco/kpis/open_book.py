"""The book of a run: its tables opened for the KPIs."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals as nw

from abaco.core.errors import InputError
from abaco.engines import Engine
from abaco.ingest.formats import FORMATS
from abaco.ingest.obligors import PAYERS
from abaco.ingest.obligors import TABLE as OBLIGORS
from abaco.ingest.rejected_loans import TABLE as REJECTED_LOANS
from abaco.ingest.tape import complete
from abaco.kpis.book import Book
from abaco.kpis.buckets import counted_from
from abaco.kpis.losses import is_pct, probabilities
from abaco.kpis.statements import accounts

# The settings that say how likely and how grave a default is.
RISK = ("default_probability_pct", "loss_given_default_pct")
EXPORTS = (*FORMATS, "borrowers", PAYERS.name, OBLIGORS.name, REJECTED_LOANS.name)


def risk(default_probability_pct: str, loss_given_default_pct: float) -> dict[str, Any]:
    """Return the risk parameters of the settings as `Book` takes them.

    Raises
    ------
    InputError
        When one of them is not a number from 0 to 100.
    """
    severity = Decimal(str(loss_given_default_pct))
    if not is_pct(severity):
        raise InputError(
            f"calculation.loss_given_default_pct is {loss_given_default_pct}: write a number from 0 to 100"
        )
    return {"default_probability_pct": probabilities(default_probability_pct), "loss_given_default_pct": severity}


def open_book(tables: Path, engine: Engine, ingested: Mapping[str, Any], **parameters: Any) -> Book:
    """Return the book whose tables lie in a run's folder.

    Parameters
    ----------
    tables
        The folder.
    ingested
        The facts of ingestion.
    **parameters
        See `risk`.
    """
    tape = engine.scan(tables / "tape.parquet")
    exports = {n: engine.scan(path) for n in EXPORTS if (path := tables / f"{n}.parquet").exists()}
    as_of = dt.date.fromisoformat(ingested["as_of"] or ingested["date"])
    usd = {name: accounts(ingested.get(name, {})) for name in ("accounts", "filled")}
    unread = {
        table: {dt.date.fromisoformat(day): counts for day, counts in days.items()}
        for table, days in ingested.get("unread", {}).items()
    }
    known = {"unread": unread, "counted_from": counted_from(ingested)}
    known["kept"] = lambda frame: engine.from_arrow(frame.collect("pyarrow").to_native())
    return Book(tape, dates(tape), as_of, exports, **usd, **known, **parameters)


def with_former(book: Book, engine: Engine, former: Mapping[str, str] | None, currency: str) -> Book:
    """Return a book of one date with the balances of the former report as those of the date before.

    Exports with a date before are their own witness of the loans that are there no more.

    Parameters
    ----------
    former
        ``date``, ``tape`` and ``currency`` of the former report, or None.
    currency
        The currency of the book.
    """
    if former is None or len(book.dates) > 1 or former["currency"] != currency:
        return book
    date = dt.date.fromisoformat(former["date"])
    before = engine.scan(Path(former["tape"])).filter(nw.col("measurement_date") == date)
    tape = nw.concat([complete(before), complete(book.tape)])
    return replace(book, tape=tape, dates=[date, *book.dates])


def former_schedules(engine: Engine, former: Mapping[str, str] | None) -> nw.LazyFrame | None:
    """Return the schedules of the former report (see `with_former`), or None."""
    return engine.scan(Path(former["schedules"])) if former and former["schedules"] else None


def dates(tape: nw.LazyFrame) -> list[dt.date]:
    """Return the dates of a tape, oldest first."""
    found = tape.select("measurement_date").unique().collect("pyarrow").to_native()
    return sorted(found.column("measurement_date").to_pylist())
