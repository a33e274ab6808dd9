"""A pipeline that SnapLogic exported (.slp) is recognised wherever a pipeline is expected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

WHOLE = json.dumps(
    {
        "class_id": "com-snaplogic-pipeline",
        "property_map": {"info": {"label": {"value": ""}}},
        "snap_map": {},
        "link_map": {},
        "render_map": {},
    },
    indent="\t",
)
SAYS = "platform-export  this is a pipeline exported from SnapLogic (.slp)"


@pytest.mark.parametrize("command", ["validate", "run", "serve"])
@pytest.mark.parametrize("text", [WHOLE, WHOLE[:100]], ids=["whole", "cut"])
def test_an_export_is_not_taken_for_a_pipeline_with_mistakes(
    command: str, text: str, engine: Any, tmp_path: Path
) -> None:
    (tmp_path / "orders.slp").write_text(text)
    done = engine(command, "orders.slp")
    assert done.returncode == 2
    assert f"orders.slp:1:1  {SAYS}" in done.stderr
    assert done.stderr.count("hint:") == 1


def test_a_task_that_names_an_export_is_reported(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "orders.slp").write_text(WHOLE)
    (tmp_path / "orders.yaml").write_text("type: triggered\npipeline: orders.slp\n")
    assert SAYS in engine("validate", "orders.yaml").stderr
