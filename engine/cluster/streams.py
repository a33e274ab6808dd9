"""Puts the parts of a stream together that the copies of a formatter make."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from engine.documents import Item, StreamEnd, StreamStart
from engine.plan.plan import Port
from engine.run.report import SnapStatistics


class JoinedStreams:
    """For some ports: each copy begins and ends a stream of its own there, which must be one.

    The first start in the order of the chunks is that of the first document. The last end is that
    of the last copy to finish (`end_after`). A start that is dropped is not counted.
    """

    def __init__(self, ports: Collection[Port], counts: Mapping[str, SnapStatistics]) -> None:
        self._has_begun = dict.fromkeys(ports, False)
        self._counts = counts
        self._left = 0

    def end_after(self, replies: int) -> None:
        """So many replies are still to come; the last one ends the streams."""
        self._left = replies

    def next_reply(self) -> None:
        self._left -= 1

    def joined(self, port: Port, items: list[Item]) -> list[Item]:
        """The items that belong to the one stream."""
        return [item for item in items if self._belongs(port, item)]

    def _belongs(self, port: Port, item: Item) -> bool:
        if isinstance(item, StreamEnd):
            return self._left == 1
        if isinstance(item, StreamStart):
            if self._has_begun[port]:
                self._counts[port.label].outputs[port.view] -= 1
                return False
            self._has_begun[port] = True
        return True
