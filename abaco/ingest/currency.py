"""The currency of a report: the one that all of its exports state, in their headings and in a column."""

from collections.abc import Iterable

import narwhals as nw

from abaco.core.currencies import USD, code, of_sign
from abaco.core.errors import InputError
from abaco.engines import Engine
from abaco.ingest.columns import CURRENCY, normalise
from abaco.ingest.headings import CODES
from abaco.ingest.sources import Source
from abaco.ingest.staging import Batch


def reporting_currency(batches: Iterable[Batch], engine: Engine) -> str:
    """Return the currency of all amounts, by its ISO 4217 code; US dollars where no export states one.

    Raises
    ------
    InputError
        When the exports state several, naming their files, or a column of currencies holds no code.
    """
    files: dict[str, set[str]] = {}
    unclear: dict[str, tuple[set[str], str]] = {}
    for batch in batches:
        for staged in batch.staged:
            for currency in _stated(staged.source):
                files.setdefault(currency, set()).add(staged.source.name)
        for name, currency in _of_rows(batch, engine):
            files.setdefault(currency, set()).add(name)
        for name, sign in _of_amounts(batch, engine):
            if len(meant := of_sign(sign)) == 1:
                files.setdefault(*meant, set()).add(name)
            else:
                unclear[sign] = (meant, name)
    reported = next(iter(files), USD)
    others = {f"{sign} ": {name} for sign, (meant, name) in unclear.items() if reported not in meant}
    if len(files | others) > 1:
        found = "; ".join(
            f"{one.strip()} in {', '.join(sorted(names))}" for one, names in sorted((files | others).items())
        )
        raise InputError(f"Amounts in several currencies ({found}): give a report the exports of one currency")
    for sign in others:
        meant, name = unclear[sign.strip()]
        raise InputError(
            f"The amounts of {name} have the sign {sign.strip()}, which is one of {', '.join(sorted(meant))}: name the "
            "currency in a column currency"
        )
    return reported


def _of_amounts(batch: Batch, engine: Engine) -> Iterable[tuple[str, str]]:
    """Yield file and sign of the amounts that have the code or sign of a currency."""
    rows = batch.usable(engine).filter(~nw.col("signs").is_null()).select("source", "signs").unique()
    for row in rows.collect("pyarrow").to_native().to_pylist():
        for sign in set(row["signs"].split()):
            yield batch.names[row["source"]], sign


def _stated(source: Source) -> set[str]:
    """Return the currencies that the headings of a file name, or its mapping."""
    mapping = source.mapping
    if mapping.currency:
        return {code(mapping.currency)}
    return mapping.known.currencies([normalise(h) for h in source.headings]) if mapping.is_known else set()


def _of_rows(batch: Batch, engine: Engine) -> Iterable[tuple[str, str]]:
    """Yield file and currency of the rows that state one."""
    if "currency" not in batch.columns:
        return
    found = (
        batch.usable(engine)
        .filter(~nw.col("currency").is_null())
        .select("source", "currency")
        .unique()
        .collect("pyarrow")
        .to_native()
        .to_pylist()
    )
    sources = {staged.index: staged.source for staged in batch.staged}
    codes: dict[int, set[str | None]] = {}
    for row in found:
        codes.setdefault(row["source"], set()).add(code(row["currency"]))
    for index, stated in codes.items():
        if None in stated and (_is_named(sources[index]) or len(stated) > 1):
            raise InputError(
                f"{sources[index].name}: its column of currencies holds more than codes of ISO 4217, such as USD; "
                "correct the column"
            )
        yield from ((sources[index].name, currency) for currency in sorted(stated - {None}))


def _is_named(source: Source) -> bool:
    """Return whether a heading says that its column holds currencies; others, such as ``tipo_moneda``, may mean it."""
    heading = normalise(source.columns[CURRENCY.name])
    return heading in source.mapping.known.of(CURRENCY) or heading.endswith(CODES)
