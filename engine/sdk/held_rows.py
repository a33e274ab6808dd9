"""Rows that a snap keeps for later in an ultra task, where a request waits for each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.documents import NO_LINEAGE, Batch, Document, Lineage
from engine.errors import DataError
from engine.sdk.context import Context
from engine.sdk.results import To
from engine.sdk.scripts import Outcome, ScriptAnswer, part_of


class HeldRows:
    """The rows of requests that a snap has received and not finished, each under a number.

    A request of an ultra task stays open while one of its rows is held. A snap that answers rows
    out of order, or later than in the call that delivered them, admits each batch, and settles each
    row when its outcome is known:

        def process_batch(self, view: str, batch: Batch) -> Iterator[Mapping[str, Batch]]:
            self._waiting += zip(self._held.admit(batch), batch.items, strict=True)
            if len(self._waiting) >= 10:
                outcomes = self._outcomes_of(self._waiting)
                for settled in self._held.settle(outcomes):
                    yield {"output": settled}

        def finish(self) -> Iterator[To]:
            return self._held.last(self._outcomes_of(self._waiting))

    The snap must yield the batches of `settle` one by one, as above, because a row is released when
    its documents have been passed on. A row that is never settled is lost, and its request fails.
    Numbers ascend with the rows. They are negative for rows without a request, and thus for all
    rows in a run that is not an ultra task.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._count = 0
        self._rows: dict[int, tuple[Document, Lineage]] = {}
        self._ended: list[Lineage] = []
        self._begun: set[int] = set()
        """Rows for which a part of the answer has come."""

    def __len__(self) -> int:
        """How many rows are held."""
        return len(self._rows)

    def admit(self, batch: Batch) -> list[int]:
        """Hold the rows of the current batch; returns the number of each."""
        numbers = []
        for position, row in enumerate(batch.items):
            line = batch.lineage_of(position)
            self._count += 1
            numbers.append(self._count if line else -self._count)
            self._rows[numbers[-1]] = row, line
        self._context.held(batch.complete_lineage())
        return numbers

    def lineage(self, number: int) -> Lineage:
        """The requests of a row that is held."""
        return self._rows.get(number, (None, NO_LINEAGE))[1]

    def settle(self, outcomes: Iterable[Outcome]) -> Iterator[Batch]:
        """The documents of finished rows; drops and failures are reported to the context.

        Documents under a number that is not held, such as 0, answer no request.
        """
        settled: list[tuple[ScriptAnswer, Document | None, Lineage]] = []
        documents: list[Document] = []
        lineage: list[Lineage] = []
        for number, answer in outcomes:
            if (part := part_of(answer)) is not None:
                if part:
                    self._begun.add(number)
                documents += part
                lineage += [self.lineage(number)] * len(part)
                continue
            row, line = self._rows.pop(number, (None, NO_LINEAGE))
            if self._begun and number in self._begun:
                self._begun.discard(number)
                if not answer:  # its documents have been passed on
                    self._ended.append(line)
                    continue
            settled.append((answer, row, line))
            if not isinstance(answer, DataError):
                given = [answer] if isinstance(answer, dict) else answer or []
                documents += given
                lineage += [line] * len(given)
        if documents:
            yield Batch(documents, lineage if self._context.in_ultra else None)
        self._report(settled)
        yield Batch([])  # gives the host a chance to handle what was just reported

    def last(self, outcomes: Iterable[Outcome]) -> Iterator[To]:
        """Like `settle`, for the result of `finish`."""
        for batch in self.settle(outcomes):
            for position, document in enumerate(batch.items):
                yield To("", document, batch.lineage_of(position))

    def all_failed(self, error: DataError) -> list[Outcome]:
        """Outcomes that fail all held rows with this error."""
        return [(number, error) for number in self._rows]

    def _report(self, settled: list[tuple[ScriptAnswer, Document | None, Lineage]]) -> None:
        for answer, row, line in settled:
            if isinstance(answer, DataError):
                self._context.failed(answer, row, line)
            elif answer is None or answer == []:
                self._context.dropped(1, (line,))
        released = [line for _, row, line in settled if row is not None]
        ended, self._ended = self._ended, []
        self._context.released([*released, *ended])
