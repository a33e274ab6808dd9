"""The branches that a document takes in an expression."""

from __future__ import annotations

from typing import Any

import pytest

from engine.expressions import Scope
from engine.expressions.branches import Branches

NESTED = "$a > 1 ? ($b ? 'x' : 'y') : $c && ($d ? 1 : 2)"


@pytest.mark.parametrize(
    ("document", "taken"),
    [
        ({"a": 2, "b": 0}, [True, False]),
        ({"a": 2, "b": 1}, [True, True]),
        ({"a": 0, "c": 1, "d": 1}, [False, True]),
        ({"a": 0, "c": 0, "d": 1}, [False]),
    ],
)
def test_only_the_branches_on_the_way_are_taken(document: Any, taken: list[bool]) -> None:
    assert [holds for _, holds in Branches(NESTED, Scope()).taken(document)] == taken


def test_each_conditional_has_two_branches() -> None:
    branches = Branches(NESTED, Scope()).all
    assert len(branches) == 6
    assert [holds for _, holds in branches] == [True, False] * 3


def test_a_conditional_in_a_function_is_left_out() -> None:
    assert Branches("$list.map(x => x ? 1 : 2)", Scope()).all == []


def test_an_expression_that_fails_takes_the_branches_before_the_failure() -> None:
    branches = Branches("($a ? 1 : 2) + ($b.trim() ? 1 : 2)", Scope())
    assert [holds for _, holds in branches.taken({"a": 1, "b": 5})] == [True]


def test_an_expression_without_conditionals_has_no_branches() -> None:
    branches = Branches("$a + 1", Scope())
    assert branches.all == []
    assert branches.taken({"a": 1}) == []
