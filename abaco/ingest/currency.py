"""The currency of a report: the one that all of its exports state, in their headings and in a column."""

from collections.abc import Iterable

import narwhals as nw

from abaco.core.currencies import USD, code
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
    for batch in batches:
        for staged in batch.staged:
            for currency in _stated(staged.source):
                files.setdefault(currency, set()).add(staged.source.name)
        for name, currency in _of_rows(batch, engine):
            files.setdefault(currency, set()).add(name)
    if len(files) > 1:
        found = "; ".join(f"{currency} in {', '.join(sorted(names))}" for currency, names in sorted(files.items()))
        raise InputError(f"Amounts in several currencies ({found}): give a report the exports of one currency")
    return next(iter(files), USD)


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
