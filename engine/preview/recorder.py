"""Keeps the first items that cross each view of a run."""

from __future__ import annotations

import threading
from collections.abc import Callable

from engine.documents import Batch, Document, StreamStart, copied, without_raw_json
from engine.plan.plan import Port
from engine.preview.result import StreamPreview
from engine.run.report import Report
from engine.run.secrets import Secrets

_START = 500
"""Bytes of a binary stream that are kept."""


class Recorder:
    """An observer of a run that keeps at most `limit` items of each view."""

    def __init__(self, limit: int, show: Callable[[str, str], None]) -> None:
        self.report: Report | None = None
        self.secrets = Secrets()
        self.items: dict[Port, list[Document | StreamPreview]] = {}
        self.show = show
        self._limit = limit
        self._lock = threading.Lock()

    def started(self, report: Report, secrets: Secrets) -> None:
        self.report, self.secrets = report, secrets

    def output(self, port: Port, batch: Batch) -> None:
        """It has crossed the view already."""

    def finished(self, report: Report) -> None:
        self.report = report

    def crossed(self, port: Port, batch: Batch) -> None:
        """Keep copies: the next snaps may change the documents."""
        with self._lock:
            items = self.items.setdefault(port, [])
            for item in batch.items:
                if isinstance(item, bytes):
                    self._add_bytes(items[-1] if items else None, item)
                elif len(items) >= self._limit:
                    continue
                elif isinstance(item, StreamStart):
                    items.append(StreamPreview(copied(item.header)))
                elif isinstance(item, dict):
                    items.append(copied(without_raw_json(item)))

    def _add_bytes(self, stream: Document | StreamPreview | None, data: bytes) -> None:
        if isinstance(stream, StreamPreview):
            stream.start += data[: max(_START - len(stream.start), 0)]
            stream.size += len(data)
