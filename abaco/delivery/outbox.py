"""The outbox: deliveries are enqueued first, then tried, retried after growing pauses, and finally given up."""

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
from abaco.database.connection import is_postgresql, reading, writing
from abaco.database.schema import deliveries
from abaco.delivery.channel import Channel, Delivery, DeliveryError
from abaco.delivery.registry import create_channel
from abaco.run import folders

PENDING, DONE, DEAD = "pending", "done", "dead"
HELD = "held"  # it was pending in a backup that was restored: it waits until somebody releases it
# no longer to be delivered: an alert after a newer one, the email of a replaced report, a dropped delivery
WITHDRAWN, SUPERSEDED, DROPPED = "withdrawn", "superseded", "dropped"
MAX_PAUSE_SECONDS = 6 * 3600
TIMEOUT_SECONDS = 600  # for another process that is sending the same delivery


def enqueue(connection: Connection, output: Path, fresh: Iterable[Delivery]) -> int:
    """Enqueue deliveries as pending, and return how many are new; one whose key is known is not sent again."""
    return records.insert(connection, deliveries, [new_row(delivery, output) for delivery in fresh])


def new_row(delivery: Delivery, output: Path) -> dict[str, Any]:
    """Return the row of a delivery that nobody has tried yet."""
    now = dt.datetime.now(dt.UTC)
    return {
        "key": delivery.key, "channel": delivery.channel, "run_id": delivery.run_id,
        "date": delivery.date and dt.date.fromisoformat(delivery.date),
        "folder": delivery.folder and delivery.folder.resolve().relative_to(output.resolve()).as_posix(),
        "payload": delivery.payload, "status": PENDING, "attempts": 0, "created_at": now, "next_attempt_at": now,
    }  # fmt: skip


def retry(connection: Connection, *status: str) -> int:
    """Enqueue again every delivery with one of the statuses, and return their number."""
    return _enqueue_again(connection, deliveries.c.status.in_(status))


def enqueue_again(connection: Connection, keys: Collection[str]) -> None:
    """Enqueue deliveries again, also those that are done or were given up."""
    _enqueue_again(connection, deliveries.c.key.in_(keys))


def _enqueue_again(connection: Connection, condition: ColumnElement[bool]) -> int:
    values = {"status": PENDING, "attempts": 0, "next_attempt_at": dt.datetime.now(dt.UTC)}
    return connection.execute(update(deliveries).where(condition).values(**values)).rowcount


