"""The outbox: what is to be delivered is written down first, tried, tried again ever later, and given up in the end."""

import datetime as dt
import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import ColumnElement, Connection, Engine, select, update

from abaco.core import logs
from abaco.core.errors import AbacoError
from abaco.database import queries, records
from abaco.database.connection import reading, writing
from abaco.database.schema import deliveries
from abaco.delivery.channel import Channel, DeliveryError, Item
from abaco.delivery.registry import channel
from abaco.run import folders

PENDING, DONE, DEAD = "pending", "done", "dead"
# What is not to be delivered any more: an alert after newer word, the email of a former report, what somebody gave up.
WITHDRAWN, SUPERSEDED, DROPPED = "withdrawn", "superseded", "dropped"
MOST_SECONDS = 6 * 3600
PATIENCE_SECONDS = 600  # for another process that is delivering the same thing


def enqueue(connection: Connection, output: Path, items: Iterable[Item]) -> int:
    """Write items down as pending, and return how many are new; one whose key is known is not delivered again."""
    now = dt.datetime.now(dt.UTC)
    rows = [
        {
            "key": item.key, "channel": item.channel, "run_id": item.run_id,
            "date": item.date and dt.date.fromisoformat(item.date),
            "folder": item.folder and item.folder.resolve().relative_to(output.resolve()).as_posix(),
            "payload": item.payload, "status": PENDING, "attempts": 0, "created_at": now, "next_attempt_at": now,
        }
        for item in items
    ]  # fmt: skip
    return records.insert(connection, deliveries, rows)


def revive(connection: Connection) -> int:
    """Give what was given up a fresh set of attempts, and return how many that are."""
    return _begin_again(connection, deliveries.c.status == DEAD)


def renew(connection: Connection, keys: Collection[str]) -> None:
    """Let deliveries be tried at once, also those that were done or given up."""
    _begin_again(connection, deliveries.c.key.in_(keys))


def _begin_again(connection: Connection, which: ColumnElement[bool]) -> int:
    fresh = {"status": PENDING, "attempts": 0, "next_attempt_at": dt.datetime.now(dt.UTC)}
    return connection.execute(update(deliveries).where(which).values(**fresh)).rowcount


def deliver(
    engine: Engine,
    output: Path,
    settings: dict[str, Any],
    own: Collection[str] = (),
    only: Collection[str] | None = None,
    early: bool = False,
) -> Iterator[dict[str, Any]]:
    """Try what is due, oldest first, and yield what became of each.

    Parameters
    ----------
    own
        Keys of what this process has written down itself: where another process is at it, it waits for the outcome.
    only
        Keys: nothing else is tried.
    early
        Also what is to be tried again only later.

    Yields
    ------
    dict
        A row of ``deliveries``, as `queries.deliveries_with` returns it.

    Raises
    ------
    DatabaseError
        When the outcome cannot be written down; what was sent is then sent again, under the same key.
    """
    channels: dict[str, Channel] = {}
    with reading(engine) as connection:
        rows = queries.deliveries_with(connection, PENDING)
    now = dt.datetime.now(dt.UTC)
    for row in rows if only is None else (row for row in rows if row["key"] in only):
        if not (early or row["key"] in own or row["next_attempt_at"] <= now):
            continue
        name = row["channel"]
        if name not in channels:
            channels[name] = channel(name, settings)
        if _attempt(engine, output, row["key"], channels[name], settings, row["key"] in own):
            with reading(engine) as connection:
                tried = queries.delivery(connection, row["key"])
            yield tried


def _attempt(
    engine: Engine, output: Path, key: str, place: Channel, settings: dict[str, Any], patient: bool
) -> bool:
    """Try one delivery, unless another process is at it or was first; return whether it was tried."""
    until = time.monotonic() + (PATIENCE_SECONDS if patient else 0)
    while True:
        with _claimed(engine, output, key) as (is_mine, row, save):
            if row:
                save(_outcome(row, output, place, settings))
            if is_mine or time.monotonic() >= until:
                return row is not None
        time.sleep(0.1)


Save = Callable[[dict[str, Any]], None]


