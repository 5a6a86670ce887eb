"""The state of an installation without a lasting disk: a copy of its database in Azure, where the next one goes on."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from abaco.core.errors import DatabaseError
from abaco.database import copying, queries
from abaco.database.connection import connected, is_postgresql, reading, writing
from abaco.delivery.azure import AzureChannel, MissingBlobError
from abaco.delivery.channel import DeliveryError

log = logging.getLogger(__name__)
NAME, PLACE = "database.jsonl", "state"


@contextmanager
def opened(output: Path, settings: dict[str, Any]) -> Iterator[Engine]:
    """Yield the database; with ``delivery.azure_state`` as the last installation left it, and keep it there afterwards.

    Raises
    ------
    DatabaseError
        When the state is set, and cannot be fetched: a database without it would tell everything anew.
    """
    with connected(output, settings["delivery"]["timeout_seconds"]) as engine:
        channel = AzureChannel(settings) if settings["delivery"]["azure_state"] and not is_postgresql(engine) else None
        if channel is None or channel.missing():
            yield engine
            return
        with tempfile.TemporaryDirectory(prefix="abaco-state-") as folder:
            path = Path(folder) / NAME
            _fetch(engine, channel, path)
            yield engine
            with path.open("w", encoding="utf-8") as file:
                copying.dump(engine, file)
            try:
                channel.keep(path, PLACE)
            except DeliveryError as error:
                log.error("the state is not kept, and the next installation may tell what this one has told: %s", error)


def _fetch(engine: Engine, channel: AzureChannel, path: Path) -> None:
    with reading(engine) as connection:
        if queries.has_history(connection):
            return
    try:
        channel.fetch(NAME, path, PLACE)
    except MissingBlobError:
        log.info("there is no state to go on from")
        return
    except DeliveryError as error:
        raise DatabaseError(f"The state of the former installation cannot be fetched: {error}") from None
    with path.open(encoding="utf-8") as lines, writing(engine) as connection:
        copying.load(connection, lines)
    path.unlink()
