"""Originals: what the quarantine shows of a rejected row, so that nothing personal is in it.

Personal columns are masked already. A cell that is not of its column's kind may be a name in an amount, so its shape is
shown; no text shows an address of a person, and none a character that cannot be seen.
"""

import narwhals as nw

from abaco.core.quoting import BLANKS, EMAIL, HIDDEN, INVISIBLE, PHONE, UNSEEN
from abaco.engines import Engine
from abaco.engines.base import ERROR_CELL
from abaco.ingest.columns import TEXTS, heading_at
from abaco.ingest.masking import AS_READ, REDACTED
from abaco.ingest.sources import Source

# digits, then letters and all else of the blocks of scripts: an engine takes long to compile the ranges of \p{L}
SHAPES = ((r"\p{Nd}", "9"), (r"[A-Za-zªµºÀ-ÖØ-öø-\x{1FFF}\x{2C00}-\x{2FFF}\x{3040}-\x{10FFFF}]", "A"))


def with_originals(
    frame: nw.LazyFrame, source: Source, engine: Engine, key: bytes | None = None, show_values: bool = False
) -> nw.LazyFrame:
    """Add ``original``, a JSON object of a bad row's values by heading (see `Engine.with_json`).

    Parameters
    ----------
    frame
        Typed rows with ``reasons``.
    key
        The masking key; without one, personal values are redacted.
    show_values
        Whether cells that are not of their column's kind are shown as they stand.
    """
    kinds = source.layout.kinds
    shown, is_bad = {}, nw.col("reasons") != ""
    for name in kinds:
        if name in source.format.personal:
            # of a row that is not rejected, the digest of its borrower is needed
            shown[name] = nw.col(name) if key else nw.when(~nw.col(name).is_null()).then(nw.lit(REDACTED))
        elif kinds[name] in TEXTS:
            shown[name] = _without_addresses(nw.col(f"raw_{name}").cast(nw.String()))
        else:
            shown[name] = _with_shape(nw.col(f"raw_{name}").cast(nw.String()), nw.col(name), show_values)
    places = {place: name for name, place in source.layout.inputs.items()}
    headings = {heading_at(source.headings, place): f"shown_{name}" for place, name in places.items()}
    cells = {f"shown_{name}": nw.when(is_bad).then(value) for name, value in shown.items()}
    return engine.with_json(frame.with_columns(**cells), headings, "original")


def with_hash(frame: nw.LazyFrame, source: Source, engine: Engine, secret: bytes) -> nw.LazyFrame:
    """Add a hash of a bad row as it was read: rows whose values differ may have the same shapes."""
    return engine.with_digest(frame, [f"raw_{name}" for name in source.layout.inputs], secret, AS_READ, of_bad=True)


def _without_addresses(text: nw.Expr) -> nw.Expr:
    for pattern in (EMAIL, PHONE):
        text = text.str.replace_all(pattern.pattern, HIDDEN)
    return _visible(text)


def _visible(text: nw.Expr) -> nw.Expr:
    return text.str.replace_all(f"[{BLANKS}]", " ").str.replace_all(f"[{INVISIBLE}]", UNSEEN)


def _with_shape(raw: nw.Expr, value: nw.Expr, show_values: bool) -> nw.Expr:
    shape = raw
    for pattern, sign in () if show_values else SHAPES:
        shape = shape.str.replace_all(pattern, sign)
    return _visible(nw.when(value.is_null() & ~raw.str.contains(ERROR_CELL)).then(shape).otherwise(raw))
