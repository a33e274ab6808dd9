"""Pass on the first documents, and drop the others."""

from __future__ import annotations

from collections.abc import Iterable

from engine.sdk import Batch, Example, Foreign, Issue, ReadPaths, Settings, Snap, setting
from snaps.shared.bounds import check_bounds


class HeadSettings(Settings):
    number_of_documents: int = setting(default=1, help="How many documents to pass on.")
    offset: int = setting(default=0, help="How many documents to drop before them.")


class Head(Snap[HeadSettings]):
    since = "0.4.0"
    about = """
    The documents after them are read to the end, and dropped.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-flow-head",
        "Head",
        version=1,
        settings={
            "numberOfDocs": "number_of_documents",
            "documentCount": "number_of_documents",
            "offset": "offset",
        },
    )
    loses_lineage = "passes on only the first documents, so later requests would get nothing"
    single = True
    plain = True
    changes_input = False
    shares_output = False
    passes_on = True
    examples = (
        Example(
            "the first two documents",
            settings={"number_of_documents": 2},
            given=[{"n": 1}, {"n": 2}, {"n": 3}],
            expect=[{"n": 1}, {"n": 2}],
        ),
        Example(
            "the third document",
            settings={"offset": 2},
            given=[{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}],
            expect=[{"n": 3}],
        ),
    )

    @classmethod
    def reads(cls, settings: HeadSettings) -> ReadPaths:
        return frozenset()

    @classmethod
    def check(cls, settings: HeadSettings) -> Iterable[Issue]:
        return check_bounds(settings, "number_of_documents", "offset")

    def open(self) -> None:
        self._seen = 0

    def process_batch(self, view: str, batch: Batch) -> Batch:
        first = self.settings.offset - self._seen
        last = first + self.settings.number_of_documents
        self._seen += len(batch)
        passed = batch.at(range(len(batch))[max(first, 0) : max(last, 0)])
        if len(passed) < len(batch):
            self.context.dropped(len(batch) - len(passed))
        return passed
