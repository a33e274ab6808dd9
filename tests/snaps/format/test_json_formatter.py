from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from engine.documents import Batch, StreamEnd, StreamStart
from engine.errors import ConfigurationError, EngineError
from engine.testing import kit
from snaps.format.json_formatter import JSONFormatter

MANY = [{"id": number, "text": "é\n"} for number in range(1000)]


def test_an_array_of_many_batches_is_one_valid_text(run_snap: Any, content: Any) -> None:
    pieces = run_snap("JSONFormatter", {}, MANY).output
    assert pieces[0] == StreamStart({"content-type": "application/json"})
    assert pieces[-1] == StreamEnd()
    assert json.loads(content(pieces)) == MANY
    assert len(pieces) > 10  # it is not held back


def test_pretty_print_is_what_the_platform_writes(run_snap: Any, content: Any) -> None:
    pieces = run_snap("JSONFormatter", {"pretty_print": True}, MANY).output
    expected = json.dumps(MANY, indent=2, ensure_ascii=False, separators=(",", " : "))
    assert content(pieces).decode() == expected


def test_pretty_print_puts_every_element_on_a_line_and_changes_no_text(
    run_snap: Any, content: Any
) -> None:
    document = {'a": 1': ["x: [],", '"k": {}', 2], "none": {}, "empty": [], "deep": [[1], {}]}
    settings = {"pretty_print": True, "format_each_document": True}
    text = content(run_snap("JSONFormatter", settings, [document]).output)
    assert (
        text.decode()
        == r"""{
  "a\": 1" : [
    "x: [],",
    "\"k\": {}",
    2
  ],
  "none" : { },
  "empty" : [ ],
  "deep" : [
    [
      1
    ],
    { }
  ]
}"""
    )


def test_every_line_of_json_lines_ends_in_a_newline(run_snap: Any, content: Any) -> None:
    pieces = run_snap("JSONFormatter", {"json_lines": True}, MANY).output
    text = content(pieces)
    assert text.endswith(b"}\n")
    assert [json.loads(line) for line in text.splitlines()] == MANY
    assert pieces[0].header == {"content-type": "application/x-ndjson"}


def test_each_document_can_have_a_stream_of_its_own(run_snap: Any, content: Any) -> None:
    settings = {"format_each_document": True, "header": {"$name": "$id + '.json'"}}
    pieces = run_snap("JSONFormatter", settings, [{"id": 1}, {"id": 2}]).output
    assert [piece.header["name"] for piece in pieces if isinstance(piece, StreamStart)] == [
        "1.json",
        "2.json",
    ]
    assert content(pieces) == b'{"id":1}{"id":2}'
    assert pieces.count(StreamEnd()) == 2


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, b"[]"),
        ({"json_lines": True}, b""),
        ({"ignore_empty_stream": True}, None),
        ({"format_each_document": True}, None),
    ],
)
def test_no_documents(run_snap: Any, content: Any, settings: Any, expected: bytes | None) -> None:
    pieces = run_snap("JSONFormatter", settings, []).output
    assert (content(pieces) if pieces else None) == expected


def test_the_content_path_selects_what_is_written(run_snap: Any, content: Any) -> None:
    given = [{"content": {"a": 1}}, {"other": 1}, {"content": [2]}]
    result = run_snap("JSONFormatter", {"content_path": "$.content"}, given, on_error="route")
    assert json.loads(content(result.output)) == [{"a": 1}, [2]]
    assert [error["original"] for error in result.errors] == [{"other": 1}]


def test_header_fields_come_from_the_first_document_that_has_them(run_snap: Any) -> None:
    settings = {"header": {"$status": "$code"}}
    given = [{"a": 1}, {"code": 201}, {"code": 500}]
    result = run_snap("JSONFormatter", settings, given, on_error="route")
    assert result.output[0].header == {"content-type": "application/json", "status": 201}
    assert [error["original"] for error in result.errors] == [{"a": 1}]


