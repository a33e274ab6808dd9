"""YAML's own errors in words that help, for the mistakes that expressions in YAML invite."""

from __future__ import annotations

import re
from typing import Any

import yaml

from engine.errors import Problem
from engine.locations import Location
from engine.pipeline.text import Text

_KEY_AND_VALUE = re.compile(r"""\s*(?:-\s+)*(?:"[^"]*"|'[^']*'|[^:]+):\s+(?P<value>\S.*)""")
_ITEM = re.compile(r"\s*-\s+(?P<value>\S.*)")
_MEANINGS = {
    "*": "is an alias",
    "&": "is an anchor",
    "!": "is a tag",
    "%": "is a directive",
    "@": "is reserved",
    "`": "is reserved",
    "{": "is a map",
    "[": "is a list",
    '"': "ends at the next quote",
    "'": "ends at the next quote",
}
_SIGNS = {"scanning a tag": "!", "scanning an anchor": "&", "scanning an alias": "*"}
_FLOW_HINT = "inside of { } or [ ], put a value that holds : , { or [ in quotes"

DEEPEST = 100
_TOO_DEEP_FOR_THE_PARSER = "maximum nesting depth"


def too_deep(where: Location) -> Problem:
    """The problem for a value that lies deeper than a file may nest."""
    message = f"values are nested more than {DEEPEST} deep"
    return Problem("too-deep", where, message, "make the file flatter")


def syntax_problem(text: Text, error: yaml.YAMLError) -> Problem:
    """The problem for an error of the YAML parser."""
    detail = str(getattr(error, "problem", None) or error)
    context = str(getattr(error, "context", None) or "")
    begun = getattr(error, "context_mark", None)
    mark = getattr(error, "problem_mark", None) or begun
    for construct, sign in _SIGNS.items():
        if construct in context and begun:
            message = f"the value that begins with {sign} is not YAML"
            return Problem("yaml-error", _place(text, begun), message, sign_hint(sign))
    if "quoted scalar" in context and begun:
        message, hint = "a quote opens here and never closes", "close it with the same quote"
        return Problem("yaml-error", _place(text, begun), message, hint)
    where = _place(text, mark)
    if _TOO_DEEP_FOR_THE_PARSER in detail:  # it reads ahead of the events in which we count
        return too_deep(where)
    line = text.lines[where.line - 1]
    message, hint = _in_words(detail, context, line, where.column - 1)
    return Problem("yaml-error", where, message, hint)


def _place(text: Text, mark: Any) -> Location:
    if mark is None:
        return text.at(0, 0)
    if mark.line >= len(text.lines):
        return text.at(len(text.lines) - 1, len(text.lines[-1]))
    return text.at(mark.line, mark.column)


def _in_words(detail: str, context: str, line: str, column: int) -> tuple[str, str]:
    """Message and hint for what the parser says of `line` at `column`."""
    if "\t" in line[: column + 1] and not line[:column].strip():
        return "a tab cannot indent a line in YAML", "indent with spaces"
    if "mapping values are not allowed" in detail:
        if ": " not in line[:column]:
            return "this line does not fit the lines above it", "check its indentation"
        hint = _value_hint(line) or _quoted(_value(line))
        return "YAML reads the ': ' here as a second key on this line", hint
    if "cannot start any token" in detail:
        sign = line[column : column + 1]
        return f"a YAML value cannot begin with '{sign}'", _quoted(line[column:])
    if "flow" in context:
        return f"this is not YAML: {context}, {detail}", _FLOW_HINT
    if "expected key" in detail and (hint := _value_hint(line)):
        return "something follows the end of the value", hint
    parts = [part for part in (context, detail) if part]
    return f"this is not YAML: {', '.join(parts)}", _value_hint(line)


def _value(line: str) -> str:
    found = _KEY_AND_VALUE.match(line) or _ITEM.match(line)
    return found["value"] if found else ""


def _value_hint(line: str) -> str:
    value = _value(line)
    if value[:1] not in _MEANINGS:
        return ""
    return f"a value that begins with {value[0]} {_MEANINGS[value[0]]} in YAML; {_quoted(value)}"


def _quoted(value: str) -> str:
    value = value.strip()
    if not value:
        return ""
    if len(value) > 100:
        return "put the whole value in quotes"
    return "put the whole value in quotes: '{}'".format(value.replace("'", "''"))


def sign_hint(sign: str) -> str:
    """What to do about a value that begins with a sign of YAML."""
    return (
        f"a value that begins with {sign} {_MEANINGS[sign]} in YAML; put the whole value in quotes"
    )
