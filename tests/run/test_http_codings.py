"""Compressed responses: decompression, and the errors for invalid data."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import DataError
from engine.run.http import LoopClient
from engine.run.http_codings import CodingError, Decoder, codings_of
from tests.http_server import Reply, answering, serving, without_proxies
from tests.run.fetching import fetch

TEXT = b"to be, or not to be, that is the question: " * 20


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def members(data: bytes) -> bytes:
    half = len(data) // 2
    return gzip.compress(data[:half]) + gzip.compress(data[half:])


PACKED: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("GZip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("gzip", members),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
    ("gzip, identity, gzip", lambda data: gzip.compress(gzip.compress(data))),
    ("identity", bytes),
]


def unpacked(coding: str, data: Iterator[bytes]) -> bytes:
    decoder = Decoder(codings_of([("Content-Encoding", coding)]))
    body = b"".join(piece for given in data for piece in decoder.feed(given))
    decoder.finish()
    return body


@pytest.mark.parametrize(("coding", "pack"), PACKED)
def test_a_response_is_decompressed(
    client: LoopClient, coding: str, pack: Callable[[bytes], bytes]
) -> None:
    with serving(lambda _: Reply(200, pack(TEXT), {"Content-Encoding": coding})) as server:
        response = fetch(client, server.url)
    assert (response.body, response.coding_error) == (TEXT, "")


def test_codings_in_headers_of_their_own_are_undone_in_the_reverse_order(
    client: LoopClient,
) -> None:
    body = gzip.compress(zlib.compress(TEXT))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Encoding: gzip\r\n"
    with answering(head + b"Content-Length: %d\r\n\r\n" % len(body) + body) as url:
        assert fetch(client, url).body == TEXT


def test_it_asks_for_codings_that_it_supports(client: LoopClient) -> None:
    with serving(lambda _: Reply(200)) as server:
        fetch(client, server.url)
        fetch(client, server.url, headers=(("accept-encoding", "br"),))
    asked = [request.headers["accept-encoding"] for request in server.requests]
    assert asked == ["gzip, deflate", "br"]


@settings(max_examples=30)
@given(data=st.binary(max_size=400), size=st.integers(1, 50), which=st.sampled_from(PACKED))
def test_the_pieces_in_which_it_arrives_make_no_difference(
    data: bytes, size: int, which: tuple[str, Callable[[bytes], bytes]]
) -> None:
    coding, pack = which
    packed = pack(data)
    pieces = (packed[start : start + size] for start in range(0, len(packed), size))
    assert unpacked(coding, pieces) == data


@pytest.mark.parametrize(("coding", "pack"), PACKED[:-1])
def test_data_truncated_anywhere_is_an_error(coding: str, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(TEXT)
    ends = {len(gzip.compress(TEXT[: len(TEXT) // 2]))} if pack is members else set()
    for end in set(range(1, len(packed))) - ends:
        with pytest.raises(CodingError, match="is truncated"):
            unpacked(coding, iter([packed[:end]]))


def test_a_response_without_a_body_is_not_an_error(client: LoopClient) -> None:
    with serving(lambda _: Reply(200, b"", {"Content-Encoding": "gzip"})) as server:
        response = fetch(client, server.url)
    assert (response.body, response.coding_error) == (b"", "")


@pytest.mark.parametrize(
    ("coding", "body", "reason"),
    [
        ("gzip", b"plain text", "not valid gzip data: incorrect header check"),
        ("gzip", gzip.compress(TEXT)[:-8] + bytes(8), "not valid gzip data: incorrect data check"),
        ("gzip", gzip.compress(TEXT) + b"<html>", "more data follows the end of the gzip data"),
        ("deflate", zlib.compress(TEXT) + b"x", "more data follows the end of the deflate data"),
        ("deflate", zlib.compress(TEXT)[:40], "the deflate data is truncated"),
        ("br", b"\x0b\x00", "the content coding 'br' is not supported; gzip and deflate are"),
        ("gzip, zstd", b"x", "the content coding 'zstd' is not supported"),
        (", ".join(["gzip"] * 6), b"x", "compressed 6 times"),
    ],
)
def test_a_response_that_cannot_be_decompressed_is_an_error_without_retries(
    client: LoopClient, coding: str, body: bytes, reason: str
) -> None:
    with serving(lambda _: Reply(200, body, {"Content-Encoding": coding})) as server:
        response = fetch(client, server.url, attempts=3, retry_interval=0, retry_policy="all")
        assert len(server.requests) == 1
    assert reason in response.coding_error
    assert response.body == body


def test_zeros_after_gzip_are_padding(client: LoopClient) -> None:
    body = gzip.compress(TEXT) + bytes(100)
    with serving(lambda _: Reply(200, body, {"Content-Encoding": "gzip"})) as server:
        assert fetch(client, server.url).body == TEXT


def test_a_response_too_large_when_decompressed_is_an_error_with_its_status(
    client: LoopClient,
) -> None:
    bomb = gzip.compress(gzip.compress(bytes(50_000_000)))
    reply = Reply(203, bomb, {"Content-Encoding": "gzip, gzip"})
    with (
        serving(lambda _: reply) as server,
        pytest.raises(DataError, match="larger than 1,000 bytes") as caught,
    ):
        fetch(client, server.url, largest_response=1_000, attempts=3)
    assert caught.value.details == {"status": 203, "statusCode": 203}
    assert len(server.requests) == 1


def test_a_body_shorter_than_its_length_is_a_broken_connection(client: LoopClient) -> None:
    body = zlib.compress(TEXT)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: %d\r\n\r\n" % len(body)
    for end in range(0, len(body), 7):
        with answering(head + body[:end]) as url, pytest.raises(DataError, match="broke before"):
            fetch(client, url)


@pytest.mark.parametrize("end", [0, 5, -1])
def test_a_body_that_stops_in_the_middle_is_given_up(client: LoopClient, end: int) -> None:
    body = zlib.compress(TEXT)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: %d\r\n\r\n" % len(body)
    with (
        answering(head + body[:end], then_silent=True) as url,
        pytest.raises(DataError, match=r"sent nothing for 0\.05 seconds") as caught,
    ):
        fetch(client, url, read_timeout=0.05, attempts=3)
    assert "read_timeout" in caught.value.resolution


def test_truncated_chunks_are_a_broken_connection(client: LoopClient) -> None:
    body = zlib.compress(TEXT)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:9], body[9:]))
    whole = chunks + b"0\r\n\r\n"
    with answering(head + whole) as url:
        assert fetch(client, url).body == TEXT
    for end in range(0, len(chunks), 5):
        with answering(head + whole[:end]) as url, pytest.raises(DataError, match="broke before"):
            fetch(client, url)
