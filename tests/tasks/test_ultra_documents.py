"""Requests as documents, and documents as answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.documents import Item, StreamEnd, StreamStart
from engine.errors import DataError
from engine.tasks.wire.messages import Headers, Request, RequestHead
from engine.tasks.worker.documents import request_document, request_stream, response_of


def request(headers: Headers | None = None, body: bytes = b"", query: str = "") -> Request:
    head = RequestHead("POST", "/tasks/echo/a b", "/a b", query, headers or [])
    return Request(1, head.packed(), body)


OWN = ("content", "query", "method", "uri", "path_info", "task_name", "status")


def test_a_request_is_its_headers_its_content_and_what_the_server_knows_of_it() -> None:
    document = request_document(request([("x-a", "1")], b'{"a": [1]}', "q=1&q=2&e=&=n&f"), "echo")
    assert document == {
        "x-a": "1",
        "content": {"a": [1]},
        "query": {"q": ["1", "2"], "e": [""], "": ["n"], "f": [""]},
        "method": "POST",
        "uri": "/tasks/echo/a b?q=1&q=2&e=&=n&f",
        "path_info": "/a b",
        "task_name": "echo",
    }


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_headers_do_not_replace_fields_of_the_document(body: bytes) -> None:
    forged: Headers = [(name, "forged") for name in OWN]
    document = request_document(request(forged, body), "echo")
    assert "forged" not in document.values()
    (start, *_) = request_stream(request(forged, body), "echo")
    assert isinstance(start, StreamStart)
    assert "forged" not in start.header.values()


def test_a_request_without_a_body_has_no_content() -> None:
    assert "content" not in request_document(request(), "echo")


def test_a_body_of_null_is_content() -> None:
    assert request_document(request(body=b"null"), "echo")["content"] is None


def answer(document: dict[str, Any]) -> tuple[int, Headers, bytes]:
    response = response_of(1, [document])
    return response.status, response.headers, response.body


JSON = ("content-type", "application/json")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"content": {"a": 1}}, (200, [JSON], b'{"a":1}')),
        ({"content": "<b>"}, (200, [JSON], b'"<b>"')),
        ({"content": None, "status": 404}, (404, [JSON], b"null")),
        ({"content": 1, "status": "201"}, (201, [JSON], b"1")),
        ({"content": 1, "status": 201.0}, (201, [JSON], b"1")),
        (
            {"content": b"\0", "Content-Type": "image/png"},
            (200, [("content-type", "image/png")], b"\0"),
        ),
        ({"content": b"\0"}, (200, [("content-type", "application/octet-stream")], b"\0")),
        (
            {"content": "<b>ä", "content-type": "text/html"},
            (200, [("content-type", "text/html")], "<b>ä".encode()),
        ),
        ({"content": "x", "content-type": "application/json"}, (200, [JSON], b'"x"')),
        ({"a": 1, "status": 404, "x": "\n"}, (200, [JSON], b'{"a":1,"status":404,"x":"\\n"}')),
        ({}, (200, [JSON], b"{}")),
    ],
)
def test_a_document_makes_an_answer(document: dict[str, Any], expected: Any) -> None:
    assert answer(document) == expected


@pytest.mark.parametrize(
    "status",
    [0, 99, 100, 199, 600, -1, "abc", "", "２００", "200\r\nx: y", 3.5, True, [], {}, 1e300],
)
def test_an_invalid_status_is_named(status: Any) -> None:
    with pytest.raises(
        DataError, match=r"the response has no valid HTTP status.*its field 'status' is"
    ):
        answer({"content": 1, "status": status})


def test_a_status_of_null_counts_as_left_out() -> None:
    assert answer({"content": 1, "status": None})[0] == 200


@pytest.mark.parametrize(
    "value", [{"a": b"\0"}, {"a": datetime(2026, 1, 2, tzinfo=UTC)}, {"a": [{"b": None}]}]
)
def test_a_map_becomes_a_header_of_json_whatever_it_holds(value: Any) -> None:
    ((name, text), _) = answer({"content": 1, "x": value})[1]
    assert name == "x"
    assert text.startswith('{"a": ')


def test_a_map_in_a_header_stays_within_its_line() -> None:
    assert answer({"content": 1, "x": {"a": "ä\r\nb: €"}})[1][0] == (
        "x",
        '{"a": "\\u00e4\\r\\nb: \\u20ac"}',
    )


def test_request_headers_that_are_passed_on_are_harmless() -> None:
    headers: Headers = [
        ("host", "here"),
        ("authorization", "Bearer secret"),
        ("cookie", "a=1"),
        ("content-length", "2"),
        ("transfer-encoding", "chunked"),
        ("connection", "keep-alive"),
        ("date", "today"),
        ("accept", "*/*"),
    ]
    reply = dict(answer(request_document(request(headers, b"{}", "a=1"), "echo"))[1])
    assert reply == {
        "host": "here",
        "accept": "*/*",
        "query": '{"a": ["1"]}',
        "method": "POST",
        "uri": "/tasks/echo/a b?a=1",
        "path_info": "/a b",
        "task_name": "echo",
        "content-type": "application/json",
    }


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"content": "\ud800"}, r"\$ holds half of a surrogate pair at character 0"),
        ({"content": {"a": [float("nan")]}}, r"\$\.a\[0\] is NaN, which JSON cannot represent"),
        ({"a": float("-inf")}, r"\$\.a is -Infinity"),
        ({"content": 1, "x": {"a": float("inf")}}, r"\$\.a is Infinity"),
    ],
)
def test_what_json_cannot_hold_is_named_by_its_field(document: Any, reason: str) -> None:
    with pytest.raises(DataError, match=f"cannot write the response as JSON: {reason}"):
        answer(document)


def test_a_stream_answers_with_its_header_and_its_bytes() -> None:
    items: list[Item] = [
        StreamStart({"status": 201, "content-type": "a/b"}),
        b"1",
        b"2",
        StreamEnd(),
    ]
    response = response_of(1, items)
    assert (response.status, response.body) == (201, b"12")
    assert response.headers == [("content-type", "a/b")]


def test_requests_with_the_same_head_share_nothing_that_a_snap_could_change() -> None:
    asked = request([("x-a", "1")], b'{"n":[1]}', "a=1")
    one, other = request_document(asked, "echo"), request_document(asked, "echo")
    one["query"]["a"].append("2")
    one["query"]["b"] = ["3"]
    one["content"]["n"].append(2)
    del one["method"]
    assert other["query"] == {"a": ["1"]}
    assert other["content"] == {"n": [1]}
    assert request_document(asked, "echo") == other
