from __future__ import annotations

from pathlib import Path

import pytest

from engine import api
from engine.errors import SnapFailedError

TASK = (
    "name: sum\ntype: triggered\npipeline: ../sum.yaml\nparameters: {unit: '${env:UNIT_OF_SUM}'}\n"
)
PIPELINE = "parameters: {unit: {}}\nsnaps: {add: {snap: Mapper, mappings: {$n: $n + _unit}}}\n"
PARENT = "snaps: {call: {snap: TaskExecute, task: tasks/sum, batch_size: 2}}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "sum.yaml").write_text(TASK)
    (tmp_path / "sum.yaml").write_text(PIPELINE)
    (tmp_path / "parent.yaml").write_text(PARENT)
    return tmp_path


def test_documents_go_through_the_pipeline_of_the_task_with_its_parameters(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNIT_OF_SUM", "kg")
    report = api.run(project / "parent.yaml", inputs={"call": [{"n": n} for n in range(5)]})
    assert report.outputs["call.output"] == [{"n": f"{n}kg"} for n in range(5)]


def test_a_parameter_of_the_snap_replaces_that_of_the_task(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNIT_OF_SUM", "kg")
    (project / "parent.yaml").write_text(
        "snaps: {call: {snap: TaskExecute, task: tasks/sum, parameters: {unit: = $u}}}\n"
    )
    report = api.run(project / "parent.yaml", inputs={"call": [{"n": 1, "u": "m"}]})
    assert report.outputs["call.output"] == [{"n": "1m"}]


def test_a_variable_that_is_not_set_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UNIT_OF_SUM", raising=False)
    with pytest.raises(SnapFailedError, match="'UNIT_OF_SUM', which is not set"):
        api.run(project / "parent.yaml", inputs={"call": [{"n": 1}]})


def test_a_missing_task_is_named(project: Path) -> None:
    (project / "tasks" / "sum.yaml").unlink()
    with pytest.raises(SnapFailedError, match=r"there is no pipeline file '.*tasks/sum'"):
        api.run(project / "parent.yaml", inputs={"call": [{"n": 1}]})
