"""The snap packages that installed distributions list in the entry-point group `engine.snaps`.

importlib.metadata finds the same ones, but importing it takes longer than reading these files: it
also imports a parser of mail headers. It is only used if the import path has more than folders.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

GROUP = "engine.snaps"
_DISTRIBUTION = "snapline"
_METADATA_FOLDERS = (".dist-info", ".egg-info")


class SnapPackage(NamedTuple):
    """A package or single module with snaps, and the distribution that installed it."""

    module: str
    distribution: str


def snap_packages() -> list[SnapPackage]:
    """All packages, sorted by the names of their entry points."""
    if any(path.endswith(".egg") or Path(path).is_file() for path in sys.path):
        return [package for _, package in sorted(_from_importlib())]
    return [package for _, package in sorted(_from_folders())]


def engine_version() -> str:
    """The version of the engine that is installed."""
    for path in sys.path:
        for folder in _metadata_in(path):
            name, _, rest = folder.name.partition("-")
            if name == _DISTRIBUTION and folder.suffix == ".dist-info":
                return rest.removesuffix(folder.suffix)
    from importlib.metadata import version

    return version(_DISTRIBUTION)


def _from_importlib() -> Iterator[tuple[str, SnapPackage]]:
    from importlib.metadata import entry_points

    for entry in entry_points(group=GROUP):
        distribution = entry.dist.name if entry.dist else entry.value
        yield entry.name, SnapPackage(entry.module, distribution)


def _from_folders() -> Iterator[tuple[str, SnapPackage]]:
    seen: set[str] = set()
    for path in sys.path:
        for folder in _metadata_in(path):
            distribution = folder.stem.partition("-")[0]
            key = distribution.lower().replace(".", "_")
            if key not in seen:  # the first on the path is the one that is imported
                seen.add(key)
                for name, module in _declared_in(folder):
                    yield name, SnapPackage(module, distribution)


def _metadata_in(path: str) -> list[Path]:
    with suppress(OSError), os.scandir(path or os.curdir) as entries:
        return [Path(entry.path) for entry in entries if entry.name.endswith(_METADATA_FOLDERS)]
    return []


def _declared_in(folder: Path) -> Iterator[tuple[str, str]]:
    """Name and module of the entry points in the group."""
    try:
        text = (folder / "entry_points.txt").read_text("utf-8")
    except OSError:
        return
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[] ")
        elif section == GROUP and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name.strip(), value.partition(":")[0].partition("[")[0].strip()
