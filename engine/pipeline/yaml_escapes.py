"""Escape sequences in double quotes that YAML does not know."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.hints import LineChange
from engine.pipeline.text import Mark
from engine.pipeline.yaml_issue import YamlIssue

_SURROGATE_PAIR = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)
_ESCAPE_DIGITS = {"\\x": 2, "\\u": 4, "\\U": 8}


def escape_issue(lines: Sequence[str], place: Mark) -> YamlIssue:
    """What is wrong with the escape sequence at a place."""
    line, column = place.line, place.column
    text = lines[line]
    if text[column : column + 1] != "\\":
        column = max(text.rfind("\\", 0, column + 1), 0)
    if pair := _SURROGATE_PAIR.match(text, column):
        return _surrogate_pair(lines, line, pair)
    sequence = text[column : column + 2]
    message = f"'{sequence}' is not an escape that YAML knows"
    if digits := _ESCAPE_DIGITS.get(sequence):
        message = f"'{sequence}' needs {digits} hexadecimal digits that name a character"
    return YamlIssue(
        line,
        column,
        message,
        f"write the backslash twice in double quotes, '\\{sequence}', or use single quotes",
        length=2,
        repair=[LineChange(line, column, 0, "\\")],
    )


def _surrogate_pair(lines: Sequence[str], line: int, pair: re.Match[str]) -> YamlIssue:
    return YamlIssue(
        line,
        pair.start(),
        f"YAML does not know surrogate pairs such as '{pair[0]}'",
        f"write {_long_escape(pair)} or {chr(_code_point(pair))} instead",
        length=len(pair[0]),
        repair=[
            LineChange(line, each.start(), len(each[0]), _long_escape(each))
            for each in _SURROGATE_PAIR.finditer(lines[line], pair.start())
        ],
    )


def _code_point(pair: re.Match[str]) -> int:
    """The character that a surrogate pair stands for."""
    return 0x10000 + ((int(pair[1], 16) - 0xD800) << 10) + int(pair[2], 16) - 0xDC00


def _long_escape(pair: re.Match[str]) -> str:
    return f"\\U{_code_point(pair):08X}"
