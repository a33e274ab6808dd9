from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        ({"a": 1}, {"a": Decimal("1.0")}, True),
        ({"a": 0.1}, {"a": Decimal("0.1")}, True),
        ({"a": [{"b": 0.1}]}, {"a": [{"b": Decimal("0.1")}]}, True),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": [0]}, {"a": [False]}, False),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": None}, {}, False),
        ({}, {}, True),
    ],
)
def test_documents_are_equal_if_their_values_and_types_are_at_any_depth(
    run_snap: Any, first: Any, second: Any, equal: bool
) -> None:
    result = run_snap("Unique", {}, [first, second], exact=True)
    assert (len(result.output), result.dropped) == ((1, 1) if equal else (2, 0))


def test_neighbours_in_different_batches_are_compared(run_snap: Any) -> None:
    result = run_snap("Unique", {}, [{"a": number // 100} for number in range(300)])
    assert result.output == [{"a": 0}, {"a": 1}, {"a": 2}]


def test_equal_documents_that_are_not_neighbours_both_stay(run_snap: Any) -> None:
    given = [{"a": 1}, {"a": 2}, {"a": 1}]
    assert run_snap("Unique", {}, given).output == given
