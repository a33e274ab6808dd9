"""A snap that does not run: it puts out what left it in an earlier preview, or what is pinned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.documents import NO_LINEAGE, Batch, Document, Item, StreamEnd, StreamStart, ViewType
from engine.preview.not_run import NotRun
from engine.run.context import SnapContext
from engine.sdk.results import Emission, To
from engine.sdk.views import ERROR_VIEW


class Replay(NotRun):
    """Goes before the class of a snap that does not run. `preview_items`: what leaves each view."""

    preview_items: Mapping[str, Sequence[Item]] = {}

    def start(self) -> Iterable[Item | To]:
        errors: Sequence[Any] = self.preview_items.get(ERROR_VIEW.name, ())
        if errors:
            assert isinstance(self.context, SnapContext)  # a preview is a run
            documents: Sequence[Document] = errors
            self.context.statistics.errors += len(documents)
            self.context.error_documents += documents
            self.context.error_lineage += [NO_LINEAGE] * len(documents)
        for view, items in self.preview_items.items():
            if view != ERROR_VIEW.name:
                yield from (To(view, item) for item in items)

    def process_batch(self, view: str, batch: Batch) -> Emission:
        return ()

    def finish(self) -> Iterable[Item | To | Batch]:
        return ()

    def interrupt(self) -> None:
        """Nothing can block."""

    def close(self) -> None:
        """Nothing is open."""


def items_of(kind: ViewType, held: Sequence[Any]) -> list[Item]:
    """What `HeldView.unpacked` returned, as items that leave a view."""
    if kind == "document":
        return list(held)
    return [
        piece
        for header, _, _, content in held
        for piece in (StreamStart(header), *([content] if content else ()), StreamEnd())
    ]
