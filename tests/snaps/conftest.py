"""What the tests of stream snaps share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from engine.documents import Piece, StreamEnd, StreamStart

Stream = Callable[..., list[Piece]]


@pytest.fixture
def stream() -> Stream:
    """Makes the pieces of one binary stream."""

    def make(*chunks: bytes, **header: Any) -> list[Piece]:
        return [StreamStart(header), *chunks, StreamEnd()]

    return make


@pytest.fixture
def content() -> Callable[[Iterable[Any]], bytes]:
    """The bytes among some pieces."""
    return lambda pieces: b"".join(piece for piece in pieces if isinstance(piece, bytes))
