"""Values of documents as columns: those of one path or expression, for all documents of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import itemgetter

from engine.documents import Batch, Document, Lineage, Value
from engine.errors import DataError
from engine.expressions import exact_decimals, path_moved
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


def numbers_of(batch: Batch) -> list[int]:
    """In a copy: the places of the documents among those of all copies."""
    assert batch.lineage is not None  # a copy gets documents with their places
    return [min(lineage) for lineage in batch.lineage]


def lineage_at(places: Iterable[int]) -> list[Lineage]:
    """In a copy: what documents carry whose places these are."""
    return [frozenset((place,)) for place in places]


def _reader(context: Context, setting: Path | Expression, null_safe: bool) -> Reader:
    one: Callable[[Document], Value]
    if isinstance(setting, Expression):
        one = context.function(setting, null_safe=null_safe)
        names = path_moved(setting.text)
    else:
        path = context.path(setting)
        one = partial(_value_or_null, path) if null_safe else path.get
        names = path.names
    return _through_fields(names or (), null_safe) or partial(_each, one), one


def _through_fields(
    names: Sequence[str], null_safe: bool
) -> Callable[[list[Document]], Column] | None:
    """Reads fields without a call for each document; None if there is no such way. Where a field is
    missing, it raises."""
    if null_safe:
        if len(names) != 1:
            return None
        name = names[0]
        return lambda documents: [document.get(name) for document in documents]
    if not 0 < len(names) <= 3:
        return None
    outer, *inner = names
    if not inner:
        get = itemgetter(outer)
        return lambda documents: list(map(get, documents))
    if len(inner) == 1:
        field = inner[0]
        return lambda documents: [document[outer][field] for document in documents]
    middle, field = inner
    return lambda documents: [document[outer][middle][field] for document in documents]


def _each(one: Callable[[Document], Value], documents: list[Document]) -> Column:
    return list(map(one, documents))


def _value_or_null(path: JsonPath, document: Document) -> Value:
    return path.get(document, None)
