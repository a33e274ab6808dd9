"""Cuts what comes into a segment into chunks, which a worker answers one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from engine.cluster.file_ranges import FileRange, OpenFile
from engine.cluster.messages import Chunk, Lines, Range, packed
from engine.documents import Batch, Document, Header, Item, StreamEnd, StreamStart
from engine.sdk.results import BATCH_SIZE

CHUNK_SECONDS = 0.1
"""A chunk should take a worker about so long: then a message costs nothing in comparison, and the
work is still spread evenly at the end."""

CHUNK_BYTES = 1 << 20
"""At most; twice as many if the worker reads them itself."""

MOST_DOCUMENTS = 4096
_FIRST_DOCUMENTS, _FIRST_BYTES = 8, 4 << 10
"""Chunks begin small, as a document may take seconds, and double as long as they are fast."""

_LONGEST_LINE = 64 << 20
"""Bytes without an end of line after which the parser gets them as they are, and refuses them."""


class Pace:
    """How much to put into a chunk, learned from how long the chunks so far took."""

    def __init__(self, first: int, most: int) -> None:
        self.amount = first
        self._most = most

    def learn(self, amount: int, seconds: float) -> None:
        fits = int(amount * CHUNK_SECONDS / seconds) if seconds > 0 else self._most
        self.amount = max(1, min(2 * self.amount, fits, self._most))


class DocumentCutter:
    """Cuts documents. Those that do not fill a chunk wait for the next ones, or for `rest`."""

    def __init__(self, segment: int) -> None:
        self._segment = segment
        self._view = ""
        self._parts: list[bytes] = []
        self._size = 0
        self.held = 0
        """Documents that wait."""
        self.pace = Pace(_FIRST_DOCUMENTS, MOST_DOCUMENTS)

    def cut(self, view: str, batch: Batch) -> Iterator[tuple[Chunk, int]]:
        """Chunks, and how many documents each holds."""
        if view != self._view:
            yield from self.rest()
        self._view = view
        start = 0
        while start < len(batch):
            step = min(max(1, self.pace.amount - self.held), BATCH_SIZE)
            items = batch.items[start : start + step]
            start += step
            self._parts.append(packed(items))
            self._size += len(self._parts[-1])
            self.held += len(items)
            if self.held >= self.pace.amount or self._size >= CHUNK_BYTES:
                yield from self.rest()

    def rest(self) -> Iterator[tuple[Chunk, int]]:
        """Those that wait."""
        if self.held:
            chunk, count = Chunk(self._segment, self._view, tuple(self._parts)), self.held
            self._parts, self._size, self.held = [], 0, 0
            yield chunk, count


class RunCutter:
    """Cuts batches of documents where a run of equal neighbours ends (ByRun).

    The last documents wait for the next ones, which may belong to their run. A run that is longer
    than a chunk continues in the next chunk, which the same copy must get: it does not `end`.
    """

    def __init__(self, segment: int, ends: Callable[[Document, Document], bool]) -> None:
        self._segment = segment
        self._ends = ends
        self._held: list[Document] = []
        self._view = ""
        self.pace = Pace(_FIRST_DOCUMENTS, MOST_DOCUMENTS)

    def cut(self, view: str, batch: Batch) -> Iterator[tuple[Chunk, int]]:
        """Chunks, and how many documents each holds."""
        self._view = view
        self._held += batch.items
        while len(self._held) > self.pace.amount:
            yield self._chunk(self._place(self.pace.amount))

    def rest(self) -> Iterator[tuple[Chunk, int]]:
        """The last chunk."""
        if self._held:
            yield self._chunk(len(self._held), is_last=True)

    def _place(self, place: int) -> int:
        """Where a run ends, from a place on; perhaps nowhere."""
        held, ends = self._held, self._ends
        while place < len(held) and not ends(held[place - 1], held[place]):
            place += 1
        return place

    def _chunk(self, end: int, *, is_last: bool = False) -> tuple[Chunk, int]:
        is_end = is_last or end < len(self._held)
        end = end if is_end else len(self._held) - 1
        items: list[Item] = [*self._held[:end]]
        del self._held[:end]
        return Chunk(self._segment, self._view, (packed(items),), ends=is_end), len(items)


class LineCutter:
    """Cuts binary streams at ends of lines."""

    def __init__(self, segment: int) -> None:
        self._segment = segment
        self.pace = Pace(_FIRST_BYTES, 2 * CHUNK_BYTES)
        self._stream = -1
        self._header: Header = {}
        self._line = self._offset = 0
        self._held: list[bytes] = []
        self._size = 0
        self._is_open = False
        self._last_range: Range | None = None

    def cut(self, view: str, batch: Batch) -> Iterator[Lines | Range]:
        for piece in batch.items:
            if piece.__class__ is StreamStart:
                self._begin(piece.header)
            elif piece.__class__ is StreamEnd:
                if self._is_open:
                    yield self._end(view, broken=piece.broken)
            elif isinstance(piece, FileRange):
                if self._is_open:
                    yield from self._ranges(view, piece)
            elif self._is_open:
                self._held.append(piece)
                self._size += len(piece)
                if self._size >= self._amount:
                    yield from self._lines(view)

    def _ranges(self, view: str, file: FileRange) -> Iterator[Range]:
        """Parts of a file; the last one waits for the end of the stream."""
        source = OpenFile()
        try:
            yield from self._parts(view, file, source)
        finally:
            source.close()

    def _parts(self, view: str, file: FileRange, source: OpenFile) -> Iterator[Range]:
        start = 0
        while start < file.size:
            end = start + self.pace.amount - 1
            end = file.size if end >= file.size else source.line_after(file.path, end)
            end = min(end, file.size)
            part = Range(self._segment, view, self._stream, self._header, file.path, start, end)
            if end == file.size:
                self._last_range = part
            else:
                yield part
            start = end

    @property
    def _amount(self) -> int:
        """Bytes of text to send."""
        return min(self.pace.amount, CHUNK_BYTES)

    def _begin(self, header: Header) -> None:
        self._stream += 1
        self._header = header
        self._line = self._offset = 0
        self._held, self._size, self._is_open = [], 0, True
        self._last_range = None

    def _lines(self, view: str) -> Iterator[Lines]:
        """The complete lines so far, in chunks."""
        text = b"".join(self._held)
        start = 0
        amount = self._amount
        while len(text) - start >= amount:
            end = text.rfind(b"\n", start, start + amount) + 1
            end = end or text.find(b"\n", start) + 1
            if not end and len(text) - start > _LONGEST_LINE:
                end = len(text)
            if not end:
                break
            yield self._made(view, text[start:end])
            start = end
        self._held = [text[start:]]
        self._size = len(text) - start

    def _end(self, view: str, *, broken: bool) -> Lines | Range:
        self._is_open = False
        if self._last_range is not None:
            return msgspec.structs.replace(self._last_range, last=True, broken=broken)
        text, self._held = b"".join(self._held), []
        return msgspec.structs.replace(self._made(view, text), last=True, broken=broken)

    def _made(self, view: str, text: bytes) -> Lines:
        made = Lines(
            self._segment, view, self._stream, self._header, self._line, self._offset, text
        )
        self._line += text.count(b"\n")
        self._offset += len(text)
        return made
