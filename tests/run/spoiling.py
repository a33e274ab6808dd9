"""Snaps that change the documents that they get, and those that share documents."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any, ClassVar

from engine.sdk import Batch, DataError, Document, Snap, To, View, Views
from tests.run.flowing import run


def nested() -> Document:
    return {"n": 1, "list": [1, {"x": [2]}], "map": {"inner": {"y": 3}}}


def spoil(document: Document, mark: Any = "spoilt") -> Document:
    """Changes everything that can be changed in the document."""
    for value in [document, *_inside(document)]:
        if isinstance(value, dict):
            value["mark"] = mark
        else:
            value.append(mark)
    return document


def _inside(value: Any) -> list[Any]:
    parts = list(value.values() if isinstance(value, dict) else value)
    inner = [part for part in parts if isinstance(part, dict | list)]
    return [*inner, *(deeper for part in inner for deeper in _inside(part))]


class Spoils(Snap[Any]):
    """Changes its input document, and everything in it."""

    stateful = False

    def process(self, document: Document) -> Document:
        return spoil(document)


class SpoilsBatches(Snap[Any]):
    """The same for batches."""

    def process_batch(self, view: str, batch: Batch) -> Batch:
        for document in batch.items:
            spoil(document)
        return batch


class SpoilsAndFails(Snap[Any]):
    """Changes its input document, then fails it."""

    stateful = False

    def process(self, document: Document) -> Document:
        spoil(document)
        raise DataError("it failed")


class SpoilsBatchesAndFails(Snap[Any]):
    """The same for batches."""

    stateful = False

    def process_batch(self, view: str, batch: Batch) -> Batch:
        for document in batch.items:
            spoil(document)
            self.context.failed(DataError("it failed"), document)
        return Batch([])


class Keeps(Snap[Any]):
    """Keeps the documents themselves, and passes them on."""

    changes_input = False
    kept: ClassVar[list[Document]] = []

    def process(self, document: Document) -> Document:
        self.kept.append(document)
        return document


class Sends(Snap[Any]):
    """Sends the same document to two views, as a router might."""

    views = Views(outputs=(View("left"), View("right")))

    def process(self, document: Document) -> list[To]:
        return [To("left", document), To("right", document)]


class Joins(Snap[Any]):
    """Puts the same map into all its documents, as a join does."""

    def open(self) -> None:
        self._other = nested()

    def process(self, document: Document) -> Document:
        return {"other": self._other}


MUTATORS = ["{snap: Spoils}", "{snap: SpoilsBatches}"]


PUSHES = """
    snap: Mapper
    pass_through: true
    mappings: {$count: "$list.push(9) + $list[1].x.push(9)"}
"""


def flow(folder: Path, text: str, *snaps: type[Any], **settings: Any) -> Any:
    """The outputs of the pipeline; the documents of the caller must stay as they are."""
    inputs = settings.pop("inputs", {"copy": [nested(), nested()]})
    before = deepcopy(inputs)
    known = [Spoils, SpoilsBatches, SpoilsAndFails, SpoilsBatchesAndFails, Sends, Joins, Keeps]
    _, failure, watching = run(folder, text, *known, *snaps, inputs=inputs, **settings)
    assert failure is None
    assert inputs == before
    return watching.outputs
