from __future__ import annotations

import math
from typing import Any

import pytest

from engine.errors import EngineError


def test_passes_what_is_true_and_acknowledges_the_rest(run_snap: Any) -> None:
    result = run_snap("Filter", {"filter": "$a > 1"}, [{"a": 1}, {"a": 2}, {"a": 0}])
    assert result.output == [{"a": 2}]
    assert result.dropped == 2


def test_a_parameter_can_be_compared(run_snap: Any) -> None:
    settings = {"filter": "$token == _token"}
    given = [{"token": "s"}, {"token": "x"}]
    assert run_snap("Filter", settings, given, parameters={"token": "s"}).output == [{"token": "s"}]


@pytest.mark.parametrize("expression", ["$a", "$text", "null", "$a + 1"])
def test_anything_but_true_and_false_stops_the_pipeline_whatever_on_error_says(
    run_snap: Any, expression: str
) -> None:
    with pytest.raises(EngineError, match="must return true or false, but returned"):
        run_snap("Filter", {"filter": expression}, [{"a": 1, "text": "yes"}], on_error="discard")


def test_the_message_shows_the_expression_and_its_value(run_snap: Any) -> None:
    with pytest.raises(EngineError, match=r"'\$a'.*returned \"maybe\""):
        run_snap("Filter", {"filter": "$a"}, [{"a": "maybe"}])


def test_a_missing_field_fails_its_document_alone(run_snap: Any) -> None:
    given = [{"a": 2}, {"b": 1}, {"a": 3}, {"a": 0}]
    result = run_snap("Filter", {"filter": "$a > 1"}, given, on_error="route")
    assert result.output == [{"a": 2}, {"a": 3}]
    assert [error["original"] for error in result.errors] == [{"b": 1}]
    assert result.dropped == 1


def test_a_missing_field_is_null_if_asked(run_snap: Any) -> None:
    settings = {"filter": "$a == null", "null_safe_access": True}
    assert run_snap("Filter", settings, [{"a": 1}, {"b": 1}]).output == [{"b": 1}]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
        ("\ud800", "'\\\\ud800'"),
        ([1, None], r"\[1,null\]"),
        ("x" * 100, f'"{"x" * 59}…'),
    ],
)
def test_the_message_shows_any_value(run_snap: Any, value: Any, shown: str) -> None:
    with pytest.raises(EngineError, match=f"but returned {shown};"):
        run_snap("Filter", {"filter": "$a"}, [{"a": value}])
