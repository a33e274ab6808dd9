from __future__ import annotations

from typing import Any

import pytest

from engine.documents import StreamEnd, StreamStart

LONG = bytes(range(256)) * 1000


def test_each_document_becomes_a_stream_of_its_own(run_snap: Any, stream: Any) -> None:
    given = [{"content": "one", "name": "a"}, {"content": b"two", "name": "b"}]
    result = run_snap("DocumentToBinary", {}, given)
    assert result.output == [*stream(b"one", name="a"), *stream(b"two", name="b")]


def test_a_list_of_characters_is_text(run_snap: Any, content: Any) -> None:
    result = run_snap("DocumentToBinary", {}, [{"content": ["h", "é"]}])
    assert content(result.output) == "hé".encode()


@pytest.mark.parametrize("empty", ["", b"", []])
@pytest.mark.parametrize("codec", ["none", "encode_base64", "decode_base64"])
def test_empty_content_is_a_stream_without_bytes(run_snap: Any, empty: Any, codec: str) -> None:
    result = run_snap("DocumentToBinary", {"codec": codec}, [{"content": empty}])
    assert result.output == [StreamStart(), StreamEnd()]


def test_encoding_and_decoding_give_back_the_content(run_snap: Any, content: Any) -> None:
    encoded = run_snap("DocumentToBinary", {"codec": "encode_base64"}, [{"content": LONG}])
    given = [{"content": content(encoded.output)}]
    decoded = run_snap("DocumentToBinary", {"codec": "decode_base64"}, given)
    assert content(decoded.output) == LONG


def test_what_is_base64_already_is_not_encoded_again(run_snap: Any, content: Any) -> None:
    result = run_snap("DocumentToBinary", {"codec": "encode_base64"}, [{"content": "aGVsbG8="}])
    assert content(result.output) == b"aGVsbG8="


@pytest.mark.parametrize("other", ["hello, world", "aGVsbG8", "aGV*bG8=", "é"])
def test_what_is_not_base64_is_left_as_it_is(run_snap: Any, content: Any, other: str) -> None:
    result = run_snap("DocumentToBinary", {"codec": "decode_base64"}, [{"content": other}])
    assert content(result.output) == other.encode()


def test_base64_may_be_broken_into_lines(run_snap: Any, content: Any) -> None:
    given = [{"content": "aGVs\r\nbG8=\n"}]
    result = run_snap("DocumentToBinary", {"codec": "decode_base64"}, given)
    assert content(result.output) == b"hello"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({}, "its fields are: none"),
        ({"text": "x", "name": "y"}, "its fields are: text, name"),
        ({"content": None}, "it is of the type NoneType"),
        ({"content": 7}, "it is of the type int"),
        ({"content": ["ab"]}, "it is of the type list"),
        ({"content": "a\ud800"}, r"the character '\\ud800' at 1 is half of one"),
    ],
)
def test_a_document_without_usable_content_fails_alone(
    run_snap: Any, content: Any, document: dict[str, Any], reason: str
) -> None:
    given = [{"content": "good"}, document, {"content": "too"}]
    result = run_snap("DocumentToBinary", {}, given, on_error="route")
    assert content(result.output) == b"goodtoo"
    assert [error["original"] for error in result.errors] == [document]
    assert reason.replace("\\\\", "\\") in result.errors[0]["reason"]


@pytest.mark.parametrize(
    ("document", "data", "header"),
    [
        ({"content": [1, {"a": None}], "n": "x"}, b'[1,{"a":null}]', {"n": "x"}),
        ({"content": "<xml/>"}, b"<xml/>", {}),
        ({"content": 1.5}, b"1.5", {}),
        ({"content": None}, b"null", {}),
        ({"content": b"\xff"}, b"\xff", {}),
        ({"a": 1, "b": "x"}, b'{"a":1,"b":"x"}', {}),
    ],
)
def test_the_codec_document_writes_the_content_or_the_whole_document_as_json(
    run_snap: Any, content: Any, document: dict[str, Any], data: bytes, header: dict[str, Any]
) -> None:
    pieces = run_snap("DocumentToBinary", {"codec": "document"}, [document]).output
    assert content(pieces) == data
    assert pieces[0].header == header


def test_a_byte_array_is_made_of_numbers(run_snap: Any, content: Any) -> None:
    settings = {"codec": "byte_array"}
    given = [{"content": [104, 105, -1, 255]}, {"content": b"x"}, {"content": [256]}]
    result = run_snap("DocumentToBinary", settings, given, on_error="route")
    assert content(result.output) == b"hi\xff\xffx"
    assert "numbers from -128 to 255" in result.errors[0]["reason"]


def test_the_header_can_have_further_fields(run_snap: Any) -> None:
    settings = {"binary_header_properties": {"$['content-location']": "$id + '.txt'"}}
    pieces = run_snap("DocumentToBinary", settings, [{"content": "x", "id": 7}]).output
    assert pieces[0].header == {"id": 7, "content-location": "7.txt"}