def test_an_integer_that_is_too_long_is_named(run_snap: Any) -> None:
    with pytest.raises(EngineError, match=r"\$\.a\[0\] is an integer of more than 4,300 digits"):
        run_snap("JSONFormatter", {}, [{"a": [10**4300]}])
    assert run_snap("JSONFormatter", {}, [{"a": 10**4300 - 1}]).output[1].startswith(b'[{"a":9999')


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_are_never_written_as_null(
    run_snap: Any, content: Any, number: float
) -> None:
    bad = {"id": 2, "deep": [{"x": number}]}
    given = [{"id": 1, "none": None}, bad, {"id": 3}]
    result = run_snap("JSONFormatter", {"json_lines": True}, given, on_error="route")
    assert content(result.output) == b'{"id":1,"none":null}\n{"id":3}\n'
    (error,) = result.errors
    assert error["original"] is bad or error["original"] == bad
    assert "$.deep[0].x" in error["reason"]


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        ({"a": {"b": -math.inf}}, "$.a.b is -Infinity"),
        ({"a": {"x\ud800": 3}}, "of $.a"),
        ({"a": "\ud800"}, "$.a holds half of a surrogate pair"),
    ],
)
def test_what_cannot_be_written_fails_alone_and_is_named(
    run_snap: Any, content: Any, bad: dict[str, Any], where: str
) -> None:
    given = [{"id": 1}, bad, {"id": 3, "big": 2**70}]
    result = run_snap("JSONFormatter", {}, given, on_error="route")
    assert content(result.output) == b'[{"id":1},{"id":3,"big":1180591620717411303424}]'
    assert where in result.errors[0]["reason"]


def test_an_invalid_value_stops_the_pipeline_by_default(run_snap: Any) -> None:
    with pytest.raises(EngineError, match="which JSON cannot represent"):
        run_snap("JSONFormatter", {}, [{"a": math.nan}])


def test_only_invalid_documents_produce_an_empty_array(run_snap: Any, content: Any) -> None:
    result = run_snap("JSONFormatter", {}, [{"a": math.nan}], on_error="discard")
    assert content(result.output) == b"[]"


def test_bytes_become_base64(run_snap: Any, content: Any) -> None:
    assert content(run_snap("JSONFormatter", {}, [{"a": b"abc"}]).output) == b'[{"a":"YWJj"}]'


def test_pretty_json_lines_are_refused(run_snap: Any) -> None:
    with pytest.raises(ConfigurationError, match="is on a single line"):
        run_snap("JSONFormatter", {"json_lines": True, "pretty_print": True}, [])


@pytest.mark.parametrize("each", [False, True])
def test_a_header_that_no_document_of_a_large_batch_has_fails_them_all(
    each: bool, tmp_path: Path
) -> None:
    settings = {"header": {"$status": "$code"}, "format_each_document": each}
    emitted, failed = encoded_at_once(settings, [{}] * 5000, tmp_path)
    assert (emitted, failed) == ([], 5000)


def test_the_first_header_of_a_large_batch_is_found_wherever_it_is(tmp_path: Path) -> None:
    given: list[Any] = [*[{}] * 5000, {"code": 201}, {}]
    emitted, failed = encoded_at_once({"header": {"$status": "$code"}}, given, tmp_path)
    start, *body = [item for batch in emitted for item in batch.items]
    assert start == StreamStart({"content-type": "application/json", "status": 201})
    assert b"".join(body) == b'[{"code":201},{}'
    assert failed == 5000


def encoded_at_once(settings: Any, given: list[Any], folder: Path) -> tuple[list[Batch], int]:
    """The output for one batch, and how many of its documents fail."""

    class AtOnce(JSONFormatter):
        def process_batch(self, view: str, batch: Batch) -> None:
            emission = super().process_batch(view, Batch(given))
            if isinstance(emission, Batch):
                emitted.append(emission)
            elif emission is not None:
                emitted.extend(parts["output"] for parts in emission if isinstance(parts, dict))

        def finish(self) -> tuple[()]:
            return ()

    emitted: list[Batch] = []
    result = kit.run_snap(AtOnce, settings, [{}], on_error="discard", project=folder)
    return [batch for batch in emitted if batch.items], result.statistics.errors


def test_not_a_number_has_a_remedy(run_snap: Any) -> None:
    (error,) = run_snap("JSONFormatter", {}, [{"n": float("nan")}], on_error="route").errors
    assert error["reason"] == "$.n is NaN, which JSON cannot represent"
    assert error["resolution"].endswith("replace it in a Mapper, as in isNaN($n) ? null : $n")
