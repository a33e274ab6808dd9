"""Parameters of child pipelines that come from data cannot lead the name of a file out."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest

from engine import api

READ = """
parameters: {f: {}}
snaps:
  read: {snap: FileReader, file: = _f}
  text: {snap: BinaryToDocument}
links: [read -> text]
"""
FIRST = """
snaps:
  names: {snap: JSONGenerator, documents: [{f: ../secret.txt}]}
  run: {snap: PipelineExecute, pipeline: middle, parameters: {f: = $f}}
  failed: {snap: Mapper, mappings: {$reason: $reason}}
links: [names -> run, run.error -> failed]
"""
MIDDLES = {
    "executed": "run: {snap: PipelineExecute, pipeline: read, parameters: {f: = _f}}",
    "all parameters": (
        "run: {snap: PipelineExecute, pipeline: read, parameters: {f: = pipe.args.f}}"
    ),
    "nested": "run: {snap: NestedPipeline, pipeline: read, outputs: {out: text.output}}",
    "task": "run: {snap: TaskExecute, task: task, parameters: {f: = _f}}",
}


def run_through(middle: str, tmp_path: Path) -> api.Result:
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").touch()
    (tmp_path / "secret.txt").write_text("secret")
    (project / "read.yaml").write_text(READ)
    (project / "task.yaml").write_text("name: task\ntype: triggered\npipeline: read.yaml\n")
    (project / "middle.yaml").write_text(f"parameters: {{f: {{}}}}\nsnaps:\n  {middle}\n")
    (project / "first.yaml").write_text(FIRST)
    return api.run(project / "first.yaml")


@pytest.mark.parametrize("middle", MIDDLES.values(), ids=MIDDLES)
def test_a_value_from_a_document_stays_data_in_the_pipelines_that_pass_it_on(
    middle: str, tmp_path: Path
) -> None:
    outputs = run_through(middle, tmp_path).outputs
    assert "run.output" not in outputs
    assert "is not allowed" in outputs["failed.output"][0]["reason"]


def test_a_file_that_the_pipeline_between_names_may_be_anywhere(tmp_path: Path) -> None:
    middle = "run: {snap: PipelineExecute, pipeline: read, parameters: {f: = '../sec' + 'ret.txt'}}"
    outputs = run_through(middle, tmp_path).outputs
    assert b64decode(outputs["run.output"][0]["content"]) == b"secret"


def test_an_error_pipeline_takes_a_value_from_a_document_as_data(tmp_path: Path) -> None:
    (tmp_path / "handle.yaml").write_text(
        "parameters: {f: {}}\nsnaps:\n  take: {snap: Mapper}\n"
        "  read: {snap: FileReader, file: = _f}\n  write: {snap: FileWriter, file: leaked.txt}\n"
        "links: [take -> read -> write]\n"
    )
    middle = (
        "fail: {snap: Mapper, mappings: {$x: $nothing.at.all}}\n"
        "error_pipeline: {pipeline: ../handle.yaml, parameters: {f: = _f}}"
    )
    outputs = run_through(middle, tmp_path).outputs
    assert "is not allowed" in outputs["failed.output"][0]["reason"]
    assert not (tmp_path / "leaked.txt").exists()
