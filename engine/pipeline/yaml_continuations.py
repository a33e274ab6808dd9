"""Lines that continue the value of the line above, but that YAML does not read so."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.hints import LineChange
from engine.pipeline.yaml_issue import YamlIssue
from engine.pipeline.yaml_lines import YamlLine, brief, line_above

_BLOCK = re.compile(r"[|>][-+0-9]*")
_OPERATOR = re.compile(r"&&|\|\||[-+*/%?:.,)=<>!}\]]")
_OPERATOR_AT_END = re.compile(r"(?:&&|\|\||[-+*/%?<>=!(,])$")


def begins_with_operator(value: str) -> bool:
    return _OPERATOR.match(value) is not None


def continuation(lines: Sequence[str], line: YamlLine) -> YamlIssue | None:
    """A line without a key that is not indented further than the key whose value it continues."""
    above = _continued(lines, line)
    is_block = above is not None and _BLOCK.fullmatch(above.value) is not None
    if above is None or not above.value or line.key:
        return None
    if above.value[:1] in "'\"{[|>" and not is_block:
        return None
    name = brief(above.key or "-")
    goes_on = begins_with_operator(line.value) or _goes_on(above.value)
    if not (goes_on or is_block or " " in line.value):
        return None
    deeper = above.indent + 2
    return YamlIssue(
        line.number,
        line.indent,
        f"this line continues the value of '{name}', but is not indented further than '{name}'",
        f"indent it by {deeper} spaces or more",
        length=len(line.value),
        repair=[LineChange(line.number, 0, 0, " " * (deeper - line.indent))],
    )


def second_key_below(lines: Sequence[str], line: YamlLine) -> YamlIssue | None:
    """A ': ' in a line that continues the value above it, such as `$b : $c` after `$a ?`."""
    above = line_above(lines, line.number)
    if above is None or not (above.key and line.key) or line.indent <= above.key_column:
        return None
    is_phrase = " " in line.key and line.key[:1] not in "'\""
    if not above.value or not (is_phrase or _goes_on(above.value)):
        return None
    end = line.value_column + len(line.value)
    parts = [(above.number, above.value_column, len(above.text)), (line.number, 0, end)]
    quotes = [
        LineChange(number, column, 0, "'")
        for number, start, stop in parts
        for column in range(start, stop)
        if lines[number][column] == "'"
    ]
    return YamlIssue(
        line.number,
        line.text.index(":", line.key_column + len(line.key)),
        f"YAML reads the ': ' here as a second key, but this line continues '{above.name}'",
        f"put the value of '{above.name}' in quotes, from line {above.number + 1} to the end",
        repair=[
            LineChange(above.number, above.value_column, 0, "'"),
            *quotes,
            LineChange(line.number, end, 0, "'"),
        ],
    )


def _continued(lines: Sequence[str], line: YamlLine) -> YamlLine | None:
    """The line whose value this one continues, if it continues any."""
    above = line_above(lines, line.number)
    has_value = above is not None and bool(above.key and above.value)
    if above and has_value and (_goes_on(above.value) or begins_with_operator(line.value)):
        return above
    while above is not None and (
        above.indent > line.indent or (not above.key and above.indent == line.indent)
    ):
        above = line_above(lines, above.number)
    return above


def _goes_on(value: str) -> bool:
    """Whether the value is unfinished, so that the next line continues it."""
    return value[:1] not in "'\"{[|>" and _OPERATOR_AT_END.search(value) is not None
