"""Drop documents that are equal to the one before."""

from __future__ import annotations

from operator import eq

from engine.sdk import Batch, ByRun, Document, Example, Foreign, Settings, Snap, same


class UniqueSettings(Settings):
    pass


class Unique(Snap[UniqueSettings]):
    since = "0.4.0"
    about = """
    Only neighbours are compared, so sort the documents first to keep each only once. Documents are
    equal if all their fields are, at any depth and in any order: `1` equals `1.0`, but not `"1"`.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-unique",
        "Unique",
        version=1,
        ignored=("minimumMemory", "outOfResourceTimeout"),
    )
    loses_lineage = "compares documents of different requests"
    plain = True
    changes_input = False
    shares_output = False
    passes_on = True
    parallel = ByRun()
    examples = (
        Example(
            "the second of two equal neighbours is dropped",
            given=[{"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 3}, {"a": 1, "b": 2}],
            expect=[{"a": 1, "b": 2}, {"a": 3}, {"a": 1, "b": 2}],
        ),
    )

    _last: Document | None = None

    def process_batch(self, view: str, batch: Batch) -> Batch:
        documents = batch.items
        before = [self._last, *documents[:-1]]
        self._last = documents[-1]
        seem_equal = map(eq, before, documents)
        kept = [
            document
            for previous, document, equal in zip(before, documents, seem_equal, strict=True)
            if previous is None or not same(previous, document, equal=equal)
        ]
        if len(kept) < len(documents):
            self.context.dropped(len(documents) - len(kept))
        return Batch(kept)

    def end_of_run(self) -> tuple[()]:
        self._last = None
        return ()
