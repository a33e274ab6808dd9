"""A connection: HTTP/1.1 as one state machine.

Requests are answered one after the other; while one waits for its turn, nothing more is read. All
that a caller may do is limited in size and time. A connection that the server ends lingers if its
caller may still be sending: its output ends, and what arrives is discarded.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, cast

from engine.tasks.front.calls import UnreadCall
from engine.tasks.front.exchange import Exchange
from engine.tasks.front.head import Head, RefusedHeadError
from engine.tasks.front.outgoing import Outgoing
from engine.tasks.front.peers import is_readable
from engine.tasks.front.reply import Reply, error_reply, overloaded, too_large, too_much
from engine.tasks.front.request_reader import RequestReader

if TYPE_CHECKING:
    from engine.tasks.front.http_server import HttpServer

REQUEST_SECONDS = 20.0
"""Seconds to send the head of a request, and again for its body ..."""

MIN_BODY_RATE = 4096
"""... and a second more for each of so many bytes of the body."""

UNREAD_ANSWER_SECONDS = 60.0
"""Seconds for which a caller may read nothing of its response."""

LINGER_SECONDS = 30.0
"""Seconds for a caller that still sends to read the response that ends its connection."""

CROSSING_SECONDS = 1.0
"""Seconds for a request to arrive that was sent before its caller has seen the end."""

KEEP_ALIVE_SECONDS = 75.0
"""Seconds that a connection may wait for its next request."""

MAX_PIPELINED = 1000
"""Requests of a connection that may wait for earlier ones to be answered."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(Outgoing):
    """One connection of `server`, which calls `check_time` regularly."""

    def __init__(self, server: HttpServer) -> None:
        super().__init__(server)
        self.half_closed = False
        self._client = ""
        self.takes_no_more = self._is_flooded = False
        self._reader = RequestReader(self, server.known_heads)
        self._exchanges: deque[Exchange] = deque()
        self._reading: Exchange | None = None
        self._reading_since: float | None = server.now()
        self.idle_since = server.now()
        self.was_served = False
        self._advancing = self._hung_up = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self._client = f"{peer[0]}:{peer[1]}"
        if not self.server.places.take(self):
            self.refuse(overloaded("the server has too many connections"))

    def connection_lost(self, error: Exception | None) -> None:
        self.server.remove(self)
        exchanges, self._exchanges = self._exchanges, deque()
        if self._reading is not None and self._reading not in exchanges:
            self._reading.leave()
        self._reading = None
        for exchange in exchanges:
            exchange.leave()
        self._reader.close()
        self.resume_writing()

    # From the reader

    def head_begins(self) -> None:
        self._reading_since = self.server.now()

    def head_complete(self, head: Head, length: int, *, keep_alive: bool, expects: bool) -> None:
        if len(self._exchanges) > MAX_PIPELINED:
            self._is_flooded = True
            why = f"{MAX_PIPELINED:,} are already waiting"
            error = "too many requests are waiting on this connection"
            raise RefusedHeadError(overloaded(error, why))
        call = self.server.application.call(head)
        exchange = Exchange(self, call, head.http_version, sends_body=self._reader.sends_body)
        exchange.keep_alive = keep_alive
        if exchange.refusal is None and length > call.limit:
            exchange.refusal, exchange.keep_alive = call.refuse(too_large(call.limit)), False
        if expects and exchange.refusal is not None:
            exchange.keep_alive = False  # the body may come or not
        exchange.expects = expects and exchange.refusal is None
        self._exchanges.append(exchange)
        self._reading = exchange
        if len(self._exchanges) == 1:
            if exchange.refusal is not None or exchange.expects:
                self._advance()
        elif not (self._hung_up or self in self.server.paused):
            self.server.paused.add(self)
            self.transport.pause_reading()

    def body_piece(self, piece: bytes) -> None:
        exchange = self._reading
        if exchange is None or exchange.answered or exchange.refusal is not None:
            return
        has_room = exchange.add_piece(piece)
        if len(exchange.body) > exchange.call.limit:
            self._refuse_body(exchange, too_large(exchange.call.limit))
        elif not has_room:
            self._refuse_body(exchange, too_much(self.server.max_incoming))

    def _refuse_body(self, exchange: Exchange, reply: Reply) -> None:
        exchange.refusal, exchange.keep_alive = exchange.call.refuse(reply), False
        exchange.drop_body()
        self._advance()

    def body_complete(self) -> None:
        exchange = self._reading
        if exchange is None:
            return
        self._reading = self._reading_since = None
        exchange.complete = True
        if not exchange.keep_alive:
            self.takes_no_more = True
        if exchange.answered:
            self.idle_since = self.server.now()
        else:
            self._advance()

    def refuse(self, reply: Reply) -> None:
        """Read no more; respond after the earlier requests are answered, and hang up."""
        self.takes_no_more = True
        exchange = self._reading
        if exchange is not None and exchange.answered:
            self.close()  # its response was sent before its body had come
            return
        tag = self._reader.tag() if exchange is None else exchange.call.tag
        call = UnreadCall(self.server.application, self._client, tag, reply)
        if exchange is None:
            exchange = Exchange(self, call, "1.1", sends_body=self._reader.sends_body)
            self._exchanges.append(exchange)
        exchange.refuse(call)
        self._advance()

    # Responses

    def _advance(self) -> None:
        """Start the next request, or refuse it, when all before it are answered."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._exchanges:
                exchange = self._exchanges[0]
                if exchange.started:
                    return
                if exchange.refusal is not None:
                    exchange.started = True
                    exchange.respond(exchange.refusal)
                elif exchange.complete:
                    exchange.start()
                else:
                    if exchange.expects:
                        exchange.expects = False
                        self.write(_CONTINUE)
                    return
        finally:
            self._advancing = False

    def finished(self, exchange: Exchange) -> None:
        """The response is sent: end the connection, or continue with the next request."""
        if self._exchanges and self._exchanges[0] is exchange:
            self._exchanges.popleft()
        if self.transport.is_closing() or self.lingers:
            return
        if not exchange.keep_alive:
            self.close()
            return
        self.was_served = True
        now = self.idle_since = self.server.now()
        if self._reading_since is not None:
            self._reading_since = now  # the request had to wait for its turn
        if len(self._exchanges) <= 1 and self in self.server.paused:
            self.server.paused.discard(self)
            self.transport.resume_reading()
        if self._exchanges:
            self._advance()

    def close(self) -> None:
        """Send what is waiting and hang up; linger if the caller may still be sending."""
        is_sending = self._reading is not None or self._reader.in_head or self._is_flooded
        knows, self.takes_no_more = self.takes_no_more, True  # that this was its last request
        exchanges, self._exchanges = self._exchanges, deque()
        for exchange in exchanges:
            exchange.leave()
        crosses = not knows or self.server.places.waits_for(self)
        if is_sending and not self.half_closed:
            self.linger(LINGER_SECONDS)
        elif crosses and self.transport.can_write_eof():
            self.linger(CROSSING_SECONDS)
        else:
            self.transport.close()

    # From the caller

    def data_received(self, data: bytes) -> None:
        if self.takes_no_more or self.lingers:
            return
        if self._reading_since is None and not self._exchanges:
            self._reading_since = self.server.now()  # even if nothing but line breaks arrives
        in_body = self._reading is not None
        self._reader.feed(data, self._client, in_body=in_body)
        since = self._reading_since
        if since is not None and not self._reader.in_head:
            self._reading_since = min(self.server.now(), since + len(data) / MIN_BODY_RATE)

    def read_to_end(self) -> None:
        """The caller will send nothing more: whether it has gone can be seen once all is read."""
        self._hung_up = True
        self.server.paused.discard(self)
        self.transport.resume_reading()

    def eof_received(self) -> bool:
        """The caller has gone, or has half-closed and can still read its responses."""
        if self.lingers:
            return False
        if self._reading is not None and self._reading in self._exchanges:
            self._exchanges.remove(self._reading)  # it will never be complete
            self._reading.leave()
        if not self._exchanges or not self.transport.can_write_eof():
            return False
        last = self._exchanges[-1]
        last.keep_alive = False
        self.takes_no_more = self.half_closed = True
        self._reading = self._reading_since = None
        if last.version == "1.1" and not self._exchanges[0].answered:
            # Allowed before any response; a caller that has gone resets the connection now.
            self.transport.write(_CONTINUE)
        self.server.note_half_closed(self)
        return True

    # Refusals

    def check_time(self, now: float) -> None:
        """Hang up on a caller that is too slow to send its request or to read its response."""
        if self.look_at_unsent(now):
            self.idle_since = now
            if now - self.unsent_since >= UNREAD_ANSWER_SECONDS:
                self.transport.abort()
            return
        since = self._reading_since
        if self.transport.is_closing():  # TLS: the other end has not confirmed it
            is_surplus = self.server.places.is_surplus(self)
            if now - self.idle_since >= (CROSSING_SECONDS if is_surplus else KEEP_ALIVE_SECONDS):
                self.transport.abort()
        elif self.lingers:
            if now >= self.linger_end:
                self.transport.abort()
        elif not (self._exchanges or self.is_reading):
            is_over = now - self.idle_since >= KEEP_ALIVE_SECONDS
            if since is not None:
                is_over = now - since >= REQUEST_SECONDS  # it has never sent a request
            if is_over and not is_readable(self.transport):
                self.close()
        elif (
            since is not None
            and now - since >= REQUEST_SECONDS
            and (not self._exchanges or self._exchanges[0] is self._reading)  # waits for no other
        ):
            self._end_slow()

    def is_last(self, exchange: Exchange) -> bool:
        return self._exchanges[-1] is exchange

    @property
    def is_idle(self) -> bool:
        return not (self._exchanges or self.takes_no_more or self.is_reading)

    @property
    def is_reading(self) -> bool:
        """Whether a request has begun to arrive, and the rest of it is awaited."""
        return not self.takes_no_more and (self._reading is not None or self._reader.in_head)

    def _end_slow(self) -> None:
        if self._reading is not None and self._reading.answered:
            self.close()
            return
        why = f"it was incomplete after {REQUEST_SECONDS:g} seconds"
        remedy = f"send at least {MIN_BODY_RATE:,} bytes a second"
        self.refuse(error_reply(408, "the request arrived too slowly", why, remedy))
