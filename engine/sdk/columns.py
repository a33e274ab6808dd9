"""Values of documents as columns: those of one path or expression, for all documents of a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter

from engine.documents import Batch, Document, Value
from engine.errors import DataError
from engine.expressions import exact_decimals
from engine.sdk.context import Context, JsonPath
from engine.sdk.ordering import Column
from engine.sdk.settings import Expression, Path

Reader = tuple[Callable[[list[Document]], Column], Callable[[Document], Value]]
"""Reads the values of many documents, or fails with any error; and that of one."""


class Columns:
    """Reads columns, of paths or expressions."""

    def __init__(
        self, context: Context, settings: Sequence[Path | Expression], *, null_safe: bool = False
    ) -> None:
        self._context = context
        self._readers = [_reader(context, each, null_safe) for each in settings]

    def of(self, documents: list[Document]) -> list[Column]:
        """The columns of documents that have all values."""
        with exact_decimals():
            return [many(documents) for many, _ in self._readers]

    def of_batch(self, batch: Batch) -> tuple[Batch, list[Column]]:
        """The columns of a batch. Documents for which a value fails are reported and left out."""
        try:
            return batch, self.of(batch.items)
        except Exception:  # noqa: BLE001  # the careful way below reports what it was
            with exact_decimals():
                return self._one_by_one(batch)

    def _one_by_one(self, batch: Batch) -> tuple[Batch, list[Column]]:
        positions, rows = [], []
        for position, document in enumerate(batch.items):
            try:
                rows.append([one(document) for _, one in self._readers])
            except DataError as error:
                self._context.failed(error, document, batch.lineage_of(position))
            else:
                positions.append(position)
        columns = [[row[number] for row in rows] for number in range(len(self._readers))]
        return batch.at(positions), columns


def _reader(context: Context, setting: Path | Expression, null_safe: bool) -> Reader:
    if isinstance(setting, Expression):
        function = context.function(setting, null_safe=null_safe)
        return lambda documents: list(map(function, documents)), function
    path = context.path(setting)
    one = path.get
    if null_safe:
        one = partial(_value_or_null, path)
    names = path.names or ()
    if len(names) == 1 and null_safe:
        name = names[0]
        return lambda documents: [document.get(name) for document in documents], one
    if len(names) == 1:
        get = itemgetter(names[0])
        return lambda documents: list(map(get, documents)), one
    if len(names) == 2 and not null_safe:
        outer, inner = names
        return lambda documents: [document[outer][inner] for document in documents], one
    return lambda documents: list(map(one, documents)), one


def _value_or_null(path: JsonPath, document: Document) -> Value:
    return path.get(document, None)
