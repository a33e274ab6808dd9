"""The interfaces for watching a run, and for feeding it while it is in progress."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from engine.documents import Batch, Item
from engine.plan.plan import Port
from engine.run.report import Report
from engine.run.secrets import Secrets


class Live(Protocol):
    """Feeds an open input of an ultra pipeline while it runs."""

    async def run(self, push: Callable[[Batch], None]) -> None:
        """Push batches as they arrive, and return when there will be no more.

        It is called once the pipeline has done everything that needs no request, so that a model,
        for example, is loaded before the first one. `push` must be called on the event loop. It
        runs snaps that never wait immediately, and raises the error that fails the pipeline, which
        this method must raise in turn.
        """
        ...


Source = Sequence[Item] | Iterator[list[Item]] | AsyncIterator[list[Item]] | Live
"""The items for an open input. A separate thread reads an iterator of batches, which may block, no
faster than the run takes its items; an asynchronous iterator is read on the run's event loop."""


class Observer(Protocol):
    """Watches a run. `show` may be called from any thread."""

    def started(self, report: Report, secrets: Secrets) -> None:
        """The snaps are open; the counters of the report keep changing until `finished`.

        Text for people must go through `secrets`.
        """
        ...

    def show(self, label: str, text: str, request_id: str = "") -> None:
        """A snap shows a line, perhaps about a request with that id."""
        ...

    def output(self, port: Port, batch: Batch) -> Awaitable[None] | None:
        """Items leave the pipeline through an open output, which awaits the returned value.

        In an ultra pipeline, a stage that waits for the outside awaits it; it may then be left
        unawaited, or be awaited by several stages.
        """
        ...

    def finished(self, report: Report) -> None: ...


@runtime_checkable
class Watcher(Protocol):
    """An observer of the batches themselves. A run without one has no cost for it."""

    def crossed(self, port: Port, batch: Batch) -> None:
        """A batch leaves a view, to another snap (of the same stage or not) or out of the pipeline.

        This includes error views. May be called from any thread, and must not change the batch. An
        EngineError that it raises fails the run; any other exception ends the run and is raised.
        """
        ...
