"""PostgreSQL: how it is reached, and connections that are given up when it falls silent."""

import math
import time
from collections.abc import Callable, Generator
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine, event

from abaco.database.connection import SILENT


class Connection(psycopg.Connection):
    """A connection that is closed when it is waited for and nothing comes for `timeout` seconds.

    Neither the server nor the network does so: a server that is frozen looks at no clock, and its machine goes on to
    acknowledge what it is sent.
    """

    timeout = math.inf

    def wait(self, gen: Generator, *options: Any, **more: Any) -> Any:
        """Return what an operation on the connection returns.

        Raises
        ------
        psycopg.OperationalError
            When nothing came for too long.
        """
        return super().wait(self._watched(gen), *options, **more)

    def _watched(self, gen: Generator) -> Generator:
        """Pass on what is sent to an operation: whether it can read or write, several times a second."""
        try:
            wanted, last = next(gen), time.monotonic()
            while True:
                ready = yield wanted
                if ready:
                    last = time.monotonic()
                elif time.monotonic() - last >= self.timeout:
                    self.close()
                    raise psycopg.OperationalError(f"{SILENT} {self.timeout:g} s")
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value


def opened(url: URL, timeout: float) -> Engine:
    """Return a PostgreSQL, each connection of which waits for `timeout` seconds at most."""
    # poolers such as Supabase's lose prepared statements
    options: dict[str, Any] = {"prepare_threshold": None}
    if "connect_timeout" not in url.query:
        options["connect_timeout"] = max(math.ceil(timeout), 2)  # the driver waits no shorter
    engine = create_engine(url, connect_args=options, pool_pre_ping=True, hide_parameters=True)
    event.listen(engine, "do_connect", _connector(timeout))
    return engine


def _connector(timeout: float) -> Callable[..., Connection]:
    def connect(_: Any, __: Any, arguments: list, parameters: dict[str, Any]) -> Connection:
        try:
            made = Connection.connect(*arguments, **parameters)
        except psycopg.errors.ConnectionTimeout:
            raise psycopg.OperationalError(f"{SILENT} {parameters['connect_timeout']} s") from None
        made.timeout = timeout
        return made

    return connect
