"""JSON lines: each is a document of its own, so a bad one fails alone."""

from __future__ import annotations

import json
from pathlib import Path

from engine import api
from tests.snaps.parse.json_streams import DOCUMENTS, LINES, Parse, parse


def lines(*texts: str) -> bytes:
    return "\n".join(texts).encode()


def test_lines_may_be_empty_end_with_crlf_or_lack_a_line_end(parsed: Parse) -> None:
    data = b'{"a":1}\r\n\r\n  \n{"a":2}\n\n {"a":3}'
    assert parsed(data, **LINES).output == [{"a": 1}, {"a": 2}, {"a": 3}]


def test_without_lines_there_are_no_documents(parsed: Parse) -> None:
    assert parsed(b"", **LINES).output == []
    assert parsed(b"\n\n", **LINES).output == []


def test_each_bad_line_is_one_error_with_its_number(parsed: Parse) -> None:
    data = lines('{"a":1}', "[1]", "", "5", "not json", '{"a":1} {"b":2}', '{"é": ?}', '{"a":2}')
    result = parsed(data, on_error="route", **LINES)
    assert result.output == [{"a": 1}, {"a": 2}]
    assert [error["error"] for error in result.errors] == [
        "line 2 cannot become a document",
        "line 4 cannot become a document",
        "cannot parse line 5 as JSON",
        "cannot parse line 6 as JSON",
        "cannot parse line 7 as JSON",
    ]
    assert "an array: [1]" in result.errors[0]["reason"]
    assert "line 7, column 7" in result.errors[4]["reason"]
    assert "'{\"é\": ?}'" in result.errors[4]["reason"]


def test_a_value_across_lines_is_not_json_lines(parsed: Parse) -> None:
    result = parsed(b'{"a":\n1}\n{"b":2}\n', on_error="route", **LINES)
    assert result.output == [{"b": 2}]
    assert len(result.errors) == 2


def test_a_line_may_be_non_standard(parsed: Parse) -> None:
    data = lines('{"a":1}', "{a: 'x'} // two", '{"a":3}')
    assert parsed(data, **LINES).output == [{"a": 1}, {"a": "x"}, {"a": 3}]
    result = parsed(data, on_error="route", non_standard_json=False, **LINES)
    assert result.output == [{"a": 1}, {"a": 3}]


def test_a_bad_line_far_into_a_stream_is_found() -> None:
    texts = [json.dumps(document) for document in DOCUMENTS]
    texts[2500] = "oops"
    result = parse(lines(*texts), on_error="route", **LINES)
    assert result.output == DOCUMENTS[:2500] + DOCUMENTS[2501:]
    assert result.errors[0]["error"] == "cannot parse line 2501 as JSON"


def test_unused_fields_are_left_out_after_the_first_documents(
    tmp_path: Path,
) -> None:
    lines = [f'{{"n": {n}, "wide": [1, 2], "name": "x{n}"}}\n' for n in range(20_000)]
    (tmp_path / "in.jsonl").write_text("".join(lines))
    (tmp_path / "flow.yaml").write_text("""
    snaps:
      read: {snap: FileReader, file: in.jsonl}
      parse: {snap: JSONParser, json_lines: true}
      keep: {snap: Filter, filter: $n % 2 == 0}
      shape: {snap: Mapper, mappings: {$name: $name}}
    links: [read -> parse -> keep -> shape]
    """)
    report = api.run(tmp_path / "flow.yaml")
    assert report.outputs["shape.output"] == [{"name": f"x{n}"} for n in range(0, 20_000, 2)]


def test_a_bad_line_fails_alone_among_lines_of_which_only_some_fields_are_needed(
    tmp_path: Path,
) -> None:
    lines = [f'{{"n": {n}, "wide": [1, 2]}}\n' for n in range(5_000)]
    lines[4_000] = '{"n": 4000, "wide": [1, 2}\n'
    (tmp_path / "in.jsonl").write_text("".join(lines))
    (tmp_path / "flow.yaml").write_text("""
    snaps:
      read: {snap: FileReader, file: in.jsonl}
      parse: {snap: JSONParser, json_lines: true, on_error: discard}
      shape: {snap: Mapper, mappings: {$n: $n}}
    links: [read -> parse -> shape]
    """)
    report = api.run(tmp_path / "flow.yaml")
    assert len(report.outputs["shape.output"]) == 4_999
    assert report.snaps[1].errors == 1
