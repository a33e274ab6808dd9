"""Lines of text that arrives in pieces."""

from __future__ import annotations

import re

from engine.sdk import DataError

MAX_LINE = 16 * 1024 * 1024
_ESCAPES = {"\\r": "\r", "\\n": "\n", "\\t": "\t", "\\f": "\f", "\\\\": "\\"}


class TextLines:
    """Cuts text at a separator, in which `\\r`, `\\n` and `\\t` may be escaped; or at line ends."""

    def __init__(self, separator: str = "") -> None:
        self._separator = re.sub(r"\\.", lambda found: _ESCAPES.get(found[0], found[0]), separator)
        self._rest = ""

    def feed(self, text: str) -> list[str]:
        """The lines that are complete. Raises DataError for one that is too long."""
        text = self._rest + text
        end = ""
        if not self._separator:
            if text.endswith("\r"):  # a line feed may follow
                text, end = text[:-1], "\r"
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        *lines, rest = text.split(self._separator or "\n")
        self._rest = rest + end
        if len(self._rest) > MAX_LINE:
            raise DataError(
                "cannot parse the stream",
                f"a line has more than {MAX_LINE:,} characters",
                "check the separator of the lines",
            )
        return lines

    def end(self) -> list[str]:
        """The last line, if it has no end."""
        rest, self._rest = self._rest, ""
        rest = rest.removesuffix("\r") if not self._separator else rest
        return [rest] if rest else []
