"""The pytest plugin: the fixture `run_snap`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from engine.testing.kit import SnapRun


@pytest.fixture(name="run_snap")
def run_snap_fixture(tmp_path: Path) -> Callable[..., SnapRun]:
    """`engine.testing.run_snap` with the test's own folder as project."""
    from engine.testing.kit import run_snap  # pytest loads every plugin at start

    return partial(run_snap, project=tmp_path)
