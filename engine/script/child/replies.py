"""Answers on their way to the engine: encoded at once, and sent within milliseconds.

An answer is encoded before the script is called again, so later changes to a returned object cannot
affect it. The calling thread only encodes: most batches take less time than a switch between
threads, and are sent in one frame when they end. If a batch of several rows takes longer, a second
thread sends the answers so far.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from .encoding import ENCODING_ERRORS, NotSendableError, encode_again, encode_value
from .exponents import may_have_exponents, with_decimals
from .protocol import Channel, FrameTooLargeError, joined

FLUSH_SECONDS = 0.005
_IDLE_TICKS = 40
_FRAME_BYTES = 1 << 20
_PARTS_BYTES = 64 << 10
"""Bytes of parts that wait to be sent; a script that yields more waits for its reader."""

_FRAME_MARGIN = 64

Unsendable = (FrameTooLargeError, NotSendableError)
"""Raised by `Outbox.add` for an answer that cannot be sent."""


class Outbox:
    """The answers of the current call, which `begin` and `finish` enclose.

    `pieces` are the encoded answers that have not been sent; one that is longer than `room` must go
    through `add`.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.room = min(_FRAME_BYTES, channel.limit - _FRAME_MARGIN)
        self._kind = ""
        self._reply = 0
        self.pieces: list[bytes] = []
        self._sending = threading.Lock()
        self._is_open = False
        self._ticks = False
        self._parts = 0
        self._wake = threading.Event()
        self._clock: threading.Thread | None = None

    def begin(self, kind: str, calls: int = 1) -> None:
        """Start a reply of this kind, from that many calls into the script. If one raises in a way
        that ends the script, `send` says so instead of `finish`.
        """
        self._kind = kind
        self._reply += 1
        self._is_open = True
        if calls > 1 and not self._ticks:
            self._start_clock()

    def keep_sending(self) -> None:
        """Send what is added within milliseconds, however long the current call takes."""
        if not self._ticks:
            self._start_clock()

    def add_part(self, part: Any) -> None:
        """Add documents that do not complete an answer; waits for the engine to read them."""
        self._parts += self.add(part)
        if self._parts >= _PARTS_BYTES:
            self._parts = 0
            self._flush(last=False)

    def add(self, answer: Any) -> int:
        """Add an answer in its current state; its size. Raises one of `Unsendable`."""
        try:
            piece = encode_value(answer)
        except ENCODING_ERRORS as error:
            piece = encode_again(answer, error)
        if len(piece) > self.room:
            self._channel.check_size(len(piece) + _FRAME_MARGIN)
        self.pieces.append(piece)
        return len(piece)

    def finish(self) -> None:
        """End the reply: send the answers that have not been sent."""
        self._is_open = False
        self._flush(last=True)

    def send(self, *message: Any) -> None:
        """Send a message of another kind, after all answers added so far."""
        self._is_open = False
        if self.pieces:
            self._flush(last=False)
        with self._sending:
            self._channel.send(*message)

    def _flush(self, *, last: bool) -> None:
        with self._sending:
            count = len(self.pieces)  # another thread may add more in the meantime
            pieces = self.pieces[:count]
            del self.pieces[:count]
            while sum(map(len, pieces)) > self.room:
                count = self._count_for_frame(pieces)
                self._channel.send_frame(self._frame(pieces[:count], last=False))
                pieces = pieces[count:]
            if pieces or last:
                self._channel.send_frame(self._frame(pieces, last))

    def _frame(self, pieces: list[bytes], last: bool) -> bytes:
        frame = joined(self._kind, pieces, last)
        if not may_have_exponents(frame):
            return frame
        exact = joined(self._kind, list(map(with_decimals, pieces)), last)
        return exact if len(exact) <= self._channel.limit else frame

    def _count_for_frame(self, pieces: list[bytes]) -> int:
        """How many of too many pieces go into one frame: as many as fit, but at least one."""
        room = self.room
        for count, piece in enumerate(pieces):
            room -= len(piece)
            if room < 0:
                return max(count, 1)
        return len(pieces)

    def _start_clock(self) -> None:
        self._ticks = True
        if self._clock is None or not self._clock.is_alive():
            self._clock = threading.Thread(target=self._tick, name="snapline replies", daemon=True)
            self._clock.start()
        self._wake.set()

    def _tick(self) -> None:
        """Every few milliseconds, send the answers of a reply that takes longer than that; sleep
        while no call is in progress.
        """
        quiet = before = 0
        while True:
            time.sleep(FLUSH_SECONDS)
            if self.pieces and self._reply == before:
                try:
                    self._flush(last=False)
                except OSError:
                    return  # the engine is gone; the main thread will notice
            before = self._reply
            quiet = 0 if self._is_open else quiet + 1
            if quiet > _IDLE_TICKS:
                self._wake.clear()
                self._ticks = False
                if not self._is_open:  # otherwise `begin` ran before _ticks was cleared
                    self._wake.wait()
                self._ticks, quiet = True, 0
