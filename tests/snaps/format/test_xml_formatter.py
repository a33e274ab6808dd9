from __future__ import annotations

import re
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.documents import StreamEnd, StreamStart
from engine.errors import ConfigurationError
from engine.testing import run_snap

DECLARATION = "<?xml version='1.0' encoding='UTF-8'?>"
EACH = {"root_element": ""}


def written(documents: list[Any], **values: Any) -> str:
    pieces = run_snap("XMLFormatter", values, documents).output
    return b"".join(piece for piece in pieces if isinstance(piece, bytes)).decode()


def one(document: Any) -> str:
    return written([document], **EACH).removeprefix(DECLARATION)


def test_documents_are_wrapped_as_the_platform_does_it() -> None:
    text = written([{"Full_NAME": "Kim", "ID": 178}, {"Full_NAME": "Jen", "ID": None}])
    identifier = r"[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
    entry = (
        rf"<Document><Metadata><asMap><global><doc_id>({identifier})</doc_id></global></asMap>"
        rf"<id>({identifier})</id></Metadata><Data>(.*?)</Data></Document>"
    )
    found = re.fullmatch(
        re.escape(f"{DECLARATION}<DocumentRoot>") + entry * 2 + "</DocumentRoot>", text
    )
    assert found is not None
    assert found[1] == found[2] != found[4] == found[5]
    assert found[3] == "<Full_NAME>Kim</Full_NAME><ID>178</ID>"
    assert found[6] == "<Full_NAME>Jen</Full_NAME><ID/>"
    assert uuid.UUID(found[1]).version == 1
    assert uuid.UUID(found[1]).node != uuid.getnode()


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"a": {"@x": 1, "b": ["2", "3"]}}, '<a x="1"><b>2</b><b>3</b></a>'),
        ({"a": {"b": 1, "@x": "late"}}, '<a x="late"><b>1</b></a>'),
        ({"a": {"@x": "1", "$": "t & <u>"}}, '<a x="1">t &amp; &lt;u&gt;</a>'),
        ({"a": None}, "<a/>"),
        ({"a": {}}, "<a/>"),
        ({"a": {"b": []}}, "<a/>"),
        ({"a": {"b": [None, ""]}}, "<a><b/><b/></a>"),
        ({"a": Decimal("2.50")}, "<a>2.50</a>"),
        ({"a": {"b": True, "c": False}}, "<a><b>true</b><c>false</c></a>"),
        ({"p:a": {"@xmlns:p": "urn:p"}}, '<p:a xmlns:p="urn:p"/>'),
        ({"a": {"@x": '"\n<'}}, '<a x="&quot;&#xa;&lt;"/>'),
        ({"é-1.b": "€\r\n"}, "<é-1.b>€&#xd;\n</é-1.b>"),
    ],
)
def test_values_become_elements_by_the_rules_of_staxon(document: Any, expected: str) -> None:
    assert one(document) == expected


def test_without_a_root_each_document_is_a_stream() -> None:
    pieces = run_snap("XMLFormatter", EACH, [{"a": 1}, {"b": 2}]).output
    header = StreamStart({"content-type": "application/xml; charset=UTF-8"})
    declaration = DECLARATION.encode()
    assert pieces == [
        header,
        declaration + b"<a>1</a>",
        StreamEnd(),
        header,
        declaration + b"<b>2</b>",
        StreamEnd(),
    ]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"a": 1, "b": 2}, "its fields are: a, b"),
        ({}, "its fields are: none"),
        ({"@a": 1}, "exactly one field"),
        ({"a": [1, 2]}, "exactly one field"),
        ({"first name": 1}, "not a valid name of an element"),
        ({"a": {"1st": 1}}, "not a valid name of an element"),
        ({"a": {"@x": [1]}}, "an attribute cannot be a list or a map"),
        ({"a": "\x01"}, "XML cannot hold the character U+0001"),
        ({"a": "\ud800"}, "XML cannot hold the character U+D800"),
    ],
)
def test_a_document_that_has_no_xml_form_fails_alone(document: Any, reason: str) -> None:
    given = [{"good": 1}, document, {"good": 2}]
    result = run_snap("XMLFormatter", EACH, given, on_error="route")
    assert sum(isinstance(piece, bytes) for piece in result.output) == 2
    assert reason in result.errors[0]["reason"]
    assert result.errors[0]["original"] == document


def test_a_bad_document_within_a_root_leaves_the_others() -> None:
    given = [{"a": 1}, {"b c": 2}, {"d": 3}]
    result = run_snap("XMLFormatter", {}, given, on_error="route")
    text = b"".join(piece for piece in result.output if isinstance(piece, bytes))
    assert re.findall(rb"<Data>(.*?)</Data>", text) == [b"<a>1</a>", b"<d>3</d>"]
    assert text.endswith(b"</DocumentRoot>")


def test_no_documents_are_an_empty_root_or_nothing() -> None:
    assert written([]) == f"{DECLARATION}<DocumentRoot/>"
    assert run_snap("XMLFormatter", {"ignore_empty_stream": True}, []).output == []
    assert run_snap("XMLFormatter", EACH, []).output == []


def test_a_root_that_is_not_a_name_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="root_element is 'my root'"):
        written([], root_element="my root")


names = st.sampled_from(["a", "b", "p:c", "é"])
texts = st.text(st.sampled_from("x<>&\"' é"), min_size=1, max_size=5)
elements = st.recursive(
    texts | st.none(),
    lambda values: st.dictionaries(
        names, values | st.lists(values, min_size=2, max_size=3), min_size=1, max_size=3
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=elements, attributes=st.dictionaries(st.sampled_from(["@q", "@r"]), texts))
def test_what_was_written_is_parsed_to_the_same_document(value: Any, attributes: Any) -> None:
    content = {**attributes, **value} if isinstance(value, dict) else value
    document = {"root": content}
    pieces = run_snap("XMLFormatter", EACH, [document]).output
    assert run_snap("XMLParser", {}, pieces).output == [document]
