from __future__ import annotations

from typing import Any

import pytest

from engine.errors import EngineError


@pytest.mark.parametrize(
    ("codec", "data", "expected"),
    [
        ("none", "né".encode(), "né"),
        ("encode_base64", b"\x00\xff", "AP8="),
        ("decode_base64", b"aGVs\nbG8=\r\n", "hello"),
        ("decode_base64", b"AP8=", b"\x00\xff"),
        ("byte_array", b"\x00\xff", b"\x00\xff"),
        ("document", b' {"a": [1.50]} ', {"a": [1.5]}),
        ("document", b'"x"', "x"),
    ],
)
def test_content_is_what_the_codec_says(
    run_snap: Any, stream: Any, codec: str, data: bytes, expected: Any
) -> None:
    given = stream(data[:2], data[2:], name="x")
    assert run_snap("BinaryToDocument", {"codec": codec}, given).output == [
        {"content": expected, "original": {"name": "x"}}
    ]


def test_text_has_the_charset_of_the_header(run_snap: Any, stream: Any) -> None:
    given = stream("€".encode("cp1252"), **{"content-type": "text/plain; charset=windows-1252"})
    assert run_snap("BinaryToDocument", {"codec": "none"}, given).output[0]["content"] == "€"


@pytest.mark.parametrize("codec", ["none", "encode_base64", "decode_base64", "document"])
def test_an_empty_stream_has_empty_content(run_snap: Any, stream: Any, codec: str) -> None:
    assert run_snap("BinaryToDocument", {"codec": codec}, stream()).output == [
        {"content": "", "original": {}}
    ]


def test_empty_streams_can_be_dropped(run_snap: Any, stream: Any) -> None:
    given = [*stream(), *stream(b"x")]
    result = run_snap("BinaryToDocument", {"codec": "none", "ignore_empty_stream": True}, given)
    assert [document["content"] for document in result.output] == ["x"]
    assert result.dropped == 1


@pytest.mark.parametrize(
    ("codec", "data", "message"),
    [
        ("none", b"\xff\xfe\x00", "the stream is not text"),
        ("decode_base64", b"not base64!", "the stream is not base64"),
        ("document", b'{"a": }', "line 1, column 7"),
    ],
)
def test_a_stream_of_another_kind_fails_alone(
    run_snap: Any, stream: Any, codec: str, data: bytes, message: str
) -> None:
    given = [*stream(data), *stream(b"")]
    with pytest.raises(EngineError, match=message):
        run_snap("BinaryToDocument", {"codec": codec}, given)
    result = run_snap("BinaryToDocument", {"codec": codec}, given, on_error="route")
    assert len(result.output) == len(result.errors) == 1


def test_a_stream_may_have_max_size_bytes_and_no_more(run_snap: Any, stream: Any) -> None:
    given = [*stream(b"12", b"34"), *stream(b"12", b"345", b"6"), *stream(b"ab")]
    settings = {"codec": "none", "max_size": 4}
    result = run_snap("BinaryToDocument", settings, given, on_error="route")
    assert [document["content"] for document in result.output] == ["1234", "ab"]
    assert [error["reason"] for error in result.errors] == ["it has more than 4 bytes"]


def test_a_size_that_is_not_one_is_a_mistake(run_snap: Any) -> None:
    with pytest.raises(EngineError, match="'many' is not a size"):
        run_snap("BinaryToDocument", {"max_size": "many"}, [])
