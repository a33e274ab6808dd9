"""What `engine run` shows of an exception in a user's snap."""

from __future__ import annotations

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
def divide(tmp_path: Path, with_snap: Any) -> dict[str, str]:
    """The environment of an engine that knows a snap which raises exceptions."""
    (tmp_path / "in.json").write_text('[{"n": 2}, {"n": 0}, {"n": 4}]')
    (tmp_path / "own.yaml").write_text("snaps: {half: {snap: Divide}}")
    environment: dict[str, str] = with_snap("divide", OWN_SNAP)
    return environment


def test_the_place_and_the_document_are_shown_and_no_frame_of_the_engine(
    engine: Any, tmp_path: Path, divide: dict[str, str]
) -> None:
    done = engine("run", "own.yaml", "--input", "in.json", env=divide)
    assert done.returncode == 1
    assert done.stdout == '{"x":0.5}\n'
    assert "snap 'half' (Divide at own.yaml:1:9) failed on document 2" in done.stderr
    assert f'File "{tmp_path}/installed/divide/divide.py", line 10, in process' in done.stderr
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
