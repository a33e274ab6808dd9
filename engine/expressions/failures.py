"""A failure inside an evaluation, and how it becomes an error that quotes the user's text.

The helpers of the generated code raise `Failure` without knowing where they were called from. The
generated code carries, as its line numbers, the numbers of the syntax nodes; so the traceback
shows which piece of the user's text failed, at no cost to the careful code.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import lru_cache
from itertools import islice
from types import TracebackType
from typing import Any

from engine.errors import AbsentError, EvaluationError
from engine.expressions.suggestions import MAX_NAMES, nearest

SOURCE_MAP = "source map"
_MAX_REPORTS = 64
_SURE = 0.75
"""From this resemblance on, a name is a misspelling of another."""


class Failure(Exception):  # noqa: N818 - not yet the error that users see
    """An evaluation failed. In `message` and `hint`, `{here}` stands for the user's text."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint

    def shown(self, here: str) -> tuple[str, str]:
        return self.message.replace("{here}", here), self.hint.replace("{here}", here)

    def cause(self) -> Hashable:
        """Failures of one place with the same cause have the same texts."""
        return self.message, self.hint


class AbsentFailure(Failure):
    """A value that is read does not exist."""


class MissingFailure(AbsentFailure):
    """A name that `owner` does not have. Similar names are looked for only if it is shown."""

    def __init__(self, name: str, owner: Mapping[str, Any]) -> None:
        self.name = name
        self.owner = owner

    def shown(self, here: str) -> tuple[str, str]:
        return _missing(here, self.name, tuple(islice(self.owner, MAX_NAMES)))

    def cause(self) -> Hashable:
        return type(self), self.name, *islice(self.owner, MAX_NAMES)


@lru_cache(128)
def _missing(here: str, name: str, names: tuple[str, ...]) -> tuple[str, str]:
    """Message and hint; the same for all documents of a kind."""
    near = nearest(name, names)
    if here == f"lib.{name}":
        hint = f"did you mean `{near[0]}`?" if near else "import the library"
        return f"there is no library `{name}`", hint
    owner = "document" if here.startswith("$") else "object"
    message = f"`{here}` is not in the {owner}"
    stem = here.removesuffix(name) if here.endswith(name) else ""
    reader = f"{stem.removesuffix('.')}.get('{name}')"
    hint = f"if it may be missing, write {reader}, which then returns null" if stem else ""
    if not near:
        return message, hint
    is_sure = nearest(name, near, cutoff=_SURE) or not stem
    return f"{message}; did you mean `{stem}{near[0]}`?", "" if is_sure else hint


class MissingKeyFailure(MissingFailure):
    """A computed name that `owner` does not have, as in `$a[$b]`."""

    def shown(self, here: str) -> tuple[str, str]:
        near = nearest(self.name, self.owner)
        proposal = f"; did you mean `{near[0]}`?" if near else ""
        return f"there is no property `{self.name[:80]}` for `{here}`{proposal}", ""


class TooSlowFailure(Failure):
    """Time ran out; the careful code would take just as long, so it is not tried."""


class Place:
    """A place in the user's text. It keeps the texts of the failures there: many documents of a
    stream fail alike."""

    __slots__ = ("_reports", "length", "offset", "text")

    def __init__(self, text: str, offset: int, length: int) -> None:
        self.text = text
        self.offset = offset
        self.length = length
        self._reports: dict[Hashable, dict[str, Any]] = {}

    def described(self, failure: BaseException) -> tuple[str, str]:
        """Message and hint."""
        here = self.text[self.offset : self.offset + self.length]
        if _is_in_parentheses(here):
            here = here[1:-1].strip()
        message, hint = _described(failure, here)
        return _printable(message), _printable(hint)

    def report(self, failure: BaseException) -> dict[str, Any]:
        """The texts of the error document."""
        cause = failure.cause() if isinstance(failure, Failure) else (type(failure), str(failure))
        found = self._reports.get(cause)
        if found is None:
            if len(self._reports) >= _MAX_REPORTS:
                self._reports.clear()
            message, hint = self.described(failure)
            error = EvaluationError(message, self.text, self.offset, self.length, hint)
            found = self._reports[cause] = error.report()
        return found.copy()


_NO_PLACE = Place("", 0, 1)


class SourceMap:
    """Line numbers of generated code -> places in the user's texts."""

    __slots__ = ("places",)

    def __init__(self) -> None:
        self.places: list[Place] = []

    def line_of(self, text: str, offset: int, length: int) -> int:
        self.places.append(Place(text, offset, length))
        return len(self.places)

    def place_of(self, line: int) -> Place:
        return self.places[line - 1] if 0 < line <= len(self.places) else _NO_PLACE


def located(error: BaseException, target: str = "") -> EvaluationError:
    """The user's error for an exception of an evaluation, for the target of a mapping."""
    place = _innermost_place(error.__traceback__)
    return failed_at(place, error.with_traceback(None), target)


def failed_at(place: Place, failure: BaseException, target: str) -> EvaluationError:
    kind = AbsentError if isinstance(failure, AbsentFailure) else EvaluationError
    return kind.at(place, failure, target)


def _is_in_parentheses(text: str) -> bool:
    """Whether one pair of parentheses encloses the whole text, unlike in `(1).f(2)`."""
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return 0 < position == len(text) - 1
    return False


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


def _innermost_place(traceback: TracebackType | None) -> Place:
    place = _NO_PLACE
    while traceback is not None:
        source_map = traceback.tb_frame.f_globals.get(SOURCE_MAP)
        if source_map.__class__ is SourceMap:
            place = source_map.place_of(traceback.tb_lineno)
        traceback = traceback.tb_next
    return place
