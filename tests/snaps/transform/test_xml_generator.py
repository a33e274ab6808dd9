from __future__ import annotations

from typing import Any

import pytest

from engine.errors import ConfigurationError


def generate(run_snap: Any, text: str, *given: Any, **options: Any) -> Any:
    escapes = options.pop("escapes", False)
    values = {"text": text, "escape_special_characters": escapes}
    return run_snap("XMLGenerator", values, list(given) or None, **options)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<a x='1' y=\"2\"/>", '<a x="1" y="2"/>'),
        ("<a></a>", "<a></a>"),
        ("<a>/></a>", "<a>/&gt;</a>"),
        (
            "<?xml version='1.0' encoding='latin-1'?><a>é</a>",
            '<?xml version="1.0" encoding="latin-1"?><a>é</a>',
        ),
        ("\n  <a>\n <b/> é</a>\n", "<a>\n <b/> é</a>"),
        (
            "<?xml version='1.0' encoding='UTF-8'?>\n<a/>",
            '<?xml version="1.0" encoding="UTF-8"?><a/>',
        ),
        ("<a x='\"&lt;'>&amp;&gt;&#65;</a>", '<a x="&quot;&lt;">&amp;&gt;A</a>'),
        ("<a><![CDATA[1 < 2]]><!-- c --><?p q?></a>", "<a><![CDATA[1 < 2]]><!-- c --><?p q?></a>"),
        ("## no input\n<a xmlns:p='urn:p'><p:b/></a>", '<a xmlns:p="urn:p"><p:b/></a>'),
    ],
)
def test_the_text_is_normalised(run_snap: Any, text: str, expected: str) -> None:
    assert generate(run_snap, text).output == [{"xml": expected}]


def test_a_template_is_filled_in_for_each_document(run_snap: Any) -> None:
    text = (
        "<o mode='$h.at-mode'>#foreach($x in $lines)"
        "#if($x.n != '')<l>$x.n</l>#else<none/>#end#end$unknown ${_region}</o>"
    )
    document = {"h": {"at-mode": "fast"}, "lines": [{"n": "a"}, {"n": ""}]}
    result = generate(run_snap, text, document, parameters={"region": "eu"})
    assert result.output == [
        {"xml": '<o mode="fast"><l>a</l><none/>$unknown eu</o>', "original": document}
    ]


def test_inserted_values_may_be_xml_or_be_escaped(run_snap: Any) -> None:
    given = {"x": "<b q='1'>&amp;</b>"}
    assert generate(run_snap, "<a>$x</a>", given).output[0]["xml"] == '<a><b q="1">&amp;</b></a>'
    escaped = generate(run_snap, "<a y='$x'>$x</a>", given, escapes=True).output[0]["xml"]
    assert escaped == (
        "<a y=\"&lt;b q='1'&gt;&amp;amp;&lt;/b&gt;\">&lt;b q='1'&gt;&amp;amp;&lt;/b&gt;</a>"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<a>\n<b></a>", "line 2, column 6: mismatched tag"),
        ("text", "line 1, column 1: syntax error"),
        ("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "a document type"),
        ("<a>#foreach($x in $y)</a>", "'#foreach' has no '#end'"),
    ],
)
def test_mistakes_are_found_when_checking(run_snap: Any, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        generate(run_snap, text)


def test_a_value_that_breaks_the_xml_fails_its_document_alone(run_snap: Any) -> None:
    given = [{"x": "1"}, {"x": "<"}, {"x": "2"}]
    result = generate(run_snap, "<a>$x</a>", *given, on_error="route")
    assert [document["xml"] for document in result.output] == ["<a>1</a>", "<a>2</a>"]
    assert result.errors[0]["error"] == "the template does not produce valid XML"
