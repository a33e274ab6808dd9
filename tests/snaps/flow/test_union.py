from __future__ import annotations

from typing import Any


def test_keeps_the_order_within_an_input(run_snap: Any) -> None:
    left = [{"l": number} for number in range(200)]
    right = [{"r": number} for number in range(200)]
    output = run_snap("Union", {}, {"input0": left, "input1": right}).output
    assert [document for document in output if "l" in document] == left
    assert [document for document in output if "r" in document] == right


def test_one_input_is_enough(run_snap: Any) -> None:
    assert run_snap("Union", {}, [{"a": 1}]).output == [{"a": 1}]
