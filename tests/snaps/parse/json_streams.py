"""Runs the JSONParser on a stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.documents import Item, StreamEnd, StreamStart
from engine.testing import SnapRun, run_snap

LINES = {"json_lines": True}


Parse = Callable[..., SnapRun]


def parse(
    data: bytes, size: int = 65_536, on_error: Any = "stop", exact: bool = False, **values: Any
) -> SnapRun:
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    pieces: list[Item] = [StreamStart({"content-location": "x.json"}), *chunks, StreamEnd()]
    return run_snap("JSONParser", values, pieces, on_error=on_error, exact=exact)


DOCUMENTS = [
    {"id": number, "text": f'"{number}" \\ é', "items": [{"id": 1}, {"id": number}], "z": {}}
    for number in range(3000)
]
