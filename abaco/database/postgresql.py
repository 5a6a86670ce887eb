"""PostgreSQL: a connection that trusts no unknown server, and waits for none for ever."""

import math
import os
import socket
import threading
from contextlib import suppress

from sqlalchemy import URL, Connection, Engine, create_engine, event

from abaco.core import net, secrets

MIN_TIMEOUT_SECONDS = 2  # the shortest connect_timeout that libpq keeps to
HANG_UP = "hang-up timer"  # in the info of a connection


def create(url: URL, timeout: float) -> Engine:
    """Return PostgreSQL with time-outs for a server or network that does not answer.

    libpq bounds the connection and notices a dead peer. The server cancels a statement that takes too long, for
    example while it waits for another process. If the server does not, the connection is closed.
    """
    seconds = max(math.ceil(timeout), MIN_TIMEOUT_SECONDS)
    trust = {"sslmode": "verify-full", "sslrootcert": net.authorities()} if is_verified(url) else {}
    bounds = trust | {
        "connect_timeout": seconds, "tcp_user_timeout": seconds * 1000,
        "keepalives_idle": math.ceil(seconds / 2), "keepalives_interval": math.ceil(seconds / 6),
        "keepalives_count": 3,
    }  # fmt: skip
    missing_bounds = {name: str(value) for name, value in bounds.items() if name not in url.query}
    engine = create_engine(
        url.update_query_dict(missing_bounds),
        connect_args={"prepare_threshold": None},  # poolers such as Supabase's lose prepared statements
        pool_pre_ping=True,
        hide_parameters=True,
    )
    # for each transaction: a setting of the session would persist in a pooler
    event.listen(engine, "begin", lambda connection: _limit_statements(connection, seconds))
    event.listen(engine, "before_cursor_execute", lambda connection, *_: _hang_up_after(connection, 2 * seconds))
    event.listen(engine, "after_cursor_execute", lambda connection, *_: _keep_line(connection))
    event.listen(engine, "handle_error", lambda context: _keep_line(context.connection))
    return engine


def is_verified(url: URL) -> bool:
    """Return whether the server's certificate is verified: unless it is on this machine, or ``sslmode`` is given."""
    host = str(url.query.get("host", url.host or ""))
    is_here = not host or host.startswith("/") or net.is_loopback(host)
    return not (is_here or "sslmode" in url.query or secrets.read("PGSSLMODE"))


def _hang_up_after(connection: Connection, seconds: int) -> None:
    descriptor = connection.connection.dbapi_connection.fileno()
    connection.info[HANG_UP] = timer = threading.Timer(seconds, _hang_up, [descriptor])
    timer.daemon = True
    timer.start()


def _keep_line(connection: Connection | None) -> None:
    if connection is not None and (timer := connection.info.pop(HANG_UP, None)):
        timer.cancel()


def _hang_up(descriptor: int) -> None:
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as line:
        line.shutdown(socket.SHUT_RDWR)


def _limit_statements(connection: Connection, seconds: int) -> None:
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{seconds}s'")
