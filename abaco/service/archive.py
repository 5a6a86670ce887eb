"""All files of a run as one ZIP archive, made while it is sent: it is never whole in memory or on the disk."""

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

CHUNK = 1 << 18
LARGE = 1 << 31  # bytes, from which on an entry needs the fields of ZIP64
PACKED = (".parquet", ".xlsx", ".png")  # which do not become smaller
MADE = (1980, 1, 1, 0, 0, 0)  # the same files give the same archive


class _Sink:
    """What the archive writes to: it keeps the bytes until somebody takes them."""

    def __init__(self):
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep bytes."""
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: the bytes are taken by `taken`."""

    def taken(self) -> bytes:
        """Return the bytes since the last call."""
        taken, self._parts = b"".join(self._parts), []
        return taken


def chunks(folder: Path, names: Sequence[str]) -> Iterator[bytes]:
    """Yield the archive of the files `names` of a folder, part by part."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        for name in names:
            entry = zipfile.ZipInfo(f"{folder.name}/{name}", MADE)
            is_packed = Path(name).suffix in PACKED
            entry.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            with open(folder / name, "rb") as file:
                is_large = (folder / name).stat().st_size >= LARGE
                with archive.open(entry, "w", force_zip64=is_large) as packed:
                    while part := file.read(CHUNK):
                        packed.write(part)
                        yield sink.taken()
    yield sink.taken()
