"""The command line in its own process, with its output."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main
from tests.cli.graphs import ROUTED


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    def run_engine(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "engine", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            **options,
        )

    return run_engine


@pytest.fixture
def with_snap(tmp_path: Path) -> Callable[[str, str], dict[str, str]]:
    """Install a snap of the user's own: the environment of an engine that knows it.

    `with_snap(module, source)`; the module is `installed/<module>/<module>.py`.
    """

    def install(module: str, source: str) -> dict[str, str]:
        package = tmp_path / "installed" / module
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / f"{module}.py").write_text(source)
        described = tmp_path / "installed" / f"{module}-1.0.dist-info"
        described.mkdir()
        (described / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n"
        )
        (described / "entry_points.txt").write_text(f"[engine.snaps]\n{module} = {module}\n")
        return os.environ | {"PYTHONPATH": str(tmp_path / "installed")}

    return install


@pytest.fixture
def draw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Draws a pipeline; what is printed."""
    monkeypatch.chdir(tmp_path)

    def run(pipeline: str, *options: str) -> str:
        Path("p.yaml").write_text(pipeline)
        assert main(["graph", "p.yaml", *options]) == 0
        return capsys.readouterr().out

    return run


@pytest.fixture
def report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The report of a run of the routed pipeline."""
    (tmp_path / "run.yaml").write_text(ROUTED)
    file = tmp_path / "report.json"
    main(["run", str(tmp_path / "run.yaml"), "--quiet", "--report", str(file)])
    capsys.readouterr()
    return file
