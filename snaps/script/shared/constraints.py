"""The lines of a pip constraints file, checked before pip sees its own copy of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.sdk import ConfigurationError, excerpt

_NOT_A_PACKAGE = re.compile(r"-|\.{0,2}/|[\w+.-]+://")
"""Begins an option, a path or a URL, which are left to pip."""

_CONSTRAINT = re.compile(
    r"""(?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*
    (?:\[[\w\s,.-]*\]\s*)?
    (?:@\s*\S+
    |  \(?(?:(?:\s|,)*(?:===|[=~!<>]=|<|>)\s*[^\s,;()=~!<>]+)*[\s,]*\)?
    )
    \s*(?:;.*)?""",
    re.VERBOSE,
)
_NAME = re.compile(r"[\w.-]+")


def check_constraints(text: str, file: str) -> str:
    """The text. Raises ConfigurationError for the first line that pip could not read."""
    for number, line in _joined_lines(text):
        constraint = re.split(r"(?:^|\s)#|\s--", line, maxsplit=1)[0].strip()
        if not constraint or _NOT_A_PACKAGE.match(constraint):
            continue
        if not _CONSTRAINT.fullmatch(constraint):
            name = _NAME.match(constraint)
            raise ConfigurationError(
                f"{file}, line {number}: {excerpt(constraint)} is not a constraint of pip; "
                f"write it as {name[0] if name else 'NAME'}==VERSION"
            )
    return text


def _joined_lines(text: str) -> Iterator[tuple[int, str]]:
    """The number of each line, and the line with those that a backslash continues it with."""
    begun, parts = 1, []
    for number, line in enumerate(text.splitlines(), 1):
        parts.append(line.removesuffix("\\"))
        if not line.endswith("\\"):
            yield begun, "".join(parts)
            begun, parts = number + 1, []
    if parts:
        yield begun, "".join(parts)
