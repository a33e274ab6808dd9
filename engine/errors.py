"""The tree of errors, and the mistakes of a pipeline file as values.

Three kinds of failure are kept apart, as in SnapLogic: with a wrong setting nothing starts, a
failing environment stops the pipeline, and for a failing document `on_error` decides. Every class
can be pickled, so it crosses processes intact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal, Protocol, Self

import msgspec

from engine.visible import ACTED_ON, cells


class EngineError(Exception):
    """Base of all errors that the engine raises deliberately."""


class Where(Protocol):
    """A place in a user's file; `str()` returns `file:line:column`."""

    @property
    def path(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def length(self) -> int: ...
    def excerpt(self) -> str: ...


Severity = Literal["error", "warning"]


class Problem(msgspec.Struct, frozen=True):
    """One mistake in a user's file: a value to collect, not an exception to raise."""

    code: str
    where: Where
    message: str
    hint: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        mark = "" if self.severity == "error" else "warning: "
        lines = [f"{self.where}  {self.code}  {mark}{self.message}"]
        if excerpt := self.where.excerpt():
            lines.append(excerpt)
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class ConfigurationError(EngineError):
    """A setting, parameter or file of the user is wrong, so nothing starts."""


class InvalidPipelineError(ConfigurationError):
    """The pipeline file has mistakes; `problems` holds all of them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class UnusableSnapError(ConfigurationError):
    """A snap is installed but unusable; `message` names the file and the reason."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class NotASnapError(UnusableSnapError):
    """The file for a snap's name does not define a snap of that name."""


class ExecutionError(EngineError):
    """The pipeline cannot continue, whatever `on_error` says; not tied to one document."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class SnapFailedError(ExecutionError):
    """A snap failed and the pipeline stops. `where` is the snap's place in the pipeline file.

    `at` says on which document, and for which target or line of the file. `error`, `reason` and
    `resolution` are for callers, who see no file, expression or trace; `trace` is for debugging.
    """

    def __init__(
        self,
        label: str,
        snap: str,
        where: str,
        cause: str,
        error: str = "",
        reason: str = "",
        resolution: str = "",
        at: str = "",
        trace: str = "",
    ) -> None:
        super().__init__(cause)
        self.args = (label, snap, where, cause, error, reason, resolution, at, trace)
        self.label = label
        self.snap = snap
        self.where = where
        self.cause = cause
        self.error = error
        self.reason = reason
        self.resolution = resolution
        self.at = at
        self.trace = trace

    def __str__(self) -> str:
        place = f" at {self.where}" if self.where else ""
        return f"snap {self.label!r} ({self.snap}{place}) failed{self.at}\n{self.cause}"


_LONGEST_LINE = 200
_SHOWN_BEFORE = 60


def underlined(line: str, column: int, length: int) -> tuple[str, str]:
    """A line of a user's file, and carets under `length` characters from `column` (from 0) on.

    Of a very long line, only the part around the place is shown, and control characters, on which
    a terminal may act, are replaced.
    """
    start = max(0, min(column - _SHOWN_BEFORE, len(line) - _LONGEST_LINE))
    end = min(start + _LONGEST_LINE, len(line))
    before, after = "…" if start else "", "…" if end < len(line) else ""
    shown = ACTED_ON.sub("\ufffd", line[start:end].replace("\t", " "))
    marked = line[column : min(column + length, end)]
    carets = "^" * max(1, cells(marked))
    return f"{before}{shown}{after}", f"{' ' * cells(before + line[start:column])}{carets}"


class DataError(EngineError):
    """One document failed. The snap's `on_error` decides what happens to it.

    The three texts become fields of the error document: `error` says what the snap was doing,
    `reason` what went wrong, `resolution` what the user can do. `details` are further fields, such
    as the status of a server's response. `stacktrace` shows the user's own code, if it was running.
    """

    stacktrace: str = ""
    details: Mapping[str, Any]

    def __init__(
        self,
        error: str,
        reason: str = "",
        resolution: str = "",
        *,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(error, reason, resolution)
        self.error = error
        self.reason = reason
        self.resolution = str(resolution)  # a plain string: it becomes a field of a document
        self.details = dict(details or {})

    def __str__(self) -> str:
        return ": ".join(part for part in (self.error, self.reason) if part)

    def report(self) -> dict[str, Any]:
        """The texts of the error document (reference: snaps and tasks, 1.4)."""
        return {
            "error": self.error,
            "reason": self.reason or self.error,  # a snap of somebody else's may give one text
            "resolution": self.resolution,
            "stacktrace": self.stacktrace or str(self),
        }


class ChildFailedError(DataError):
    """A pipeline that a snap ran has failed. `for_callers` are error, reason and resolution without
    places in files and expressions, for callers of a hosted pipeline."""

    def __init__(
        self, error: str, reason: str, resolution: str, for_callers: tuple[str, str, str]
    ) -> None:
        super().__init__(error, reason, resolution)
        self.args = (error, reason, resolution, for_callers)
        self.for_callers = for_callers


class EndlessCallsError(DataError):
    """Pipelines call each other without end, so trying again is of no use."""


class ExpressionError(DataError):
    """An expression cannot be parsed or evaluated. Expressions raise no other error.

    `text` is the user's expression; `offset` and `length` (in characters of `text`) mark the place.
    `target` is the path to which a mapping writes the value.
    """

    target: str = ""
    details: Mapping[str, Any] = MappingProxyType({})

    def __init__(
        self, message: str, text: str = "", offset: int = 0, length: int = 1, hint: str = ""
    ) -> None:
        # no call of the base class: an error is made for each document that fails
        self.args = (message, text, offset, length, hint)
        self.error = f"the expression {text!r} failed" if text else message
        self.message = self.reason = message
        self.hint = hint
        self.resolution = str(hint)
        self.text = text
        self.offset = offset
        self.length = length

    def __str__(self) -> str:
        return "\n".join(part for part in (self.message, self.excerpt(), self._hint_line()) if part)

    def excerpt(self) -> str:
        """The line of the expression with a caret under the place."""
        if not self.text:
            return ""
        start = self.text.rfind("\n", 0, self.offset) + 1
        line = self.text[start:].split("\n", 1)[0]
        return "\n".join(f"  {part}" for part in underlined(line, self.offset - start, self.length))

    def _hint_line(self) -> str:
        return f"  hint: {self.hint}" if self.hint else ""


class ExpressionSyntaxError(ExpressionError):
    """The text is not a valid expression. `others` are its mistakes after this one, the first."""

    def __init__(
        self,
        message: str,
        text: str = "",
        offset: int = 0,
        length: int = 1,
        hint: str = "",
        others: Iterable[ExpressionSyntaxError] = (),
    ) -> None:
        super().__init__(message, text, offset, length, hint)
        self.others = tuple(others)
        self.args = (*self.args, self.others)

    @classmethod
    def of(cls, errors: Iterable[ExpressionSyntaxError]) -> ExpressionSyntaxError:
        """All mistakes as one error, in the order of the text; each once."""
        places = {(error.offset, error.message): error for error in errors}
        first, *others = (places[place] for place in sorted(places))
        return cls(first.message, first.text, first.offset, first.length, first.hint, others)

    @property
    def all(self) -> tuple[ExpressionSyntaxError, ...]:
        return (self, *self.others)

    def __str__(self) -> str:
        return "\n".join((super().__str__(), *map(str, self.others)))


class FailurePlace(Protocol):
    """A place in an expression, which knows what to say about a failure there."""

    @property
    def text(self) -> str: ...
    @property
    def offset(self) -> int: ...
    @property
    def length(self) -> int: ...
    def described(self, failure: BaseException) -> tuple[str, str]:
        """Message and hint."""

    def report(self, failure: BaseException) -> dict[str, Any]:
        """The texts of the error document, as a dict of the caller's own."""


class EvaluationError(ExpressionError):
    """The expression is well formed, but has no value for this document."""

    @classmethod
    def at(cls, place: FailurePlace, failure: BaseException, target: str = "") -> Self:
        """The error for a failure at this place; its texts are made once somebody reads them.

        Many documents may fail, and nobody reads why if they are discarded.
        """
        error = cls.__new__(cls)
        known = {"_place": place, "_failure": failure, "text": place.text, "target": target}
        error.__dict__ = known
        return error

    def __getattr__(self, name: str) -> Any:
        """What depends on the texts, which are made here, on the first such access."""
        place = self.__dict__.pop("_place", None)
        if place is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        message, hint = place.described(self.__dict__.pop("_failure"))
        ExpressionError.__init__(self, message, place.text, place.offset, place.length, hint)
        return getattr(self, name)

    def report(self) -> dict[str, Any]:
        place = self.__dict__.get("_place")
        return super().report() if place is None else place.report(self._failure)

    def __reduce__(self) -> str | tuple[Any, ...]:
        """A pickled error holds its texts, not what could describe it."""
        _ = self.message
        return super().__reduce__()


class AbsentError(EvaluationError):
    """The expression reads something that does not exist."""
