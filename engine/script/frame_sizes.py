"""How many rows go into one frame: a row may hold an image or a model."""

from __future__ import annotations

from engine.documents import Document
from engine.script.child.encoding import encoded_size
from engine.script.row_values import encoder

FRAME_ROWS = 1024
"""The most rows in one frame, so that the script works on them while the next is prepared."""

_FAR_TOO_LARGE = 2


class FrameSizes:
    """Estimates the size of a frame from its first row and from the frame before it."""

    def __init__(self) -> None:
        self._row_bytes = 0.0

    def end(self, rows: list[Document], start: int, size: int) -> int:
        """Where a frame of about `size` bytes that begins at `start` should end."""
        end = min(len(rows), start + FRAME_ROWS)
        if end - start <= 1:
            return end
        row_bytes = max(self._row_bytes, encoded_size(rows[start], encoder), 1.0)
        return min(end, start + max(1, int(size / row_bytes)))

    def check(self, frame: bytearray, rows: list[Document], size: int) -> int:
        """How many of the rows in the frame to send together: fewer if it is far too large."""
        count = len(rows)
        if count > 1 and len(frame) > _FAR_TOO_LARGE * size:
            room = size
            for place, row in enumerate(rows):
                room -= encoded_size(row, encoder)
                if room < 0:
                    return max(place, 1)
        self._row_bytes = len(frame) / count
        return count
