"""Lines indented with something other than spaces.

How wide a tab was meant to be is unknown. Of several widths, the one with which the lines fit best
is used, so that a tab causes no further problems.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.hints import LineChange
from engine.pipeline.text import Mark
from engine.pipeline.yaml_issue import YamlIssue
from engine.pipeline.yaml_lines import YamlLine, line_above, parse_line

_TAB_WIDTHS = (2, 4, 8, 1, 0)


def odd_indentation(lines: Sequence[str], place: Mark) -> YamlIssue | None:
    """Lines indented with something other than spaces, if there is one before the place."""
    odd = [number for number, text in enumerate(lines) if _margin(text).strip(" ")]
    if not odd or odd[0] > place.line:
        return None
    margin = _margin(lines[odd[0]])
    column = len(margin) - len(margin.lstrip(" "))
    sign = margin[column]
    expected = _expected_indent(lines, odd[0])
    spaces = min(
        _guesses(lines, odd),
        key=lambda guess: (*_misfits(lines, guess), abs(guess[odd[0]] - expected)),
    )
    name = "a tab" if sign == "\t" else f"the invisible character U+{ord(sign):04X}"
    return YamlIssue(
        odd[0],
        column,
        f"YAML does not allow {name} in indentation",
        "indent with spaces",
        repair=[
            LineChange(number, 0, len(_margin(lines[number])), " " * spaces[number])
            for number in odd
        ],
    )


def _margin(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]


def _guesses(lines: Sequence[str], odd: Sequence[int]) -> Iterator[dict[int, int]]:
    """Possible indents of the odd lines: with tabs of a fixed width, or up to the next tab stop."""
    margins = {number: _margin(lines[number]) for number in odd}
    for width in _TAB_WIDTHS:
        yield {
            number: sum(width if each == "\t" else 1 for each in margin)
            for number, margin in margins.items()
        }
        yield {number: len(margin.expandtabs(width)) for number, margin in margins.items()}


def _expected_indent(lines: Sequence[str], number: int) -> int:
    """Level with the line above, or further in if that is a key without a value."""
    above = line_above(lines, number)
    return 2 if above is None else above.indent + (0 if above.value else 2)


def _misfits(lines: Sequence[str], indents: dict[int, int]) -> tuple[int, int]:
    """How many lines are neither level with one of their kind above nor the first below a key, and
    how many are indented further by another step than most of the file."""
    count = uneven = 0
    step = _step(lines, indents)
    levels = [(0, False)]  # the indent, and whether there are list items
    parent: YamlLine | None = None  # the line above, if it is a key without a value
    for number, text in enumerate(lines):
        if number in indents:
            text = " " * indents[number] + text.lstrip()
        line = parse_line(number, text)
        if line.is_empty or not (line.key or line.item):
            continue
        here = (line.indent, line.item)
        if line.indent > levels[-1][0] or (parent is not None and line.item):
            count += parent is None
            uneven += not line.item and line.indent - levels[-1][0] != step
            levels.append(here)
        else:
            count += parent is not None
            while levels[-1][0] > line.indent:
                levels.pop()
            if levels[-1] != here and here in levels:  # a key after the list that is level with it
                levels.pop()
            elif levels[-1] != here:
                count += 1
                levels.append(here)
        if line.item and line.key:
            levels.append((line.key_column, False))
        parent = line if line.key and not line.value else None
    return count, uneven


def _step(lines: Sequence[str], indents: dict[int, int]) -> int:
    """The smallest indent of the other lines."""
    margins = (len(_margin(text)) for number, text in enumerate(lines) if number not in indents)
    return min((margin for margin in margins if margin), default=2)
