"""Rows of a run on their way through a script: their order tells which answer is for which."""

from __future__ import annotations

from collections.abc import Iterator

from engine.sdk import Batch, Context, DataError, Document, ScriptAnswer, ScriptSession, part_of

_ONLY_DOCUMENTS = frozenset((dict,))


class OrderedRows:
    """Gives a script rows, and reports those that fail or that it drops."""

    def __init__(self, context: Context, script: str) -> None:
        self._context = context
        self._script = script
        self._yields = False
        """Whether documents of the current row have come, but not yet its end."""

    def outputs(self, rows: list[Document], session: ScriptSession) -> Iterator[Batch]:
        """The answers to rows, as they come."""
        if key := self._context.idempotency_key:
            session.identify(key)
        answered = 0
        called = self._context.outside(f"script {self._script}", ())
        try:
            for answers in session.process(rows):
                count = len(answers) - sum(1 for each in answers if part_of(each) is not None)
                if _ONLY_DOCUMENTS.issuperset(map(type, answers)):
                    yield Batch(answers)
                else:
                    yield from self._documents(answers, rows[answered : answered + count])
                answered += count
        finally:
            called.end()

    def _documents(self, answers: list[ScriptAnswer], rows: list[Document]) -> Iterator[Batch]:
        """The documents of answers to these rows; those before a failure are passed on first."""
        results: list[Document] = []
        dropped, rest = 0, iter(rows)
        for answer in answers:
            if (part := part_of(answer)) is not None:
                self._yields = self._yields or bool(part)
                results += part
                continue
            row, yielded, self._yields = next(rest), self._yields, False
            if answer.__class__ is dict:
                results.append(answer)
            elif answer.__class__ is list and answer:
                results += answer
            elif isinstance(answer, DataError):
                yield Batch(results)
                results = []
                self._context.failed(answer, row)
            elif not yielded:
                dropped += 1
        self._context.dropped(dropped)
        yield Batch(results)
