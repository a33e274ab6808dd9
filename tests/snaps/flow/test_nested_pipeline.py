from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import InvalidPipelineError, SnapFailedError

BOTH = """
parameters: {least: {default: "0"}, unit: {default: none}}
snaps:
  small: {snap: Filter, filter: $n >= parseInt(_least)}
  large: {snap: Mapper, mappings: {$n: $n * 10, $unit: _unit}}
"""
PARENT = """
parameters: {unit: {default: kg}}
snaps:
  inner:
    snap: NestedPipeline
    pipeline: both
    parameters: {least: "2"}
    inputs: {few: small.input, many: large.input}
    outputs: {some: small.output, all: large.output}
"""


def test_every_view_leads_to_its_own_snap_of_the_nested_pipeline(tmp_path: Path) -> None:
    (tmp_path / "both.yaml").write_text(BOTH)
    (tmp_path / "parent.yaml").write_text(PARENT)
    few = [{"n": n} for n in range(4)]
    many = [{"n": n} for n in range(500)]
    given = {"inner.few": few, "inner.many": many}
    outputs = api.run(tmp_path / "parent.yaml", inputs=given).outputs
    assert outputs["inner.some"] == [{"n": 2}, {"n": 3}]
    assert outputs["inner.all"] == [{"n": n * 10, "unit": "kg"} for n in range(500)]


def test_an_input_may_wait_for_another_in_the_nested_pipeline(tmp_path: Path) -> None:
    (tmp_path / "join.yaml").write_text(
        "snaps:\n  script: {snap: FileReader, file: code.json}\n  parse: {snap: JSONParser}\n"
        "  left: {snap: Mapper, mappings: {$n: $n}}\n"
        "  first: {snap: Mapper, mappings: {$content: $code}}\n"
        "  run: {snap: RemotePythonScript}\n  end: {snap: Filter, filter: 'false'}\n"
        "links:\n  - script -> parse -> end\n  - left -> run\n  - first -> run.script\n"
    )
    (tmp_path / "code.json").write_text("[]")
    (tmp_path / "parent.yaml").write_text(
        "snaps:\n  inner:\n    snap: NestedPipeline\n    pipeline: join\n"
        "    inputs: {rows: left.input, code: first.input}\n    outputs: {out: run.output}\n"
    )
    code = "def snaplogic_process(row): return {'twice': 2 * row['n']}"
    rows: list[dict[str, Any]] = [{"n": n} for n in range(300)]
    given = {"inner.rows": rows, "inner.code": [{"code": code}]}
    outputs = api.run(tmp_path / "parent.yaml", inputs=given).outputs
    assert outputs["inner.out"] == [{"twice": 2 * n} for n in range(300)]


def test_a_failure_inside_fails_the_pipeline(tmp_path: Path) -> None:
    (tmp_path / "both.yaml").write_text(BOTH)
    (tmp_path / "parent.yaml").write_text(PARENT)
    with pytest.raises(SnapFailedError, match=r"both\.yaml:4:3\) failed on document 1"):
        api.run(tmp_path / "parent.yaml", inputs={"inner.few": [{"m": 1}]})


def test_a_view_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "both.yaml").write_text(BOTH)
    (tmp_path / "parent.yaml").write_text(PARENT.replace("large.input", "huge.input"))
    with pytest.raises(SnapFailedError, match=r"has no open input 'huge\.input'") as caught:
        api.run(tmp_path / "parent.yaml")
    assert "its open inputs are: small.input, large.input" in str(caught.value)


def test_a_binary_view_must_be_one_of_the_views(tmp_path: Path) -> None:
    (tmp_path / "both.yaml").write_text(BOTH)
    (tmp_path / "parent.yaml").write_text(f"{PARENT}    binary: [fewer]\n")
    with pytest.raises(InvalidPipelineError, match="there is no view 'fewer'"):
        api.run(tmp_path / "parent.yaml")


def test_a_pipeline_that_nests_itself_fails_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "self.yaml").write_text("snaps:\n  e: {snap: NestedPipeline, pipeline: self}\n")
    message = "call each other 64 deep: [^']*let a pipeline"
    with pytest.raises(SnapFailedError, match=message) as info:
        api.run(tmp_path / "self.yaml")
    assert len(str(info.value)) < 20_000
