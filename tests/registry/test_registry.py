"""Snaps are found by entry point; what is wrong with one package does not stop the others."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from engine import registry
from engine.errors import ConfigurationError
from engine.registry import Registry

GOOD = """
from abc import ABC, abstractmethod

from engine.sdk import Settings, Snap, setting

class DoubleSettings(Settings):
    field: str = setting(help="What to double.")

class Double(Snap[DoubleSettings]):
    def process(self, document):
        return {"n": 2 * document[self.settings.field]}

class Plain(Snap):
    def process(self, document):
        return document

class _Base(Snap):
    pass

class Family(Snap, ABC):
    @abstractmethod
    def answer(self): ...

class Member(Family):
    def answer(self):
        return 42
"""

Discover = Callable[..., Registry]


@pytest.fixture
def discover(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Discover:
    """Discover the snaps of packages made of the given modules."""
    monkeypatch.syspath_prepend(tmp_path)

    def discover_packages(**packages: dict[str, str]) -> Registry:
        entries = []
        for name, modules in packages.items():
            folder = tmp_path / name
            folder.mkdir()
            for module, text in {"__init__": "", **modules}.items():
                (folder / f"{module}.py").write_text(text)
            entries.append(EntryPoint(name, name, registry.GROUP))
            for loaded in [key for key in sys.modules if key.split(".")[0] == name]:
                monkeypatch.delitem(sys.modules, loaded)
        monkeypatch.setattr(registry, "entry_points", lambda group: entries)
        return registry.discover()

    return discover_packages


def test_finds_the_snaps_of_a_package_by_their_class_names(discover: Discover) -> None:
    found = discover(my_snaps_a={"numbers": GOOD})
    assert sorted(found) == ["Double", "Member", "Plain"]


def test_a_broken_package_is_named_and_does_not_stop_the_others(
    discover: Discover, caplog: pytest.LogCaptureFixture
) -> None:
    found = discover(
        my_snaps_b={"numbers": GOOD}, my_snaps_c={"broken": "raise RuntimeError('boom')"}
    )
    assert "Double" in found
    assert "the snap package 'my_snaps_c' cannot be loaded" in caplog.text
    assert "RuntimeError: boom" in caplog.text


def test_a_main_module_is_not_run(discover: Discover) -> None:
    found = discover(my_snaps_d={"numbers": GOOD, "__main__": "raise SystemExit(3)"})
    assert "Double" in found


def test_two_snaps_of_one_name_are_refused(discover: Discover) -> None:
    with pytest.raises(ConfigurationError, match="two installed packages have a snap called"):
        discover(my_snaps_e={"numbers": GOOD}, my_snaps_f={"numbers": GOOD})
