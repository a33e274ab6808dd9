"""Regular expressions of rules, with a time limit: the strings come from outside."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from engine.errors import DataError

_SECONDS = 1.0


@lru_cache(maxsize=256)
def searcher(pattern: str) -> Callable[[str], bool]:
    """A function that says whether the pattern matches anywhere in a string.

    It raises DataError if that takes longer than a second. An invalid pattern is a ValueError.
    """
    import regex

    try:
        compiled = regex.compile(pattern)
    except regex.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None

    def matches(text: str) -> bool:
        try:
            return compiled.search(text, timeout=_SECONDS) is not None
        except TimeoutError:
            raise DataError(
                "the document could not be checked",
                f"the pattern {pattern!r} takes longer than {_SECONDS:g} s on a string of "
                f"{len(text):,} characters",
                "nested repeats such as (a+)+ are slow; rewrite the pattern without them",
            ) from None

    return matches
