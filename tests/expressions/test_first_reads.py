"""The error for a missing field is the careful code's, although that need not run to find it."""

from __future__ import annotations

import gc
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import EvaluationError
from engine.expressions import compile_expression

TEXTS = [
    "$a",
    "$a.b",
    "$a.b.c",
    "$a.b.length",
    "$a.length.b",
    "$a['b'].c",
    "$a[0].b",
    "$a + $b.c",
    "$a.b + $b + $c",
    "1 - $b",
    "!$a.b",
    "$a && $b",
    "$a == 1 || $b.c",
    "$a.b ? $b : $c",
    "[$a, 1, $b]",
    "$a.toString().concat($b)",
    "$a.concat($b.c, $c)",
    "$a.keys + 1",
    "$a.b.get($b)",
    "Math.max($a.b, $b, $c)",
    "parseInt($a.b) + $c",
    "jsonPath($, '$.a') == $b",
    "$a.filter(x => x.b).map(x => $b)",
    "{k: $a, l: $b}",
    "match $a { 1 => $b, _ => $c }",
    "$a.map(x => $b.c)",
    "'%s'.sprintf($b)",
]
VALUES: list[Any] = [1, None, "text", [], [{"b": 1}, {}], {"b": 1}, {"b": {"c": 2}}, {"B": 1}]
documents = st.dictionaries(st.sampled_from(["a", "b", "c", "A"]), st.sampled_from(VALUES))


def outcome(text: str, document: Any, shift: int = 0) -> Any:
    try:
        return repr(compile_expression(text)(document))  # NaN is not equal to itself
    except EvaluationError as error:
        return type(error), error.message, error.hint, error.offset - shift, error.length


@given(text=st.sampled_from(TEXTS), document=documents | st.sampled_from(VALUES))
@settings(max_examples=800)
def test_the_error_is_that_of_the_careful_code(text: str, document: Any) -> None:
    only_careful = f"[{text}, eval(0)][0]"  # `eval` might have any effect
    assert outcome(text, document) == outcome(only_careful, document, shift=1)


def test_an_error_for_a_missing_field_leaves_no_garbage() -> None:
    expression = compile_expression("$a.b > 1")
    gc.collect()
    gc.disable()
    try:
        for _ in range(100):
            with pytest.raises(EvaluationError):
                expression({"a": {}})
        found = gc.collect()
    finally:
        gc.enable()
    assert found < 100


@pytest.mark.parametrize("document", [{"b": 1}, {"A": 1}, {"a": None}])
def test_errors_of_one_place_keep_their_own_texts(document: Any) -> None:
    expression = compile_expression("$a.b > 1")
    for _ in range(2):
        errors = []
        for each in ({"x": 1}, document):
            with pytest.raises(EvaluationError) as caught:
                expression(each)
            errors.append(caught.value)
        first, second = errors
        assert first.report()["reason"] == "`$a` is not in the document"
        assert second.report() == pickle.loads(pickle.dumps(second)).report()
        assert second.report()["reason"] == second.reason
