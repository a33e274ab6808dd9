from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.documents import StreamStart
from engine.errors import ConfigurationError
from engine.testing import run_snap
from engine.testing.pipeline import run_pipeline


def write(documents: list[Any], on_error: Any = "stop", **values: Any) -> Any:
    return run_snap("CSVFormatter", values, documents, on_error=on_error)


def written(documents: list[Any], **values: Any) -> bytes:
    pieces = write(documents, **values).output
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))


def test_the_header_and_all_values_are_quoted() -> None:
    documents = [{"a": 1, "b": "x"}, {"a": None, "b": 'say "hi"'}]
    assert written(documents) == b'"a","b"\n"1","x"\n"","say ""hi"""\n'


def test_values_of_all_types() -> None:
    document = {
        "text": "x",
        "integer": 12345678901234567890,
        "decimal": Decimal("29.920"),
        "float": 0.1,
        "yes": True,
        "no": False,
        "null": None,
        "list": [1, "a"],
        "map": {"k": None},
        "date": datetime(2026, 3, 1, 10, 0, tzinfo=UTC),
    }
    (_, line) = written([document], delimiter=";").decode().splitlines()
    assert line == (
        '"x";"12345678901234567890";"29.920";"0.1";"true";"false";"";"[1,""a""]";'
        '"{""k"":null}";"2026-03-01T10:00:00Z"'
    )


def test_the_columns_are_the_fields_of_the_first_document() -> None:
    assert written([{"a": "1"}, {"b": "2", "a": "3"}, {}]) == b'"a"\n"1"\n"3"\n""\n'


def test_columns_can_be_given() -> None:
    assert written([{"a": "1", "c": "2"}], columns=["c", "x"]) == b'"c","x"\n"2",""\n'


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("minimal", b'a,b,c\n1,"x,y",true\n,plain,"say ""hi"""\n'),
        ("non_numeric", b'"a","b","c"\n1,"x,y","true"\n"","plain","say ""hi"""\n'),
        ("none", b'a,b,c\n1,x\\,y,true\n,plain,say \\"hi\\"\n'),
    ],
)
def test_the_quote_mode_says_what_is_quoted(mode: str, expected: bytes) -> None:
    documents = [{"a": 1, "b": "x,y", "c": True}, {"a": None, "b": "plain", "c": 'say "hi"'}]
    assert written(documents, quote_mode=mode) == expected


def test_minimal_quotes_what_a_reader_would_change() -> None:
    documents = [{"a": " x"}, {"a": "y\t"}, {"a": "p\rq"}, {"a": ""}]
    assert written(documents, quote_mode="minimal") == b'a\n" x"\n"y\t"\n"p\rq"\n""\n'


def test_an_escape_character_is_doubled_only_where_it_would_be_read_as_one() -> None:
    documents = [{"a": "C:\\temp", "b": "C:\\temp\\"}, {"a": "\\\\x", "b": '\\"'}]
    assert written(documents) == (b'"a","b"\n"C:\\temp","C:\\temp\\\\"\n"\\\\\\x","\\\\"""\n')
    assert written([{"a": "x\\"}], escape_character="") == b'"a"\n"x\\"\n'


@pytest.mark.parametrize(("name", "end"), [("lf", "\n"), ("crlf", "\r\n"), ("cr", "\r")])
def test_lines_end_as_set(name: str, end: str) -> None:
    assert written([{"a": "1"}], newline_character=name).decode() == f'"a"{end}"1"{end}'


def test_a_header_and_a_byte_order_mark_as_set() -> None:
    assert written([{"a": "é"}], write_header=False) == '"é"\n'.encode()
    assert written([{"a": "1"}], write_bom=True) == b'\xef\xbb\xbf"a"\n"1"\n'
    assert written([{"a": "1"}], write_bom=True, charset="latin-1") == b'"a"\n"1"\n'


def test_utf_16_has_one_byte_order_mark_for_many_batches() -> None:
    documents = [{"a": str(number)} for number in range(300)]
    data = written(documents, charset="UTF-16")
    assert data.decode("utf-16").count("\ufeff") == 0
    assert data.startswith(b"\xff\xfe")


