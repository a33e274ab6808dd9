"""The snaps that are installed: a value that is passed on, never a global.

Snap packages announce themselves by the entry-point group `engine.snaps`; the built-in package is
found the same way. A package is a folder of modules, or a single module; one file holds one snap,
whose class is named as the file is. So the names follow from the files, and a snap's module is
imported when the snap is used: what is installed beside it costs nothing and can break nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

from engine.errors import NotASnapError
from engine.registry.files import SnapFile, files_of
from engine.registry.loading import SnapClass
from engine.registry.registry import Registry

__all__ = ["GROUP", "Registry", "SnapClass", "SnapFile", "discover", "files_of", "snaps_of"]

GROUP = "engine.snaps"
_log = logging.getLogger(__name__)


def discover() -> Registry:
    """All snaps of all installed packages; a package that is not there is logged and left out."""
    entries = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    return Registry(files=[file for entry in entries for file in _files_of(entry)])


def _files_of(entry: EntryPoint) -> list[SnapFile]:
    try:
        return list(files_of(entry.module))
    except Exception as error:  # noqa: BLE001  # finding a subpackage runs what is above it
        name = entry.dist.name if entry.dist else entry.value
        _log.warning(
            "the snap package %r cannot be found, so its snaps are unknown: %s: %s",
            name,
            type(error).__name__,
            error,
        )
        return []


def snaps_of(package: ModuleType) -> Iterator[SnapClass]:
    """The snap classes of a package. Raises UnusableSnapError for one that cannot be used."""
    registry = Registry(files=files_of(package.__name__))
    for name in registry:
        try:
            yield registry[name]
        except NotASnapError:  # some other class that has a file of its own
            continue
