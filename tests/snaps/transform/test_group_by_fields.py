from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.errors import InvalidPipelineError


def test_a_group_goes_on_in_the_next_batch(run_snap: Any) -> None:
    given = [{"a": number // 150, "n": number} for number in range(400)]
    output = run_snap("GroupByFields", {"fields": ["$a"]}, given).output
    assert [(each["groupBy"]["a"], len(each["group"])) for each in output] == [
        (0, 150),
        (1, 150),
        (2, 100),
    ]
    assert [row for each in output for row in each["group"]] == given


def test_all_fields_must_be_equal_and_nested_ones_have_their_last_name(run_snap: Any) -> None:
    given = [{"a": {"x": 1}, "b": 1}, {"a": {"x": 1}, "b": 2}, {"a": {"x": 2}, "b": 2}]
    output = run_snap("GroupByFields", {"fields": ["$a.x", "b"]}, given).output
    assert [each["groupBy"] for each in output] == [
        {"x": 1, "b": 1},
        {"x": 1, "b": 2},
        {"x": 2, "b": 2},
    ]
    assert list(output[0]) == ["groupBy", "group"]


@pytest.mark.parametrize(
    ("left", "right", "groups"),
    [(1, Decimal("1.0"), 1), (1, True, 2), (1, "1", 2), (None, None, 1), ([1], [1], 1)],
)
def test_values_are_equal_if_their_types_are(
    run_snap: Any, left: Any, right: Any, groups: int
) -> None:
    output = run_snap("GroupByFields", {"fields": ["$a"]}, [{"a": left}, {"a": right}]).output
    assert len(output) == groups
    assert output[0]["groupBy"] == {"a": left}


def test_a_missing_field_fails_its_document_unless_access_is_null_safe(run_snap: Any) -> None:
    given = [{"a": 1}, {}, {"a": 1}]
    result = run_snap("GroupByFields", {"fields": ["$a"]}, given, on_error="route")
    assert [len(each["group"]) for each in result.output] == [2]
    assert [error["original"] for error in result.errors] == [{}]
    settings = {"fields": ["$a"], "null_safe_access": True}
    output = run_snap("GroupByFields", settings, given).output
    assert [each["groupBy"]["a"] for each in output] == [1, None, 1]


def test_no_documents_give_no_group(run_snap: Any) -> None:
    assert run_snap("GroupByFields", {"fields": ["$a"]}, []).output == []


def test_grouping_by_nothing_is_a_mistake(run_snap: Any) -> None:
    with pytest.raises(InvalidPipelineError, match="there is no field to group by"):
        run_snap("GroupByFields", {"fields": []}, [])
