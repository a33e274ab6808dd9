"""A pipeline that SnapLogic exported (.slp) is recognised wherever a pipeline is expected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.slp.exports import UNKNOWN, export, mapper, snap

GOOD = json.dumps(export({"m": mapper("Answer", [("6 * 7", "$answer")])}), indent="\t")
SAYS = "platform-export  this is a pipeline exported from SnapLogic (.slp)"


def test_an_export_runs_as_it_is(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "orders.slp").write_text(GOOD)
    done = engine("run", "orders.slp", "--quiet")
    assert done.returncode == 0
    assert json.loads(done.stdout) == {"answer": 42}


@pytest.mark.parametrize("command", ["validate", "run"])
def test_an_export_that_is_cut_off_is_named(command: str, engine: Any, tmp_path: Path) -> None:
    (tmp_path / "orders.slp").write_text(GOOD[:200])
    done = engine(command, "orders.slp")
    assert done.returncode == 2
    assert "'orders.slp' is cut off: its JSON ends too early" in done.stderr


@pytest.mark.parametrize("command", ["validate", "run"])
def test_a_snap_that_is_not_supported_is_a_mistake(
    command: str, engine: Any, tmp_path: Path
) -> None:
    (tmp_path / "orders.slp").write_text(json.dumps(export({"u": snap(UNKNOWN, "Horn")})))
    done = engine(command, "orders.slp")
    assert done.returncode == 2
    assert f"unsupported-snap  SnapLogic's snap '{UNKNOWN}' is not supported here" in done.stderr


def test_a_task_needs_a_file_in_yaml(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "orders.slp").write_text(GOOD)
    (tmp_path / "orders.yaml").write_text("type: triggered\npipeline: orders.slp\n")
    for done in (engine("validate", "orders.yaml"), engine("serve", "orders.slp")):
        assert done.returncode == 2
        assert SAYS in done.stderr
        assert "hint: import it: engine import orders.slp -o FOLDER" in done.stderr
