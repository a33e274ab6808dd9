"""Where a request goes from the front: to its task, or through what stands in between."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Protocol

from engine.tasks.front.head import Head
from engine.tasks.front.reply import Reply
from engine.tasks.wire.messages import Request, Response

Deliver = Callable[[Response | Reply], None]


class Timed(Protocol):
    """When a request was accepted, and when a process got it (0 if none has): `perf_counter`."""

    @property
    def accepted(self) -> float: ...
    @property
    def given(self) -> float: ...


class Submits(Protocol):
    def submit(self, request: Request, deliver: Deliver) -> Timed | None:
        """Call `deliver` once with the response, now or later; its times, if it has any."""
        ...

    def withdraw(self, request: int) -> None:
        """Nobody waits for the response to this request any more."""
        ...


def caller_of(head: Head) -> str:
    """Tells callers with different tokens apart, without keeping the tokens."""
    tokens = [value for name, value in head.headers if name == "authorization"]
    return hashlib.sha256("\n".join(tokens).encode()).hexdigest() if tokens else ""
