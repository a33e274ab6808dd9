from __future__ import annotations

import bz2
import gzip
import json
import lzma
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.documents import Item, StreamEnd, StreamStart
from engine.errors import EngineError
from engine.testing import run_snap
from tests.snaps.parse.json_streams import DOCUMENTS, LINES, Parse, parse

STRICT = {"non_standard_json": False}


DEEP = [{"a": [[[[[1]]]]], "b": {"c": {"d": {"e": {}}}}}, {"f": 2}]
TEXTS = [
    (b"[]", []),
    (b' [ { } , {"a":1} ] \n', [{}, {"a": 1}]),
    (b'{"a":1}', [{"a": 1}]),
    (b'{"a":1}{"a":2} {"a":3}\n', [{"a": 1}, {"a": 2}, {"a": 3}]),
    (b'[{"a":1}] {"b":2} [] [{"c":3},{"d":4}]', [{"a": 1}, {"b": 2}, {"c": 3}, {"d": 4}]),
    (rb'[{"a":"}],[{"},{"b":"\"]\\"}]', [{"a": "}],[{"}, {"b": '"]\\'}]),
    ('[{"é":"\u2028€𝄞"}]'.encode(), [{"é": "\u2028€𝄞"}]),
    (b'[{"a":[[[[[1]]]]],"b":{"c":{"d":{"e":{}}}}},{"f":2}]', DEEP),
    (b'{"a":[[[[[1]]]]],"b":{"c":{"d":{"e":{}}}}}{"f":2}', DEEP),
    (b"\xef\xbb\xbf[]", []),
]


@pytest.mark.parametrize(("data", "expected"), TEXTS)
def test_values_and_elements_become_documents(
    parsed: Parse, data: bytes, expected: list[Any]
) -> None:
    assert parsed(data).output == expected


@pytest.mark.parametrize("indent", [None, 2])
def test_a_large_array_is_the_same_document_by_document(parsed: Parse, indent: int | None) -> None:
    documents = DOCUMENTS[:200]
    assert parsed(json.dumps(documents, indent=indent).encode()).output == documents


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_of_many_chunks(indent: int | None) -> None:
    assert parse(json.dumps(DOCUMENTS, indent=indent).encode()).output == DOCUMENTS


def test_many_values_of_many_chunks() -> None:
    assert parse(b"\n".join(json.dumps(d).encode() for d in DOCUMENTS)).output == DOCUMENTS


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([0.5, -1e300]),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=10,
)
json_documents = st.lists(st.dictionaries(st.text(), json_values, max_size=4), max_size=8)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    documents=json_documents,
    size=st.integers(1, 40),
    indent=st.sampled_from([None, 1]),
    form=st.sampled_from(["array", "values", "lines"]),
)
def test_what_was_written_comes_back_however_it_is_cut(
    documents: list[Any], size: int, indent: int | None, form: str
) -> None:
    if form == "array":
        assert parse(json.dumps(documents, indent=indent).encode(), size).output == documents
    elif form == "values" and documents:
        text = "".join(json.dumps(d, indent=indent, ensure_ascii=False) for d in documents)
        assert parse(text.encode(errors="surrogatepass"), size).output == documents
    else:
        text = "".join(json.dumps(document) + "\n" for document in documents)
        assert parse(text.encode(), size, **LINES).output == documents


def test_elements_that_are_not_objects_fail_alone(parsed: Parse) -> None:
    result = parsed(b'[1,{"a":1},"x,]",[2],null,{"b":2}]', on_error="route")
    assert result.output == [{"a": 1}, {"b": 2}]
    assert [error["error"] for error in result.errors] == [
        f"element {number} of the array cannot become a document" for number in (1, 3, 4, 5)
    ]
    assert "a number: 1" in result.errors[0]["reason"]
    assert result.errors[0]["original"] == {"content-location": "x.json"}


def test_a_root_that_is_a_scalar_is_an_error(parsed: Parse) -> None:
    assert "a number: 5" in parsed(b" 5 ", on_error="route").errors[0]["reason"]


def test_an_array_is_an_error_unless_it_may_be_split(parsed: Parse) -> None:
    (error,) = parsed(b'[{"a":1}]', process_array=False, on_error="route").errors
    assert "process_array" in error["resolution"]


@pytest.mark.parametrize(
    ("data", "good", "place"),
    [
        (b'[{"a":1},\n{"a":nope},{"b":2}]', [{"a": 1}], "line 2, column 6"),
        (b'[{"a":1},{"a":2}', [{"a": 1}], "does not end"),
        (b'{"a":"x', [], "does not end"),
        (b'[,{"a":1}]', [], "line 1, column 2"),
        (b'{"a":1}]', [{"a": 1}], "line 1, column 8"),
        (b'{"a":1} nonsense', [{"a": 1}], "line 1, column"),
        (b"<html>", [], "line 1, column 1"),
        ('[{"é":1},\n {"é" 2}]'.encode(), [{"é": 1}], "line 2, column 7"),
    ],
)
@pytest.mark.parametrize("lenient", [True, False])
def test_malformed_json_is_one_error_with_its_place_after_the_good_values(
    parsed: Parse, data: bytes, good: list[Any], place: str, lenient: bool
) -> None:
    result = parsed(data, non_standard_json=lenient, on_error="route")
    assert result.output == good
    (error,) = result.errors
    assert error["error"] == "cannot parse the stream as JSON"
    if lenient or place.startswith("line"):
        assert place.removesuffix("column 6").removesuffix("column 7") in error["reason"]


