"""Request bodies: how content types decode them, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from engine.tasks.wire.messages import Headers
from engine.tasks.worker.bodies import body_format, decoded_content, documents_of
from engine.tasks.worker.refusals import BadBody

FORM = "application/x-www-form-urlencoded"


def typed(content_type: str) -> Headers:
    return [("host", "here"), ("content-type", content_type)] if content_type else []


def value_of(headers: Headers, body: bytes) -> Any:
    return decoded_content(body_format(headers), body)


@pytest.mark.parametrize(
    ("content_type", "body", "value"),
    [
        ("application/json", b'{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]}),
        ("application/json; charset=utf-8", '{"a": "ä"}'.encode(), {"a": "ä"}),
        ("application/json; charset=utf-16", '{"a": "ä"}'.encode("utf-16"), {"a": "ä"}),
        ("application/json", b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ("application/problem+json", b'"text"', "text"),
        ("", b"[1]", [1]),
        (FORM, b' {"a": 1}', {"a": 1}),
        (FORM, b"a=1&b=two+words&a=2&c=", {"a": ["1", "2"], "b": "two words", "c": ""}),
        ("text/plain", b'{"a": 1}', '{"a": 1}'),
        ('text/csv; charset="ISO-8859-1"', b"\xe4;1", "ä;1"),
        ("text/plain; charset=ISO_8859-1", b"\xe9", "é"),
        ("text/plain; Charset = 'shift_jis'", b"\x93\xfa\x87\x40", "日①"),
        ("text/plain; charset=gbk", b"\xc4\xe3", "你"),
        ("text/plain; charset=gb2312", b"\xc4\xe3", "你"),
        ("text/plain; charset=KOI8-R", b"\xc4\xc1", "да"),
        ("text/plain; charset=x-cp1251", b"\xe4", "д"),
        ("text/plain; charset=windows-1252", b"\x80", "€"),
        ("text/plain; charset=latin1", b"\x80", "\x80"),
        ("text/plain; charset=unicode", "\ufeffé".encode("utf-16-be"), "é"),
        ('text/plain; title="; charset=koi8-r"; charset=latin1', b"\xe9", "é"),
        (f"{FORM}; charset=koi8-r", b"a=%C4%C1", {"a": "да"}),
        (f"{FORM}; charset=shift_jis", b"a=%93%FA&b=%83%5C", {"a": "日", "b": "ソ"}),
        ("application/octet-stream", b"\x00\xff", b"\x00\xff"),
    ],
)
def test_the_content_type_says_what_a_body_is(content_type: str, body: bytes, value: Any) -> None:
    assert value_of(typed(content_type), body) == value


def test_a_form_that_a_web_page_sends_is_never_taken_for_json() -> None:
    headers = [*typed(FORM), ("sec-fetch-site", "cross-site")]
    assert value_of(headers, b'{"a": "b"}') == {'{"a": "b"}': ""}


@pytest.mark.parametrize(
    ("content_type", "body", "documents"),
    [
        ("application/json", b'{"a": 1}', [{"a": 1}]),
        ("application/json", b'[{"a": 1}, {}]', [{"a": 1}, {}]),
        ("application/json", b"[]", []),
        (FORM, b"a=1", [{"a": "1"}]),
        ("text/plain", b"[]", [{"content": "[]"}]),
        ("image/png", b"\x89PNG", [{"content": b"\x89PNG"}]),
    ],
)
def test_a_body_gives_documents(content_type: str, body: bytes, documents: Any) -> None:
    assert documents_of(typed(content_type), body) == documents


@pytest.mark.parametrize(
    ("content_type", "body", "reason"),
    [
        ("application/json", b'{"a": ', "the body is not valid JSON"),
        ("application/json", b"[" * 100_000, "nested too deeply"),
        ("application/json", b"\xff", "the body is not valid JSON"),
        ("application/json; charset=utf-16", b"\xff", "is not valid utf-16"),
        ("application/json; charset=punycode", b"{}", "the charset 'punycode' is not known"),
        (FORM, b"[1, 2", "the body is not valid JSON"),
        (FORM, b"a&" * 20_000, "more than 10,000 fields"),
        (FORM, b"a=%FF", "the form is not valid utf-8"),
        (f"{FORM}; charset=us-ascii", b"a=%E9", "the form is not valid us-ascii"),
        (f"{FORM}; charset=hz-gb-2312", b"a=1", "the charset 'hz-gb-2312' is not known"),
        ("text/plain; charset=windows-1253", b"\xff", "is not valid windows-1253: .* at byte 0"),
        ("text/plain", b"\xe4", "is not valid utf-8: .* at byte 0"),
    ],
)
def test_a_body_that_is_not_what_it_says_is_refused(
    content_type: str, body: bytes, reason: str
) -> None:
    with pytest.raises(BadBody, match=reason):
        value_of(typed(content_type), body)


def test_a_compressed_body_is_refused() -> None:
    with pytest.raises(BadBody, match="content encoding 'gzip'"):
        value_of([("content-encoding", "gzip")], b"\x1f\x8b")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"3", "the body is a number"),
        (b"null", "the body is null"),
        (b'"{}"', "the body is a string"),
        (b'[{}, "x"]', "element 2 of the array is a string"),
        (b"[[]]", "element 1 of the array is an array"),
    ],
)
def test_a_value_that_is_not_a_document_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(BadBody, match=reason):
        documents_of([], body)
