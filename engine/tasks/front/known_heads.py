"""Heads that have been read before: a caller that keeps its connection repeats its head, byte by
byte, and reading it again would cost a third of the front's work."""

from __future__ import annotations

import msgspec

from engine.request_tags import RequestTag
from engine.tasks.front.head import Head

MAX_KNOWN = 512
MAX_BYTES = 1024
"""Bytes of a head that is remembered."""

END = b"\r\n\r\n"


class KnownHead(msgspec.Struct, frozen=True, gc=False):
    """A head with neither client nor tag, and the length of the body that it announces."""

    head: Head
    length: int

    def of(self, client: str, tag: RequestTag) -> Head:
        head = self.head
        return Head(
            head.method,
            head.raw_path,
            head.query,
            head.headers,
            client,
            head.http_version,
            head.host,
            head.scheme,
            tag,
            head.packed,
        )


class KnownHeads:
    """Heads by their bytes, blank line included."""

    def __init__(self) -> None:
        self._heads: dict[bytes, KnownHead] = {}

    def __len__(self) -> int:
        return len(self._heads)

    def find(self, text: bytes) -> KnownHead | None:
        return self._heads.get(text)

    def remember(self, text: bytes, head: Head, length: int) -> None:
        """`text` is what the parser has read as `head`, if it ends where it seems to end.

        The parser may take other things for the end of a line; then `text` may hold more.
        """
        lines = text.count(b"\r\n")
        if text[:1].isupper() and text.count(b"\n") == text.count(b"\r") == lines:
            if len(self._heads) >= MAX_KNOWN:
                self._heads.clear()
            self._heads[text] = KnownHead(head, length)
