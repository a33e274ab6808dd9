"""Frames: messages survive the round trip, and invalid data is refused."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.script.child.protocol import Channel, FrameTooLargeError, ProtocolError, decode, encode

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**100), 2**100)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner))


@given(st.dictionaries(TEXTS, VALUES))
def test_every_document_comes_back_as_it_went(document: dict[str, Any]) -> None:
    assert decode(encode(["rows", [document]])[4:]) == ["rows", [document]]


@given(st.binary())
def test_no_bytes_raise_anything_but_a_protocol_error(payload: bytes) -> None:
    try:
        message = decode(bytearray(payload))
    except ProtocolError:
        return
    assert isinstance(message[0], str)


def test_a_frame_over_the_limit_is_not_sent_and_the_channel_stays_usable() -> None:
    here, there = socket.socketpair()
    with here, there:
        channel = Channel(here, limit=100)
        with pytest.raises(FrameTooLargeError, match="the limit is 100 bytes"):
            channel.send("rows", ["x" * 200])
        channel.send("rows", [1])
        assert Channel(there).receive() == ["rows", [1]]


def test_a_frame_announced_over_the_limit_is_not_read() -> None:
    here, there = socket.socketpair()
    with here, there:
        Channel(here).send("rows", ["x" * 200])
        with pytest.raises(ProtocolError, match="exceeds 100 bytes"):
            Channel(there, limit=100).receive()


def test_a_closed_connection_ends_the_conversation() -> None:
    here, there = socket.socketpair()
    with there:
        with here:
            here.sendall(b"\x00\x00")
        with pytest.raises(EOFError):
            Channel(there).receive()
