"""A short run of the fuzzing that `python -m tests.fuzz.expressions` does at length."""

from __future__ import annotations

from tests.fuzz.expressions import problem_with, run


def test_random_inputs_raise_only_expression_errors() -> None:
    assert run(inputs=2_000, seed=5) == []


def test_the_fuzzer_reports_what_is_wrong() -> None:
    assert problem_with("1 + 1", null_safe=False) == ""
    assert "RecursionError" not in problem_with("(" * 5000, null_safe=False)