def test_all_values_before_an_error_are_documents_however_deep_they_are(parsed: Parse) -> None:
    good = {"a": [[[{"b": {"c": [{"d": "}"}]}}]]]}
    text = "\n".join([json.dumps(good)] * 3) + '\n{"id": nu}l}'
    result = parsed(text.encode(), on_error="route")
    assert result.output == [good] * 3
    assert len(result.errors) == 1


def test_the_place_counts_from_the_start_of_a_long_stream() -> None:
    lines = [json.dumps(document) for document in DOCUMENTS]
    text = "[" + ",\n".join(lines) + ',\n{"a": ?}]'
    (error,) = parse(text.encode(), on_error="route").errors
    assert f"line {len(lines) + 1}, column 7" in error["reason"]
    assert "'{\"a\": ?}]'" in error["reason"]


@pytest.mark.parametrize("data", [b"", b" \n\t "])
def test_an_empty_stream_is_an_error(parsed: Parse, data: bytes) -> None:
    with pytest.raises(EngineError, match="it is empty"):
        parsed(data)


def test_the_next_stream_is_read_after_a_bad_one() -> None:
    pieces: list[Item] = [
        StreamStart(),
        b'{"a":',
        StreamEnd(),
        StreamStart(),
        b'{"b":1}',
        StreamEnd(),
    ]
    result = run_snap("JSONParser", {}, pieces, on_error="route")
    assert result.output == [{"b": 1}]
    assert len(result.errors) == 1


def test_a_broken_stream_ends_without_another_error() -> None:
    pieces: list[Item] = [StreamStart(), b'[{"a":1},{"b"', StreamEnd(broken=True)]
    assert run_snap("JSONParser", {}, pieces).output == [{"a": 1}]


@pytest.mark.parametrize("values", [{}, LINES])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_another_encoding_is_named(parsed: Parse, encoding: str, values: Any) -> None:
    (error,) = parsed('{"a":1}'.encode(encoding), on_error="route", **values).errors
    assert f"UTF-{encoding[4:6]}" in error["reason"]


def test_text_that_is_not_utf_8_says_where(parsed: Parse) -> None:
    (error,) = parsed('[{"a":1},\n {"b":"é"}]'.encode("latin-1"), on_error="route").errors
    assert "byte 0xe9 is not UTF-8" in error["reason"]
    assert "line 2, column 8, byte 17" in error["reason"]


@pytest.mark.parametrize("values", [{}, LINES, {"non_standard_json": False}])
def test_deep_nesting_is_an_error_not_a_crash(values: Any) -> None:
    data = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    (error,) = parse(data, on_error="route", **values).errors
    assert "nested too deeply" in error["reason"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"// don't\n{a: 'x'}", [{"a": "x"}]),
        (b"/* [ */ [{'a': ']'}, {b: 2,},]", [{"a": "]"}, {"b": 2}]),
        (b'[{"a":1}, // one\n {"a":2}] {b: 3}', [{"a": 1}, {"a": 2}, {"b": 3}]),
        (b"{'a':1}{'a':2}", [{"a": 1}, {"a": 2}]),
    ],
)
def test_non_standard_json_is_read(parsed: Parse, data: bytes, expected: list[Any]) -> None:
    assert parsed(data).output == expected
    assert len(parsed(data, non_standard_json=False, on_error="route").errors) == 1


def test_nan_is_read_as_such(parsed: Parse) -> None:
    value = parsed(b'{"a": NaN}').output[0]["a"]
    assert math.isnan(value)


def test_a_filter_path_keeps_what_matches(parsed: Parse) -> None:
    data = b'{"r":[{"a":1},5,{"a":2}]} {"r":[]}'
    result = parsed(data, filter_path="$.r[*]", on_error="route")
    assert result.output == [{"a": 1}, {"a": 2}]
    assert "a match of the filter path" in result.errors[0]["error"]


def test_a_filter_path_sees_the_root_array(parsed: Parse) -> None:
    data = b'[{"r":[{"a":1}]},{"r":[{"a":2}]}]'
    assert parsed(data, filter_path="$[*].r[*]").output == [{"a": 1}, {"a": 2}]
    assert parsed(data, filter_path="$[0].r").output == [{"a": 1}]


