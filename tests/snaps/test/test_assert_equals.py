from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.errors import InvalidPipelineError, SnapFailedError

NUMBERS = [{"n": n} for n in range(100)]


def test_equal_documents_end_here(run_snap: Any) -> None:
    run = run_snap("AssertEquals", {"expected": NUMBERS}, NUMBERS)
    assert (run.outputs, run.dropped) == ({}, 100)


def test_the_list_may_be_json_text(run_snap: Any) -> None:
    given = [{"b": [1, None], "a": Decimal("1.50")}]
    run_snap("AssertEquals", {"text": '[{"a": 1.5, "b": [1, null]}]'}, given)
    run_snap("AssertEquals", {"text": '{"a": 1.5, "b": [1, null]}'}, given)


@pytest.mark.parametrize(
    ("found", "difference"),
    [
        ([{"a": {"b": [1, 3]}}], r"document 1 is not as expected: \$\.a\.b\[1\] is 3 instead of 2"),
        ([{"a": {}}], r"\$\.a\.b is missing"),
        ([{"a": {"b": [1, 2], "c": 5}}], r"\$\.a\.c is not expected: 5"),
        ([{"a": {"b": [True, 2]}}], r"\$\.a\.b\[0\] is true instead of 1"),
        ([{"a": {"b": [1]}}], r"\$\.a\.b is \[1\] instead of \[1,2\]"),
        ([], "expected 1 document, but there were only 0"),
        ([{"a": {"b": [1, 2]}}, {"x": 1}], "expected 1 document, but there is another one"),
    ],
)
def test_the_first_difference_stops_the_pipeline(
    run_snap: Any, found: list[Any], difference: str
) -> None:
    with pytest.raises(SnapFailedError, match=difference):
        run_snap("AssertEquals", {"expected": [{"a": {"b": [1, 2]}}]}, found, on_error="discard")


def test_no_documents_may_be_expected(run_snap: Any) -> None:
    run_snap("AssertEquals", {"expected": []}, [])
    with pytest.raises(SnapFailedError, match="expected 0 documents"):
        run_snap("AssertEquals", {"expected": []}, [{}])


def test_a_template_sees_parameters_and_the_document_that_is_compared(run_snap: Any) -> None:
    text = '## the sums\n[{"a": 1, "by": $_by}, {"a": $a, "by": "$_by"}]'
    settings = {"text": text}
    given = [{"a": 1, "by": "x"}, {"a": 5, "by": "x"}]
    run_snap("AssertEquals", settings, given, parameters={"by": "x"})
    with pytest.raises(SnapFailedError, match=r"\$\.by is missing"):
        run_snap("AssertEquals", settings, [given[0], {"a": 5}], parameters={"by": "x"})
    with pytest.raises(SnapFailedError, match="expected 2 documents, but there were only 1"):
        run_snap("AssertEquals", settings, given[:1], parameters={"by": "x"})


def test_a_template_may_be_kept_from_the_documents(run_snap: Any) -> None:
    settings = {"text": '[{"a": "$a"}]', "evaluate_with_input_document": False}
    run_snap("AssertEquals", settings, [{"a": "$a"}])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "expected is missing"),
        ({"expected": [], "text": "[]"}, "set one of the two"),
        ({"text": "[1]"}, "element 1 of the template produces 1"),
        ({"text": "[{"}, "cannot parse the template as JSON"),
        ({"text": '[{"a": $_gone}]'}, "_gone"),
    ],
)
def test_mistakes_are_found_when_checking(run_snap: Any, settings: Any, said: str) -> None:
    with pytest.raises(InvalidPipelineError, match=said):
        run_snap("AssertEquals", settings, [])
