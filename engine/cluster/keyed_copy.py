"""A worker's side of a keyed segment: documents come with their places among those of all copies,
and what comes of them is noted with its places, so that the coordinator can put it in order.

A place is the lineage of a document, which all snaps that may be in such a segment pass on.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import Any

from engine.cluster.messages import Segment, Share, unpacked
from engine.documents import NO_LINEAGE, Batch, Lineage
from engine.plan.plan import Port
from engine.run.execution import Execution
from engine.run.host import Outputs, StageHost
from engine.sdk.columns import lineage_at
from engine.sdk.parallel import ByKey
from engine.sdk.snap import Snap

NOWHERE = (1 << 62) - 1
"""The place of a document that has none: after all others."""

PAGE = 1024
"""Documents in one answer to Finish, more or less."""


class KeyedCopy:
    """The part of a segment's copy that knows places. Not needed if the segment has no keys."""

    def __init__(self, segment: Segment, execution: Execution, entry: StageHost) -> None:
        self.is_needed = isinstance(segment.keyed, ByKey)
        self._label = segment.labels[0]
        self._entry = entry
        self._first = execution.first_documents
        self._places: dict[Port, array[int]] = {}
        self._finishing: Iterator[None] | None = None
        self._more, self._upto = False, -1
        self._noted = 0

    @property
    def snap(self) -> Snap[Any]:
        return self._entry.members[0].snap

    def batch_of(self, share: Share) -> Batch:
        if share.first:
            (first,) = unpacked(share.first)
            assert isinstance(first, dict)  # keys are in documents
            self._first[self._label, share.view] = first
        return Batch(unpacked(share.part.items), lineage_at(share.places()))

    def note(self, port: Port, batch: Batch) -> None:
        places = self._places.setdefault(port, array("q"))
        places.extend(map(_place, batch.lineage or [NO_LINEAGE] * len(batch)))
        self._noted += len(batch)

    def finish(self, hosts: list[StageHost], pass_on: Callable[[Outputs], None]) -> None:
        """Go on with the last documents, until there are enough for an answer."""
        if self._finishing is None:
            self._finishing = self._finish_all(hosts, pass_on)
        self._more = True
        for _ in self._finishing:
            if self._noted >= PAGE:
                return
        self._more = False

    def _finish_all(
        self, hosts: list[StageHost], pass_on: Callable[[Outputs], None]
    ) -> Iterator[None]:
        """Pauses when all that comes of the documents up to `_upto` has been passed on. The errors
        of a batch follow it, so that is known when the next batch comes."""
        last = -1
        for host in hosts:
            for port, batch in host.finish():
                if host is self._entry and batch.lineage and port.view != "error":
                    self._upto = last
                    last = _place(batch.lineage[-1])
                    yield
                pass_on(iter(((port, batch),)))

    def told(self) -> dict[str, Any]:
        """What the reply to a request says."""
        if not self.is_needed:
            return {}
        places, self._places, self._noted = self._places, {}, 0
        return {
            "places": places,
            "holds_back": self._entry.members[0].holds_back,
            "more": self._more,
            "upto": self._upto,
            "kinds": self._entry.members[0].kinds,
        }


def _place(lineage: Lineage) -> int:
    return min(lineage) if lineage else NOWHERE
