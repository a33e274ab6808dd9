"""What `engine run` shows of an exception in a user's snap."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

OWN_SNAP = '''"""Divide."""

from engine.sdk import Document, Snap


class Divide(Snap):
    stateful = False

    def process(self, document: Document) -> Document:
        return {"x": 1 / document["n"]}
'''


@pytest.fixture
def divide(tmp_path: Path) -> dict[str, str]:
    """The environment of an engine that knows a snap which raises exceptions."""
    package = tmp_path / "installed" / "dividing"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "divide.py").write_text(OWN_SNAP)
    described = tmp_path / "installed" / "dividing-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: dividing\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text("[engine.snaps]\ndividing = dividing\n")
    (tmp_path / "in.json").write_text('[{"n": 2}, {"n": 0}, {"n": 4}]')
    (tmp_path / "own.yaml").write_text("snaps: {half: {snap: Divide}}")
    return os.environ | {"PYTHONPATH": str(tmp_path / "installed")}


def test_the_place_and_the_document_are_shown_and_no_frame_of_the_engine(
    engine: Any, tmp_path: Path, divide: dict[str, str]
) -> None:
    done = engine("run", "own.yaml", "--input", "in.json", env=divide)
    assert done.returncode == 1
    assert done.stdout == '{"x":0.5}\n'
    assert "snap 'half' (Divide at own.yaml:1:9) failed on document 2" in done.stderr
    assert f'File "{tmp_path}/installed/dividing/divide.py", line 10, in process' in done.stderr
    assert 'return {"x": 1 / document["n"]}' in done.stderr
    assert 'the document: {"n":0}' in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_the_full_traceback(engine: Any, divide: dict[str, str]) -> None:
    done = engine("run", "own.yaml", "--input", "in.json", "--debug", env=divide)
    assert "Traceback (most recent call last)" in done.stderr
    assert "sdk/snap.py" in done.stderr


def test_an_exception_fails_only_its_document_if_on_error_says_so(
    engine: Any, tmp_path: Path, divide: dict[str, str]
) -> None:
    (tmp_path / "own.yaml").write_text("snaps: {half: {snap: Divide, on_error: discard}}")
    done = engine("run", "own.yaml", "--input", "in.json", env=divide)
    assert (done.returncode, done.stdout) == (0, '{"x":0.5}\n{"x":0.25}\n')
