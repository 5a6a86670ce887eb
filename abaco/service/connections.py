"""Connections with limits of time and number, so that no client can keep the service from answering others."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

STEP = 65_536


class Connection(H11Protocol):
    """A connection that is cut when its client is slow, or waits while others need the room.

    A request must arrive within ``timeout_keep_alive`` seconds, head and body, counted from the opening of the
    connection or the end of the former response, however its bytes are spread; of a body that is being taken, each
    `STEP` bytes. The client must take what is sent to it within the same time. A new connection that would be one of
    ``limit_concurrency`` ends the one that has waited longest for a request; where none waits, uvicorn answers 503.
    """

    request_timer: asyncio.TimerHandle | None = None
    received = 0  # bytes of a body since the timer was started
    response_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(0)  # so that writing is paused until the client has taken everything
        self._watch_request()
        self._make_room()

    def data_received(self, data: bytes) -> None:
        """Take a part of a request."""
        super().data_received(data)
        self._extend(len(data))
        self._watch_request()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        super().on_response_complete()
        self._watch_request()

    def pause_writing(self) -> None:
        """Begin to wait for the client to take what was sent."""
        super().pause_writing()
        self.response_timer = self._cut_later()

    def resume_writing(self) -> None:
        """Go on: the client has taken everything."""
        super().resume_writing()
        self.response_timer = _stopped(self.response_timer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        super().connection_lost(exc)
        self.request_timer, self.response_timer = _stopped(self.request_timer), _stopped(self.response_timer)

    def _extend(self, count: int) -> None:
        """Give a body that somebody reads as much time again for its next bytes."""
        is_taken = self.cycle and self.cycle.more_body and not self.cycle.response_complete
        self.received = self.received + count if is_taken else 0
        if self.received >= STEP:
            self.request_timer, self.received = _stopped(self.request_timer), 0

    def _watch_request(self) -> None:
        is_answering = self.cycle and not self.cycle.response_complete
        if is_answering and not self.cycle.more_body:
            self.request_timer = _stopped(self.request_timer)
        elif self.request_timer is None:
            self.request_timer = self._cut_later()

    def _cut_later(self) -> asyncio.TimerHandle:
        return self.loop.call_later(self.timeout_keep_alive, self.transport.abort)

    def _make_room(self) -> None:
        others = [other for other in self.connections if other is not self and not other.transport.is_closing()]
        waiting = [other for other in others if other.request_timer]
        if waiting and len(others) + 1 >= self.limit_concurrency:
            min(waiting, key=lambda other: other.request_timer.when()).transport.abort()


def _stopped(timer: asyncio.TimerHandle | None) -> None:
    if timer:
        timer.cancel()
