"""Stops a run at documents that fail, and asks what to do with each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from engine.documents import Document, copied
from engine.expressions import compile_expression

if TYPE_CHECKING:
    from engine.plan.plan import PlannedSnap
    from engine.run.context import SnapContext

Decision = Literal["continue", "skip", "all", "stop"]
"""Go on as the snap's `on_error` says, drop the document, do not ask again, end the run."""

_REMEMBERED = 1000


class FailedDocument(msgspec.Struct, frozen=True):
    """A document that failed, without secrets. `document` is None if the snap had none.

    `evaluate` gives the value of an expression on it, and raises ExpressionError.
    """

    snap: PlannedSnap
    message: str
    document: Document | None
    may_skip: bool
    evaluate: Callable[[str], Any]


class Breaker:
    """Asks about each document that fails, one at a time, whatever thread its snap runs in."""

    def __init__(self, ask: Callable[[FailedDocument], Decision]) -> None:
        self._ask = ask
        self._asks = True
        self._lock = threading.Lock()
        self._decided: dict[tuple[int, str, int], Decision] = {}

    def skips(
        self,
        context: SnapContext,
        error: BaseException,
        original: Document | None,
        *,
        may_skip: bool,
    ) -> bool:
        """Whether to drop the document. Raises SnapFailedError if the run is to end.

        A snap may get a failed batch again, document by document: nobody is asked twice.
        """
        number = context.number_of(original)
        key = None if number is None else (id(context), context.label, number)
        with self._lock:
            decision: Decision = "continue"
            if key is not None and key in self._decided:
                decision = self._decided[key]
            elif self._asks:
                decision = self._ask(_shown(context, error, original, may_skip=may_skip))
                self._asks = decision != "all"
                if key is not None:
                    self._remember(key, decision)
        if decision == "stop":
            raise context.failure(error, original) from context.shown_cause(error)
        return decision == "skip" and may_skip

    def _remember(self, key: tuple[int, str, int], decision: Decision) -> None:
        self._decided[key] = decision
        if len(self._decided) > _REMEMBERED:
            del self._decided[next(iter(self._decided))]


def _shown(
    context: SnapContext, error: BaseException, original: Document | None, *, may_skip: bool
) -> FailedDocument:
    secrets = context.execution.secrets
    document = None if original is None else context.readable(original)

    def evaluate(text: str) -> Any:
        function = compile_expression(text, scope=context.scope)
        return secrets.mask(function(copied(document)))

    return FailedDocument(
        context.execution.snap(context.label),
        str(context.failure(error, original)),
        secrets.mask(document),
        may_skip,
        evaluate,
    )
