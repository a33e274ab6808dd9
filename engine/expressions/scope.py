"""What an expression sees besides the document: parameters, libraries and facts of the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

import msgspec

from engine.expressions.dates import zone
from engine.late_regex import late_regex


class Scope(msgspec.Struct, frozen=True):
    """Bound when an expression is compiled; from then on its values are constants.

    `libraries` maps a name to a loaded library; `pipe`, `snap` and `task` hold the properties of
    the same names. `timezone` is the zone in which dates are shown. `lenient`: what is a mistake in
    an expression fails only the documents for which that part is evaluated. `now` stops the clock,
    and `random` returns the numbers of `Math.random()`; a test sets both.
    """

    parameters: Mapping[str, str | None] = msgspec.field(default_factory=dict)
    libraries: Mapping[str, Any] = msgspec.field(default_factory=dict)
    pipe: Mapping[str, Any] = msgspec.field(default_factory=dict)
    snap: Mapping[str, Any] = msgspec.field(default_factory=dict)
    task: Mapping[str, Any] = msgspec.field(default_factory=dict)
    timezone: str = "UTC"
    lenient: bool = False
    now: datetime | None = None
    random: Callable[[], float] | None = None

    @property
    def is_repeatable(self) -> bool:
        """Whether the clock stands still or the random numbers have a seed."""
        return self.now is not None or self.random is not None


_OF_A_SCOPE = late_regex(r"\b(?:_\w+|lib|pipe|snap|task|eval|jsonPath)\b")


def may_use_scope(text: str, scope: Scope) -> bool:
    """Whether an expression may depend on more of its scope than the time zone.

    All others are compiled once for all runs: a pipeline may be run for every document.
    """
    return scope.is_repeatable or _OF_A_SCOPE.search(text) is not None


class Context(msgspec.Struct, frozen=True):
    """The context that functions such as `Date.now`, `eval` and `jsonPath` need."""

    scope: Scope
    null_safe: bool
    evaluate: Callable[[str, Any], Any]
    query: Callable[[Any, str, Any], Any]

    @property
    def zone(self) -> tzinfo:
        return zone(self.scope.timezone)

    def now(self) -> datetime:
        return self.scope.now or datetime.now(UTC)
