"""A drawing as SVG: readable in light and dark, with a name for everything, without resources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from engine.diagram.diagram import Diagram, DrawnPort
from engine.diagram.drawing import PIXELS, Drawing, PlacedLink, PlacedSnap, drawing_of, kind_of
from engine.diagram.texts import pixels, shortened

_MARGIN = 24
_TITLE = 30
_TITLE_SIZE = pixels(15, bold=True)
_LONGEST_TITLE = 600
_RADIUS = 6
_STYLE = """
.snapline { --ground: #fff; --box: #fff; --edge: #c3cad5; --ink: #1b2430; --dim: #5a6675;
  --wire: #77849a; --binary: #7a4fc4; --error: #c22f3d; --label: #2b5fae;
  font: 11px Helvetica, Arial, "Liberation Sans", sans-serif; fill: var(--ink); }
@media (prefers-color-scheme: dark) { .snapline { --ground: #14181f; --box: #1e2530;
  --edge: #465264; --ink: #e7ecf3; --dim: #a3afc0; --wire: #8593a8; --binary: #b493f5;
  --error: #ff7b85; --label: #86b4ff; } }
.snapline .ground { fill: var(--ground); }
.snapline .name { font-size: 15px; font-weight: bold; }
.snapline .box { fill: var(--box); stroke: var(--edge); }
.snapline .failed .box { stroke: var(--error); stroke-width: 2; }
.snapline .off .box, .snapline .odd .box { stroke-dasharray: 4 3; }
.snapline .off { opacity: .6; }
.snapline .odd .kind { fill: var(--error); }
.snapline .label { font-size: 13px; font-weight: bold; }
.snapline .kind, .snapline .note, .snapline .port { fill: var(--dim); }
.snapline .condition { fill: var(--label); }
.snapline .wire { fill: none; stroke: var(--wire); stroke-width: 1.5; }
.snapline .tip { fill: var(--wire); }
.snapline .opening { fill: var(--box); stroke: var(--wire); stroke-width: 1.5; }
.snapline .binary.wire { stroke: var(--binary); } .snapline .binary .tip { fill: var(--binary); }
.snapline .error.wire { stroke: var(--error); stroke-dasharray: 5 4; }
.snapline .error .tip { fill: var(--error); } .snapline .error.port { fill: var(--error); }
"""


def svg(diagram: Diagram, *, has_title: bool = True) -> str:
    """A complete SVG file, with the name of the pipeline at its top unless that is elsewhere."""
    drawing = drawing_of(diagram, PIXELS)
    title = shortened(diagram.name, _TITLE_SIZE, _LONGEST_TITLE) if has_title else ""
    width = max(drawing.width, _TITLE_SIZE(title)) + 2 * _MARGIN
    top = _MARGIN + (_TITLE if has_title else 0)
    height = drawing.height + top + _MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="snapline" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" role="graphics-document document" '
        'aria-labelledby="snapline-title" aria-describedby="snapline-desc">',
        f'<title id="snapline-title">{_text(diagram.name)}</title>',
        f'<desc id="snapline-desc">{_text(_description(diagram))}</desc>',
        f"<style>{_STYLE}</style>",
        '<rect class="ground" width="100%" height="100%"/>',
        f'<text class="name" x="{_MARGIN}" y="{_MARGIN + 10}" aria-hidden="true">'
        f"{_text(title)}</text>",
        f'<g transform="translate({_MARGIN} {top})">',
        *(line for link in drawing.links for line in _link(link)),
        *(line for snap in drawing.snaps for line in _snap(snap, drawing)),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _description(diagram: Diagram) -> str:
    snaps, links = len(diagram.snaps), len(diagram.links)
    counts = f"{snaps} snap{'s' * (snaps != 1)}, {links} link{'s' * (links != 1)}"
    return f"{diagram.description.rstrip('.')}. {counts}." if diagram.description else f"{counts}."


def _link(link: PlacedLink) -> Iterator[str]:
    kind = link.output.carries
    x, y = link.corners[-1]
    yield f'<g class="{kind}">'
    yield f"<title>{_text(_named(link))}</title>"
    yield f'<path class="wire {kind}" d="{_path(link.corners)}"/>'
    yield f'<path class="tip" d="M{x} {y}l-8-4v8z"/>'
    if link.label:
        x, y = link.corners[0]
        yield f'<text class="condition" x="{x + 8}" y="{y - 5}">{_text(link.label)}</text>'
    yield "</g>"


def _named(link: PlacedLink) -> str:
    """What a pointer or a screen reader says of a link."""
    parts = [" → ".join(link.ends)]
    if link.output.condition:
        parts.append(f"if {link.output.condition}")
    if link.output.carries in ("binary", "error"):
        parts.append({"binary": "binary streams", "error": "error documents"}[link.output.carries])
    if link.documents is not None:
        parts.append(f"{link.documents:,} in the last run")
    return ", ".join(parts)


def _path(corners: Sequence[tuple[int, int]]) -> str:
    """Lines from corner to corner, rounded at each, that end before the tip of the arrow."""
    parts = [f"M{corners[0][0]} {corners[0][1]}"]
    for before, here, after in zip(corners, corners[1:], corners[2:], strict=False):
        radius = min(_RADIUS, _distance(before, here) // 2, _distance(here, after) // 2)
        start, end = _towards(here, before, radius), _towards(here, after, radius)
        parts.append(f"L{start[0]} {start[1]}Q{here[0]} {here[1]} {end[0]} {end[1]}")
    x, y = corners[-1]
    parts.append(f"L{x - 6} {y}")
    return "".join(parts)


def _distance(one: tuple[int, int], other: tuple[int, int]) -> int:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _towards(start: tuple[int, int], end: tuple[int, int], step: int) -> tuple[int, int]:
    """The point at a distance from a corner, on the line to the next one."""
    x = (end[0] > start[0]) - (end[0] < start[0])
    y = (end[1] > start[1]) - (end[1] < start[1])
    return start[0] + x * step, start[1] + y * step


def _snap(placed: PlacedSnap, drawing: Drawing) -> Iterator[str]:
    x, y = placed.place
    width, height = placed.box.width, placed.box.height
    snap = placed.snap
    state = {"disabled": " off", "unknown": " odd", "missing": " odd", "": ""}[snap.state]
    classes = f"snap{state}{' failed' * snap.is_failed}"
    said = ", ".join(part for part in (snap.label, kind_of(snap), snap.note) if part)
    yield f'<g class="{classes}" role="graphics-object" aria-label="{_text(said)}">'
    yield f"<title>{_text(said)}</title>"
    for port in placed.inputs:
        if port.port.is_open:
            yield from _open_port(port.port, x, y + port.y, -PIXELS.stub)
    for port in placed.outputs:
        if port.port.is_open:
            yield from _open_port(port.port, x + width, y + port.y, PIXELS.stub)
    yield f'<rect class="box" x="{x}" y="{y}" width="{width}" height="{height}" rx="7"/>'
    left = x + PIXELS.padding
    yield f'<text class="label" x="{left}" y="{y + 23}">{_text(placed.label)}</text>'
    yield f'<text class="kind" x="{left}" y="{y + 39}">{_text(placed.kind)}</text>'
    if placed.note:
        row = y + PIXELS.head + PIXELS.middle + 4
        yield f'<text class="note" x="{left}" y="{row}">{_text(placed.note)}</text>'
    for port in placed.inputs:
        yield from _port(port.port, port.name, left, y + port.y, "start")
    for port in placed.outputs:
        yield from _port(port.port, port.name, x + width - PIXELS.padding, y + port.y, "end")
    yield "</g>"


def _port(port: DrawnPort, name: str, x: int, y: int, anchor: str) -> Iterator[str]:
    if name:
        kind = f"port {port.carries}"
        yield (
            f'<text class="{kind}" x="{x}" y="{y + 4}" text-anchor="{anchor}">{_text(name)}</text>'
        )


def _open_port(port: DrawnPort, x: int, y: int, step: int) -> Iterator[str]:
    """The opening of the pipeline at a port without a link."""
    side = "input" if step < 0 else "output"
    yield f'<g class="{port.carries}"><title>open {side} of the pipeline</title>'
    yield f'<path class="wire {port.carries}" d="M{x} {y}h{step}"/>'
    yield f'<circle class="opening" cx="{x + step}" cy="{y}" r="4"/>'
    yield "</g>"


def _text(text: str) -> str:
    """Text for XML: escaped, and without the control characters that XML cannot hold."""
    return escape("".join(c if c.isprintable() else " " for c in text))
