"""The snaps that are installed: a value that is passed on, never a global.

Snap packages announce themselves by the entry-point group `engine.snaps`; the built-in package is
found the same way. A package is a folder of modules; each snap class in it is known by its name.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

from engine.errors import ConfigurationError
from engine.sdk.settings import settings_of
from engine.sdk.snap import Snap

GROUP = "engine.snaps"
_log = logging.getLogger(__name__)
SnapClass = type[Snap[Any]]


@dataclass(frozen=True)
class Registry(Mapping[str, SnapClass]):
    """Snap classes by name, for example `Filter`."""

    snaps: Mapping[str, SnapClass]

    def __getitem__(self, name: str) -> SnapClass:
        return self.snaps[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.snaps)

    def __len__(self) -> int:
        return len(self.snaps)


def discover() -> Registry:
    """All snaps of all installed packages. Two of one name are a ConfigurationError."""
    found: dict[str, SnapClass] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        for snap in _loaded(entry):
            other = found.setdefault(snap.__name__, snap)
            if other is not snap:
                raise ConfigurationError(
                    f"two installed packages have a snap called {snap.__name__!r}: "
                    f"{other.__module__} and {snap.__module__}; uninstall one of them"
                )
    return Registry(dict(sorted(found.items())))


def _loaded(entry: EntryPoint) -> list[SnapClass]:
    """The snaps of one package; none, and a word about it, if the package is broken."""
    try:
        snaps = list(snaps_of(entry.load()))
        for snap in snaps:
            settings_of(snap.settings_class)
    except Exception as error:  # noqa: BLE001  # any code of another's may be in there
        name = entry.dist.name if entry.dist else entry.value
        _log.warning(
            "the snap package %r cannot be loaded, so its snaps are unknown: %s: %s",
            name,
            type(error).__name__,
            error,
        )
        return []
    return snaps


def snaps_of(package: ModuleType) -> Iterator[SnapClass]:
    """The snap classes that the modules of a package define."""
    for module in _modules(package):
        for value in vars(module).values():
            if _is_snap(value) and value.__module__ == module.__name__:
                yield value


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for found in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{package.__name__}."):
        if not found.name.endswith(".__main__"):  # that would run it
            yield importlib.import_module(found.name)


def _is_snap(value: object) -> bool:
    """A class that can be used as it is: no base that a family of snaps shares."""
    return (
        isinstance(value, type)
        and issubclass(value, Snap)
        and not value.__name__.startswith("_")
        and not inspect.isabstract(value)
    )
