"""The currency of a report: the one that all of its exports state, in their headings and in a column."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

import narwhals as nw

from abaco.core.currencies import USD, of_cell
from abaco.core.errors import InputError
from abaco.core.reasons import Reason
from abaco.core.settings import AUTO
from abaco.engines import Engine
from abaco.ingest.columns import CURRENCY
from abaco.ingest.contract import with_amount
from abaco.ingest.exchange import NO_CODES, Exchange, stated
from abaco.ingest.staging import Batch

ADD_RATES = "add a table of exchange rates (date, from, to, rate) to the input"


@dataclass(frozen=True)
class Reporting:
    """The currency of all amounts of a report, by its ISO 4217 code, and what a reader should know of it.

    `rates` are the exchange rates that were used.
    """

    code: str
    notes: list[Reason] = field(default_factory=list)
    rates: list[dict[str, str]] = field(default_factory=list)


def reporting_currency(
    batches: Iterable[Batch], engine: Engine, setting: str = AUTO, rates: Exchange | None = None
) -> Reporting:
    """Return the currency of all amounts: that of the setting, else the one that the exports state, else US dollars.

    Parameters
    ----------
    setting
        The setting ``run.currency``.
    rates
        The exchange rates, by which amounts are in one currency already.

    Raises
    ------
    InputError
        When the exports state another one or several, naming their files, or a column of currencies holds no code.
    """
    if rates:
        return _exchanged(batches, setting, rates)
    files: dict[str, set[str]] = {}
    unclear: dict[str, tuple[set[str], str]] = {}
    blanks: list[Reason] = []
    for batch in batches:
        for source in (staged.source for staged in batch.staged):
            for currency in stated(source):
                files.setdefault(currency, set()).add(source.name)
            unclear |= {s: (meant, source.name) for s in source.amount_signs if len(meant := of_cell(s)) > 1}
        stated_in, without = _of_rows(batch, engine, setting)
        blanks += without
        for name, sign in (*stated_in, *_of_amounts(batch, engine)):
            if len(meant := of_cell(sign)) == 1:
                files.setdefault(*meant, set()).add(name)
            else:
                unclear[sign] = (meant, name)
    chosen = next(iter(files), USD) if setting == AUTO else setting
    others = {f"{sign} ": {name} for sign, (meant, name) in unclear.items() if chosen not in meant}
    found = "; ".join(f"{one.strip()} in {', '.join(sorted(names))}" for one, names in sorted((files | others).items()))
    if len(files | others) > 1:
        raise InputError(
            f"Amounts in several currencies ({found}): {ADD_RATES}, or give a report the exports of one currency"
        )
    if setting != AUTO and files and chosen not in files:
        raise InputError(f"Amounts in {found}, but run.currency is {chosen}: {ADD_RATES}, or change the setting")
    for sign in others:
        meant, name = unclear[sign.strip()]
        raise InputError(
            f"The amounts of {name} have the sign or word {sign.strip()}, which is one of {', '.join(sorted(meant))}: "
            "name the currency in a column currency, or in run.currency"
        )
    if setting != AUTO:
        return Reporting(chosen, [Reason("currency_set", currency=chosen)])
    names = tuple(sorted(files.get(chosen, ())))
    noted = [Reason("currency_stated", currency=chosen, names=names)] if chosen != USD else []
    return Reporting(chosen, [*noted, *blanks])


def _exchanged(batches: Iterable[Batch], setting: str, rates: Exchange) -> Reporting:
    """Return the currency that rates lead to, who says so, and the rates that were used."""
    days: dict[str, set[dt.date]] = {}
    for staged in (staged for batch in batches for staged in batch.staged):
        for currency, found in staged.used.items():
            days.setdefault(currency, set()).update(found)
    used = [(currency, day) for currency in sorted(days) for day in sorted(days[currency])]
    listed = [
        {"date": str(day), "from": currency, "to": rates.to, "rate": f"{rates.rates[currency][day]:f}"}
        for currency, day in used
    ]
    code, last = "currency_set" if setting != AUTO else "currency_of_rates", {one["from"]: one for one in listed}
    notes = [Reason(code, currency=rates.to, names=rates.files)]
    notes += [
        Reason("converted", currency=rates.to, count=len(days[one["from"]]), names=rates.files,
               **{key: one[key] for key in ("date", "from", "rate")})
        for one in last.values()
    ]  # fmt: skip
    return Reporting(rates.to, notes, listed)


def _of_amounts(batch: Batch, engine: Engine) -> Iterable[tuple[str, str]]:
    """Yield file and sign of the amounts that have the code or sign of a currency."""
    if not batch.has("signs"):
        return
    rows = batch.usable(engine).filter(~nw.col("signs").is_null()).select("source", "signs").unique()
    for row in rows.collect("pyarrow").to_native().to_pylist():
        for sign in set(row["signs"].split()):
            yield batch.names[row["source"]], sign


def _of_rows(batch: Batch, engine: Engine, setting: str) -> tuple[list[tuple[str, str]], list[Reason]]:
    """Return file and currency of the rows that state one, as it is written, and what to say of those that do not.

    Raises
    ------
    InputError
        When a column of currencies holds something else; or when most rows of a file state none.
    """
    found: list[tuple[str, str]] = []
    noted: list[Reason] = []
    if CURRENCY.name not in batch.columns:
        return found, noted
    rows = batch.usable(engine).group_by("source", CURRENCY.name).agg(rows=nw.len(), usd=nw.col("amount_usd").sum())
    counts: dict[int, dict[str | None, tuple[int, Decimal]]] = {}
    for row in rows.collect("pyarrow").to_native().to_pylist():
        counts.setdefault(row["source"], {})[row[CURRENCY.name]] = row["rows"], row["usd"]
    for index, written in sorted(counts.items()):
        (blank, usd), name = written.pop(None, (0, None)), batch.names[index]
        if any(not of_cell(text) for text in written) and (setting == AUTO or len(written) > 1):
            raise InputError(f"{name}: {NO_CODES}")
        of_others = sum(count for count, _ in written.values())
        if setting == AUTO and 0 < of_others <= blank:
            raise InputError(
                f"{name}: {blank:,} rows state no currency, and {of_others:,} state {', '.join(written)}: "
                "write the currency of each row, or name the one currency in run.currency"
            )
        if blank and of_others:
            noted.append(Reason("currency_blank", name=name, rows=with_amount(blank, usd or Decimal("0.00"))))
        found += [(name, text) for text in sorted(written) if of_cell(text)]
    return found, noted
