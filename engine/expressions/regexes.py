"""JavaScript and Java regexes, run by the `regex` package with a time limit.

The dialects differ in small things: `$` before a final newline, `.` and line ends, `\\d` and other
scripts, `[` within a class. `_translated` walks over the pattern and writes what means the same.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Iterator
from typing import Any

import regex

from engine.expressions.failures import Failure, TooSlowFailure
from engine.expressions.limits import REGEX_SECONDS

_MAX_PATTERN = 10_000
_MAX_REPEAT = 10_000
_MAX_GROUPS = 500
_SPACE_CLASS = r"\s\x0b\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_WORD = "A-Za-z0-9_"
_BOUNDARY = f"(?:(?<=[{_WORD}])(?![{_WORD}])|(?<![{_WORD}])(?=[{_WORD}]))"
_OUTSIDE_CLASS = {
    "s": f"[{_SPACE_CLASS}]",
    "S": f"[^{_SPACE_CLASS}]",
    "d": "[0-9]",
    "D": "[^0-9]",
    "w": f"[{_WORD}]",
    "W": f"[^{_WORD}]",
    "b": _BOUNDARY,
    "0": r"\x00",
}
_INSIDE_CLASS = {"s": _SPACE_CLASS, "d": "0-9", "w": _WORD, "b": r"\x08", "0": r"\x00"}
_PLAIN_ESCAPES = frozenset("/'\"`#&~ %@!,:;<>=_-")
_COUNT = re.compile(r"\{(\d+)(,?)(\d*)\}")


class Regex:
    """A compiled regex with its JavaScript flags."""

    __slots__ = ("_compiled", "all", "source")

    def __init__(self, source: str, flags: str) -> None:
        self.source = source
        self.all = "g" in flags
        self._compiled = _compiled(source, "i" in flags, "m" in flags, "s" in flags)

    def search(self, text: str) -> Any:
        try:
            return self._compiled.search(text, timeout=REGEX_SECONDS)
        except TimeoutError:
            raise self._too_slow() from None

    def matches(self, text: str) -> Iterator[Any]:
        try:
            yield from self._compiled.finditer(text, timeout=REGEX_SECONDS)
        except TimeoutError:
            raise self._too_slow() from None

    def _too_slow(self) -> TooSlowFailure:
        shown = self.source if len(self.source) < 60 else self.source[:57] + "..."
        message = f"the regex /{shown}/ takes longer than {REGEX_SECONDS:g} s on this text"
        return TooSlowFailure(
            message, "nested repeats such as (a+)+ are slow; write it without them"
        )


@functools.lru_cache(maxsize=512)
def pattern(source: str, flags: str = "") -> Regex:
    return Regex(source, flags)


def _compiled(source: str, ignore_case: bool, multiline: bool, dot_all: bool) -> Any:
    if len(source) > _MAX_PATTERN or source.count("(") > _MAX_GROUPS:
        raise Failure("the regex is too long")
    flags = regex.VERSION0 | (regex.IGNORECASE if ignore_case else 0)
    flags |= regex.MULTILINE if multiline else 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return regex.compile(_translated(source, multiline, dot_all), flags)
    except (regex.error, ValueError, OverflowError, RecursionError, LookupError) as error:
        raise Failure(f"/{source[:80]}/ is not a regex: {error}") from None


def _translated(source: str, multiline: bool, dot_all: bool) -> str:
    parts: list[str] = []
    at = 0
    while at < len(source):
        character = source[at]
        if character == "\\":
            piece, at = _escape(source, at, in_class=False)
        elif character == "[":
            piece, at = _character_class(source, at)
        elif character == ".":
            piece, at = (r"[\s\S]" if dot_all else r"[^\n\r\u2028\u2029]"), at + 1
        elif character == "$":
            piece, at = (r"(?=[\n\r\u2028\u2029]|\Z)" if multiline else r"\Z"), at + 1
        elif source.startswith("(?<", at) and source[at + 3 : at + 4] not in ("=", "!"):
            piece, at = "(?P<", at + 3
        elif character == "{":
            piece, at = _repeat(source, at)
        else:
            piece, at = character, at + 1
        parts.append(piece)
    return "".join(parts)


def _repeat(source: str, at: int) -> tuple[str, int]:
    found = _COUNT.match(source, at)
    if not found:
        return r"\{", at + 1
    if max(int(found[1]), int(found[3] or 0)) > _MAX_REPEAT:
        raise ValueError(f"a repeat may be {_MAX_REPEAT:,} at most")
    return found[0], found.end()


def _escape(source: str, at: int, in_class: bool) -> tuple[str, int]:
    letter = source[at + 1 : at + 2]
    known = _INSIDE_CLASS if in_class else _OUTSIDE_CLASS
    if letter in known:
        return known[letter], at + 2
    if letter == "k" and source.startswith("<", at + 2):
        name, _, _ = source[at + 3 :].partition(">")
        return f"(?P={name})", at + 4 + len(name)
    if letter in _PLAIN_ESCAPES:
        return re.escape(letter), at + 2
    return source[at : at + 2], at + 2


def _character_class(source: str, at: int) -> tuple[str, int]:
    if source.startswith("[^]", at):
        return r"[\s\S]", at + 3
    if source.startswith("[]", at):
        return r"(?!)", at + 2
    parts = ["["]
    at += 1
    if source.startswith("^", at):
        parts.append("^")
        at += 1
    while at < len(source) and source[at] != "]":
        if source[at] == "\\":
            piece, at = _escape(source, at, in_class=True)
        else:
            piece, at = (f"\\{source[at]}" if source[at] in "[&~|" else source[at]), at + 1
        parts.append(piece)
    return "".join([*parts, source[at : at + 1]]), at + 1


def expanded(template: str, found: Any, text: str) -> str:
    """The replacement text with `$1`, `$&`, `$$`, `$<name>` filled in, as JavaScript does."""

    def filled(reference: re.Match[str]) -> str:
        return _reference(reference, found, text)

    return _REFERENCE.sub(filled, template)


_REFERENCE = re.compile(r"\$(?:(\$)|(&)|(`)|(')|(\d{1,2})|<([^>]*)>)")


def _reference(reference: re.Match[str], found: Any, text: str) -> str:
    if reference[1]:
        return "$"
    if reference[2]:
        return str(found[0])
    if reference[3]:
        return text[: found.start()]
    if reference[4]:
        return text[found.end() :]
    if reference[6] is not None:
        names = found.groupdict()
        return (names.get(reference[6]) or "") if names else reference[0]
    return _numbered(reference, found)


def _numbered(reference: re.Match[str], found: Any) -> str:
    groups = found.groups()
    digits = reference[5]
    if len(digits) == 2 and not 0 < int(digits) <= len(groups):
        if 0 < int(digits[0]) <= len(groups):
            return (groups[int(digits[0]) - 1] or "") + digits[1]
        return reference[0]
    if not 0 < int(digits) <= len(groups):
        return reference[0]
    return groups[int(digits) - 1] or ""
