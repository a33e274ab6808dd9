"""The rows of requests on their way through a script: each answer belongs to its own request."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

from engine.sdk import (
    Batch,
    Context,
    DataError,
    HeldRows,
    Outcome,
    ScriptSession,
    To,
    part_of,
)

PART_SECONDS = 0.01
"""How long the rows that go to a script together should take."""

_FASTEST = 1e-7


class TrackedRows:
    """Gives a script rows of requests, and settles these with its answers."""

    def __init__(self, context: Context, script: str) -> None:
        self._context = context
        self._script = script
        self._held = HeldRows(context)
        self._pace = PART_SECONDS

    def outputs(
        self, batch: Batch, session: ScriptSession, *, together: bool
    ) -> Iterator[Batch | None]:
        """The answers to rows, as they come, or None if the context's patience is at its end.

        `together`: the script takes the rows as one batch.
        """
        for part in self._parts(batch, together):
            for outcomes in self._outcomes(part, session):
                if outcomes:
                    yield from self._held.settle(outcomes)
                else:
                    yield None

    def last(self, session: ScriptSession) -> Iterator[To]:
        """The answers to the remaining rows. If the script fails, these rows fail instead."""
        try:
            for outcomes in session.finish_tracked():
                yield from self._held.last(outcomes)
        except DataError as error:
            if not self._held:
                raise
            yield from self._held.last(self._held.all_failed(error))

    def _parts(self, batch: Batch, together: bool) -> Iterator[Batch]:
        """The rows in parts of about PART_SECONDS: those whose callers go away in the meantime
        need no call."""
        start = 0
        while start < len(batch):
            size = len(batch) if together else int(PART_SECONDS / self._pace) or 1
            part = batch.at(range(start, min(start + size, len(batch))))
            start += size
            yield part

    def _outcomes(self, part: Batch, session: ScriptSession) -> Iterator[list[Outcome]]:
        context, held = self._context, self._held
        numbers = held.admit(part)
        wanted = [
            position
            for position in range(len(part))
            if not context.abandoned(part.lineage_of(position))
        ]
        if len(wanted) < len(part):
            unwanted = set(range(len(part))).difference(wanted)
            yield [(numbers[position], None) for position in unwanted]
            part, numbers = part.at(wanted), [numbers[position] for position in wanted]
        if wanted:
            begun = perf_counter()
            cancelled: set[int] = set()
            ids = context.request_ids(part.complete_lineage())
            called = context.outside(f"script {self._script}", part.complete_lineage())
            try:
                for outcomes in session.process_tracked(part.items, numbers, ids, context.patience):
                    parts = [number for number, answer in outcomes if part_of(answer) is not None]
                    for number in parts:
                        if number not in cancelled and context.abandoned(held.lineage(number)):
                            cancelled.add(number)
                            session.cancel(number)
                    yield outcomes
            finally:
                called.end()
            self._pace = max((perf_counter() - begun) / len(wanted), _FASTEST)
