"""The cores of a machine or a container."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.cluster import cores


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The control groups of a machine with 16 cores, of which this process is in `slice/task`."""
    (tmp_path / "own").write_text("0::/slice/task\n")
    folder = tmp_path / "groups"
    (folder / "slice" / "task").mkdir(parents=True)
    monkeypatch.setattr(cores, "OWN_GROUP", str(tmp_path / "own"))
    monkeypatch.setattr(cores, "GROUPS", str(folder))
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)
    return folder


def test_a_machine_without_limits_has_all_its_cores(groups: Path) -> None:
    (groups / "slice" / "cpu.max").write_text("max 100000\n")
    assert cores.count_of("auto") == 16


@pytest.mark.parametrize("place", ["", "slice", "slice/task"])
def test_a_container_has_as_many_as_it_may_use(groups: Path, place: str) -> None:
    (groups / place / "cpu.max").write_text("250000 100000\n")
    assert cores.count_of("auto") == 3


def test_a_small_container_has_one(groups: Path) -> None:
    (groups / "cpu.max").write_text("10000 100000\n")
    assert cores.count_of("auto") == 1


def test_a_system_without_control_groups_has_all_its_cores(groups: Path) -> None:
    (groups.parent / "own").unlink()
    (groups / "cpu.max").write_text("10000 100000\n")
    assert cores.count_of("auto") == 16


def test_a_number_stays(groups: Path) -> None:
    (groups / "cpu.max").write_text("10000 100000\n")
    assert cores.count_of(4) == 4