def deliver(
    engine: Engine,
    output: Path,
    settings: dict[str, Any],
    own: Collection[str] = (),
    only: Collection[str] | None = None,
    early: bool = False,
) -> Iterator[dict[str, Any]]:
    """Try the deliveries that are due, oldest first, and yield the outcome of each.

    Parameters
    ----------
    own
        Keys that this process has enqueued itself: while another process sends one, it waits for the outcome.
    only
        The only keys to try.
    early
        Whether to try also deliveries that are not due yet.

    Yields
    ------
    dict
        A row of ``deliveries``, as `queries.deliveries_with` returns it.

    Raises
    ------
    DatabaseError
        When the outcome cannot be recorded; the delivery is then sent again, under the same key.
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
            channels[name] = create_channel(name, settings)
        if _attempt(engine, output, row["key"], channels[name], settings, row["key"] in own):
            with reading(engine) as connection:
                outcome = queries.delivery(connection, row["key"])
            yield outcome


def _attempt(engine: Engine, output: Path, key: str, channel: Channel, settings: dict[str, Any], waits: bool) -> bool:
    """Try one delivery, unless another process does or did; return whether it was tried."""
    deadline = time.monotonic() + (TIMEOUT_SECONDS if waits else 0)
    while True:
        with _claim(engine, output, key) as (is_claimed, row, save):
            if row:
                save(_outcome(row, output, channel, settings))
            if is_claimed or time.monotonic() >= deadline:
                return row is not None
        time.sleep(0.1)


Save = Callable[[dict[str, Any]], None]


@contextmanager
def _claim(engine: Engine, output: Path, key: str) -> Iterator[tuple[bool, dict[str, Any] | None, Save]]:
    """Claim a delivery until the process ends, however it ends.

    Yields whether no other process has claimed it, its row if it is pending, and a function that saves its outcome.
    """
    query = select(deliveries).where(deliveries.c.key == key)
    change = update(deliveries).where(deliveries.c.key == key)
    if is_postgresql(engine):
        with writing(engine) as connection:
            rows = queries.rows_of(connection, query.with_for_update(skip_locked=True))
            yield bool(rows), _pending(rows), lambda values: connection.execute(change.values(**values))
        return

    def save(values: dict[str, Any]) -> None:
        with writing(engine) as connection:
            connection.execute(change.values(**values))

    folder = output / folders.RUNS / ".deliveries"  # SQLite has no row locks
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False, None, save
        return
    try:
        with reading(engine) as connection:
            rows = queries.rows_of(connection, query)
        yield True, _pending(rows), save
    finally:
        lock.release()


def _pending(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    return rows[0] if rows and rows[0]["status"] == PENDING else None


def _outcome(row: dict[str, Any], output: Path, channel: Channel, settings: dict[str, Any]) -> dict[str, Any]:
    """Send a delivery and return the changes of its row; a try before it is due does not count as an attempt."""
    if missing := channel.missing():
        return {"status": DEAD, "error": f"{row['channel']} is not set up any more: set {missing}"}
    attempts = row["attempts"] + (row["next_attempt_at"] <= dt.datetime.now(dt.UTC))
    try:
        receipt = _send(row, output, channel)
    except Exception as error:  # whatever a channel raises, the report stands and the delivery is retried
        logs.keep_traceback(error)
        reason = str(error) if isinstance(error, AbacoError) else f"{type(error).__name__}: {error}"
        pause = min(settings["delivery"]["retry_seconds"] * 2 ** (attempts - 1), MAX_PAUSE_SECONDS)
        return {
            "status": DEAD if attempts >= settings["delivery"]["max_attempts"] else PENDING,
            "attempts": attempts,
            "error": " ".join(reason.split()),
            "next_attempt_at": dt.datetime.now(dt.UTC) + dt.timedelta(seconds=pause),
        }
    done = {"status": DONE, "done_at": dt.datetime.now(dt.UTC), "error": None, "receipt": receipt}
    return {**done, "attempts": attempts}


def _send(row: dict[str, Any], output: Path, channel: Channel) -> dict[str, Any]:
    folder = row["folder"] and (output / row["folder"]).resolve()
    if folder and not folder.is_dir():
        raise DeliveryError(
            f"{row['folder']} is not in {output}: deliver it where it was made, or make the report again"
        )
    date = row["date"] and str(row["date"])
    return channel.send(Delivery(row["key"], row["channel"], row["run_id"], date, folder, row["payload"]))


def follow_reports(connection: Connection) -> list[dict[str, Any]]:
    """Supersede the waiting emails of reports that their dates no longer show; return the deliveries that changed.

    Such an email would arrive after that of the newer report, or although the report was rolled back. One that another
    process is sending at this moment is left alone. When a report is shown again, its email is pending again.
    """
    emails = queries.emails_of_reports(connection, PENDING, DEAD, HELD, SUPERSEDED)
    visible_runs, changed = queries.visible_runs(connection) if emails else {}, []
    for row in emails:
        run = visible_runs.get(str(row["date"]))
        is_visible, is_superseded = run and run["run_id"] == row["run_id"], row["status"] == SUPERSEDED
        if is_visible and is_superseded:
            enqueue_again(connection, [row["key"]])
            changed.append(_change(connection, row, {"status": PENDING, "error": None}))
        elif run and not is_visible and not is_superseded:
            reason = f"the report of {row['date']} is the run {run['run_id']} now"
            changed.append(_change(connection, row, {"status": SUPERSEDED, "error": reason}))
    return changed


def drop(connection: Connection, name: str) -> list[dict[str, Any]]:
    """Drop the deliveries of a run that were given up or are held, or that of a key without a run; return them."""
    waiting = queries.deliveries_with(connection, DEAD, HELD)
    named = [row for row in waiting if name == (row["run_id"] or row["key"])]
    return [_change(connection, row, {"status": DROPPED}) for row in named]


def _change(connection: Connection, row: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    connection.execute(update(deliveries).where(deliveries.c.key == row["key"]).values(**values))
    return row | values
