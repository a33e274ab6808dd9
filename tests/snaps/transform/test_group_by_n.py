from __future__ import annotations

from typing import Any

import pytest

from engine.errors import InvalidPipelineError, SnapFailedError

NUMBERS = [{"n": number} for number in range(200)]


def sizes(documents: list[dict[str, Any]]) -> list[int]:
    return [len(document["group"]) for document in documents]


@pytest.mark.parametrize(
    ("size", "expected"),
    [(1, [1] * 200), (70, [70, 70, 60]), (100, [100, 100]), (1000, [200]), (0, [200])],
)
def test_groups_have_the_size_and_the_last_one_the_rest(
    run_snap: Any, size: int, expected: list[int]
) -> None:
    output = run_snap("GroupByN", {"group_size": size}, NUMBERS).output
    assert sizes(output) == expected
    assert [row for document in output for row in document["group"]] == NUMBERS


@pytest.mark.parametrize("size", [0, 3])
def test_no_documents_give_no_group(run_snap: Any, size: int) -> None:
    assert run_snap("GroupByN", {"group_size": size}, []).output == []


def test_the_size_may_come_from_a_parameter(run_snap: Any) -> None:
    settings = {"group_size": "= parseInt(_size)"}
    output = run_snap("GroupByN", settings, NUMBERS, parameters={"size": "150"}).output
    assert sizes(output) == [150, 50]


def test_a_size_that_is_not_a_number_fails_the_pipeline(run_snap: Any) -> None:
    with pytest.raises(SnapFailedError, match="group_size cannot be computed"):
        run_snap("GroupByN", {"group_size": "= _size"}, [{}], parameters={"size": "many"})


def test_a_negative_size_is_found_when_checking(run_snap: Any) -> None:
    with pytest.raises(InvalidPipelineError, match="must be 0 or more, got -1"):
        run_snap("GroupByN", {"group_size": -1}, [])


@pytest.mark.parametrize("target", ["$a.b", "a.b"])
def test_the_list_may_be_put_into_a_map(run_snap: Any, target: str) -> None:
    settings = {"group_size": 0, "target_field": target}
    assert run_snap("GroupByN", settings, [{"n": 1}]).output == [{"a": {"b": [{"n": 1}]}}]
