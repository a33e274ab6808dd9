"""Gives a snap its own copies of documents that it may change and that have other readers.

A document may have several readers: snaps behind a Copy, a watcher, the caller of the run, an error
document with its `original`, and the snap itself if a failed batch is repeated.
"""

from __future__ import annotations

from engine.documents import Batch, Document, copied
from engine.plan.plan import Plan, PlannedSnap, Port


class Owner:
    """Copies documents; with `fields`, the values of only these top-level fields are copied."""

    def __init__(self, fields: frozenset[str] | None) -> None:
        self._fields = fields

    def own(self, batch: Batch) -> Batch:
        copy = copied if self._fields is None else self._partly_copied
        return batch.with_items([copy(item) for item in batch.items])

    def _partly_copied(self, document: Document) -> Document:
        copy = document.copy()
        for field in self._fields or ():
            if field in copy:
                copy[field] = copied(copy[field])
        return copy


def owner_of(
    snap: PlannedSnap, plan: Plan, *, expressions_change: bool, repeats: bool, watched: bool
) -> Owner | None:
    """The owner of a snap's input; None if the snap can have the documents as they are.

    `expressions_change`: an expression in its settings may change what it reads. `repeats`: the
    snap may get a failed batch again. `watched`: an observer sees all documents.
    """
    facts = snap.facts
    shared = any(Port(snap.label, view.name) in plan.routes.shared for view in snap.inputs)
    if facts.changes_input and (shared or repeats or watched or snap.makes_error_documents):
        return Owner(None)
    if not expressions_change:
        return None
    return Owner(None if facts.reads is None else frozenset(path[0] for path in facts.reads))
