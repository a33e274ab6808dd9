"""The shared vectors: expressions with the values that SnapLogic is known or believed to return."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ExpressionError
from engine.expressions import evaluate
from tests.expressions.comparing import is_same, plain

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "expressions.jsonl"

DECIDED_OTHERWISE: dict[str, str] = {}
"""Ids of uncertain vectors that we do not follow, with the reason. Currently we follow all."""


def read_vectors() -> Iterator[Any]:
    if not VECTORS.exists():
        yield pytest.param({}, marks=pytest.mark.skip(reason="shared/vectors is not here"))
        return
    for line in VECTORS.read_text(encoding="utf-8").splitlines():
        vector = json.loads(line)
        if vector.get("nondeterministic") and "timezone" not in vector:
            continue
        if vector["id"] not in DECIDED_OTHERWISE:
            yield pytest.param(vector, id=vector["id"])


@pytest.mark.parametrize("vector", list(read_vectors()))
def test_returns_the_value_of_the_vector(vector: dict[str, Any]) -> None:
    if vector.get("error"):
        with pytest.raises(ExpressionError):
            value_of(vector)
    else:
        assert is_same(plain(value_of(vector)), vector["expected"])


def value_of(vector: dict[str, Any]) -> Any:
    return evaluate(
        vector["expr"],
        vector["doc"],
        parameters=vector.get("params"),
        null_safe=vector.get("null_safe", False),
        libraries=vector.get("libs_list") or vector.get("libs"),
        timezone=vector.get("timezone", "UTC"),
        context=vector.get("context"),
    )


def read_javascript() -> Iterator[Any]:
    path = VECTORS.with_name("javascript.jsonl")
    if not path.exists():
        yield pytest.param({}, marks=pytest.mark.skip(reason="shared/vectors is not here"))
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        vector = json.loads(line)
        yield pytest.param(vector, id=f"{vector['kind']}: {vector['expr']!a}")


@pytest.mark.parametrize("vector", list(read_javascript()))
def test_returns_the_result_of_javascript_or_java(vector: dict[str, Any]) -> None:
    if vector.get("error"):
        with pytest.raises(ExpressionError, match="is not a valid conversion"):
            evaluate(vector["expr"], vector["doc"])
    else:
        assert is_same(plain(evaluate(vector["expr"], vector["doc"])), vector["expected"])
