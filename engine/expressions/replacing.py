"""Replaces parts of strings as JavaScript's `replace` does: by a template or by a function."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from engine.expressions.callables import call_value
from engine.expressions.limits import check_text
from engine.expressions.regexes import Match, Regex, Replacing, expanded
from engine.expressions.utf16 import join, length, units
from engine.expressions.values import Function, scalar_text, to_text


def replaced(text: str, wanted: Regex, replacement: Any, everywhere: bool) -> str:
    """The text with the first match of a regex, or every one, replaced."""
    if replacement.__class__ is str and "$" not in replacement:
        quickly = wanted.replaced(text, replacement, everywhere)
        if quickly is not None:
            return quickly
    subject = wanted.subject(text)
    if everywhere:
        found = list(wanted.matches(subject))
    else:
        found = [one] if (one := wanted.search(subject)) else []
    return _written(found, subject, _writer(replacement, text, subject, wanted), text)


def replaced_text(text: str, wanted: str, replacement: Any, everywhere: bool) -> str:
    """The text with the first occurrence of a string, or every one, replaced."""
    if replacement.__class__ is str and "$" not in replacement and text.isascii() and wanted:
        check_text(len(text) + (text.count(wanted) if everywhere else 1) * len(replacement))
        return text.replace(wanted, replacement, -1 if everywhere else 1)
    subject = units(text)
    starts = _starts(subject, units(wanted))
    size = length(wanted)
    found = [
        Match(start, start + size, (wanted,))
        for start in (starts if everywhere else itertools.islice(starts, 1))
    ]
    return _written(found, subject, _writer(replacement, text, subject, None), text)


def _starts(subject: str, wanted: str) -> Iterator[int]:
    at = subject.find(wanted)
    while at >= 0:
        yield at
        at = subject.find(wanted, at + max(1, len(wanted)))


def _written(found: list[Match], subject: str, write: Callable[[Match], str], text: str) -> str:
    """The subject with each match replaced."""
    if not found:
        return text
    parts: list[str] = []
    size = at = 0
    for match in found:
        parts += (subject[at : match.start], write(match))
        size += len(parts[-1]) + len(parts[-2])
        check_text(size)
        at = match.end
    return join([*parts, subject[at:]])


def _writer(
    replacement: Any, text: str, subject: str, wanted: Regex | None
) -> Callable[[Match], str]:
    """The function that returns the replacement for a match; `wanted` is the regex, if any."""
    names = wanted.names if wanted else {}
    if replacement.__class__ is not Function:
        template = scalar_text(replacement)
        if "$" not in template:
            return lambda match: template
        return lambda match: expanded(template, Replacing(subject, match, names))

    def called(match: Match) -> str:
        at = wanted.position(subject, match.start) if wanted else match.start
        named = (Replacing(subject, match, names).named(),) if names else ()
        return to_text(call_value(replacement, *match.groups, at, text, *named))

    return called
