"""Keeps the first items that cross each view of a run."""

from __future__ import annotations

import threading
from collections.abc import Callable

from engine.documents import (
    Batch,
    Document,
    Lineage,
    StreamEnd,
    StreamStart,
    copied,
    without_raw_json,
)
from engine.plan.plan import Port
from engine.preview.result import StreamPreview
from engine.run.report import Report
from engine.run.secrets import Secrets

_START = 500
"""Bytes of a binary stream that are kept to be shown."""

_WHOLE = 256 * 1024
"""Bytes of a binary stream that is kept as a whole."""


class Entries:
    """What crossed a view: how many, and the items that are kept, with their numbers.

    `has_lineage`: whether items said where they come from. `contents` are those of the binary
    streams; None for one that is too long or has no end.
    """

    def __init__(self) -> None:
        self.count = 0
        self.has_lineage = False
        self.numbers: list[int] = []
        self.items: list[Document | StreamPreview] = []
        self.contents: list[bytes | None] = []
        self.stream: StreamPreview | None = None
        self.content = bytearray()


class Recorder:
    """An observer of a run that keeps at most `limit` items of each view.

    With `follow` they are those that come from the document of that number (see numbering).
    """

    def __init__(self, limit: int, show: Callable[[str, str], None], follow: int | None) -> None:
        self.report: Report | None = None
        self.secrets = Secrets()
        self.entries: dict[Port, Entries] = {}
        self._show = show
        self._limit = limit
        self._follow = follow
        self._lock = threading.Lock()

    def started(self, report: Report, secrets: Secrets) -> None:
        self.report, self.secrets = report, secrets

    def show(self, label: str, text: str, request_id: str = "") -> None:
        self._show(label, text)

    def output(self, port: Port, batch: Batch) -> None:
        """It has crossed the view already."""

    def finished(self, report: Report) -> None:
        self.report = report

    def crossed(self, port: Port, batch: Batch) -> None:
        """Keep copies: the next snaps may change the documents."""
        with self._lock:
            entries = self.entries.setdefault(port, Entries())
            entries.has_lineage |= batch.lineage is not None
            for position, item in enumerate(batch.items):
                if isinstance(item, bytes):
                    _add_bytes(entries, item)
                elif isinstance(item, StreamEnd):
                    _end(entries, item)
                elif isinstance(item, StreamStart | dict):
                    entries.count += 1
                    entries.stream = None
                    if self._is_kept(entries, batch.lineage_of(position)):
                        _keep(entries, item)

    def _is_kept(self, entries: Entries, lineage: Lineage) -> bool:
        is_followed = self._follow is None or self._follow in lineage
        return is_followed and len(entries.items) < self._limit


def _keep(entries: Entries, item: StreamStart | Document) -> None:
    entries.numbers.append(entries.count)
    if isinstance(item, StreamStart):
        entries.stream, entries.content = StreamPreview(copied(item.header)), bytearray()
        entries.items.append(entries.stream)
        entries.contents.append(None)
    else:
        entries.items.append(copied(without_raw_json(item)))


def _add_bytes(entries: Entries, data: bytes) -> None:
    stream = entries.stream
    if stream is not None:
        stream.start += data[: max(_START - len(stream.start), 0)]
        stream.size += len(data)
        if stream.size <= _WHOLE:
            entries.content += data


def _end(entries: Entries, end: StreamEnd) -> None:
    stream = entries.stream
    if stream is not None and not end.broken and stream.size <= _WHOLE:
        entries.contents[-1] = bytes(entries.content)
    entries.stream = None
