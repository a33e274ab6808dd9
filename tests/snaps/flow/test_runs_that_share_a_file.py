"""Runs of a pool that write the same file at the same time never mix their bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine import api

RUNS, LINES = 6, 4_000
CHILD = """
snaps:
  many: {snap: Mapper, mappings: {$lines: "sl.range(0, %d).map(line => ({run: $run, line: line}))"}}
  each: {snap: JSONSplitter, json_path: "$lines[*]"}
  text: {snap: JSONFormatter, json_lines: true}
  write: {snap: FileWriter, file: out.jsonl, file_action: %s, open_output: false}
links: [many -> each -> text -> write]
"""
PARENT = "snaps: {call: {snap: PipelineExecute, pipeline: child, pool_size: %d}}\n"


def written(project: Path, action: str) -> list[Any]:
    """The lines of the file after all runs."""
    (project / "child.yaml").write_text(CHILD % (LINES, action))
    (project / "parent.yaml").write_text(PARENT % RUNS)
    given = [{"run": run} for run in range(RUNS)]
    report = api.run(project / "parent.yaml", inputs={"call": given})
    assert len(report.outputs["call.output"]) == RUNS
    return [json.loads(line) for line in (project / "out.jsonl").read_text().splitlines()]


def test_the_file_is_that_of_one_run_if_each_replaces_it(tmp_path: Path) -> None:
    lines = written(tmp_path, "overwrite")
    run = lines[0]["run"]
    assert lines == [{"run": run, "line": line} for line in range(LINES)]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "child.yaml",
        "out.jsonl",
        "parent.yaml",
    ]


def test_the_file_has_the_lines_of_each_run_in_one_piece_if_they_append(tmp_path: Path) -> None:
    lines = written(tmp_path, "append")
    order = [lines[start]["run"] for start in range(0, len(lines), LINES)]
    assert sorted(order) == list(range(RUNS))
    assert lines == [{"run": run, "line": line} for run in order for line in range(LINES)]


@pytest.mark.parametrize("action", ["error"])
def test_only_one_run_writes_the_file_if_it_must_not_exist(action: str, tmp_path: Path) -> None:
    (tmp_path / "child.yaml").write_text(CHILD % (10, action))
    (tmp_path / "parent.yaml").write_text(PARENT.replace("%d", f"{RUNS}, on_error: discard"))
    report = api.run(tmp_path / "parent.yaml", inputs={"call": [{"run": n} for n in range(RUNS)]})
    assert len(report.outputs["call.output"]) == 1
    assert report.snaps[0].errors == RUNS - 1
