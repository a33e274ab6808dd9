"""What leaves an ultra pipeline, passed to the ledger: documents, and streams once complete."""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat

from engine.documents import NO_LINEAGE, Batch, Item, Lineage, StreamEnd, StreamStart
from engine.plan.plan import Port
from engine.run.lineage import Ledger


class Answers:
    """Answers requests from open outputs.

    `stray` is called once for each port that emits something which belongs to no request.
    """

    def __init__(self, ledger: Ledger, stray: Callable[[Port], None]) -> None:
        self._ledger = ledger
        self._stray = stray
        self._streams: dict[Port, tuple[Lineage, list[Item]]] = {}
        self._stray_ports: set[Port] = set()

    def take(self, port: Port, batch: Batch) -> None:
        for item, lineage in zip(batch.items, batch.lineage or repeat(NO_LINEAGE), strict=False):
            if item.__class__ is dict:
                self._answer(port, lineage, [item])
            else:
                self._gather(port, lineage, item)

    def _gather(self, port: Port, lineage: Lineage, piece: Item) -> None:
        """Collect the pieces of a binary stream until it is complete."""
        if isinstance(piece, StreamStart):
            self._streams[port] = (lineage, [piece])
        elif port in self._streams:
            pieces = self._streams[port][1]
            pieces.append(piece)
            if isinstance(piece, StreamEnd):
                del self._streams[port]
                if piece.broken:
                    self._ledger.leave([lineage])
                else:
                    self._answer(port, lineage, pieces)

    def _answer(self, port: Port, lineage: Lineage, items: list[Item]) -> None:
        if lineage:
            self._ledger.answer(lineage, items)
            if self._ledger.streams:
                self._ledger.leave([lineage])
        elif port not in self._stray_ports:
            self._stray_ports.add(port)
            self._stray(port)
