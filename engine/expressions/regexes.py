"""JavaScript's regexes, run by the `regex` package with a time limit.

`regex_translation` writes the pattern for the package; this module searches as JavaScript does:
where the next match may begin after an empty one, what splits a string, what `$1` stands for.
Without the flag `u` a regex sees UTF-16 units, with it characters; positions that leave this module
count units.
"""

from __future__ import annotations

import functools
import re
import time
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

from engine.expressions.failures import Failure, TooSlowFailure
from engine.expressions.limits import REGEX_SECONDS
from engine.expressions.utf16 import join, joined, length, units
from engine.late_regex import late_regex

_MAX_PATTERN = 10_000
_MAX_GROUPS = 500
_SHORT = 1_000
_PLAIN = late_regex(
    r"""\^?(?:\((?!\?)|\)(?![*+?{])
    |(?:[\w @,;:/\#%<>=!"'-]|\\[dwsDWS.()/+*?$^\[\]{}|-]|\.|\[\^?(?:[^\]\[\\&|~]|\\[dwsDWS./-])+\])
    (?:[*+?]|\{\d+(?:,\d*)?\})?)+\$?""",
    re.ASCII | re.VERBOSE,
)
"""Regexes that Python's own module runs as the package does, and faster; for ASCII strings."""
_CONSUMING = late_regex(r"(?:(?:\[\^?[^\]\[\\&|~]+\]|\\[dwsDWS]|[\w ,;:/@#%_-])\+?)+", re.ASCII)
"""Regexes each of whose matches has a character, so that no rule about empty matches applies."""
_QUICK_SIZES = (1_000_000, 1_000, 100, 32, 16)
"""Up to this length a search of effort 0, 1, ... is so quick that it needs no time limit."""


class Match:
    """One match: `start` and `end` count in the subject, `groups[0]` is the text matched."""

    __slots__ = ("end", "groups", "start")

    def __init__(self, start: int, end: int, groups: tuple[str | None, ...]) -> None:
        self.start = start
        self.end = end
        self.groups = groups


class Regex:
    """A compiled regex with its JavaScript flags."""

    __slots__ = (
        "_compiled",
        "_consumes",
        "_plain",
        "_quick_size",
        "all",
        "names",
        "source",
        "sticky",
        "unicode",
    )

    def __init__(self, source: str, flags: str) -> None:
        self.source = source
        self.all = "g" in flags
        self.sticky = "y" in flags
        self.unicode = "u" in flags
        self._compiled, self.names, effort = _compiled(
            source if self.unicode else units(source), flags
        )
        is_plain = not flags.strip("g") and _PLAIN.fullmatch(source) is not None
        self._plain = re.compile(self._compiled.pattern, re.ASCII) if is_plain else self._compiled
        self._consumes = not self.sticky and _CONSUMING.fullmatch(source) is not None
        self._quick_size = _QUICK_SIZES[effort] if effort < len(_QUICK_SIZES) else 0

    def subject(self, text: str) -> str:
        """`text` as the regex sees it; the positions of a match refer to this."""
        return text if self.unicode else units(text)

    def position(self, subject: str, at: int) -> int:
        """The position in UTF-16 units."""
        return length(subject[:at]) if self.unicode else at

    def test(self, text: str) -> bool:
        """Whether it matches anywhere in the text."""
        return self.search(self.subject(text)) is not None

    def groups(self, text: str) -> list[str | None] | None:
        """The first match and its groups."""
        if len(text) <= self._quick_size and text.isascii() and not self.sticky:
            found = self._plain.search(text)
            return None if found is None else [found[0], *found.groups()]
        one = self.search(self.subject(text))
        return None if one is None else list(one.groups)

    def place(self, text: str) -> int:
        """Where the first match begins, in UTF-16 units, or -1."""
        if len(text) <= self._quick_size and text.isascii() and not self.sticky:
            found = self._plain.search(text)
            return -1 if found is None else found.start()
        subject = self.subject(text)
        one = self.search(subject)
        return self.position(subject, one.start) if one else -1

    def replaced(self, text: str, replacement: str, everywhere: bool) -> str | None:
        """The text with the matches replaced, if Python does that as JavaScript does."""
        is_short = len(text) <= self._quick_size and len(text) + len(replacement) < _SHORT
        if not (is_short and self._consumes and text.isascii() and replacement.isascii()):
            return None
        what = replacement if "\\" not in replacement else lambda match: replacement
        replaced: str = self._plain.sub(what, text, 0 if everywhere else 1)
        return replaced

    def search(self, subject: str) -> Match | None:
        search = self._compiled.match if self.sticky else self._compiled.search
        seconds = None if len(subject) <= self._quick_size else REGEX_SECONDS
        try:
            found = search(subject, timeout=seconds)
        except TimeoutError:
            raise self._too_slow() from None
        return None if found is None else _match(found, subject.isascii())

    def matches(self, subject: str) -> Iterator[Match]:
        """All matches; after an empty one the search moves on by one place."""
        at, deadline = 0, _deadline()
        while at <= len(subject):
            for match in self._found(subject, at, deadline):
                yield match
                if match.start == match.end:
                    at = match.end + 1
                    break
            else:
                return

    def split(self, subject: str) -> list[str | None]:
        """The parts between the matches, with the groups of each match after the part before."""
        if not subject:
            return [] if self.search(subject) else [""]
        if self._consumes and len(subject) <= self._quick_size and subject.isascii():
            return list(self._plain.split(subject))
        parts: list[str | None] = []
        deadline = _deadline()
        start = at = 0
        while at < len(subject):
            for match in self._found(subject, at, deadline, anywhere=True):
                if match.start >= len(subject):
                    return [*parts, joined(subject[start:])]
                if match.end == start:  # an empty match at the start of a part does not split
                    at = match.start + 1
                    break
                parts += (joined(subject[start : match.start]), *match.groups[1:])
                start = at = match.end
                if match.start == match.end:
                    at += 1
                    break
            else:
                break
        return [*parts, joined(subject[start:])]

    def _found(
        self, subject: str, at: int, deadline: float, anywhere: bool = False
    ) -> Iterator[Match]:
        is_quick = len(subject) <= self._quick_size
        seconds = None if is_quick else max(0.001, deadline - time.monotonic())
        plain = subject.isascii()
        try:
            for found in self._compiled.finditer(subject, at, timeout=seconds):
                if self.sticky and not anywhere and found.start() != at:
                    return
                at = found.end()
                yield _match(found, plain)
        except TimeoutError:
            raise self._too_slow() from None

    def _too_slow(self) -> TooSlowFailure:
        shown = self.source if len(self.source) < 60 else self.source[:57] + "..."
        message = f"the regex /{shown}/ takes longer than {REGEX_SECONDS:g} s on this string"
        return TooSlowFailure(
            message, "nested repeats such as (a+)+ are slow; rewrite the regex without them"
        )