def test_a_character_that_the_charset_lacks_fails_its_document_alone() -> None:
    documents = [{"a": "1"}, {"a": "€"}, {"a": "\ud800"}, {"a": "2"}]
    result = write(documents, on_error="route", charset="ISO-8859-1")
    assert b"".join(p for p in result.output if isinstance(p, bytes)) == b'"a"\n"1"\n"2"\n'
    assert [error["original"]["a"] for error in result.errors] == ["€", "\ud800"]
    assert "the value of 'a' cannot be written in ISO-8859-1" in result.errors[0]["reason"]
    assert "the character '€' (U+20AC)" in result.errors[0]["reason"]
    assert result.errors[0]["resolution"].startswith("set charset to UTF-8, or")


def test_half_of_a_surrogate_pair_is_in_no_charset() -> None:
    (error,) = write([{"a": "x", "b": "y\ud800"}], on_error="route").errors
    assert error["reason"] == (
        "the value of 'b' cannot be written in UTF-8: half of a surrogate pair (U+D800) at offset 1"
    )
    assert error["resolution"].startswith("replace the character")


def test_a_line_break_cannot_be_written_without_quotes() -> None:
    result = write([{"a": "x\ny"}, {"a": "z"}], on_error="route", quote_mode="none")
    assert "a value contains a line break" in result.errors[0]["reason"]


def test_nan_cannot_be_written() -> None:
    (error,) = write([{"a": float("nan")}], on_error="route").errors
    assert error["error"] == "cannot write the value of 'a' as JSON"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, b""),
        ({"columns": ["a"]}, b'"a"\n'),
        ({"ignore_empty_stream": True, "columns": ["a"]}, None),
    ],
)
def test_no_documents(values: Any, expected: bytes | None) -> None:
    pieces = write([], **values).output
    found = b"".join(piece for piece in pieces if isinstance(piece, bytes)) if pieces else None
    assert found == expected


def test_header_fields_come_from_the_first_document() -> None:
    result = write([{"n": "x"}, {"n": "y"}], header={"$['content-location']": "$n + '.csv'"})
    assert result.output[0] == StreamStart(
        {"content-type": "text/csv; charset=UTF-8", "content-location": "x.csv"}
    )


def test_a_first_document_without_fields_has_no_header() -> None:
    (error,) = write([{}], on_error="route").errors
    assert error["reason"] == "the first document has no fields"


def test_an_unknown_charset_is_found_when_checking() -> None:
    with pytest.raises(ConfigurationError, match="the charset 'x' is not known"):
        write([], charset="x")


texts = st.text(st.sampled_from('ab,"\\ \t\n\r;\x1e\x1f'), max_size=6)
written_values = texts | st.integers() | st.none()


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(st.tuples(written_values, written_values), min_size=1, max_size=6),
    mode=st.sampled_from(["all", "minimal", "non_numeric"]),
    newline=st.sampled_from(["lf", "crlf", "cr"]),
    escape=st.sampled_from(["\\", ""]),
)
def test_what_was_written_is_read_back(
    rows: list[tuple[Any, Any]], mode: str, newline: str, escape: str
) -> None:
    documents = [{"p": p, "q": q} for p, q in rows]
    values = {"quote_mode": mode, "newline_character": newline, "escape_character": escape}
    pieces = run_snap("CSVFormatter", values, documents).output
    read = run_snap("CSVParser", {"escape_character": escape}, pieces).output
    as_text = [
        {key: "" if value is None else str(value) for key, value in document.items()}
        for document in documents
    ]
    assert read == as_text


COPY = """
snaps:
  read: {snap: FileReader, file: in.csv}
  parse: {snap: CSVParser}
  format: {snap: CSVFormatter}
  write: {snap: FileWriter, file: out.csv}
links: [read -> parse -> format -> write]
"""


def test_what_the_platform_wrote_is_written_again_byte_for_byte() -> None:
    text = (
        '"DEPTNO","DNAME","LOC","Address"\n'
        '"10","ACCOUNTING","NEW YORK","ACCOUNTING,NEW YORK"\n'
        '"20","it\'s \'x\'.  Perhaps: a, b","","(e.g. \'abc\' in $obj)"\n'
    )
    assert run_pipeline(COPY, files={"in.csv": text}).files == {"out.csv": text.encode()}
