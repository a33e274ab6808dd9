"""The base class of the snaps that take binary streams, piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.documents import (
    NO_LINEAGE,
    Batch,
    Header,
    Item,
    Lineage,
    StreamEnd,
    StreamStart,
)
from engine.errors import DataError
from engine.sdk.results import Emission, To
from engine.sdk.snap import S, Snap
from engine.sdk.views import View, Views


class StreamSnap(Snap[S]):
    """Base of the snaps that take binary streams: `begin`, `feed` for each chunk, `end`.

    A DataError in any of the three fails the stream: its remaining chunks are skipped, and
    `abandon` is called, as it is when the stream breaks off upstream. A stream that produced
    neither items nor errors is acknowledged at its end.
    """

    views = Views(inputs=(View("input", "binary"),))

    _header: Header | None = None
    _lineage: Lineage = NO_LINEAGE
    _answered = False

    def begin(self, header: Header) -> Iterable[Item | To]:
        """A stream starts."""
        return ()

    def feed(self, chunk: bytes) -> Iterable[Item | To]:
        """The next bytes of the stream."""
        raise NotImplementedError(f"{type(self).__name__} must define feed")

    def end(self) -> Iterable[Item | To]:
        """The stream is complete."""
        return ()

    def abandon(self) -> None:
        """The stream will not be completed; discard it."""

    def broken(self) -> Iterable[Item | To]:
        """The stream broke off upstream; a snap that emits streams marks its own as broken."""
        self.abandon()
        return ()

    def read_elsewhere(self, lines: int, size: int) -> None:
        """The runtime has read the next `lines`, of `size` bytes, itself, by the snap's steps."""
        self._answered = True

    def leave_stream(self) -> None:
        """Somebody else reads the rest of the stream, if one has begun."""
        if self._header is not None:
            self.abandon()
            self._header = None

    @property
    def is_reading(self) -> bool:
        """Whether a stream has begun and has neither ended nor failed."""
        return self._header is not None

    def report(self, error: DataError) -> None:
        """Report a failed part of the stream; the rest of the stream is still processed."""
        self._answered = True
        self.context.failed(error, self._header, self._lineage)

    def process_batch(self, view: str, batch: Batch) -> Emission:
        return self._process_pieces(batch)

    def _process_pieces(self, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        for position, piece in enumerate(batch.items):
            if piece.__class__ is StreamStart:
                if self._header is not None:  # the previous stream has no end
                    self._break_off()
                self._header, self._lineage = piece.header, batch.lineage_of(position)
                self._answered = False
            if self._header is None:
                continue  # the rest of a stream that failed
            try:
                yield from self._process_piece(piece, batch)
            except (Exception, SystemExit) as error:  # noqa: BLE001  # the context names the snap
                try:
                    self.abandon()
                finally:
                    self._answered = True
                    self.context.broke(error, self._header, self._lineage)
                    self._header = None
                continue
            if piece.__class__ is StreamEnd:
                self._acknowledge()

    def _process_piece(self, piece: Any, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        method, result = self._call(piece)
        output = self.default_output
        if output and batch.lineage is None and _are_documents(result):
            if result:
                self._answered = True
                yield {output: Batch(result)}
            return
        for batches in self._collected(batch, method).batches(result, self._lineage):
            self._answered = True
            yield batches

    def _call(self, piece: Any) -> tuple[str, Any]:
        """The name of the method for the piece, and its result."""
        if piece.__class__ is bytes:
            return "feed", self.feed(piece)
        if piece.__class__ is StreamStart:
            return "begin", self.begin(piece.header)
        if not piece.broken:
            return "end", self.end()
        return "broken", self.broken()

    def _break_off(self) -> None:
        self.abandon()
        self._acknowledge()

    def _acknowledge(self) -> None:
        """Finish the stream, and count it as dropped if it produced nothing."""
        self._header = None
        if not self._answered:
            self.context.dropped(1, (self._lineage,))


def _are_documents(items: Any) -> bool:
    return items.__class__ is list and list(map(type, items)).count(dict) == len(items)
