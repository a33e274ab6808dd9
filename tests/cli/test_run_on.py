"""`engine run --on`, as far as it goes without Ray."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ONE = "snaps: {one: {snap: JSONGenerator, documents: {a: 1}}}"


@pytest.mark.parametrize("place", ["cluster", "ray:10001", "ray://", "ray://host", "ray://a b:1"])
def test_a_wrong_place_is_named(engine: Any, tmp_path: Path, place: str) -> None:
    (tmp_path / "one.yaml").write_text(ONE)
    done = engine("run", "one.yaml", "--on", place)
    assert done.returncode == 2
    assert f"argument --on: {place!r} must be 'ray' or 'ray://HOST:PORT'" in done.stderr


def test_options_that_need_one_process_are_refused(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(ONE)
    done = engine("run", "one.yaml", "--on", "ray", "--tap", "one")
    assert done.returncode == 2
    assert "--tap cannot be used together with --on" in done.stderr


@pytest.mark.skipif(find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_it_says_how_to_install_it(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(ONE)
    done = engine("run", "one.yaml", "--on", "ray")
    assert done.returncode == 2
    assert "--on ray needs Ray, which is not installed" in done.stderr
    assert "pip install 'snapline[ray]'" in done.stderr
