"""Texts of generators: templates with comments, or nothing but JSON."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

_MAX_VALUES = 200
_MAX_DEPTH = 20
_TEMPLATE = re.compile(r"\$|^\s*#", re.MULTILINE)


def without_comments(text: str) -> str:
    """A template without the comment lines at its beginning and end: SnapLogic puts tips there."""
    lines = text.replace("\r\n", "\n").split("\n")
    while lines and _is_comment(lines[0]):
        lines.pop(0)
    while lines and _is_comment(lines[-1]):
        lines.pop()
    return "\n".join(lines)


def plain_json(text: str) -> Any:
    """The documents in a text that is plain JSON, if it is an object or a list of objects of a
    size that one reads; None for anything else, a template above all."""
    if _TEMPLATE.search(text):
        return None
    try:
        value = json.loads(text, parse_float=Decimal, object_pairs_hook=_without_repetitions)
    except (ValueError, RecursionError, InvalidOperation):
        return None
    documents = value if isinstance(value, list) else [value]
    if not all(isinstance(document, dict) for document in documents):
        return None
    return value if _size(value, 0) <= _MAX_VALUES else None


def _is_comment(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("##")


def _without_repetitions(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is given twice")
    return found


def _size(value: Any, depth: int) -> int:
    """How many values there are; too many if they are nested too deeply."""
    if depth > _MAX_DEPTH:
        return _MAX_VALUES + 1
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(_size(item, depth + 1) for item in items)
