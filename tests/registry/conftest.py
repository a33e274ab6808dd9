"""What finds the snaps of packages that a test writes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib import invalidate_caches
from pathlib import Path

import pytest

from engine import registry
from engine.registry import Registry
from engine.registry.packages import SnapPackage
from tests.registry.snap_files import Discover


@pytest.fixture
def discover(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Discover]:
    """Discover the snaps of packages: a map of file to text each, or the text of one module."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def discover_packages(**packages: Mapping[str, str] | str) -> Registry:
        for name, content in packages.items():
            if isinstance(content, str):
                (tmp_path / f"{name}.py").write_text(content)
                continue
            for file, text in content.items():
                path = tmp_path / name / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        return discover_installed(*packages)

    def discover_installed(*names: str) -> Registry:
        invalidate_caches()
        packages = [SnapPackage(name, name) for name in names]
        monkeypatch.setattr(registry, "snap_packages", lambda: packages)
        return registry.discover()

    discover_packages.installed = discover_installed  # type: ignore[attr-defined]
    yield discover_packages
    for module in set(sys.modules) - before:
        del sys.modules[module]
