"""Where each character of a YAML value is in the file.

An expression with a mistake at its 7th character may be written in quotes with escapes, or over
several lines of a block. So the scalar is decoded a second time, noting the source position of each
character; if the result differs from the value, the positions are unknown (None).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.late_regex import late_regex
from engine.pipeline.nodes import Scalar
from engine.pipeline.text import LINE_BREAK

_ORDINARY = late_regex("[^'\\\\\r\n\x85\u2028\u2029]*")
_SPACES = late_regex("[ \t]*")
_HEX_ESCAPES = {"x": 2, "u": 4, "U": 8}
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f",
    "r": "\r", "e": "\x1b", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip


def origins(whole: str, scalar: Scalar) -> Sequence[int] | None:
    """The index in `whole` of each character of the scalar's text, or None if unknown."""
    raw = whole[scalar.start.index : scalar.end.index]
    if raw == scalar.text and not scalar.style:  # as most are: plain, and on one line
        return range(scalar.start.index, scalar.end.index)
    decoded = _block(raw, scalar.text) if scalar.style in ("|", ">") else _flow(raw, scalar.style)
    if not decoded or not decoded.text.startswith(scalar.text):
        return None
    return [scalar.start.index + place for place in decoded.places[: len(scalar.text)]]


class _Decoded:
    """Characters with their source positions."""

    def __init__(self) -> None:
        self.characters: list[str] = []
        self.places: list[int] = []

    @property
    def text(self) -> str:
        return "".join(self.characters)

    def add(self, text: str, place: int) -> None:
        """All of `text` came from one place."""
        self.characters.extend(text)
        self.places.extend([place] * len(text))

    def copy(self, text: str, start: int) -> None:
        """`text` is in the source as it is."""
        self.characters.extend(text)
        self.places.extend(range(start, start + len(text)))

    def drop_spaces(self, floor: int) -> None:
        while len(self.characters) > floor and self.characters[-1] in " \t":
            self.characters.pop()
            self.places.pop()


def _flow(raw: str, style: str) -> _Decoded:
    """Plain and quoted scalars."""
    decoded = _Decoded()
    position = len(style)
    end = len(raw) - len(style)
    floor = 0  # spaces before this were written as escapes and stay
    while position < end:
        character = raw[position]
        if LINE_BREAK.match(raw, position):
            decoded.drop_spaces(floor)
            position = _fold(decoded, raw, position)
        elif style == "'" and character == "'":
            decoded.add("'", position)
            position += 2
        elif style == '"' and character == "\\":
            position = _escape(decoded, raw, position)
            floor = len(decoded.characters)
        else:
            run = _ORDINARY.match(raw, position + 1, end)
            following = run.end() if run else end
            decoded.copy(raw[position:following], position)
            position = following
    return decoded


def _fold(decoded: _Decoded, raw: str, position: int) -> int:
    """One line break becomes a space, n become n - 1; the indentation that follows is skipped."""
    start, breaks = position, 0
    while found := LINE_BREAK.match(raw, position):
        breaks += 1
        position = _skip_spaces(raw, found.end())
    decoded.add("\n" * (breaks - 1) or " ", start)
    return position


def _escape(decoded: _Decoded, raw: str, position: int) -> int:
    code = raw[position + 1 : position + 2]
    if found := LINE_BREAK.match(raw, position + 1):
        after = _skip_spaces(raw, found.end())
        if not LINE_BREAK.match(raw, after):
            return after
        return _escaped_empty_lines(decoded, raw, after)
    if digits := _HEX_ESCAPES.get(code):
        number = int(raw[position + 2 : position + 2 + digits], 16)
        decoded.add(chr(number), position)
        return position + 2 + digits
    decoded.add(_ESCAPES.get(code, code), position)
    return position + 2


def _escaped_empty_lines(decoded: _Decoded, raw: str, position: int) -> int:
    while found := LINE_BREAK.match(raw, position):
        decoded.add("\n", position)
        position = _skip_spaces(raw, found.end())
    return position


def _skip_spaces(raw: str, position: int) -> int:
    found = _SPACES.match(raw, position)
    return found.end() if found else position


def _block(raw: str, text: str) -> _Decoded | None:
    """Literal and folded scalars: the right indentation is the one that yields the known text."""
    header = LINE_BREAK.search(raw)
    if header is None:
        return None
    lines = _lines(raw, header.end())
    deepest = next((len(line) - len(line.lstrip(" ")) for _, line in lines if line.strip(" ")), 0)
    join = _literal if raw[0] == "|" else _folded
    for indent in range(deepest, -1, -1):
        decoded = _unindented(lines, indent, join)
        if decoded.text.startswith(text):
            return decoded
    return None


def _lines(raw: str, position: int) -> list[tuple[int, str]]:
    lines = []
    for found in LINE_BREAK.finditer(raw, position):
        lines.append((position, raw[position : found.start()]))
        position = found.end()
    return [*lines, (position, raw[position:])]


_Join = Callable[[str, str, int], str]


def _unindented(lines: list[tuple[int, str]], indent: int, join: _Join) -> _Decoded:
    decoded = _Decoded()
    before: str | None = None
    breaks, place = 0, lines[0][0]
    for start, line in lines:
        content = line[indent:]
        if content:
            decoded.add("\n" * breaks if before is None else join(before, content, breaks), place)
            decoded.copy(content, start + indent)
            before, breaks, place = content, 0, start + len(line)
        breaks += 1
    decoded.add("\n" * breaks, place)
    return decoded


def _literal(before: str, after: str, breaks: int) -> str:
    return "\n" * breaks


def _folded(before: str, after: str, breaks: int) -> str:
    if before[0] in " \t" or after[0] in " \t":
        return "\n" * breaks
    return "\n" * (breaks - 1) or " "
