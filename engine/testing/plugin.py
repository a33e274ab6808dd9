"""The pytest plugin: the fixtures `run_snap` and `run_pipeline`, examples of snaps, test files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from engine.registry import SnapFile
    from engine.testing.kit import SnapRun
    from engine.testing.pipeline import PipelineRun

# pytest loads every plugin at start, so modules of the engine are imported only when needed.
_FILES = pytest.StashKey[dict[Path, "SnapFile"]]()


@pytest.fixture(name="run_snap")
def run_snap_fixture(tmp_path: Path) -> Callable[..., SnapRun]:
    """`engine.testing.run_snap` with the test's temporary folder as project."""
    from engine.testing.kit import run_snap

    return partial(run_snap, project=tmp_path)


@pytest.fixture(name="run_pipeline")
def run_pipeline_fixture(tmp_path: Path) -> Callable[..., PipelineRun]:
    """`engine.testing.run_pipeline`; a pipeline given as text is in the test's temporary folder."""
    from engine.testing.pipeline import run_pipeline

    return partial(run_pipeline, project=tmp_path)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("snapline")
    group.addoption(
        "--snap-conformance",
        action="store_true",
        help="check the snaps of collected snap packages against all rules, not only examples",
    )
    group.addoption(
        "--snapline-update",
        action="store_true",
        help="write the snapshots of test files instead of comparing them",
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the cases of a test file, or the examples of the snap in a file of an installed snap
    package."""
    if file_path.name.endswith((".test.yaml", ".test.yml")) and b"cases:" in file_path.read_bytes():
        from engine.testing.cases.items import CaseFile

        cases: CaseFile = CaseFile.from_parent(parent, path=file_path)
        return cases
    if file_path.suffix != ".py" or file_path.name.startswith(("_", "test_", "conftest")):
        return None
    stash = parent.config.stash
    if _FILES not in stash:
        from engine.testing.collection import installed_files

        stash[_FILES] = installed_files()
    file = stash[_FILES].get(file_path.resolve())
    if file is None:
        return None
    from engine.testing.collection import SnapModule

    module: SnapModule = SnapModule.from_parent(parent, path=file_path)
    module.file = file
    return module
