"""Lines at the wrong depth, compared with the lines above them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from engine.hints import LineChange
from engine.pipeline.yaml_lines import YamlLine, line_above, parse_line

_TOP_LEVEL = ("pipeline", "description", "parameters", "libraries", "snaps", "links")


def misplaced(lines: Sequence[str], number: int) -> tuple[YamlLine, int] | None:
    """The line above that a line should be level with, and its indent.

    None if the line is already level with one above it.
    """
    line = parse_line(number, lines[number])
    levels = list(_levels_above(lines, number))
    if not line.item:  # it may be a sibling of the key in an item
        levels = [inner for level in levels for inner in (_inside(level), level) if inner]
    indents = [level.indent for level in levels]
    if not levels or line.indent in indents:
        return None
    target = _nearest(line, lines, levels)
    return target, target.indent


def indent_message(line: YamlLine, level: YamlLine) -> tuple[str, str]:
    """Message and hint for a line that should be level with one above it."""
    message = (
        f"'{line.name}' is indented by {_spaces(line.indent)}, "
        f"but '{level.name}' above it by {level.indent}"
    )
    place = f"indent it by {_spaces(level.indent)}"
    if not level.indent:
        place = "start it at the beginning of the line"
    hint = f"{place}, like '{level.name}' on line {level.number + 1}"
    return message, hint


def shifted(lines: Sequence[str], number: int, target: int) -> list[LineChange]:
    """Changes that move a line, its children and its siblings to the indent `target`."""
    line = parse_line(number, lines[number])
    delta = target - line.indent
    changes = [_shift(line, delta)]
    sibling = line
    for below in range(number + 1, len(lines)):
        next_line = parse_line(below, lines[below])
        if next_line.is_empty:
            continue
        is_level_already = delta > 0 and next_line.indent == target and bool(line.value)
        is_of_others = (
            next_line.indent > line.indent
            and bool(next_line.key)
            and bool(sibling.value)
            and sibling.value[0] not in "|>"
        )
        if next_line.indent < line.indent or is_level_already or is_of_others:
            break
        if next_line.indent == line.indent:
            sibling = next_line
        changes.append(_shift(next_line, delta))
    return changes


def _shift(line: YamlLine, delta: int) -> LineChange:
    if delta > 0:
        return LineChange(line.number, 0, 0, " " * delta)
    return LineChange(line.number, 0, min(-delta, line.indent))


def _inside(level: YamlLine) -> YamlLine | None:
    """The key in an item of a list, which further keys of the item are level with."""
    if not (level.item and level.key):
        return None
    return msgspec.structs.replace(level, indent=level.key_column)


def _levels_above(lines: Sequence[str], number: int) -> Iterator[YamlLine]:
    """The nearest line above, and those that enclose it, innermost first."""
    below = line_above(lines, number)
    while below is not None:
        if below.key or below.item:
            yield below
        limit, above = below.indent, line_above(lines, below.number)
        while above is not None and above.indent >= limit:
            above = line_above(lines, above.number)
        below = above


def _nearest(line: YamlLine, lines: Sequence[str], levels: Sequence[YamlLine]) -> YamlLine:
    if line.name in _TOP_LEVEL and levels[-1].indent == 0:
        return levels[-1]
    child = next((each for each in _lines_below(lines, line.number)), None)
    if not line.value and child is not None:  # a parent stands above its children
        fitting = [level for level in levels if level.indent < child.indent]
        if fitting and child.indent > line.indent:
            return min(fitting, key=lambda level: abs(level.indent - line.indent))
    if line.value and not line.value.startswith(
        ("{", "&", "*")
    ):  # so it is not the label of a snap
        levels = [
            level for level in levels if level.indent and not _is_label(level, levels)
        ] or levels
    return min(levels, key=lambda level: (abs(level.indent - line.indent), -level.indent))


def _is_label(level: YamlLine, levels: Sequence[YamlLine]) -> bool:
    """Whether the line is directly below `snaps:`; `levels` are innermost first."""
    outer = next((each for each in levels if each.indent < level.indent), None)
    return outer is not None and outer.name == "snaps" and not outer.indent


def _lines_below(lines: Sequence[str], number: int) -> Iterator[YamlLine]:
    for below in range(number + 1, len(lines)):
        line = parse_line(below, lines[below])
        if not line.is_empty:
            yield line


def _spaces(count: int) -> str:
    return f"{count} space" if count == 1 else f"{count} spaces"
