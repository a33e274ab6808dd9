from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import InvalidPipelineError

BY_K = {"join_paths": [{"left_path": "k", "right_path": "$k"}]}
TABLE = [{"k": number % 50, "v": number} for number in range(100)]


@pytest.mark.parametrize("memory", [1, "10 kB", "256 MiB"])
@pytest.mark.parametrize("single", [False, True])
def test_every_document_leaves_with_its_matches_or_as_it_came(
    run_snap: Any, single: bool, memory: Any
) -> None:
    settings = {**BY_K, "single_document_output": single, "memory": memory}
    given = {"rows": [{"k": 1}, {"k": 70}, {}, {"k": None}, {"k": 2}], "table": TABLE}
    first = [{"k": key, "table_k": key, "v": key} for key in (1, 2)]
    second = [{"k": key, "table_k": key, "v": key + 50} for key in (1, 2)]
    rest = [{"k": 70}, {}, {"k": None}]
    assert run_snap("InMemoryLookup", settings, given).output == (
        [first[0], *rest, first[1]] if single else [first[0], second[0], *rest, first[1], second[1]]
    )


def test_all_rows_must_match(run_snap: Any) -> None:
    rows = [{"left_path": "$a", "right_path": "$x"}, {"left_path": "$b", "right_path": "$y"}]
    given = {"input0": [{"a": 1, "b": 1}, {"a": 1, "b": 2}], "input1": [{"x": 1, "y": 2, "z": 3}]}
    assert run_snap("InMemoryLookup", {"join_paths": rows}, given).output == [
        {"a": 1, "b": 1},
        {"a": 1, "b": 2, "x": 1, "y": 2, "z": 3},
    ]


def test_a_third_input_is_a_mistake(run_snap: Any) -> None:
    with pytest.raises(InvalidPipelineError, match="it has two inputs, but 3 links: a, b, c"):
        run_snap("InMemoryLookup", BY_K, {"a": [], "b": [], "c": []})


PIPELINE = """
snaps:
  ask: {snap: Mapper, mappings: {$k: $content.k}}
  table: {snap: JSONGenerator, documents: [{k: 1, v: 5}]}
  look_up:
    snap: InMemoryLookup
    single_document_output: %s
    join_paths: [{left_path: k, right_path: k}]
links: [ask -> look_up, table -> look_up]
"""


@pytest.mark.parametrize("single", [True, False])
def test_it_answers_requests_if_each_document_yields_one(tmp_path: Path, single: bool) -> None:
    (tmp_path / "pipeline.yaml").write_text(PIPELINE % str(single).lower())
    (tmp_path / "task.yaml").write_text("type: ultra\npipeline: pipeline.yaml\n")
    problems = [problem.hint for problem in api.check(tmp_path / "task.yaml")]
    assert problems == ([] if single else ["set single_document_output to true"])
