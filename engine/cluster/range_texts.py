"""The text of parts of files, for workers that do not see them (see engine.cluster.file_ranges)."""

from __future__ import annotations

import asyncio

from engine.cluster.file_ranges import OpenFile
from engine.cluster.messages import Lines, Range


class RangeTexts:
    """Reads the parts that some workers get. They come almost in the order of the file, so only the
    lines of parts in between are counted."""

    def __init__(self) -> None:
        self._reading = asyncio.Lock()
        self._stream = -1
        self._offset = self._line = 0

    async def text_of(self, part: Range) -> Lines:
        """Raises ExecutionError if the file cannot be read."""
        async with self._reading:
            return await asyncio.to_thread(self._text_of, part)

    def _text_of(self, part: Range) -> Lines:
        if part.stream != self._stream or part.start < self._offset:
            self._stream, self._offset, self._line = part.stream, 0, 0
        file = OpenFile()
        try:
            line = self._line + file.lines_between(part.path, self._offset, part.start)
            text = file.read(part.path, part.start, part.end)
        finally:
            file.close()
        self._offset, self._line = part.end, line + text.count(b"\n")
        return part.lines(line, text)
