"""A drawing as plain data, with the coordinates of all snaps and links, for other programs."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.diagram.diagram import Diagram
from engine.diagram.drawing import PIXELS, PlacedPort, PlacedSnap, drawing_of


def data(diagram: Diagram) -> dict[str, Any]:
    """The drawing in pixels; ports are at distances from the tops of their snaps."""
    drawing = drawing_of(diagram, PIXELS)
    return {
        "pipeline": diagram.name,
        "description": diagram.description,
        "problems": diagram.problems,
        "width": drawing.width,
        "height": drawing.height,
        "snaps": [_snap(snap) for snap in drawing.snaps],
        "links": [
            {
                "from": link.ends[0],
                "to": link.ends[1],
                "carries": link.output.carries,
                "condition": link.output.condition,
                "count": link.documents,
                "points": link.corners,
            }
            for link in drawing.links
        ],
    }


def json_text(diagram: Diagram) -> str:
    """The text of a `.json` file."""
    return msgspec.json.format(msgspec.json.encode(data(diagram)), indent=2).decode() + "\n"


def _snap(placed: PlacedSnap) -> dict[str, Any]:
    return {
        "label": placed.snap.label,
        "snap": placed.snap.type,
        "state": placed.snap.state,
        "note": placed.note,
        "x": placed.place.x,
        "y": placed.place.y,
        "width": placed.box.width,
        "height": placed.box.height,
        "inputs": [_port(port) for port in placed.inputs],
        "outputs": [_port(port) for port in placed.outputs],
    }


def _port(placed: PlacedPort) -> dict[str, Any]:
    port = placed.port
    return {"name": port.name, "carries": port.carries, "open": port.is_open, "y": placed.y}