@contextmanager
def _claimed(engine: Engine, output: Path, key: str) -> Iterator[tuple[bool, dict[str, Any] | None, Save]]:
    """Hold a delivery until the process ends, however it ends: whether nobody else does, its row while pending."""
    query = select(deliveries).where(deliveries.c.key == key)
    change = update(deliveries).where(deliveries.c.key == key)
    if engine.dialect.name == "postgresql":
        with writing(engine) as connection:
            held = queries.rows_of(connection, query.with_for_update(skip_locked=True))
            yield bool(held), _pending(held), lambda values: connection.execute(change.values(**values))
        return

    def save(values: dict[str, Any]) -> None:
        with writing(engine) as connection:
            connection.execute(change.values(**values))

    folder = output / folders.RUNS / ".deliveries"  # SQLite locks no rows
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False, None, save
        return
    try:
        with reading(engine) as connection:
            held = queries.rows_of(connection, query)
        yield True, _pending(held), save
    finally:
        lock.release()


def _pending(held: list[dict[str, Any]]) -> dict[str, Any] | None:
    return held[0] if held and held[0]["status"] == PENDING else None


def _outcome(row: dict[str, Any], output: Path, place: Channel, settings: dict[str, Any]) -> dict[str, Any]:
    """Send an item and return what has changed in its row; a try that somebody asked for early uses up no attempt."""
    if missing := place.missing():
        return {"status": DEAD, "error": f"{row['channel']} is not set up any more: set {missing}"}
    attempts = row["attempts"] + (row["next_attempt_at"] <= dt.datetime.now(dt.UTC))
    try:
        receipt = _send(row, output, place)
    except Exception as error:  # whatever a channel raises, the report stands and the item is tried again
        logs.keep_traceback(error)
        said = str(error) if isinstance(error, AbacoError) else f"{type(error).__name__}: {error}"
        wait = min(settings["delivery"]["retry_seconds"] * 2 ** (attempts - 1), MOST_SECONDS)
        return {
            "status": DEAD if attempts >= settings["delivery"]["max_attempts"] else PENDING,
            "attempts": attempts,
            "error": " ".join(said.split()),
            "next_attempt_at": dt.datetime.now(dt.UTC) + dt.timedelta(seconds=wait),
        }
    done = {"status": DONE, "done_at": dt.datetime.now(dt.UTC), "error": None, "receipt": receipt}
    return {**done, "attempts": attempts}


def _send(row: dict[str, Any], output: Path, place: Channel) -> dict[str, Any]:
    folder = row["folder"] and (output / row["folder"]).resolve()
    if folder and not folder.is_dir():
        raise DeliveryError(
            f"{row['folder']} is not in {output}: deliver it where it was made, or make the report again"
        )
    date = row["date"] and str(row["date"])
    return place.send(Item(row["key"], row["channel"], row["run_id"], date, folder, row["payload"]))


def follow_reports(connection: Connection) -> list[dict[str, Any]]:
    """Let the email of a report wait only while its date shows that report; return those that changed.

    It would reach its readers after the newer report, or though the report was rolled back. One that another process
    is sending at this moment is on its way. A report that is shown again has its email waiting again.
    """
    waiting = queries.emails_of_reports(connection, PENDING, DEAD, SUPERSEDED)
    shown, changed = queries.shown(connection) if waiting else {}, []
    for row in waiting:
        run = shown.get(str(row["date"]))
        is_shown, waits = run and run["run_id"] == row["run_id"], row["status"] != SUPERSEDED
        if is_shown and not waits:
            renew(connection, [row["key"]])
            changed.append(_change(connection, row, {"status": PENDING, "error": None}))
        elif run and waits and not is_shown:
            why = f"the report of {row['date']} is the run {run['run_id']} now"
            changed.append(_change(connection, row, {"status": SUPERSEDED, "error": why}))
    return changed


def drop(connection: Connection, name: str) -> list[dict[str, Any]]:
    """Let what was given up of a run, or of a key where there is no run, not be tried again; return it."""
    given_up = queries.deliveries_with(connection, DEAD)
    wanted = [row for row in given_up if name == (row["run_id"] or row["key"])]
    return [_change(connection, row, {"status": DROPPED}) for row in wanted]


def _change(connection: Connection, row: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    connection.execute(update(deliveries).where(deliveries.c.key == row["key"]).values(**values))
    return row | values
