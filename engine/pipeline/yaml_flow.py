"""Mistakes between brackets: `{ }` and `[ ]` that are never closed, missing commas."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.hints import LineChange
from engine.pipeline.text import Mark
from engine.pipeline.yaml_issue import YamlIssue
from engine.pipeline.yaml_lines import brief, parse_line, quoted

_CLOSERS = {"{": "}", "[": "]"}
_KEY_BEFORE_COLON = re.compile(r"""(?:^|[\s,{])(?P<key>[\w$][\w$.-]*|"[^"]*"|'[^']*')$""")
_QUOTED = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*\"""")
_IS_CHOICE = re.compile(r"\?")
_OPERATOR_AT_END = re.compile(r"(?:[-+*/%?!<>=(]|&&|\|\|)\s*$")


def flow_issue(lines: Sequence[str], opening: Mark, place: Mark) -> YamlIssue:
    """What is wrong at `place` with the list or map that opens at `opening`, or that it is in."""
    if lines[opening.line][opening.column : opening.column + 1] not in _CLOSERS:
        opening = _innermost_open(lines, place) or opening
    sign = lines[opening.line][opening.column : opening.column + 1]
    closer = _CLOSERS.get(sign, "}")
    text = lines[place.line]
    character = text[place.column : place.column + 1]
    if _is_past_the_end(lines, opening, place):
        return _unclosed(lines, opening, place, sign, closer)
    if character and character in "}]" and character != closer:
        return YamlIssue(
            opening.line,
            opening.column,
            f"this '{sign}' is closed by '{character}'"
            + (f" on line {place.line + 1}" if place.line != opening.line else ""),
            f"put a '{closer}' before that '{character}'",
            repair=[LineChange(place.line, place.column, 0, closer)],
        )
    if character == ":":
        return _colon(text, place)
    start = _start_of_line(text)
    if character and character in "{[" and _continues_a_value(text[: place.column]):
        return _after_the_value(text, place, f"a '{character}' within a value needs quotes")
    if place.column <= start or character in "{[":
        return _comma(text, place.line, place.column)
    return _after_the_value(text, place)


def _innermost_open(lines: Sequence[str], place: Mark) -> Mark | None:
    """Where the last bracket before `place` is that nothing closes."""
    closed = 0
    for number in range(place.line, -1, -1):
        text = lines[number][: place.column] if number == place.line else lines[number]
        bare = _QUOTED.sub(lambda found: " " * len(found[0]), _without_comment(text))
        for column in reversed(range(len(bare))):
            if bare[column] in "}]":
                closed += 1
            elif bare[column] in "{[":
                if not closed:
                    return Mark(0, number, column)
                closed -= 1
    return None


def _continues_a_value(before: str) -> bool:
    """Whether a bracket after this text is meant as part of the value before it."""
    glued = bool(before[-1:].strip(" ,:{[("))
    return glued or _OPERATOR_AT_END.search(before) is not None


def _is_past_the_end(lines: Sequence[str], opening: Mark, place: Mark) -> bool:
    """Whether the block that holds the bracket has ended before `place`."""
    if place.line >= len(lines) - 1 and not lines[place.line][place.column :].strip():
        return True
    if place.line == opening.line:
        return False
    line = parse_line(place.line, lines[place.line])
    opened = parse_line(opening.line, lines[opening.line])
    if line.indent <= opened.indent and not line.text.strip().startswith(("}", "]")):
        return True
    between = (parse_line(number, lines[number]) for number in range(opening.line + 1, place.line))
    return any(
        each.indent <= opened.indent and each.key and not each.value.endswith(",")
        for each in between
        if not each.is_empty
    )


def _unclosed(
    lines: Sequence[str], opening: Mark, place: Mark, sign: str, closer: str
) -> YamlIssue:
    last = _last_line_of(lines, opening, place)
    where = "this line" if last == opening.line else f"line {last + 1}"
    written = _without_comment(lines[last])
    end, is_key = len(written), written.endswith(":")  # YAML reads `{a:}` as one string
    return YamlIssue(
        opening.line,
        opening.column,
        f"this '{sign}' is never closed",
        f"put a '{closer}' at the end of {where}",
        repair=[LineChange(last, end, 0, f" {closer}" if is_key else closer)],
    )


def _last_line_of(lines: Sequence[str], opening: Mark, place: Mark) -> int:
    """The last line before the block that holds the bracket goes on."""
    indent = parse_line(opening.line, lines[opening.line]).indent
    last = opening.line
    for number in range(opening.line + 1, place.line + 1):
        line = parse_line(number, lines[number])
        if not line.is_empty:
            if line.indent <= indent:
                break
            last = number
    return last


def _colon(text: str, place: Mark) -> YamlIssue:
    before = text[: place.column]
    start, end = _value_around(text, place.column)
    value = text[start:end]
    key = _KEY_BEFORE_COLON.search(before)
    if key is None or _IS_CHOICE.search(text[start : place.column]):
        return YamlIssue(
            place.line,
            place.column,
            "YAML reads the ': ' here as a second key",
            quoted(value),
            repair=_in_quotes(place.line, start, value),
        )
    return _comma(text, place.line, key.start("key"), key["key"])


def _comma(text: str, line: int, column: int, name: str = "") -> YamlIssue:
    before = f"'{brief(name)}'" if name else "this"
    end = len(text[:column].rstrip())
    return YamlIssue(
        line,
        column,
        f"a ',' is missing before {before}",
        "separate the entries with commas",
        length=max(1, len(name)),
        repair=[LineChange(line, end, 0, ",") if end else LineChange(line, column, 0, ", ")],
    )


def _after_the_value(
    text: str, place: Mark, message: str = "unexpected text after the end of the value"
) -> YamlIssue:
    start, end = _value_around(text, place.column)
    value = text[start:end]
    return YamlIssue(
        place.line,
        place.column,
        message,
        quoted(value),
        repair=_in_quotes(place.line, start, value),
    )


def _in_quotes(line: int, start: int, value: str) -> list[LineChange]:
    """Changes that put the value in quotes and double the quotes in it."""
    inner = [
        LineChange(line, start + offset, 0, "'") for offset, sign in enumerate(value) if sign == "'"
    ]
    return [LineChange(line, start, 0, "'"), *inner, LineChange(line, start + len(value), 0, "'")]


def _value_around(text: str, column: int) -> tuple[int, int]:
    """From the value's start, after a key or a bracket, to the bracket or comma that ends it."""
    starts = [found.end() for found in re.finditer(r"[\w$'\"\])]: +|[{,\[] *", text[:column])]
    keyed = [found.end() for found in re.finditer(r"[{,] *[\w$.'\"\[\]-]+: +", text[:column])]
    start = keyed[-1] if keyed else (starts[-1] if starts else _start_of_line(text))
    return start, _end_between_brackets(text, start, column)


def value_end(text: str, column: int) -> int:
    """Where the value ends that begins at a column: before a comment, or its bracket closes."""
    opened = re.sub(r"'[^']*'|\"[^\"]*\"", "", text[:column])
    if sum(map(opened.count, "{[")) > sum(map(opened.count, "}]")):
        return _end_between_brackets(text, column, column)
    return len(_without_comment(text))


def _end_between_brackets(text: str, start: int, column: int) -> int:
    """The end of a value in a map or list on one line; commas before `column` belong to it."""
    depth, quote = 0, ""
    for position in range(start, len(text)):
        sign = text[position]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in "{[(":
            depth += 1
        elif sign in "}])" and depth:
            depth -= 1
        elif sign in "}]," and position >= column:
            return start + len(text[start:position].rstrip())
    return start + len(_without_comment(text)[start:].rstrip())


def _start_of_line(text: str) -> int:
    return len(text) - len(text.lstrip())


def _without_comment(text: str) -> str:
    return re.sub(r"(?:^|\s+)#.*$", "", text).rstrip()
