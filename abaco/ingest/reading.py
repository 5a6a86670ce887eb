"""Reading: the columns of a source that its contract names, masked as they are read."""

from pathlib import Path

import narwhals as nw

from abaco.engines import Engine
from abaco.ingest import workbooks
from abaco.ingest.fingerprint import write_utf8
from abaco.ingest.masking import REDACTING, Masking
from abaco.ingest.sources import Source


def read(
    source: Source,
    engine: Engine,
    text: Path | None = None,
    masking: Masking = REDACTING,
    row_number: str | None = None,
) -> nw.LazyFrame:
    """Return a file's contract columns, each as text or in the file's own type, in the file's order.

    Personal columns are masked as they are read, so that no file of a run holds them.

    Parameters
    ----------
    text
        Where the text is, when it is not where `text_path` says.
    masking
        How personal columns are masked.
    row_number
        Name of a column for the position of each row; only of Parquet.
    """
    path = Path(source.path)
    if source.kind in ("parquet", "json"):
        return engine.read_typed(path, source.inputs, masking.mask, row_number)
    text = text or text_path(source, engine)
    return engine.read_csv(text, source.inputs, len(source.headings), source.delimiter or ",", masking.mask)


def text_path(source: Source, engine: Engine) -> Path:
    """Return where to read the text of a CSV or XLSX source in UTF-8, making a private copy when one is needed."""
    path = Path(source.path)
    if source.kind == "csv" and source.encoding == "utf-8":
        return path
    copy = engine.private.path(source.sha256)
    if not copy.stat().st_size:
        if source.kind == "xlsx":
            workbooks.write_csv(path, copy)
        else:
            write_utf8(path, source.encoding, copy)
    return copy