def _match(found: Any, plain: bool) -> Match:
    groups: tuple[str | None, ...] = (found[0], *found.groups())
    if not plain:
        groups = tuple(None if one is None else joined(one) for one in groups)
    start, end = found.span()
    return Match(start, end, groups)


def _deadline() -> float:
    return time.monotonic() + REGEX_SECONDS


@functools.lru_cache(maxsize=512)
def pattern(source: str, flags: str = "") -> Regex:
    return Regex(source, flags)


def _compiled(source: str, flags: str) -> tuple[Any, dict[str, int], int]:
    # A tenth of the time in which a run starts, so one without a regex does not wait for it.
    import regex

    from engine.expressions.regex_translation import Flags, translate

    if len(source) > _MAX_PATTERN or source.count("(") > _MAX_GROUPS:
        raise Failure("the regex is too long")
    try:
        unicode = "u" in flags
        text, names, effort = translate(
            source, Flags("i" in flags, "m" in flags, "s" in flags, unicode)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scripts = regex.UNICODE if unicode else regex.ASCII
            return regex.compile(text, regex.VERSION0 | scripts), names, effort
    except (regex.error, ValueError, OverflowError, RecursionError, LookupError) as error:
        raise Failure(f"/{joined(source)[:80]}/ is not a valid regex: {error}") from None


# --- replacements ---


class Replacing(NamedTuple):
    """The context of a replacement: the subject, the position of a match, and the group names."""

    subject: str
    match: Match
    names: dict[str, int]

    def named(self) -> dict[str, str | None]:
        return {name: self.match.groups[number] for name, number in self.names.items()}


_REFERENCE = late_regex(r"\$(?:([$&`'])|(\d{1,2})|<([^>]*)>)", re.ASCII)


def expanded(template: str, place: Replacing) -> str:
    """The replacement text with `$1`, `$&`, `$$`, `$<name>` filled in, as JavaScript does."""
    parts: list[str] = []
    at = 0
    for found in _REFERENCE.finditer(template):
        parts += (template[at : found.start()], _reference(found, place))
        at = found.end()
    return join([*parts, template[at:]])


def _reference(found: re.Match[str], place: Replacing) -> str:
    if found[1]:
        return _marked(found[1], place)
    if found[3] is not None:
        return (place.named().get(found[3]) or "") if place.names else found[0]
    digits = found[2]
    count = len(place.match.groups) - 1
    if 0 < int(digits) <= count:
        return place.match.groups[int(digits)] or ""
    if len(digits) == 2 and 0 < int(digits[0]) <= count:
        return (place.match.groups[int(digits[0])] or "") + digits[1]
    return found[0]


def _marked(mark: str, place: Replacing) -> str:
    if mark == "$":
        return "$"
    if mark == "&":
        return place.match.groups[0] or ""
    return place.subject[: place.match.start] if mark == "`" else place.subject[place.match.end :]
