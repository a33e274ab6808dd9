"""The snap in the guide to writing snaps follows all rules, and its tests pass."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path
from typing import Any

import pytest

from engine.registry import Registry, files_of
from engine.testing import run_pipeline, run_snap
from engine.testing.conformance import conformance_checks

GUIDE = (Path(__file__).parents[2] / "docs" / "writing-a-snap.md").read_text(encoding="utf-8")
SNAP, *BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The snap package of the guide, on the import path."""
    (tmp_path / "my_snaps").mkdir()
    (tmp_path / "my_snaps" / "__init__.py").touch()
    (tmp_path / "my_snaps" / "dedupe.py").write_text(SNAP)
    monkeypatch.syspath_prepend(tmp_path)
    invalidate_caches()
    yield "my_snaps"
    for module in ("my_snaps", "my_snaps.dedupe"):
        sys.modules.pop(module, None)


def test_the_snap_of_the_guide_keeps_the_rules(package: str, tmp_path: Path) -> None:
    snap = Registry(files=files_of(package))["Dedupe"]
    for number, check in enumerate(conformance_checks(snap)):
        project = tmp_path / str(number)
        project.mkdir()
        check.run(project)


@pytest.mark.usefixtures("package")
def test_the_tests_of_the_guide_pass() -> None:
    tests: dict[str, Any] = {}
    for block in BLOCKS:
        if "def test_" in block:
            exec(block, tests)  # noqa: S102
    functions = {name: value for name, value in tests.items() if name.startswith("test_")}
    assert len(functions) == 3
    for function in functions.values():
        uses_pipeline = "run_pipeline" in inspect.signature(function).parameters
        function(run_pipeline if uses_pipeline else run_snap)
