"""Encodings of iconv, by their common labels."""

from __future__ import annotations

import pytest

from engine.errors import ExpressionError
from engine.expressions import evaluate


@pytest.mark.parametrize(
    ("label", "text", "data"),
    [
        ("koi8", "да", b"\xc4\xc1"),
        ("ISO_8859-1", "é\x80", b"\xe9\x80"),
        ("ISO8859_1", "é", b"\xe9"),
        ("Cp1252", "€", b"\x80"),
        ("x-sjis", "日①", b"\x93\xfa\x87\x40"),
        ("gb2312", "你", b"\xc4\xe3"),
        ("windows-949", "한", b"\xc7\xd1"),
        ("IBM037", "A", b"\xc1"),
        ("UTF-16", "a", b"\xfe\xff\x00a"),
        ("UTF-16LE", "a", b"a\x00"),
    ],
)
def test_iconv_writes_and_reads_them(label: str, text: str, data: bytes) -> None:
    document = {"text": text, "data": data, "label": label}
    assert evaluate("iconv.encode($text, $label)", document) == data
    assert evaluate("iconv.decode($data, $label)", document) == text


def test_the_message_names_an_unknown_encoding() -> None:
    with pytest.raises(ExpressionError, match="there is no encoding `klingon`"):
        evaluate("iconv.encode('a', 'klingon')", {})
