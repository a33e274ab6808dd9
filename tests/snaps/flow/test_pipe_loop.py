from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import InvalidPipelineError, SnapFailedError
from tests.run.test_ultra import requests
from tests.run.test_ultra import run as run_ultra

ADD = "snaps: {add: {snap: Mapper, mappings: {$n: $n + 1}}}\n"


@pytest.fixture
def add(tmp_path: Path) -> str:
    (tmp_path / "add.yaml").write_text(ADD)
    return "add.yaml"


def test_the_pipeline_runs_on_its_own_output_until_the_condition_holds(
    run_snap: Any, add: str
) -> None:
    settings = {"pipeline": add, "stop_condition": "$n >= 3"}
    output = run_snap("PipeLoop", settings, [{"n": 0}, {"n": 7}]).output
    assert output == [{"n": 3}, {"n": 8}]


def test_the_limit_ends_the_loop(run_snap: Any, add: str) -> None:
    settings = {"pipeline": add, "stop_condition": "false"}
    assert run_snap("PipeLoop", settings, [{"n": 0}]).output == [{"n": 10}]
    limited = {**settings, "iteration_limit": "= $n"}
    assert run_snap("PipeLoop", limited, [{"n": 3}]).output == [{"n": 6}]


def test_what_each_run_emitted_can_be_seen(run_snap: Any, add: str) -> None:
    settings = {"pipeline": add, "stop_condition": "$n == 2", "debug_iteration_output": True}
    [document] = run_snap("PipeLoop", settings, [{"n": 0}]).output
    assert document == {
        "n": 2,
        "_iteration_documents": [
            {
                "iteration": 1,
                "child_pipeline_output": {"n": 1},
                "stop_condition_evaluation": False,
            },
            {"iteration": 2, "child_pipeline_output": {"n": 2}, "stop_condition_evaluation": True},
        ],
    }


def test_parameters_see_the_document_of_each_run(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "add.yaml").write_text(
        "parameters: {by: {}}\nsnaps: {a: {snap: Mapper, mappings: {$n: $n + parseInt(_by)}}}\n"
    )
    settings = {"pipeline": "add", "parameters": {"by": "= $n"}, "stop_condition": "$n > 20"}
    assert run_snap("PipeLoop", settings, [{"n": 3}]).output == [{"n": 24}]


def test_only_the_first_document_of_a_run_counts(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(
        'snaps:\n  m: {snap: Mapper, mappings: {"$l": "[{n: $n + 1}, {n: 100}]"}}\n'
        "  s: {snap: JSONSplitter, json_path: $l}\nlinks: [m -> s]\n"
    )
    settings = {"pipeline": "two.yaml", "stop_condition": "$n == 2"}
    assert run_snap("PipeLoop", settings, [{"n": 0}]).output == [{"n": 2}]


@pytest.mark.parametrize(
    ("pipeline", "reason"),
    [
        ("snaps: {f: {snap: Filter, filter: 'false'}}\n", "it emitted no document"),
        ("snaps: {t: {snap: Trash}}\n", "it has no open output"),
        ("snaps: {t: {snap: JSONGenerator, documents: {n: 1}}}\n", "it has no open input"),
        ("snaps: {m: {snap: Mapper, mappings: {$n: $gone}}}\n", "gone"),
    ],
)
def test_a_run_that_gives_nothing_is_an_error_of_its_document(
    run_snap: Any, tmp_path: Path, pipeline: str, reason: str
) -> None:
    (tmp_path / "p.yaml").write_text(pipeline)
    settings = {"pipeline": "p.yaml", "stop_condition": "true"}
    run = run_snap("PipeLoop", settings, [{"n": 1}], on_error="route")
    assert run.output == []
    [error] = run.errors
    assert reason in error["reason"]
    assert error["original"] == {"n": 1}


def test_a_condition_must_be_true_or_false(run_snap: Any, add: str) -> None:
    settings = {"pipeline": add, "stop_condition": "$n"}
    with pytest.raises(SnapFailedError, match=r"the stop_condition '\$n' must return true or"):
        run_snap("PipeLoop", settings, [{"n": 1}])


def test_a_limit_below_one_is_a_mistake(run_snap: Any, add: str) -> None:
    settings = {"pipeline": add, "stop_condition": "true", "iteration_limit": 0}
    with pytest.raises(InvalidPipelineError, match="iteration_limit must be at least 1, got 0"):
        run_snap("PipeLoop", settings, [])


def test_each_request_has_a_loop_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "add.yaml").write_text(ADD)
    snaps = """\
  m: {snap: Mapper, mappings: {$n: $request}}
  l: {snap: PipeLoop, pipeline: add.yaml, stop_condition: $n > 5}"""
    outcomes, _ = run_ultra(tmp_path, snaps, ["m -> l"], requests(1, 9))
    assert outcomes.answers == {1: [{"n": 6}], 9: [{"n": 10}]}
