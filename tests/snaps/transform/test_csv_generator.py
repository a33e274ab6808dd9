from __future__ import annotations

from typing import Any

import pytest

from engine.errors import ConfigurationError, EngineError


def generate(run_snap: Any, text: str, *given: Any, **options: Any) -> Any:
    return run_snap("CSVGenerator", {"text": text}, list(given) or None, **options)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id,name\r\n1,test\r\n", [{"id": "1", "name": "test"}]),
        ("id, name\n1, test \n\n2,", [{"id": "1", "name": "test"}, {"id": "2", "name": ""}]),
        ('a\n"x ""y"", z\nw"', [{"a": 'x "y", z\nw'}]),
        ("## a comment\n\na,b\n1\n## another\n", [{"a": "1", "b": None}]),
        ("a;b\n1;2", [{"a;b": "1;2"}]),
        ("a\n", []),
    ],
)
def test_each_line_after_the_header_is_a_document_of_strings(
    run_snap: Any, text: str, expected: Any
) -> None:
    assert generate(run_snap, text).output == expected


def test_a_template_is_filled_in_for_each_input_document(run_snap: Any) -> None:
    text = 'id,note\n$id,"$note $unknown $_region"\n'
    given = [{"id": 1, "note": None}, {"id": 2.50, "note": [True]}]
    assert generate(run_snap, text, *given, parameters={"region": "eu"}).output == [
        {"id": "1", "note": " $unknown eu"},
        {"id": "2.5", "note": "[true] $unknown eu"},
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no header"),
        ("a,,b\n1,2,3", "column 2 has no name"),
        ("a\n1,2", "line 2 of the CSV text: it has 2 values, but there are 1 columns"),
        ('a\n1\n"x', "line 3 of the CSV text: the quote that opens a value is never closed"),
        ("a\n#if($x)1", "line 2, column 1 of the template: '#if' has no '#end'"),
    ],
)
def test_mistakes_are_found_when_checking(run_snap: Any, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        generate(run_snap, text)


def test_a_value_that_breaks_the_text_fails_its_document_alone(run_snap: Any) -> None:
    given = [{"x": "1"}, {"x": "1,2"}, {"x": "3"}]
    result = generate(run_snap, "a\n$x\n", *given, on_error="route")
    assert result.output == [{"a": "1"}, {"a": "3"}]
    assert result.errors[0]["original"] == {"x": "1,2"}


def test_a_template_that_divides_by_zero_fails_its_document(run_snap: Any) -> None:
    with pytest.raises(EngineError, match="divides by zero"):
        generate(run_snap, "a\n#set($y = 1 / $x)$y\n", {"x": 0})
