"""What leaves a snap or a stage: batches, each with the port that it leaves through."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

from engine.documents import Batch, StreamStart
from engine.plan.plan import Port
from engine.sdk.results import BATCH_SIZE, HELD_SECONDS

Outputs = Iterator[tuple[Port, Batch]]
PAUSE = Port("", ""), Batch([])
"""Separates two slices of a batch, so that the runner can do something else, or stop."""


def joined(outputs: Outputs) -> Outputs:
    """The same items in fewer batches: the next snap should not get them one by one.

    They wait HELD_SECONDS at most, and those before a failure are passed on before it is raised.
    """
    held: dict[Port, Batch] = {}
    since = perf_counter()
    try:
        for port, batch in outputs:
            if not batch.items:
                yield from held.items()
                yield port, batch
                held, since = {}, perf_counter()
                continue
            before = held.get(port)
            held[port] = batch if before is None else before.followed_by(batch)
            full = len(held[port]) >= BATCH_SIZE or batch.items[-1].__class__ is bytes
            if full or perf_counter() - since > HELD_SECONDS:
                yield from held.items()
                held, since = {}, perf_counter()
    except Exception:  # raised again after what came before it
        yield from held.items()
        raise
    yield from held.items()


def streams_in(batch: Batch) -> int:
    """How many binary streams begin in a batch."""
    return sum(1 for piece in batch.items if piece.__class__ is StreamStart)


def lineage_or_none(lineage: list[Any]) -> list[Any] | None:
    """The lineage of a batch; None if no document has any."""
    return lineage if any(lineage) else None