@pytest.mark.parametrize("values", [{}, LINES])
def test_numbers_keep_their_value(parsed: Parse, values: Any) -> None:
    data = b'{"big":123456789012345678901234567890,"small":-0.1,"exp":1e3}'
    (document,) = parsed(data, exact=True, **values).output
    assert repr(document) == repr(
        {
            "big": 123456789012345678901234567890,
            "small": Decimal("-0.1"),
            "exp": Decimal("1E+3"),
        }
    )


@pytest.mark.parametrize("values", [{}, LINES])
@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("1e10001", "the exponent of 1e10001 is out of range; the limit is 10,000"),
        ("-2.5E-99999", "the exponent of -2.5E-99999 is out of range"),
        ("0." + "9" * 5000, "the number has 5,000 digits; the limit is 4,300"),
        ("9" * 5000, "the number has 5,000 digits; the limit is 4,300"),
    ],
)
def test_a_number_that_is_too_large_is_an_error_at_its_place(
    values: Any, number: str, reason: str
) -> None:
    text = f'{{"a": "1e999 \\\\",\t"b": {number}}}'
    place = text.index(number)
    (error,) = parse(text.encode(), on_error="route", **values).errors
    assert error["reason"].startswith(reason)
    assert f"(line 1, column {place + 1}, byte {place})" in error["reason"]


def test_an_integer_of_4300_digits_is_read_exactly() -> None:
    assert parse(f'{{"a":{"9" * 4300}}}'.encode()).output == [{"a": 10**4300 - 1}]


@pytest.mark.parametrize("after", [" // end", "\f", "\u00a0", "\ufeff", "\n/* end */\n", "\u2028"])
@pytest.mark.parametrize("before", ['{"a": 1}', '[{"a": 1}]', '{"a": 1} {"a": 1}'])
def test_comments_and_odd_space_may_follow_the_last_value(before: str, after: str) -> None:
    result = parse((before + after).encode(), on_error="route")
    assert result.errors == []
    assert result.output == [{"a": 1}] * before.count("a")


@pytest.mark.parametrize("text", ["// nothing", "/* */", "\u00a0"])
def test_a_stream_of_comments_alone_is_empty(text: str) -> None:
    (error,) = parse(text.encode(), on_error="route").errors
    assert error["reason"] == "it is empty"


@pytest.mark.parametrize("values", [{}, STRICT, {**STRICT, **LINES}])
def test_half_of_a_surrogate_pair_is_named(values: Any) -> None:
    text = rb'{"a": "\ud83d\ude00 \\ud83d", "b": "\ud83d"}'
    (error,) = parse(text, on_error="route", **values).errors
    assert r"\ud83d is half of a surrogate pair, and its other half is missing" in error["reason"]
    place = text.rindex(rb"\ud83d")
    assert f"byte {place}" in error["reason"]


@pytest.mark.parametrize(
    ("settings", "text"), [({}, b"[]"), ({"json_lines": True}, b""), ({"json_lines": True}, b"\n")]
)
def test_a_stream_without_documents_is_acknowledged(
    run_snap: Any, stream: Any, settings: dict[str, Any], text: bytes
) -> None:
    result = run_snap("JSONParser", settings, stream(text))
    assert (result.output, result.errors, result.dropped) == ([], [], 1)


def test_what_cannot_become_a_document_is_shown_as_it_was_written(
    run_snap: Any, stream: Any
) -> None:
    result = run_snap("JSONParser", {}, stream(b"[NaN, {}]"), on_error="route")
    assert result.output == [{}]
    assert "a number: NaN" in result.errors[0]["reason"]


@pytest.mark.parametrize(
    ("data", "reason", "hint"),
    [
        (gzip.compress(b"{}"), "the stream is compressed with gzip", "gzip::NAME"),
        (bz2.compress(b"{}"), "the stream is compressed with bzip2", "bz2::NAME"),
        (lzma.compress(b"{}"), "the stream is compressed with xz", "xz::NAME"),
        (b"PK\x03\x04\x14\0", "the stream is a zip archive", "zip://MEMBER::NAME"),
    ],
)
@pytest.mark.parametrize("lines", [False, True])
def test_compressed_data_is_reported(
    run_snap: Any, stream: Any, data: bytes, reason: str, hint: str, lines: bool
) -> None:
    result = run_snap("JSONParser", {"json_lines": lines}, stream(data), on_error="route")
    assert result.errors[0]["reason"] == reason
    assert hint in result.errors[0]["resolution"]


@pytest.mark.parametrize("half", [r"\ud83d", r"\ude00", r"\ud83dx", r"\ud83d\u0041"])
def test_half_of_a_surrogate_pair_is_reported_at_its_place(half: str) -> None:
    text = b'{"a": 1} // one\n{"b": "%b"}' % half.encode()
    (error,) = parse(text, on_error="route").errors
    assert f"{half[:6]} is half of a surrogate pair" in error["reason"]
    assert "line 2, column 8" in error["reason"]
