"""Problems as text (with or without colours), as JSON, or as GitHub annotations."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Literal, TextIO

import msgspec

from engine.cli.wrapping import HINT, are_carets, fitted, width_of
from engine.errors import Problem
from engine.visible import visible

Format = Literal["text", "json", "github"]
_BOLD, _DIM, _RED, _YELLOW, _CYAN, _PLAIN = (f"\x1b[{code}m" for code in (1, 2, 31, 33, 36, 0))


def print_problems(problems: Iterable[Problem], stream: TextIO) -> None:
    """Print each problem as text, with colours on a terminal."""
    is_coloured = has_colours(stream)
    width = width_of(stream)
    for problem in problems:
        text = fitted(visible(str(problem)), width)
        stream.write(f"{_coloured(text, problem) if is_coloured else text}\n")


def has_colours(stream: TextIO) -> bool:
    """Whether the stream is a terminal and colours are not turned off (no-color.org)."""
    declined = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not declined


def as_json(problems: Iterable[Problem]) -> str:
    """The problems as one JSON array."""
    encoded = msgspec.json.encode([_fields(problem) for problem in problems])
    return msgspec.json.format(encoded, indent=2).decode()


def as_annotation(problem: Problem) -> str:
    """The problem as a line that GitHub Actions shows at its place in a pull request."""
    fields = _fields(problem)
    place = (
        f"file={_property(fields['file'])},line={fields['line']},"
        f"col={fields['column']},endColumn={fields['end_column']}"
    )
    text = f"{problem.message}\nhint: {problem.hint}" if problem.hint else problem.message
    return f"::{problem.severity} {place},title={_property(problem.code)}::{_data(text)}"


def _fields(problem: Problem) -> dict[str, Any]:
    where = problem.where
    return {
        "file": where.path,
        "line": where.line,
        "column": where.column,
        "end_column": where.column + where.length,
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "hint": str(problem.hint),
    }


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _coloured(text: str, problem: Problem) -> str:
    color = _RED if problem.severity == "error" else _YELLOW
    place = str(problem.where)
    rest = text.removeprefix(place).replace(problem.code, f"{color}{problem.code}{_PLAIN}", 1)
    first, *more = rest.split("\n")
    lines = [f"{_BOLD}{place}{_PLAIN}{first}"]
    is_hint = False
    for line in more:
        is_hint = is_hint or line.startswith(HINT)
        if is_hint:
            lines.append(f"{_CYAN}{line}{_PLAIN}")
        elif are_carets(line):
            lines.append(line.replace("^", f"{color}^", 1) + _PLAIN)
        else:
            lines.append(f"{_DIM}{line}{_PLAIN}" if line.lstrip()[:1].isdigit() else line)
    return "\n".join(lines)
