"""A failure inside an evaluation, and how it becomes an error that quotes the user's text.

The helpers of the generated code raise `Failure` without knowing where they were called from. The
generated code carries, as its line numbers, the numbers of the syntax nodes; so the traceback
shows which piece of the user's text failed, at no cost to the careful code.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from itertools import islice
from types import TracebackType
from typing import Any

from engine.errors import AbsentError, EvaluationError
from engine.expressions.suggestions import MAX_NAMES, nearest

SOURCE_MAP = "source map"


class Failure(Exception):  # noqa: N818 - not yet the error that users see
    """An evaluation failed. In `message` and `hint`, `{here}` stands for the user's text."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint

    def shown(self, here: str) -> tuple[str, str]:
        return self.message.replace("{here}", here), self.hint.replace("{here}", here)


class AbsentFailure(Failure):
    """A value that is read does not exist."""


class MissingFailure(AbsentFailure):
    """A name that `owner` does not have. Similar names are looked for only if it is shown."""

    def __init__(self, name: str, owner: Mapping[str, Any]) -> None:
        self.name = name
        self.owner = owner

    def shown(self, here: str) -> tuple[str, str]:
        return _missing(here, self.name, tuple(islice(self.owner, MAX_NAMES)))


@lru_cache(128)
def _missing(here: str, name: str, names: tuple[str, ...]) -> tuple[str, str]:
    """Message and hint; the same for all documents of a kind."""
    near = nearest(name, names)
    if here == f"lib.{name}":
        hint = f"did you mean `{near[0]}`?" if near else "import the library"
        return f"there is no library `{name}`", hint
    owner = "document" if here.startswith("$") else "object"
    message = f"`{here}` is not in the {owner}"
    if not near:
        return message, ""
    stem = here.removesuffix(name) if here.endswith(name) else ""
    return f"{message}; did you mean `{stem}{near[0]}`?", ""


class MissingKeyFailure(MissingFailure):
    """A computed name that `owner` does not have, as in `$a[$b]`."""

    def shown(self, here: str) -> tuple[str, str]:
        near = nearest(self.name, self.owner)
        proposal = f"; did you mean `{near[0]}`?" if near else ""
        return f"there is no property `{self.name[:80]}` for `{here}`{proposal}", ""


class TooSlowFailure(Failure):
    """Time ran out; the careful code would take just as long, so it is not tried."""


class SourceMap:
    """Line numbers of generated code -> places in the user's texts."""

    __slots__ = ("places",)

    def __init__(self) -> None:
        self.places: list[tuple[str, int, int]] = []

    def line_of(self, text: str, offset: int, length: int) -> int:
        self.places.append((text, offset, length))
        return len(self.places)

    def place_of(self, line: int) -> tuple[str, int, int]:
        return self.places[line - 1] if 0 < line <= len(self.places) else ("", 0, 1)


def located(error: BaseException, target: str = "") -> EvaluationError:
    """The user's error for an exception of an evaluation, for the target of a mapping."""
    text, offset, length = _innermost_place(error.__traceback__)
    kind = AbsentError if isinstance(error, AbsentFailure) else EvaluationError
    describe = partial(_texts_of, error.with_traceback(None), text[offset : offset + length])
    return kind.described_by(describe, text, offset, length, target)


def _texts_of(error: BaseException, here: str) -> tuple[str, str]:
    """Message and hint, for an exception at the place `here`."""
    if here.startswith("(") and here.endswith(")"):
        here = here[1:-1].strip()
    message, hint = _described(error, here)
    return _printable(message), _printable(hint)


def _printable(text: str) -> str:
    """The text with a lone half of a surrogate pair, which has no bytes, as `\\ud83d`."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def _described(error: BaseException, here: str) -> tuple[str, str]:
    if isinstance(error, Failure):
        return error.shown(here)
    if isinstance(error, RecursionError):
        return "the values or calls are nested too deeply", "check for an endless recursion"
    if isinstance(error, MemoryError):
        return "the evaluation needs too much memory", ""
    return f"`{here}` has no value ({type(error).__name__}: {error})", ""


def _innermost_place(traceback: TracebackType | None) -> tuple[str, int, int]:
    place = ("", 0, 1)
    while traceback is not None:
        source_map = traceback.tb_frame.f_globals.get(SOURCE_MAP)
        if source_map.__class__ is SourceMap:
            place = source_map.place_of(traceback.tb_lineno)
        traceback = traceback.tb_next
    return place
