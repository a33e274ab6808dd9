"""The installed snaps, as a value that is passed around, never a global.

Snap packages register in the entry-point group `engine.snaps`; the built-in package is found the
same way. A package is a folder of modules, or a single module. One file contains one snap, and the
class has the name of the file. So names are known from the files, and a snap's module is imported
only when the snap is used: other installed snaps cost nothing and can break nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from types import ModuleType

from engine.errors import NotASnapError
from engine.registry.files import SnapFile, files_of
from engine.registry.loading import SnapClass
from engine.registry.packages import GROUP, SnapPackage, snap_packages
from engine.registry.registry import Registry

__all__ = ["GROUP", "Registry", "SnapClass", "SnapFile", "discover", "files_of", "snaps_of"]

_log = logging.getLogger(__name__)


def discover() -> Registry:
    """All snaps of all installed packages; a package that cannot be found is logged and skipped."""
    return Registry(files=[file for package in snap_packages() for file in _files_of(package)])


def _files_of(package: SnapPackage) -> list[SnapFile]:
    try:
        return list(files_of(package.module))
    except Exception as error:  # noqa: BLE001  # finding a subpackage imports its parents
        _log.warning(
            "cannot find the snap package %r, so its snaps are not available: %s: %s",
            package.distribution,
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
        except NotASnapError:  # some other class in its own file
            continue
