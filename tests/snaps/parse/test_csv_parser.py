from __future__ import annotations

import bz2
import csv
import gzip
import lzma
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.documents import Item, StreamEnd, StreamStart
from engine.errors import ConfigurationError, EngineError
from engine.testing import SnapRun, run_snap


def parse(data: bytes | str, size: int = 65_536, on_error: Any = "stop", **values: Any) -> SnapRun:
    return run_snap("CSVParser", values, pieces(data, size), on_error=on_error, exact=True)


def pieces(data: bytes | str, size: int = 65_536) -> list[Item]:
    data = data.encode() if isinstance(data, str) else data
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    return [StreamStart({"content-location": "x.csv"}), *chunks, StreamEnd()]


@pytest.fixture(params=[1, 2, 3, 7, 65_536], ids="chunks of {}".format)
def size(request: pytest.FixtureRequest) -> int:
    """The stream is cut in different ways, which must make no difference."""
    return int(request.param)


RECORDS = [
    ("a,b\n1,2\n", [{"a": "1", "b": "2"}]),
    ("a,b\r\n1,2\r\n3,4", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
    ("a,b\r1,2\r", [{"a": "1", "b": "2"}]),
    ('a,b\n"1","x, ""y"""\n', [{"a": "1", "b": 'x, "y"'}]),
    ('a,b\n1,"two\r\nlines\n"\n2,\n', [{"a": "1", "b": "two\r\nlines\n"}, {"a": "2", "b": ""}]),
    ("a,b\n\n1,2\n\n   \n", [{"a": "1", "b": "2"}]),
    ("a , b \n  1 ,\t2\n", [{"a": "1", "b": "2"}]),
    ('a,b\n" 1 ", "2, 2" \n', [{"a": " 1 ", "b": "2, 2"}]),
    ('a,b\n5" pipe,say "hi"\n', [{"a": '5" pipe', "b": 'say "hi"'}]),
    ('a,b\n"x"y,"p" q\n', [{"a": "xy", "b": "p q"}]),
    ("a,b\nC:\\temp,\\\\server\n", [{"a": "C:\\temp", "b": "\\server"}]),
    ('a,b\n"say \\"hi\\", ok",1\\,5\n', [{"a": 'say "hi", ok', "b": "1,5"}]),
    ("n\n1\n\n2\n", [{"n": "1"}, {"n": "2"}]),
    ("a,b\n1\n", [{"a": "1", "b": None}]),
    ("a,b\n\x0b1,2\u2028\x85\x1c\n", [{"a": "\x0b1", "b": "2\u2028\x85\x1c"}]),
    ("", []),
    ("a,b\n", []),
    ("名,b\né,𝄞\n", [{"名": "é", "b": "𝄞"}]),
]


@pytest.mark.parametrize(("text", "expected"), RECORDS)
def test_records_become_documents_however_the_stream_is_cut(
    size: int, text: str, expected: list[Any]
) -> None:
    assert parse(text, size).output == expected


@pytest.mark.parametrize(
    ("mark", "charset"),
    [
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
        (b"\xff\xfe\x00\x00", "utf-32-le"),
    ],
)
def test_a_byte_order_mark_decides_the_charset_and_is_left_out(
    size: int, mark: bytes, charset: str
) -> None:
    assert parse(mark + "é,b\n1,€\n".encode(charset), size).output == [{"é": "1", "b": "€"}]


def test_the_charset_can_be_set(size: int) -> None:
    data = "a\n€é\n".encode("windows-1252")
    assert parse(data, size, charset="windows-1252").output == [{"a": "€é"}]


def test_records_before_bytes_of_another_charset_are_output(size: int) -> None:
    result = parse(b"a\n1\n2\n\xff\n3\n", size, on_error="route")
    assert result.output == [{"a": "1"}, {"a": "2"}][: len(result.output)]
    (error,) = result.errors
    assert error["error"] == "the stream is not valid utf-8"
    assert error["reason"] == "invalid start byte: byte 0xff at offset 6"
    assert "windows-1252" in error["resolution"]


@pytest.mark.parametrize(
    ("data", "kind", "remedy"),
    [
        (gzip.compress(b"a\n1\n"), "compressed with gzip", "gzip::NAME"),
        (bz2.compress(b"a\n1\n"), "compressed with bzip2", "bz2::NAME"),
        (lzma.compress(b"a\n1\n"), "compressed with xz", "xz::NAME"),
        (b"PK\x03\x04\x14\x00\xff", "a zip archive", "zip://MEMBER::NAME"),
    ],
)
def test_a_compressed_stream_is_recognised(size: int, data: bytes, kind: str, remedy: str) -> None:
    (error,) = parse(data, size, on_error="route").errors
    assert (error["error"], error["reason"]) == ("the stream is not text", f"it is {kind}")
    assert remedy in error["resolution"]


def test_text_may_begin_like_a_compressed_stream(size: int) -> None:
    assert parse(b"BZh\n1\n", size).output == [{"BZh": "1"}]


def test_an_unknown_charset_is_found_when_checking() -> None:
    with pytest.raises(ConfigurationError, match="the charset 'utf-99' is not known"):
        parse("a\n", charset="utf-99")


@pytest.mark.parametrize(
    ("policy", "output", "errors"),
    [
        ("fail", [{"a": "1"}, {"a": "5"}], 1),
        ("trim", [{"a": "1"}, {"a": "2"}, {"a": "5"}], 0),
        ("both", [{"a": "1"}, {"a": "2"}, {"a": "5"}], 1),
    ],
)
def test_a_record_with_too_many_values_is_treated_by_policy(
    size: int, policy: str, output: list[Any], errors: int
) -> None:
    text = 'a\n"1"\n2,3,4\n5\n'
    result = parse(text, size, on_error="route", error_policy=policy)
    assert result.output == output
    assert len(result.errors) == errors
    if errors:
        assert result.errors[0]["error"] == "cannot parse the record at line 3"
        assert (
            'it has 3 values, but the header has 1 columns: ["2","3","4"]'
            in (result.errors[0]["reason"])
        )
        assert result.errors[0]["original"] == {"content-location": "x.csv"}


def test_the_line_of_an_error_counts_blank_lines_skipped_lines_and_lines_within_quotes(
    size: int,
) -> None:
    text = 'made by me\n\na,b\n\n1,"x\ny\r\nz"\n1,2,3\n'
    (error,) = parse(text, size, on_error="route", skip_lines=2, error_policy="fail").errors
    assert error["error"] == "cannot parse the record at line 8"


def test_a_ragged_record_stops_the_pipeline_by_default() -> None:
    with pytest.raises(EngineError, match="cannot parse the record at line 2"):
        parse("a\n1,2\n")


def test_a_quote_that_is_never_closed_fails_at_its_line(size: int) -> None:
    result = parse('a,b\n1,2\n3,"open\n4,5\n', size, on_error="route")
    assert result.output == [{"a": "1", "b": "2"}]
    assert result.errors[0]["error"] == "cannot parse the record at line 3"
    assert result.errors[0]["reason"] == "the quote that opens a value is never closed"


def test_without_a_quote_character_quotes_are_ordinary() -> None:
    assert parse('a,b\n"x,y"\n', quote_character="").output == [{"a": '"x', "b": 'y"'}]


def test_without_an_escape_character_a_backslash_is_ordinary() -> None:
    assert parse('a,b\n"x\\","\\"\n', escape_character="").output == [{"a": "x\\", "b": "\\"}]


@pytest.mark.parametrize("delimiter", ["\\t", "\t"])
def test_a_tab_separates_values(delimiter: str) -> None:
    assert parse("a\tb\n1 \t 2\n", delimiter=delimiter).output == [{"a": "1", "b": "2"}]


def test_the_delimiter_may_come_from_a_parameter() -> None:
    result = run_snap(
        "CSVParser", {"delimiter": "= _d"}, pieces("a;b\n1;2\n"), parameters={"d": ";"}
    )
    assert result.output == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"delimiter": ";;"}, "delimiter must be one character, not ';;'"),
        ({"delimiter": ""}, "delimiter must be one character, not ''"),
        ({"escape_character": '"'}, "escape_character is the same character as quote_character"),
    ],
)
def test_characters_that_cannot_be_used_are_found_when_checking(
    values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse("a\n", **values)


def test_spaces_can_be_kept() -> None:
    assert parse("a, b\n 1 ,2\n", preserve_surrounding_spaces=True).output == [
        {"a": " 1 ", " b": "2"}
    ]


def test_columns_without_a_name_or_with_the_name_of_another_keep_their_values() -> None:
    assert parse("a,,a,a_1\n1,2,3,4\n").output == [
        {"a": "1", "field002": "2", "a_2": "3", "a_1": "4"}
    ]


@pytest.mark.parametrize(
    ("text", "what"), [("a,,b\n", "column 2 has no name"), ("a,b,a\n", "'a' occurs twice")]
)
def test_headers_can_be_validated(text: str, what: str) -> None:
    (error,) = parse(text, on_error="route", validate_headers=True).errors
    assert error["error"] == f"the header is not valid: {what}"


def test_without_a_header_columns_are_numbered_and_records_may_differ() -> None:
    assert parse("1\n2,3\n", contains_header=False).output == [
        {"field001": "1"},
        {"field001": "2", "field002": "3"},
    ]


def test_columns_can_be_named() -> None:
    expected = [{"id": "1", "name": "x"}]
    assert parse("1,x\n", contains_header=False, columns=["id", "name"]).output == expected
    assert parse("a,b\n1,x\n", columns=["id", "name"]).output == expected


def test_blank_lines_become_nulls_and_empty_streams_fail_if_they_are_not_ignored() -> None:
    values: dict[str, Any] = {"ignore_empty_data": False}
    assert parse("a,b\n\n1,2\n", **values).output == [
        {"a": None, "b": None},
        {"a": "1", "b": "2"},
    ]
    (error,) = parse("a,b\n", on_error="route", **values).errors
    assert error["error"] == "the stream has no CSV data"


TYPES = "id,name,price,open,day\ninteger, ,float,boolean,string\n"


def typed(text: str, on_error: Any = "stop", types: str = TYPES, **values: Any) -> SnapRun:
    given = {"types": pieces(types, 5), "input": pieces(text)}
    return run_snap("CSVParser", values, given, on_error=on_error, exact=True)


def test_a_second_stream_gives_the_types_of_the_columns() -> None:
    text = "id,name,price,open,day\n12345678901234567890,x,2.50,TRUE,1\n,,,,\n"
    assert typed(text).output == [
        {
            "id": 12345678901234567890,
            "name": "x",
            "price": Decimal("2.50"),
            "open": True,
            "day": "1",
        },
        {"id": None, "name": "", "price": None, "open": None, "day": ""},
    ]
    assert str(typed(text).output[0]["price"]) == "2.50"


def test_the_second_stream_names_the_columns_of_a_stream_without_a_header() -> None:
    assert typed("7,x,1,false,d\n", contains_header=False).output[0]["id"] == 7


def test_a_value_of_another_type_fails_its_record_alone() -> None:
    text = "id,name,price,open,day\nx,,1,true,d\n1,,y,true,d\n1,,1,maybe,d\n2,,1,true,d\n"
    result = typed(text, on_error="route")
    assert [document["id"] for document in result.output] == [2]
    assert [error["reason"] for error in result.errors] == [
        "'x' is not an integer",
        "'y' is not a number",
        "'maybe' is neither true nor false",
    ]
    assert result.errors[1]["error"].startswith("line 3: the value of the column 'price'")


@pytest.mark.parametrize(
    ("types", "message"),
    [("id\nnumber\n", "the type 'number' of the column 'id' is not known"), ("id\n", "incomplete")],
)
def test_a_second_stream_without_types_stops_the_pipeline(types: str, message: str) -> None:
    with pytest.raises(EngineError, match=message):
        typed("id\n1\n", types=types)


def test_several_streams_each_have_a_header() -> None:
    given = [*pieces("a\n1\n"), *pieces("b\n2\n")]
    assert run_snap("CSVParser", {}, given).output == [{"a": "1"}, {"b": "2"}]


def test_records_of_many_chunks_arrive_in_order() -> None:
    text = "id,text\n" + "".join(f'{n},"line {n}\n, ""x"" "\n' for n in range(20_000))
    output = parse(text).output
    assert [document["id"] for document in output] == [str(n) for n in range(20_000)]
    assert output[-1]["text"] == 'line 19999\n, "x" '


values_of_csv = st.text(st.sampled_from('ab,"\\ \t\n\r;é'), max_size=6)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(st.lists(values_of_csv, min_size=2, max_size=2), max_size=6),
    size=st.integers(1, 30),
    keeps=st.booleans(),
)
def test_rows_of_pythons_csv_module_come_back_however_they_are_cut(
    rows: list[list[str]], size: int, keeps: bool
) -> None:
    text = StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([["p", "q"], *rows])
    result = parse(text.getvalue(), size, escape_character="", preserve_surrounding_spaces=keeps)
    assert [list(document.values()) for document in result.output] == rows


def test_utf_16_needs_a_mark_or_an_order_of_bytes() -> None:
    given: list[Item] = [StreamStart(), "a,b\n1,2\n".encode("utf-16-le"), StreamEnd()]
    (error,) = run_snap("CSVParser", {"charset": "UTF-16"}, given, on_error="route").errors
    assert error["reason"] == "it does not begin with a byte order mark"
    assert error["resolution"] == "set charset to utf-16le or utf-16be, or to auto"
    assert run_snap("CSVParser", {"charset": "UTF-16LE"}, given).output == [{"a": "1", "b": "2"}]
