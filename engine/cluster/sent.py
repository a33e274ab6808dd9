"""Messages to workers that wait for their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from engine.cluster.messages import Request, to_bytes
from engine.cluster.placement import Answer
from engine.errors import EngineError


class Sent:
    """A message, until it is answered. `amount`: documents, or bytes of text. `worker`: the one
    that gets it, if that is fixed. `is_kept`: whoever replaces that worker must get it, too."""

    def __init__(
        self,
        request: Request,
        amount: int,
        message: bytes = b"",
        worker: int = -1,
        *,
        is_kept: bool = False,
    ) -> None:
        self.worker = worker
        self.is_kept = is_kept
        self.message = message or to_bytes(request)
        self.request = request
        self.amount = amount
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.attempts = 0


def fail(messages: Iterable[Sent], error: EngineError) -> None:
    """Nobody will answer these messages."""
    for sent in messages:
        if not sent.answer.done():
            sent.answer.set_exception(error)
            sent.answer.exception()  # perhaps nobody waits for it any more
