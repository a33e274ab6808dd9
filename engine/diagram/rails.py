"""A pipeline as a list with rails at its left, for terminals too narrow for boxes.

Each snap is one line, in the order of the flow; a rail leads from it to each snap that it feeds.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.diagram.diagram import Diagram, DrawnLink, DrawnSnap
from engine.diagram.drawing import kind_of
from engine.diagram.terminal import BLUE, BOLD, DIM, RED, Canvas, Characters
from engine.diagram.texts import cells, shortened
from engine.plan.graph import order

_MOST_RAILS = 12
"""Rails for which texts are indented; beyond that, texts follow the rails of their line."""


class _Line:
    """One line: its rails, and texts with their styles."""

    def __init__(self, rails: str, *texts: tuple[str, str]) -> None:
        self.rails = rails.rstrip()
        self.texts = [(text, style) for text, style in texts if text]


def rails(
    diagram: Diagram, characters: Characters, width: int, *, has_colours: bool = False
) -> list[str]:
    """The lines, cut at the width of the terminal."""
    found = _Rails(diagram, characters).lines()
    widest = max((len(line.rails) for line in found), default=0)
    start = min(widest, 2 * _MOST_RAILS) + 1
    canvas = Canvas(width, len(found))
    for y, line in enumerate(found):
        canvas.write(0, y, line.rails)
        x = max(start, len(line.rails) + 1)
        for text, style in line.texts:
            room = width - x
            if room > 0:
                shown = shortened(text, cells, room)
                canvas.write(x, y, shown, style)
                x += cells(shown) + 2
    return canvas.lines(has_colours=has_colours)


class _Rails:
    """Draws line after line; `lanes` are the links whose ends are still to come, by column."""

    def __init__(self, diagram: Diagram, characters: Characters) -> None:
        self._diagram = diagram
        self._characters = characters
        self._lanes: list[DrawnLink | None] = []
        self._lines: list[_Line] = []

    def lines(self) -> list[_Line]:
        diagram = self._diagram
        numbers = [str(number) for number in range(len(diagram.snaps))]
        edges = [(str(link.source), str(link.target)) for link in diagram.links]
        ordered = [int(number) for number in order(numbers, edges)]
        ordered += sorted(set(range(len(numbers))) - set(ordered))  # those in cycles
        outputs: dict[int, list[DrawnLink]] = {}
        for link in sorted(diagram.links, key=lambda link: link.output):
            outputs.setdefault(link.source, []).append(link)
        for number in ordered:
            lane = self._arrive(number)
            self._add_snap(diagram.snaps[number], lane)
            self._leave(outputs.get(number, []), lane)
        return self._lines

    def _arrive(self, number: int) -> int:
        """The column of a snap: rails that end at it come together there."""
        incoming = [
            column
            for column, link in enumerate(self._lanes)
            if link is not None and link.target == number
        ]
        if not incoming:
            if self._lines:  # else it would look as if the snap above fed it
                self._lines.append(_Line(self._row()))
            return self._free(0)
        first, *others = incoming
        if others:
            self._lines.append(_Line(self._bridge(first, others, "┴", "╯")))
            for column in others:
                self._lanes[column] = None
        return first

    def _leave(self, links: Sequence[DrawnLink], lane: int) -> None:
        """Rails begin for the links of a snap: the first goes on below it."""
        while len(self._lanes) <= lane:
            self._lanes.append(None)
        self._lanes[lane] = None
        for position, link in enumerate(links):
            if not position:
                self._lanes[lane] = link
                if self._is_named(link):
                    self._lines.append(_Line(self._row(), *self._text(link)))
                continue
            column = self._free(lane + 1)
            self._lines.append(_Line(self._bridge(lane, [column], "╮", "╮"), *self._text(link)))
            while len(self._lanes) <= column:
                self._lanes.append(None)
            self._lanes[column] = link
        while self._lanes and self._lanes[-1] is None:
            self._lanes.pop()

    def _free(self, start: int) -> int:
        """The first column without a rail."""
        column = start
        while column < len(self._lanes) and self._lanes[column] is not None:
            column += 1
        return column

    def _is_named(self, link: DrawnLink) -> bool:
        output, _ = self._diagram.ports(link)
        return output.name != "output" or link.count is not None

    def _text(self, link: DrawnLink) -> list[tuple[str, str]]:
        output, _ = self._diagram.ports(link)
        is_error = output.carries == "error"
        count = "" if link.count is None else f"{link.count:,}"
        target = self._diagram.snaps[link.target].label
        return [
            (output.name, RED if is_error else DIM),
            (output.condition, BLUE),
            (count, BLUE),
            (f"{self._arrow} {target}", DIM),
        ]

    @property
    def _arrow(self) -> str:
        return "->" if self._characters.tip == ">" else "→"

    def _add_snap(self, snap: DrawnSnap, lane: int) -> None:
        openings = [port.name for port in (*snap.inputs, *snap.outputs) if port.is_open]
        opening = f"(open: {', '.join(openings)})" if openings else ""
        odd = RED if snap.is_failed or snap.state in ("unknown", "missing") else DIM
        mark = "*" if self._characters.tip == ">" else "●"
        self._lines.append(
            _Line(
                self._row({lane: mark}),
                (snap.label, BOLD),
                (kind_of(snap), odd),
                (snap.note, DIM),
                (opening, DIM),
            )
        )

    def _row(self, marks: dict[int, str] | None = None) -> str:
        """The rails of a line, with marks in some columns."""
        marks = marks or {}
        count = max([len(self._lanes), *(column + 1 for column in marks)])
        return " ".join(marks.get(column) or self._rail(column) for column in range(count))

    def _rail(self, column: int) -> str:
        link = self._lanes[column] if column < len(self._lanes) else None
        if link is None:
            return " "
        if self._diagram.ports(link)[0].carries == "error":
            return self._characters.dashes[12]
        return self._characters.box[3]

    def _bridge(self, start: int, ends: Sequence[int], inner: str, last: str) -> str:
        """The rails of a line in which one is joined to others at its right."""
        across = self._characters.box[1]
        row = [self._rail(column) for column in range(max(len(self._lanes), ends[-1] + 1))]
        row += [" "] * (ends[-1] + 1 - len(row))
        drawn = row[start] = "├"
        for column in range(start + 1, ends[-1] + 1):
            drawn = inner if column in ends else "┼" if row[column] != " " else across
            row[column] = last if column == ends[-1] else drawn
        text = ""
        for column, character in enumerate(row):
            joined = start <= column < ends[-1]
            text += character + (across if joined else " ")
        return text if self._characters.tip != ">" else _in_ascii(text)


def _in_ascii(text: str) -> str:
    return "".join("+" if character in "├┴╯╮┼" else character for character in text)
