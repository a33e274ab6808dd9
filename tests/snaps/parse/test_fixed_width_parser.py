from __future__ import annotations

from typing import Any

import pytest

from engine.documents import Item, StreamEnd, StreamStart
from engine.errors import ConfigurationError
from engine.testing import run_snap

FIELDS = [
    {"name": "id", "start": 1, "end": 3},
    {"name": "name", "start": 4, "end": 9, "trim": True},
]


def parse(text: str | bytes, size: int = 65_536, **values: Any) -> list[Any]:
    data = text.encode() if isinstance(text, str) else text
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    given: list[Item] = [StreamStart(), *chunks, StreamEnd()]
    return run_snap("FixedWidthParser", {"fields": FIELDS, **values}, given).output


@pytest.mark.parametrize("size", [1, 2, 65_536])
@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("001 Ada  x\n002Grace", {}, [("001", "Ada"), ("002", "Grace")]),
        ("001é\r\n\r\n 2 \r\n", {}, [("001", "é"), (" 2 ", "")]),
        ("001a\r002b\r", {}, [("001", "a"), ("002", "b")]),
        ("001a|002\nb|", {"line_separator": "|"}, [("001", "a"), ("002", "\nb")]),
        ("001a\r\n002b", {"line_separator": "\\r\\n"}, [("001", "a"), ("002", "b")]),
        ("x\ny\n001a\n", {"lines_to_skip": 2}, [("001", "a")]),
        ("1", {}, [("1", "")]),
        ("", {}, []),
    ],
)
def test_fields_are_cut_at_their_positions(
    size: int, text: str, values: Any, expected: list[tuple[str, str]]
) -> None:
    assert parse(text, size, **values) == [{"id": i, "name": name} for i, name in expected]


def test_lines_can_be_ignored() -> None:
    ignored = [
        {"when": "starts_with", "text": "#"},
        {"when": "ends_with", "text": "end"},
        {"when": "contains", "text": "??"},
    ]
    assert parse("#1\n2 end\n3??x\n004a\n", ignore_lines=ignored) == [{"id": "004", "name": "a"}]


def test_a_charset_and_a_byte_order_mark() -> None:
    assert parse("001é\n".encode("cp1252"), charset="cp1252")[0]["name"] == "é"
    assert parse(b"\xef\xbb\xbf001a\n")[0]["id"] == "001"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([], "there are no fields"),
        ([{"name": "a", "start": 0, "end": 3}], "the field 'a' goes from 0 to 3"),
        ([{"name": "a", "start": 4, "end": 3}], "the field 'a' goes from 4 to 3"),
    ],
)
def test_positions_that_cannot_be_are_found_when_checking(fields: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse("", fields=fields)
