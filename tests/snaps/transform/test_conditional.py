from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.errors import SnapFailedError
from engine.pipeline import parse
from engine.plan import check_spec
from engine.registry import discover
from tests.run.test_ultra import requests
from tests.run.test_ultra import run as run_ultra


def row(condition: str, value: str, target: str = "$x") -> dict[str, str]:
    return {"condition": condition, "return_value": value, "target": target}


def test_rows_after_the_first_match_are_not_evaluated(run_snap: Any) -> None:
    settings = {"conditions": [row("$n == 1", "'one'"), row("$gone.a == 1", "$gone.b")]}
    assert run_snap("Conditional", settings, [{"n": 1}]).output == [{"n": 1, "x": "one"}]


def test_the_default_is_taken_only_if_no_condition_is_true(run_snap: Any) -> None:
    settings = {
        "conditions": [row("$n == 1", "'one'", "$a")],
        "default_value": "$gone == null ? 'other' : 'never'",
        "default_target": "$b.c",
        "null_safe_access": True,
    }
    output = run_snap("Conditional", settings, [{"n": 1}, {"n": 2}]).output
    assert output == [{"n": 1, "a": "one"}, {"n": 2, "b": {"c": "other"}}]


def test_without_a_default_a_document_passes_unchanged(run_snap: Any) -> None:
    settings = {"conditions": [row("$n == 1", "'one'")]}
    assert run_snap("Conditional", settings, [{"n": 2}]).output == [{"n": 2}]


def test_with_evaluate_all_the_last_true_row_of_a_target_counts(run_snap: Any) -> None:
    rows = [row("true", "1"), row("$n > 1", "$n + 0.5"), row("false", "3")]
    settings = {"conditions": rows, "evaluate_all": True}
    output = run_snap("Conditional", settings, [{"n": 2}], exact=True).output
    assert output == [{"n": 2, "x": Decimal("2.5")}]


def test_rows_see_the_input_document(run_snap: Any) -> None:
    rows = [row("true", "2", "$n"), row("$n == 1", "$n", "$m")]
    output = run_snap("Conditional", {"conditions": rows, "evaluate_all": True}, [{"n": 1}]).output
    assert output == [{"n": 2, "m": 1}]


def test_a_document_that_fails_goes_to_the_error_view(run_snap: Any) -> None:
    settings = {"conditions": [row("$a.b > 1", "$a.b / $a.c")]}
    given = [{"a": {"b": 4, "c": 2}}, {"a": 1}]
    run = run_snap("Conditional", settings, given, on_error="route")
    assert run.output == [{"a": {"b": 4, "c": 2}, "x": 2}]
    assert [error["original"] for error in run.errors] == given[1:]


def test_another_value_than_true_or_false_stops_the_pipeline(run_snap: Any) -> None:
    settings = {"conditions": [row("$n", "1")]}
    with pytest.raises(SnapFailedError, match=r"the condition '\$n' must return true or false"):
        run_snap("Conditional", settings, [{"n": 1}], on_error="discard")


def test_without_conditions_everything_is_dropped(run_snap: Any) -> None:
    run = run_snap("Conditional", {"conditions": []}, [{"n": 1}, {"n": 2}])
    assert (run.output, run.dropped) == ([], 2)


@pytest.mark.parametrize("half", [{"default_value": "1"}, {"default_target": "$x"}])
def test_half_a_default_is_a_warning_and_has_no_effect(run_snap: Any, half: dict[str, str]) -> None:
    settings = {"conditions": [row("$n > 1", "1")], **half}
    snaps = {"c": {"snap": "Conditional", **settings}}
    [problem] = check_spec(parse(json.dumps({"snaps": snaps})), discover())
    assert problem.severity == "warning"
    assert "has no effect without default_" in problem.message
    assert run_snap("Conditional", settings, [{"n": 1}]).output == [{"n": 1}]


def test_each_request_keeps_its_document(tmp_path: Path) -> None:
    snaps = (
        "  c: {snap: Conditional, conditions: "
        "[{condition: $request > 1, return_value: $request, target: $x}]}"
    )
    outcomes, _ = run_ultra(tmp_path, snaps, [], requests(1, 2))
    assert outcomes.answers == {1: [{"request": 1}], 2: [{"request": 2, "x": 2}]}
