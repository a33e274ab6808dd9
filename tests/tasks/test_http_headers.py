"""Fields as headers of a response, and what may not become one."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import DataError
from engine.tasks.worker.http_headers import SERVER_HEADERS, response_headers


def test_fields_become_headers_with_names_in_lower_case() -> None:
    fields = {"Content-Type": "text/csv", "X-Count": 3, "x-cached": True, "x-none": None}
    assert response_headers(fields) == [
        ("content-type", "text/csv"),
        ("x-count", "3"),
        ("x-cached", "true"),
    ]


def test_a_list_gives_a_header_for_each_element() -> None:
    fields = {"set-cookie": ["a=1", "b=2"]}
    assert response_headers(fields) == [("set-cookie", "a=1"), ("set-cookie", "b=2")]


def test_of_two_fields_that_differ_in_case_only_the_later_counts() -> None:
    assert response_headers({"ETag": "1", "etag": "2"}) == [("etag", "2")]


@pytest.mark.parametrize("name", ["content-type", "Content-Type", "location"])
def test_a_header_that_can_come_only_once_has_one_value(name: str) -> None:
    assert response_headers({name: ["text/csv"]}) == [(name.lower(), "text/csv")]
    assert response_headers({name: []}) == []
    with pytest.raises(DataError, match="it has 2 values, but can be sent only once"):
        response_headers({name: ["text/plain", "text/csv"]})


def test_fields_that_differ_in_case_are_one_header_with_all_values() -> None:
    fields = {"X-A": ["1", "2"], "x-b": "b", "x-a": "3"}
    assert response_headers(fields) == [("x-a", "1"), ("x-a", "2"), ("x-a", "3"), ("x-b", "b")]


@pytest.mark.parametrize("name", sorted(SERVER_HEADERS))
def test_headers_that_only_the_server_may_set_are_dropped(name: str) -> None:
    assert response_headers({name.title(): "1"}) == []


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("x", "1\r\nset-cookie: a=1", r"U\+000D"),
        ("x", "1\nset-cookie: a=1", r"U\+000A"),
        ("x", "1\x00", r"U\+0000"),
        ("x", "1\x7f", r"U\+007F"),
        ("x", ["good", "\n-"], r"U\+000A"),
        ("x", "a\ud83d", r"half of a surrogate pair \(U\+D83D\)"),
        ("x", {"a": 1}, "it is a dict"),
        ("x", b"1", "it is a bytes"),
        ("x: 1\r\nset-cookie", "1", "its name"),
        ("x y", "1", "its name"),
        ("", "1", "its name"),
        ("ä", "1", "its name"),
    ],
)
def test_a_field_that_could_be_more_than_a_header_is_refused(
    field: str, value: Any, reason: str
) -> None:
    with pytest.raises(DataError, match=f"cannot be a response header.*{reason}"):
        response_headers({field: value})
