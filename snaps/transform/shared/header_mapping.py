"""Mapper on binary streams: the mappings see the header, and the bytes pass untouched."""

from __future__ import annotations

from collections.abc import Callable

from engine.sdk import Batch, Context, DataError, Document, Header, Item, StreamEnd, StreamStart


class HeaderMapping:
    """Maps headers; `to_documents` emits each as a document instead of the stream."""

    def __init__(
        self, context: Context, mapped: Callable[[Document], Document], *, to_documents: bool
    ) -> None:
        self._context = context
        self._mapped = mapped
        self._to_documents = to_documents
        self._header: Header | None = None

    def process_batch(self, batch: Batch) -> Batch:
        places: list[int] = []
        items: list[Item] = []
        for place, piece in enumerate(batch.items):
            if piece.__class__ is StreamStart:
                try:
                    self._header = self._mapped(piece.header)
                except DataError as error:
                    self._header = None  # the rest of the stream is skipped
                    self._context.failed(error, piece.header, batch.lineage_of(place))
                else:
                    piece = StreamStart(self._header)
            if self._header is None:
                continue
            if not self._to_documents:
                items.append(piece)
                places.append(place)
            if piece.__class__ is StreamEnd:
                if self._to_documents and piece.broken:
                    self._context.dropped(1, (batch.lineage_of(place),))
                elif self._to_documents:
                    items.append(self._header)
                    places.append(place)
                self._header = None
        return batch.at(places, items)
