from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import InvalidPipelineError
from tests.run.test_ultra import requests
from tests.run.test_ultra import run as run_ultra

TARGETS = {"target_field": "$k", "target_value": "$v"}


def pivoted(run_snap: Any, document: Any, *fields: Any, **settings: Any) -> Any:
    rows = [field if isinstance(field, dict) else {"field": field} for field in fields]
    return run_snap("Pivot", {"fields": rows, **TARGETS, **settings}, [document]).output


def test_the_rows_follow_the_order_of_the_settings(run_snap: Any) -> None:
    output = pivoted(run_snap, {"a": 1, "b": 2, "c": 3}, "$c", "a")
    assert output == [{"b": 2, "k": "c", "v": 3}, {"b": 2, "k": "a", "v": 1}]


@pytest.mark.parametrize(
    ("absent", "values"),
    [
        ("ignore", [1]),
        ("substitute_null", [1, None]),
        ("substitute_empty_string", [1, ""]),
        ("substitute_zero", [1, 0]),
    ],
)
def test_an_absent_field_is_left_out_or_substituted(
    run_snap: Any, absent: str, values: list[Any]
) -> None:
    output = pivoted(run_snap, {"a": 1}, "$a", {"field": "$b", "if_field_absent": absent})
    assert [each["v"] for each in output] == values


def test_a_null_is_not_absent(run_snap: Any) -> None:
    assert pivoted(run_snap, {"a": None}, "$a") == [{"k": "a", "v": None}]


def test_a_field_in_an_object_has_its_last_name_or_its_path(run_snap: Any) -> None:
    document = {"q": {"one": 1, "x": 2}}
    assert pivoted(run_snap, document, "$q.one") == [{"q": {"x": 2}, "k": "one", "v": 1}]
    output = pivoted(run_snap, document, "$q.one", target_field_full_path=True)
    assert output[0]["k"] == "q.one"


def test_with_static_fields_the_others_become_rows(run_snap: Any) -> None:
    output = pivoted(run_snap, {"id": 1, "a": 2, "b": 3}, "$id", static_fields=True)
    assert output == [{"id": 1, "k": "a", "v": 2}, {"id": 1, "k": "b", "v": 3}]


def test_a_document_without_any_of_the_fields_is_dropped(run_snap: Any) -> None:
    run = run_snap("Pivot", {"fields": [{"field": "$a"}], **TARGETS}, [{"b": 1}])
    assert (run.output, run.dropped) == ([], 1)


@pytest.mark.parametrize(
    ("fields", "said"), [([], "there is no field"), ([{"field": "$a[*]"}], "does not name a field")]
)
def test_mistakes_are_found_when_checking(run_snap: Any, fields: Any, said: str) -> None:
    with pytest.raises(InvalidPipelineError, match=said):
        run_snap("Pivot", {"fields": fields, **TARGETS}, [])


def test_each_request_gets_its_own_row(tmp_path: Path) -> None:
    snaps = "  p: {snap: Pivot, fields: [{field: $request}], target_field: $k, target_value: $v}"
    outcomes, _ = run_ultra(tmp_path, snaps, [], requests(1, 2))
    assert outcomes.answers == {1: [{"k": "request", "v": 1}], 2: [{"k": "request", "v": 2}]}
