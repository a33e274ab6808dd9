"""YAML's own errors in words that help, for the mistakes that expressions in YAML invite."""

from __future__ import annotations

import re

import yaml

from engine.errors import Problem
from engine.pipeline.text import Text

_KEY_AND_VALUE = re.compile(r"""\s*(?:-\s+)*(?:"[^"]*"|'[^']*'|[^:]+):\s+(?P<value>\S.*)""")
_ITEM = re.compile(r"\s*-\s+(?P<value>\S.*)")
_NEEDS_QUOTES = {
    "*": "an alias",
    "&": "an anchor",
    "!": "a tag",
    "%": "a directive",
    "@": "a reserved sign",
    "`": "a reserved sign",
    "{": "a map",
    "[": "a list",
    '"': "a quoted text that ends at the next quote",
    "'": "a quoted text that ends at the next quote",
}


_SIGNS = {"scanning a tag": "!", "scanning an anchor": "&", "scanning an alias": "*"}
_FLOW_HINT = "inside of { } or [ ], put a value that holds : , { or [ in quotes"


def syntax_problem(text: Text, error: yaml.YAMLError) -> Problem:
    """The problem for an error of the YAML parser."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = (mark.line, mark.column) if mark else (0, 0)
    if line >= len(text.lines):
        line, column = len(text.lines) - 1, len(text.lines[-1])
    detail = str(getattr(error, "problem", None) or error)
    context = str(getattr(error, "context", None) or "")
    message, hint = _in_words(detail, context, text.lines[line], column)
    if not hint and (opened := getattr(error, "context_mark", None)):
        hint = _value_hint(text.lines[min(opened.line, len(text.lines) - 1)])
    return Problem("yaml-error", text.at(line, column), message, hint)


def _in_words(detail: str, context: str, line: str, column: int) -> tuple[str, str]:
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
    for construct, sign in _SIGNS.items():
        if construct in context:
            return f"this is not YAML: {context}, {detail}", _sign_hint(sign)
    parts = [part for part in (context, detail) if part]
    return f"this is not YAML: {', '.join(parts)}", _value_hint(line)


def _value(line: str) -> str:
    found = _KEY_AND_VALUE.match(line) or _ITEM.match(line)
    return found["value"] if found else ""


def _value_hint(line: str) -> str:
    value = _value(line)
    meaning = _NEEDS_QUOTES.get(value[:1])
    if not meaning:
        return ""
    return f"a value that begins with {value[0]} is {meaning} in YAML; {_quoted(value)}"


def _sign_hint(sign: str) -> str:
    """What to do about a value that begins with a sign of YAML."""
    meaning = _NEEDS_QUOTES[sign]
    return f"a value that begins with {sign} is {meaning} in YAML; put the whole value in quotes"


def _quoted(value: str) -> str:
    value = value.strip()
    if not value:
        return ""
    if len(value) > 100:
        return "put the whole value in quotes"
    return "put the whole value in quotes: '{}'".format(value.replace("'", "''"))


def tag_hint(tag: str) -> str:
    """What to do about a tag that is not allowed."""
    if tag.startswith("tag:"):
        return "remove the tag"
    return _sign_hint("!")


def alias_hint() -> str:
    """What to do about an alias without an anchor."""
    return _sign_hint("*")
