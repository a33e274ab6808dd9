"""Documents that `snaplogic_process` yields: each is on its way while the script goes on.

They are parts of the answer to their row, which is complete when the generator ends. If nobody
waits for the answer any more, the generator is closed, as it is when it raises.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from time import monotonic
from types import GeneratorType
from typing import Any

from .replies import Outbox
from .results import elements, plain
from .rows import Answer
from .state import State

HOOK = "snaplogic_process"

_SIGN_SECONDS = 0.1
"""How often a script that yields nothing for now gives a sign, to which the engine may react."""


def is_generator(result: Any) -> bool:
    return isinstance(result, GeneratorType)


class Yielding:
    """Runs generators. `cancelled` says whether nobody waits for the row of that number."""

    def __init__(self, outbox: Outbox, state: State, cancelled: Callable[[int], bool]) -> None:
        self._outbox = outbox
        self._state = state
        self._cancelled = cancelled

    def run(self, generator: Generator[Any, None, None], number: int | None) -> None:
        """Send what it yields for the row of that number, None if rows have no numbers.

        A time limit for calls holds for each step of it. Raises whatever the script raises.
        """
        self._outbox.keep_sending()
        sent = monotonic()
        try:
            for item in generator:
                documents = [
                    plain(each, "") for each in elements(_unmarked(item), f"each result of {HOOK}")
                ]
                kept = [each for each in documents if not _is_drop(each)]
                self._state.pause()
                if kept or monotonic() - sent >= _SIGN_SECONDS:
                    part = [True, kept]
                    self._outbox.add_part(part if number is None else (number, part))
                    sent = monotonic()
                if number is not None and self._cancelled(number):
                    return
                self._state.resume()
        finally:
            generator.close()


def _is_drop(document: dict[str, Any]) -> bool:
    return document.get("snaplogic_flag") == "drop"


def _unmarked(item: Any) -> Any:
    """Raises TypeError for a document that is meant for a certain row."""
    for each in item if isinstance(item, list) else (item,):
        if isinstance(each, Answer):
            raise TypeError(
                "a document that is yielded answers its own row; return the documents of "
                "slt.answer instead"
            )
    return item
