"""The table of exchange rates among an input: read whole, and refused where it can be read in two ways."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from abaco.core.currencies import code
from abaco.core.errors import InputError
from abaco.core.settings import AUTO
from abaco.engines import Engine, UnreadableError
from abaco.ingest.exchange import DIGITS, Exchange
from abaco.ingest.formats import RATES
from abaco.ingest.masking import REDACTING
from abaco.ingest.reading import text_path, typed
from abaco.ingest.sources import Source

HIGHEST = 10 ** (DIGITS[0] - DIGITS[1])
Pair = tuple[str, str, dt.date]


def exchange(sources: Iterable[Source], engine: Engine, work: Path, setting: str = AUTO) -> Exchange | None:
    """Return the exchange rates among an input; None where it has no table of them.

    The report's currency is that of the setting, or else the one that all rates lead to. Rates that lead to another
    are not used, nor is the inverse of one, which is not exact.

    Parameters
    ----------
    work
        Folder for a copy of the table.
    setting
        The setting ``run.currency``.

    Raises
    ------
    InputError
        When a row is not a rate, two differ, or no currency of the report follows.
    """
    files = [source for source in sources if source.format is RATES]
    if not files:
        return None
    rates: dict[Pair, Decimal] = {}
    for source in files:
        for row in _rows(source, engine, work / "rates.parquet"):
            pair, rate = _rate(row, source.name)
            if rates.setdefault(pair, rate) != rate:
                raise InputError(f"{source.name}: {_named(pair)} has the rates {rates[pair]} and {rate}: keep one")
    _check_inverse(rates, files)
    names = tuple(source.name for source in files)
    targets = sorted({to for _, to, _ in rates})
    if setting == AUTO and len(targets) != 1:
        found = " and ".join(targets) or "no currency"
        raise InputError(f"The rates of {' and '.join(names)} lead to {found}: set run.currency to that of the report")
    to = targets[0] if setting == AUTO else setting
    by_currency: dict[str, dict[dt.date, Decimal]] = {}
    for (from_, into, day), rate in rates.items():
        if into == to:
            by_currency.setdefault(from_, {})[day] = rate
    return Exchange(to, names, by_currency, "" if setting == AUTO else setting)


def _rows(source: Source, engine: Engine, copy: Path) -> list[dict[str, Any]]:
    try:
        text = text_path(source, engine) if source.kind in ("csv", "xlsx") else None
        engine.write(typed(source, engine, text, {}, REDACTING), copy)
    except UnreadableError as error:
        raise InputError(f"{source.name} cannot be read to its end: export it again") from error
    if text and (broken := engine.broken_lines()):
        raise InputError(f"{source.name}: line {broken[0][0]} is not whole: correct it")
    return engine.scan(copy).collect("pyarrow").to_native().to_pylist()


def _rate(row: dict[str, Any], name: str) -> tuple[Pair, Decimal]:
    """Return a row's currencies and day, and its rate."""
    written = ",".join(str(row[f"raw_{column.name}"] or "") for column in RATES.columns)
    pair = (code(row["from_currency"] or ""), code(row["to_currency"] or ""), row["date"])
    if None in pair or pair[0] == pair[1]:
        raise InputError(f"{name}: {written!r} is not a day as YYYY-MM-DD, and two codes of ISO 4217: correct it")
    try:
        rate = Decimal((row["rate"] or "").strip())
    except InvalidOperation:
        rate = Decimal(0)
    if not rate.is_finite() or not 0 < rate < HIGHEST or rate != round(rate, DIGITS[1]):
        raise InputError(
            f"{name}: the rate of {written!r} is not a number above 0 and below {HIGHEST:,} with a decimal point and "
            f"at most {DIGITS[1]} decimals: correct it"
        )
    return pair, rate


def _check_inverse(rates: dict[Pair, Decimal], files: list[Source]) -> None:
    """Raise when the rates there and back differ by more than they were rounded by."""
    for (from_, to, day), rate in rates.items():
        back = rates.get((to, from_, day))
        if back is None:
            continue
        slack = rate * _half_of_last_place(back) + back * _half_of_last_place(rate)
        if abs(rate * back - 1) > slack:
            names = " and ".join(source.name for source in files)
            raise InputError(f"{names}: {_named((from_, to, day))} is {rate}, and back {back}: correct one of them")


def _half_of_last_place(rate: Decimal) -> Decimal:
    return Decimal(5).scaleb(rate.as_tuple().exponent - 1)


def _named(pair: Pair) -> str:
    from_, to, day = pair
    return f"{from_} to {to} on {day}"
