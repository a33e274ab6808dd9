from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.errors import InvalidPipelineError, SnapFailedError

BY_ID = {"sort_paths": ["$id"]}
OUTPUTS = ["deletions", "insertions", "modified", "unmodified"]


def differences(run_snap: Any, new: Any, original: Any, **settings: Any) -> dict[str, Any]:
    given = {"new": new, "original": original}
    outputs: dict[str, Any] = run_snap("Diff", {**BY_ID, **settings}, given, exact=True).outputs
    return {name: outputs.get(name, []) for name in OUTPUTS}


@pytest.mark.parametrize("memory", [1, "256 MiB"])
@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_every_document_is_in_one_of_the_four_outputs(
    run_snap: Any, order: str, memory: Any
) -> None:
    new = [{"id": number, "v": number % 3} for number in range(500) if number % 2]
    original = [{"id": number, "v": number % 5} for number in range(500) if number % 3]
    if order == "descending":
        new, original = new[::-1], original[::-1]
    before, after = {each["id"]: each for each in original}, {each["id"]: each for each in new}
    assert differences(run_snap, new, original, sort_order=order, memory=memory) == {
        "deletions": [each for each in original if each["id"] not in after],
        "insertions": [each for each in new if each["id"] not in before],
        "modified": [each for each in new if each["id"] in before and before[each["id"]] != each],
        "unmodified": [each for each in new if before.get(each["id"]) == each],
    }


def test_documents_are_equal_if_their_values_and_types_are(run_snap: Any) -> None:
    new = [{"id": 1, "v": 1}, {"id": 2, "v": 1}, {"id": 3, "a": {"x": 1, "y": 2}}]
    original = [
        {"id": 1, "v": Decimal("1.0")},
        {"id": 2, "v": True},
        {"a": {"y": 2, "x": 1}, "id": 3},
    ]
    found = differences(run_snap, new, original)
    assert (found["unmodified"], found["modified"]) == ([new[0], new[2]], [new[1]])


def test_documents_with_the_same_key_are_paired_in_their_order(run_snap: Any) -> None:
    new = [{"id": 1, "v": 1}, {"id": 1, "v": 2}]
    found = differences(run_snap, new, [{"id": 1, "v": 1}])
    assert (found["unmodified"], found["insertions"]) == ([new[0]], [new[1]])


def test_null_is_a_key_like_others(run_snap: Any) -> None:
    found = differences(run_snap, [{"id": None}, {"id": 1}], [{"id": None}])
    assert (found["unmodified"], found["insertions"]) == ([{"id": None}], [{"id": 1}])


def test_inputs_that_are_not_sorted_are_an_error(run_snap: Any) -> None:
    message = "input 'original' are not in ascending order: document 2 has the key 1; sort it"
    with pytest.raises(SnapFailedError, match=message):
        differences(run_snap, [{"id": 1}], [{"id": 2}, {"id": 1}])


def test_only_linked_outputs_get_documents(run_snap: Any) -> None:
    given = {"new": [{"id": 1}], "original": [{"id": 2}]}
    assert run_snap("Diff", BY_ID, given, outputs=["deletions"]).outputs == {
        "deletions": [{"id": 2}]
    }


def test_comparing_without_a_key_is_a_mistake(run_snap: Any) -> None:
    with pytest.raises(InvalidPipelineError, match="there is no key to compare by"):
        differences(run_snap, [], [], sort_paths=[])
