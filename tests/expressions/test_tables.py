"""Tables of calls with the results of JavaScript, lodash and Java's Formatter.

`javascript.json` was computed by Node.js, `words.json` by lodash and `formats.json` by Java 17; the
places where the language differs on purpose are named on the reference page and are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ExpressionError
from engine.expressions import evaluate
from tests.expressions.comparing import is_same, plain

TABLES = Path(__file__).parent / "tables"


def table(name: str) -> Any:
    return json.loads((TABLES / name).read_text(encoding="utf-8"))


def javascript() -> Iterator[Any]:
    for kind, rows in table("javascript.json").items():
        for expression, expected in rows:
            yield pytest.param(expression, expected, id=f"{kind}: {expression!a}")


@pytest.mark.parametrize(("expression", "expected"), list(javascript()))
def test_a_call_returns_the_result_of_javascript(expression: str, expected: Any) -> None:
    if expected == {"error": True}:
        with pytest.raises(ExpressionError, match=r"\w"):
            evaluate(expression)
    else:
        assert is_same(plain(evaluate(expression)), expected)


@pytest.mark.parametrize(("expression", "expected"), list(javascript()))
def test_a_call_in_a_loop_returns_the_same(expression: str, expected: Any) -> None:
    if expected != {"error": True}:
        value = evaluate(f"[1].map(unused => ({expression}))", null_safe=True)
        assert is_same(plain(value), [expected])


WORDS = table("words.json")


@pytest.mark.parametrize("row", WORDS["texts"], ids=lambda row: ascii(row[0]))
def test_words_are_split_as_in_lodash(row: list[str]) -> None:
    text, *expected = row
    found = [evaluate(f"$text.{method}()", {"text": text}) for method in WORDS["methods"]]
    assert found == expected


def formats() -> Iterator[Any]:
    for pattern, value, expected in table("formats.json"):
        yield pytest.param(pattern, value, expected, id=f"{pattern} {value}")


@pytest.mark.parametrize(("pattern", "value", "expected"), list(formats()))
def test_a_format_returns_the_result_of_java(
    pattern: str, value: Any, expected: str | None
) -> None:
    if isinstance(value, dict):
        value = float(value["$special"])
    document = {"pattern": pattern, "value": value}
    if expected is None:
        with pytest.raises(ExpressionError, match=r"\w"):
            evaluate("$pattern.sprintf($value, 'second')", document)
    else:
        assert evaluate("$pattern.sprintf($value, 'second')", document) == expected


@pytest.mark.parametrize("name", ["", ".", "[]"])
def test_an_empty_name_or_path_is_not_a_property(name: str) -> None:
    document = {"name": name, "o": {"a": 1}}
    assert evaluate("$o.hasOwnProperty($name)", document) is False
    assert evaluate("$o.hasPath($name)", document) is False
    assert evaluate("{'': 1}.hasOwnProperty('')") is True
