"""Pass on the last documents, and drop the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

from engine.sdk import Batch, Document, Example, Foreign, Issue, ReadPaths, Settings, Snap, setting
from snaps.shared.bounds import check_bounds


class TailSettings(Settings):
    number_of_documents: int = setting(default=1, help="How many documents to pass on.")
    offset: int = setting(default=0, help="How many documents at the end to drop.")


class Tail(Snap[TailSettings]):
    since = "0.4.0"
    about = """
    It waits for the end of its input. Until then, it holds as many documents as `offset` and
    `number_of_documents` say together.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-flow-tail",
        "Tail",
        version=1,
        settings={"numOfDocs": "number_of_documents", "offset": "offset"},
    )
    loses_lineage = "waits for all documents, so no request would get its response"
    single = True
    plain = True
    changes_input = False
    shares_output = False
    passes_on = True
    examples = (
        Example(
            "the last two documents",
            settings={"number_of_documents": 2},
            given=[{"n": 1}, {"n": 2}, {"n": 3}],
            expect=[{"n": 2}, {"n": 3}],
        ),
        Example(
            "the last document but one",
            settings={"offset": 1},
            given=[{"n": 1}, {"n": 2}, {"n": 3}],
            expect=[{"n": 2}],
        ),
    )

    @classmethod
    def reads(cls, settings: TailSettings) -> ReadPaths:
        return frozenset()

    @classmethod
    def check(cls, settings: TailSettings) -> Iterable[Issue]:
        return check_bounds(settings, "number_of_documents", "offset")

    def open(self) -> None:
        settings = self.settings
        self._held: deque[Document] = deque(maxlen=settings.number_of_documents + settings.offset)

    def process_batch(self, view: str, batch: Batch) -> None:
        before = len(self._held) + len(batch)
        self._held.extend(batch.items)
        if before > len(self._held):
            self.context.dropped(before - len(self._held))

    def finish(self) -> Iterator[Document]:
        count = max(0, len(self._held) - self.settings.offset)
        if count < len(self._held):
            self.context.dropped(len(self._held) - count)
        return islice(self._held, count)
