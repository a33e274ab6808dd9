"""A diagram as Mermaid, which GitHub and others draw in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from engine.diagram.diagram import Diagram, DrawnPort
from engine.diagram.drawing import kind_of
from engine.visible import visible_line


def mermaid(diagram: Diagram) -> str:
    """The text of a `.mmd` file."""
    return "\n".join(_lines(diagram)) + "\n"


def _lines(diagram: Diagram) -> Iterator[str]:
    yield "flowchart LR"
    for number, snap in enumerate(diagram.snaps):
        parts = [f"<b>{_text(snap.label)}</b>", _text(kind_of(snap)), _text(snap.note)]
        yield f'  s{number}["{"<br/>".join(part for part in parts if part)}"]'
    for number, snap in enumerate(diagram.snaps):
        for place, port in enumerate(snap.inputs):
            if port.is_open:
                yield f'  i{number}_{place}(["open input"]) --> s{number}'
        for place, port in enumerate(snap.outputs):
            if port.is_open:
                label = _label(port, None)
                shown = f'|"{label}"|' if label else ""
                yield f'  s{number} -->{shown} o{number}_{place}(["open output"])'
    for link in diagram.links:
        output, _ = diagram.ports(link)
        arrow = "-.->" if output.carries == "error" else "-->"
        label = _label(output, link.count)
        shown = f'|"{label}"|' if label else ""
        yield f"  s{link.source} {arrow}{shown} s{link.target}"


def _label(output: DrawnPort, count: int | None) -> str:
    name = "" if output.name == "output" else output.name
    name = ": ".join(part for part in (name, output.condition) if part)
    parts = (_text(name), "" if count is None else f"{count:,}")
    return " · ".join(part for part in parts if part)


def _text(text: str) -> str:
    """A text without the characters that mean something to Mermaid."""
    codes = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "|": "#124;", "`": "#96;"}
    shown = visible_line(" ".join(text.split()))
    return "".join(codes.get(character, character) for character in shown)
