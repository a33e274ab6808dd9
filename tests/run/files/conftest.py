"""The files of a project in a temporary folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.run.files import ProjectFiles


@pytest.fixture
def files(tmp_path: Path) -> ProjectFiles:
    (tmp_path / "pipelines").mkdir()
    return ProjectFiles(str(tmp_path / "pipelines"), str(tmp_path))
