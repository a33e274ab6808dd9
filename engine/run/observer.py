"""Who watches a run, and who feeds it while it goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from engine.documents import Batch, Item
from engine.plan.plan import Port
from engine.run.report import Report
from engine.run.secrets import Secrets


class Live(Protocol):
    """Feeds an open input of an ultra pipeline while it runs."""

    async def run(self, push: Callable[[Batch], None]) -> None:
        """Push batches as they come, and return when no more will.

        It is called once the pipeline has done all that needs no request: the model is in place
        before the first one. `push` must be called on the event loop. It runs the snaps that never
        wait on the spot, and raises what makes the pipeline fail; then this must raise it, too.
        """
        ...


Source = Sequence[Item] | Iterator[list[Item]] | Live
"""What an open input is fed with. An iterator of batches may have to be waited for: a thread of its
own reads it, no faster than the run takes its items."""


class Observer(Protocol):
    """Somebody who watches a run. `show` may be called from any thread."""

    def started(self, report: Report, secrets: Secrets) -> None:
        """The snaps are open; the counters of the report go on changing until `finished`.

        What is shown to a person must go through `secrets`.
        """
        ...

    def show(self, label: str, text: str) -> None:
        """A snap has a line for whoever watches."""
        ...

    def output(self, port: Port, batch: Batch) -> Awaitable[None] | None:
        """Items leave the pipeline through an open output, which waits for what is given back."""
        ...

    def finished(self, report: Report) -> None: ...


@runtime_checkable
class Watcher(Protocol):
    """An observer that looks at what flows. A run without one pays nothing for it."""

    def crossed(self, port: Port, batch: Batch) -> None:
        """A batch leaves a view: to another snap, of the same stage or not, or to the outside.

        Error views are among them. May be called from any thread, and must not change the batch.
        """
        ...
