"""`engine run --report`: the numbers of a run for machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DIAMOND = """
snaps:
  both: {snap: Copy}
  small: {snap: Filter, filter: $n < 3}
  even: {snap: Filter, filter: $n % 2 == 0}
  join: {snap: Union}
links: [both -> small -> join, both -> even -> join]
"""


def test_the_report_has_the_counts_of_each_link_and_view(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(DIAMOND)
    (tmp_path / "in.json").write_text(json.dumps([{"n": n} for n in range(10)]))
    done = engine("run", "pipeline.yaml", "--input", "in.json", "--report", "report.json")
    assert done.returncode == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["links"] == [
        {"from": "both.output0", "to": "small.input", "out": 10, "in": 10},
        {"from": "small.output", "to": "join.input0", "out": 3, "in": 3},
        {"from": "both.output1", "to": "even.input", "out": 10, "in": 10},
        {"from": "even.output", "to": "join.input1", "out": 5, "in": 5},
    ]
    views = {snap["label"]: snap["views"] for snap in report["snaps"]}
    assert views["join"] == {
        "in": {"input0": 3, "input1": 5},
        "out": {"output": 8, "error": 0},
    }


def test_a_report_to_standard_output_is_refused(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(DIAMOND)
    done = engine("run", "pipeline.yaml", "--report", "-")
    assert done.returncode == 2
    assert "engine: --report needs the name of a file" in done.stderr
    assert not (tmp_path / "-").exists()
