"""Short calls of a stage that waits for the outside, made without its thread.

A script often answers a single request sooner than two threads have been woken, one to ask it and
one to pass on what it says. Such a call begins in the event loop. If it takes longer, the snap
yields nothing yet, and the stage's thread goes on with the same results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter

from engine.documents import Batch
from engine.plan.plan import Port, Routes, Stage
from engine.run.host import Outputs, StageHost
from engine.run.inbox import Inbox

HASTE_SECONDS = 0.002
"""How long a call may keep the event loop until its answer begins to arrive."""

_AFTER_A_LONG_CALL = 32
"""Calls that go to the thread at once after one that was not short."""


class BegunBatch(Batch):
    """A batch in process; `outputs` are the results that are still to come."""

    __slots__ = ("outputs",)

    def __init__(self, batch: Batch, outputs: Outputs) -> None:
        super().__init__(batch.items, batch.lineage)
        self.outputs = outputs


class HastyStage:
    """Begins calls of a stage in the event loop; `pass_on` says whether more may follow at once."""

    def __init__(
        self, host: StageHost, inbox: Inbox, pass_on: Callable[[Port, Batch], bool]
    ) -> None:
        self._host = host
        self._inbox = inbox
        self._pass_on = pass_on
        self._to_thread = 0

    def push(self, view: str, batch: Batch) -> None:
        """Process a batch now, or leave it to the thread, if that is at work or calls are long."""
        if len(batch.items) > 1 or not self._inbox.awaits:
            self._inbox.put_at_once(view, batch)
        elif self._to_thread:
            self._to_thread -= 1
            self._inbox.put_at_once(view, batch)
        else:
            self._process(view, batch)

    def _process(self, view: str, batch: Batch) -> None:
        end = perf_counter() + HASTE_SECONDS
        outputs = self._host.process(view, batch)
        self._host.hurry(HASTE_SECONDS)
        try:
            for port, given in outputs:
                if not given.items:
                    break
                if not self._pass_on(port, given) or perf_counter() > end:
                    break
            else:
                return
        finally:
            self._host.hurry(None)
        self._to_thread = _AFTER_A_LONG_CALL
        self._inbox.put_at_once(view, BegunBatch(batch, outputs))


def outputs_of(host: StageHost, view: str, batch: Batch) -> Outputs:
    """The results of a batch, or those that are still to come."""
    return batch.outputs if isinstance(batch, BegunBatch) else host.process(view, batch)


def hasty_stages(
    routes: Routes,
    hosts: Mapping[Stage, StageHost],
    inboxes: Mapping[Stage, Inbox],
    pass_on: Callable[[Port, Batch], bool],
) -> dict[Stage, HastyStage]:
    """Those whose snap can be hurried, and whose batches stay in memory."""
    return {
        stage: HastyStage(host, inboxes[stage], pass_on)
        for stage, host in hosts.items()
        if host.hurries and not any(feed.spills for feed in routes.feeds[stage])
    }
