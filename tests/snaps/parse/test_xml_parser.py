from __future__ import annotations

import gzip
import tracemalloc
from decimal import Decimal
from typing import Any

import pytest

from engine.documents import Item, StreamEnd, StreamStart
from engine.errors import ConfigurationError, EngineError
from engine.testing import SnapRun, run_snap


def parse(data: str | bytes, size: int = 65_536, on_error: Any = "stop", **values: Any) -> SnapRun:
    data = data.encode() if isinstance(data, str) else data
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    given: list[Item] = [StreamStart({"content-location": "x.xml"}), *chunks, StreamEnd()]
    return run_snap("XMLParser", values, given, on_error=on_error, exact=True)


@pytest.mark.parametrize("size", [1, 3, 65_536])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<a x="1"><b>2</b><b>3</b></a>', {"a": {"@x": "1", "b": ["2", "3"]}}),
        ("<a>text</a>", {"a": "text"}),
        ("<a/>", {"a": None}),
        ("<a></a>", {"a": None}),
        ('<a x="1"/>', {"a": {"@x": "1"}}),
        ('<a x="1">t &amp; &#65;</a>', {"a": {"@x": "1", "$": "t & A"}}),
        ("<a><![CDATA[<b> & c]]></a>", {"a": "<b> & c"}),
        ("<a>\n  <b>1</b>\n  <!-- no --><?pi x?>\n</a>", {"a": {"b": "1"}}),
        ("<a><b/><c/><b/></a>", {"a": {"b": [None, None], "c": None}}),
        ("<a><b><c/></b><b><c/><c/></b></a>", {"a": {"b": [{"c": None}, {"c": [None, None]}]}}),
        ("<a>before<b>1</b>after</a>", {"a": {"$": "beforeafter", "b": "1"}}),
        (
            '<p:a xmlns="urn:d" xmlns:p="urn:p" p:x="1"><b>é</b></p:a>',
            {"p:a": {"@xmlns": "urn:d", "@xmlns:p": "urn:p", "@p:x": "1", "b": "é"}},
        ),
        ("<?xml version='1.0' encoding='UTF-8'?><a> 1 </a>", {"a": " 1 "}),
    ],
)
def test_elements_become_keys_by_the_rules_of_staxon(size: int, text: str, expected: Any) -> None:
    assert parse(text, size).output == [expected]


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_the_declaration_gives_the_charset(charset: str) -> None:
    data = f'<?xml version="1.0" encoding="{charset}"?><a>é</a>'.encode(charset)
    assert parse(data).output == [{"a": "é"}]


ORDERS = """<orders xmlns:x="urn:x">
  <order id="1"><line>a</line><line>b</line></order>
  <other><order id="2"><line>c</line></order></other>
  <order>text</order><order/><x:order id="3"/>
</orders>"""


@pytest.mark.parametrize(
    ("splitter", "expected"),
    [
        ("/orders/order", [{"@id": "1", "line": ["a", "b"]}, {"$": "text"}, {"$": None}]),
        ("orders/order/line", [{"$": "a"}, {"$": "b"}]),
        ("//line", [{"$": "a"}, {"$": "b"}, {"$": "c"}]),
        ("//other/order", [{"@id": "2", "line": "c"}]),
        ("/orders/x:order", [{"@id": "3"}]),
        ("/orders/*/order", [{"@id": "2", "line": "c"}]),
        ("/nothing", []),
    ],
)
def test_each_element_at_the_path_becomes_a_document(splitter: str, expected: Any) -> None:
    assert parse(ORDERS, 7, splitter=splitter).output == expected


@pytest.mark.parametrize("splitter", ["/a[1]", "/a/@b", "$.a", "/a//b", "/"])
def test_a_path_that_is_not_one_of_elements_is_found_when_checking(splitter: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a path of elements"):
        parse("<a/>", splitter=splitter)


def test_values_get_the_types_that_they_look_like() -> None:
    text = '<a n="1" d="2.50" z="007" t="true" s="x"><b>-3</b><c>1e2</c><d>+1</d><e>1.</e></a>'
    (document,) = parse(text, match_data_types=True).output
    assert document["a"] == {
        "@n": 1,
        "@d": Decimal("2.50"),
        "@z": "007",
        "@t": True,
        "@s": "x",
        "b": -3,
        "c": Decimal("1e2"),
        "d": "+1",
        "e": "1.",
    }
    assert str(document["a"]["@d"]) == "2.50"


@pytest.mark.parametrize("size", [1, 65_536])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<a><b></a>", "line 1, column 9: mismatched tag"),
        ("", "line 1, column 1: no element found"),
        ("<a>", "no element found"),
        ("<a/><b/>", "line 1, column 5: junk after document element"),
        ("<a>&nbsp;</a>", "undefined entity"),
        ("<a>\n\x01</a>", "line 2, column 1: not well-formed"),
        ('{"a": 1}', "line 1, column 1: not well-formed"),
    ],
)
def test_what_is_not_xml_fails_with_its_place(size: int, text: str, reason: str) -> None:
    (error,) = parse(text, size, on_error="route").errors
    assert error["error"] == "cannot parse the stream as XML"
    assert reason in error["reason"]
    assert error["original"] == {"content-location": "x.xml"}


BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>
<lolz>&lol2;</lolz>"""
EXTERNAL = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
REMOTE = '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>'


@pytest.mark.parametrize("text", [BOMB, EXTERNAL, REMOTE, "<!DOCTYPE html><html/>"])
def test_document_types_and_with_them_entities_are_refused(text: str) -> None:
    with pytest.raises(EngineError, match="cannot parse the stream as XML") as refused:
        parse(text)
    assert "a document type (DTD) is refused" in str(refused.value)


def test_elements_nested_too_deeply_are_refused() -> None:
    (error,) = parse("<a>" * 100_000, on_error="route").errors
    assert "nested more than 500 deep" in error["reason"]


def test_documents_before_a_mistake_are_output() -> None:
    text = "<a><b>1</b><b>2</b></c>"
    result = parse(text, on_error="route", splitter="/a/b")
    assert result.output == [{"$": "1"}, {"$": "2"}]
    assert len(result.errors) == 1


def test_a_stream_that_fails_does_not_fail_the_next() -> None:
    given: list[Item] = [StreamStart(), b"<a>", StreamEnd(), StreamStart(), b"<b/>", StreamEnd()]
    result = run_snap("XMLParser", {}, given, on_error="discard")
    assert result.output == [{"b": None}]


def test_a_splitter_keeps_only_one_element_in_memory() -> None:
    from snaps.parse.shared.xml_elements import XmlElements, path_matcher

    elements = XmlElements(path_matcher("/rows/row"))
    elements.feed(b"<rows>")
    chunk = b"".join(b'<row id="%d"><text>%s</text></row>' % (n, b"x" * 50) for n in range(1_000))
    tracemalloc.start()
    try:
        for _ in range(30):
            elements.feed(chunk)
            assert len(elements.take()) == 1_000
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_charset_that_is_unknown_fails_the_stream_with_its_name() -> None:
    run = parse(b'<?xml version="1.0" encoding="foo"?><a/>', on_error="route")
    assert "unknown encoding: foo; supply the stream in UTF-8" in run.errors[0]["reason"]


def test_a_compressed_stream_is_recognised() -> None:
    (error,) = parse(gzip.compress(b"<a/>"), on_error="route").errors
    assert error["reason"] == "the stream is compressed with gzip"
    assert error["resolution"] == "read the file as gzip::NAME"
