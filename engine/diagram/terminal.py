"""A drawing as characters: boxes and lines of Unicode, or of ASCII where the output has no others.

Wires are drawn as the directions in which they leave each cell, so that crossings and corners of
several wires come out right; boxes and texts are drawn over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from engine.diagram.diagram import Diagram
from engine.diagram.drawing import CELLS, Drawing, PlacedLink, PlacedSnap, drawing_of
from engine.diagram.texts import cells

_LEFT, _RIGHT, _UP, _DOWN = 1, 2, 4, 8
_MARGIN = 2
"""Columns for the openings of the pipeline at the left."""

BOLD, DIM, RED, BLUE = "1", "2", "31", "34"
"""Codes of styles on a terminal."""


class Characters(NamedTuple):
    """The characters of lines by the directions that they lead to; of boxes, tips and openings."""

    lines: dict[int, str]
    dashes: dict[int, str]
    box: str
    tip: str
    opening: str


_CORNERS = {_RIGHT | _DOWN: "╭", _LEFT | _DOWN: "╮", _RIGHT | _UP: "╰", _LEFT | _UP: "╯"}
_TEES = {
    _LEFT | _RIGHT | _DOWN: "┬",
    _LEFT | _RIGHT | _UP: "┴",
    _UP | _DOWN | _RIGHT: "├",
    _UP | _DOWN | _LEFT: "┤",
    _LEFT | _RIGHT | _UP | _DOWN: "┼",
}
UNICODE = Characters(
    lines=_CORNERS | _TEES,
    dashes={_LEFT | _RIGHT: "╌", _UP | _DOWN: "╎"},
    box="╭─╮│╰╯",
    tip="▶",
    opening="○",
)
ASCII = Characters(
    lines=dict.fromkeys(_CORNERS | _TEES, "+"),
    dashes={_LEFT | _RIGHT: ".", _UP | _DOWN: ":"},
    box="+-+|++",
    tip=">",
    opening="o",
)


def characters_of(encoding: str | None) -> Characters:
    """Unicode if the encoding has all its characters, else ASCII."""
    wanted = "".join((*UNICODE.lines.values(), *UNICODE.dashes.values(), *UNICODE[2:]))
    try:
        wanted.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


class Canvas:
    """Cells with characters and styles; writing outside of it is ignored."""

    def __init__(self, width: int, height: int) -> None:
        self.cells = [[" "] * width for _ in range(height)]
        self.styles = [[""] * width for _ in range(height)]

    def write(self, x: int, y: int, text: str, style: str = "") -> None:
        """Write a text; a wide character takes two cells, of which the second is empty."""
        for character in text:
            taken = cells(character)
            if not taken:
                continue
            if 0 <= y < len(self.cells) and x >= 0 and x + taken <= len(self.cells[y]):
                self.cells[y][x : x + taken] = [character, *[""] * (taken - 1)]
                self.styles[y][x] = style
            x += taken

    def lines(self, *, has_colours: bool) -> list[str]:
        """The rows without spaces at their ends."""
        rows = []
        for row, styles in zip(self.cells, self.styles, strict=True):
            length = len("".join(cell or "\0" for cell in row).rstrip())
            if not has_colours:
                rows.append("".join(row[:length]))
                continue
            parts, current = [], ""
            for cell, style in zip(row[:length], styles, strict=False):
                if style != current:
                    parts.append("\x1b[0m" * bool(current) + f"\x1b[{style}m" * bool(style))
                    current = style
                parts.append(cell)
            rows.append("".join(parts) + ("\x1b[0m" if current else ""))
        return rows


MOST_CELLS = 3_000_000
"""Size of a drawing of boxes, in cells."""


def boxes(
    diagram: Diagram,
    characters: Characters,
    *,
    width: int | None = None,
    has_colours: bool = False,
) -> list[str] | None:
    """The diagram as lines of boxes and wires; None if they need more than `width` columns, or
    more cells than anybody would look at."""
    drawing = drawing_of(diagram, CELLS)
    needed = drawing.width + 2 * _MARGIN
    if needed * drawing.height > MOST_CELLS or (width is not None and needed > width):
        return None
    canvas = Canvas(needed, drawing.height)
    _draw_wires(canvas, drawing, characters)
    for snap in drawing.snaps:
        _draw_snap(canvas, snap, characters)
    return canvas.lines(has_colours=has_colours)


def _draw_wires(canvas: Canvas, drawing: Drawing, characters: Characters) -> None:
    directions: dict[tuple[int, int], int] = {}
    errors: dict[tuple[int, int], bool] = {}
    for link in drawing.links:
        for cell, direction in _cells_of(link.corners):
            directions[cell] = directions.get(cell, 0) | direction
            is_error = link.output.carries == "error"
            errors[cell] = errors.get(cell, True) and is_error
    straight = {_LEFT | _RIGHT: characters.box[1], _UP | _DOWN: characters.box[3]}
    for (x, y), direction in directions.items():
        is_error = errors[x, y]
        lines = {**straight, **characters.lines, **(characters.dashes if is_error else {})}
        character = lines.get(direction, characters.box[1])
        canvas.write(x + _MARGIN, y, character, RED if is_error else "")
    for link in drawing.links:
        _draw_ends(canvas, link, characters)


def _cells_of(corners: Sequence[tuple[int, int]]) -> list[tuple[tuple[int, int], int]]:
    """The cells of a wire, each with the directions in which the wire leaves it."""
    path = [corners[0]]
    for (x, y), (to_x, to_y) in pairwise(corners):
        step_x, step_y = (to_x > x) - (to_x < x), (to_y > y) - (to_y < y)
        while (x, y) != (to_x, to_y):
            x, y = x + step_x, y + step_y
            path.append((x, y))
    path.pop()  # the last is the border of the box
    found = []
    before = (path[0][0] - 1, path[0][1])
    for cell, after in zip(path, [*path[1:], corners[-1]], strict=True):
        found.append((cell, _towards(cell, before) | _towards(cell, after)))
        before = cell
    return found


def _towards(cell: tuple[int, int], other: tuple[int, int]) -> int:
    if other[1] == cell[1]:
        return _LEFT if other[0] < cell[0] else _RIGHT
    return _UP if other[1] < cell[1] else _DOWN


def _draw_ends(canvas: Canvas, link: PlacedLink, characters: Characters) -> None:
    style = RED if link.output.carries == "error" else ""
    x, y = link.corners[-1]
    canvas.write(x - 1 + _MARGIN, y, characters.tip, style)
    if link.label:
        x, y = link.corners[0]
        canvas.write(x + 1 + _MARGIN, y, f" {link.label} ", style or BLUE)


def _draw_snap(canvas: Canvas, placed: PlacedSnap, characters: Characters) -> None:
    x, y = placed.place.x + _MARGIN, placed.place.y
    width, height = placed.box.width, placed.box.height
    top_left, across, top_right, down, bottom_left, bottom_right = tuple(characters.box)
    failed = RED if placed.snap.is_failed or placed.snap.state in ("unknown", "missing") else ""
    canvas.write(x, y, f"{top_left}{across * (width - 2)}{top_right}", failed)
    for row in range(1, height - 1):
        canvas.write(x, y + row, f"{down}{' ' * (width - 2)}{down}", failed)
    canvas.write(x, y + height - 1, f"{bottom_left}{across * (width - 2)}{bottom_right}", failed)
    canvas.write(x + CELLS.padding, y + 1, placed.label, BOLD)
    canvas.write(x + CELLS.padding, y + 2, placed.kind, failed or DIM)
    if placed.note:
        canvas.write(x + CELLS.padding, y + CELLS.head, placed.note, DIM)
    right = x + width
    for port in placed.inputs:
        canvas.write(x + CELLS.padding, y + port.y, port.name, DIM)
        if port.port.is_open:
            canvas.write(x - 2, y + port.y, characters.opening + characters.tip)
    for port in placed.outputs:
        style = RED if port.port.carries == "error" else DIM
        canvas.write(right - CELLS.padding - cells(port.name), y + port.y, port.name, style)
        if port.port.is_open:
            canvas.write(right, y + port.y, across + characters.opening)
