"""A channel whose one user sends and receives, and never waits for its peer to read.

The engine sends the next rows while a script still answers the previous ones. If each side waited
until the other has read, neither would ever read.
"""

from __future__ import annotations

import select
import socket
from collections import deque
from contextlib import suppress
from typing import Any

from engine.script.child.protocol import Channel


class DuplexChannel(Channel):
    """Sends what the peer does not take at once while it waits for messages of the peer.

    `patience`: the seconds after which `wait` is called if nothing arrives.
    """

    def __init__(self, connection: socket.socket, patience: float, **more: Any) -> None:
        super().__init__(connection, **more)
        self._patience = patience
        self._unsent: deque[memoryview] = deque()
        self.set_patience(patience)

    def send_frame(self, frame: bytes | bytearray) -> None:
        self._unsent.append(memoryview(frame))
        self._push()

    def _push(self) -> None:
        with suppress(BlockingIOError):
            while self._unsent:
                rest = self._unsent[0]
                sent = self.connection.send(rest, socket.MSG_DONTWAIT)
                if sent == len(rest):
                    self._unsent.popleft()
                else:
                    self._unsent[0] = rest[sent:]

    def arrives_within(self, seconds: float) -> bool:
        return not self._unsent and super().arrives_within(seconds)

    def _receive_into(self, space: memoryview) -> int:
        if self._unsent:
            self._send_until_readable()
        return super()._receive_into(space)

    def _send_until_readable(self) -> None:
        poll = select.poll()
        poll.register(self.connection, select.POLLIN | select.POLLOUT)
        while self._unsent:
            ready = poll.poll(self._patience * 1000)
            if not ready:
                self._waited()
            elif ready[0][1] & ~select.POLLOUT:
                return
            else:
                try:
                    self._push()
                except ConnectionError:  # what the peer has sent before is still to be read
                    self._unsent.clear()
