"""Every function's examples; they are on the reference page, so they must hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.expressions import evaluate, exact_decimals
from engine.expressions.functions import FAMILIES, Declaration, Example
from tests.expressions.comparing import is_same, plain


def declarations() -> Iterator[Declaration]:
    for family in FAMILIES:
        yield from family.functions.values()
        yield from family.methods.values()


def examples() -> Iterator[Any]:
    for declaration in declarations():
        for example in declaration.examples:
            yield pytest.param(example, id=example.text)


@pytest.mark.parametrize("example", list(examples()))
def test_the_example_returns_its_result(example: Example) -> None:
    assert is_same(plain(evaluate(example.text, example.given)), example.result)


@pytest.mark.parametrize("null_safe", [False, True])
@pytest.mark.parametrize("example", list(examples()))
def test_the_example_returns_the_same_in_a_loop(example: Example, null_safe: bool) -> None:
    looped = f"[1].map(unused => ({example.text}))"
    with exact_decimals():  # as snaps evaluate it
        value = evaluate(looped, example.given, null_safe=null_safe)
    assert is_same(plain(value), [example.result])


def test_every_function_has_help_and_an_example() -> None:
    for one in declarations():
        assert one.help.endswith((".", "?")), one.name
        assert one.examples, one.name
