"""Answers on their way out: encoded when they are given, and sent within milliseconds.

An answer is encoded before the script is called again, so whatever the script does later to an
object that it has returned cannot change it. The calling thread only encodes: most batches take
less time than a switch between threads, and leave in one frame when they end. While a batch of
several rows takes longer, a second thread sends what is there.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from .protocol import (
    ENCODING_ERRORS,
    Channel,
    Failure,
    FrameTooLargeError,
    NotSendableError,
    encode_again,
    encode_value,
    joined,
)

FLUSH_SECONDS = 0.005
_IDLE_TICKS = 40
_FRAME_BYTES = 1 << 20
_FRAME_MARGIN = 64

Unsendable = (FrameTooLargeError, NotSendableError)
"""What `Outbox.add` raises for an answer that has no form on the wire."""


class Outbox:
    """The answers of the call in hand; `begin` and `finish` are the brackets around a call."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._room = min(_FRAME_BYTES, channel.limit - _FRAME_MARGIN)
        self._kind = ""
        self._pieces: list[bytes] = []
        self._sending = threading.Lock()
        self._is_open = False
        self._ticks = False
        self._wake = threading.Event()
        self._clock: threading.Thread | None = None

    def begin(self, kind: str, calls: int) -> None:
        """Answers of this kind follow, from so many calls into the script."""
        self._kind = kind
        self._is_open = True
        if calls > 1 and not self._ticks:
            self._start_clock()

    def add(self, answer: Any) -> None:
        """Take an answer as it is now. Raises one of `Unsendable`."""
        try:
            piece = encode_value(answer)
        except ENCODING_ERRORS as error:
            piece = encode_again(answer, error)
        if len(piece) > self._room:
            self._channel.check_size(len(piece) + _FRAME_MARGIN)
        self._pieces.append(piece)

    def finish(self) -> None:
        """The call is over: send what has not been sent."""
        self._is_open = False
        self._flush(last=True)

    def send(self, *message: Any) -> None:
        """A message of another kind, after all answers given so far."""
        self._is_open = False
        if self._pieces:
            self._flush(last=False)
        with self._sending:
            self._channel.send(*message)

    def _flush(self, *, last: bool) -> None:
        with self._sending:
            count = len(self._pieces)  # another thread may add more meanwhile
            pieces = self._pieces[:count]
            del self._pieces[:count]
            while True:
                fitting = self._fitting(pieces)
                rest = pieces[fitting:]
                is_last = last and not rest
                if fitting or is_last:
                    self._channel.send_frame(joined(self._kind, pieces[:fitting], is_last))
                if not rest:
                    return
                pieces = rest

    def _fitting(self, pieces: list[bytes]) -> int:
        """How many of the pieces go into one frame: as many as fit, and at least one."""
        room = self._room
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
        """Send what waits every few milliseconds; sleep for good while no call is under way."""
        quiet = 0
        while True:
            time.sleep(FLUSH_SECONDS)
            if self._pieces:
                try:
                    self._flush(last=False)
                except OSError:
                    return  # the engine has gone: the main thread will find out
            quiet = 0 if self._is_open else quiet + 1
            if quiet > _IDLE_TICKS:
                self._wake.clear()
                self._ticks = False
                if not self._is_open:  # else `begin` came too early to see that nothing ticks
                    self._wake.wait()
                self._ticks, quiet = True, 0


def unsendable(hook: str, error: Exception) -> Failure:
    """The failure in place of an answer that cannot be sent."""
    return (
        f"the result of {hook} cannot be passed on",
        str(error),
        "Return smaller documents of plain values.",
        "",
    )
