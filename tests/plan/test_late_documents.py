"""A snap that emits documents in `finish` is refused in an ultra task unless it says it may."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import Problem
from engine.registry import discover
from engine.sdk import Document, Settings, Snap
from tests.run.flowing import registry_with


class NoSettings(Settings):
    """No settings."""


class Keeps(Snap[NoSettings]):
    """Emits all documents at the end."""

    def open(self) -> None:
        self._kept: list[Document] = []

    def process(self, document: Document) -> None:
        self._kept.append(document)

    def finish(self) -> Iterable[Document]:
        return self._kept


class KeepsLineage(Keeps):
    loses_lineage = ""


class KeepsAgain(KeepsLineage):
    """The declaration of the base class does not cover this `finish`."""

    def finish(self) -> Iterable[Document]:
        return reversed(self._kept)


class Inherits(KeepsLineage):
    """Nothing new."""


def problems_of(folder: Path, snap: str, kind: str = "ultra") -> list[Problem]:
    (folder / "pipeline.yaml").write_text(f"snaps: {{one: {{snap: {snap}}}}}")
    schedule = "schedule: {every: 60}\n" if kind == "scheduled" else ""
    (folder / "task.yaml").write_text(f"type: {kind}\npipeline: pipeline.yaml\n{schedule}")
    registry = registry_with(Keeps, KeepsLineage, KeepsAgain, Inherits)
    return api.check(folder / "task.yaml", registry)


@pytest.mark.parametrize("snap", ["Keeps", "KeepsAgain"])
def test_it_is_refused_with_the_reason(snap: str, tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, snap)
    assert problem.code == "loses-lineage"
    assert f"'one' ({snap}) cannot be used between a request and its response" in problem.message
    assert "emits them in 'finish'" in problem.message
    assert 'loses_lineage = ""' in problem.hint


@pytest.mark.parametrize("snap", ["KeepsLineage", "Inherits"])
def test_one_that_says_that_it_keeps_lineage_is_taken(snap: str, tmp_path: Path) -> None:
    assert problems_of(tmp_path, snap) == []


def test_it_may_stand_in_a_task_of_another_type(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "Keeps", "triggered") == []


def test_every_snap_of_the_library_with_a_finish_says_what_it_does() -> None:
    registry = discover()
    assert [name for name in registry if _is_silent(registry[name])] == []


def _is_silent(snap: type[Snap[Any]]) -> bool:
    """Whether a class has a `finish`, its own or of a base, without a declaration in that class."""
    for cls in snap.__mro__:
        if vars(cls).keys() & {"loses_lineage", "loses_lineage_for"}:
            return False
        if cls is not Snap and "finish" in vars(cls):
            return True
    return False
