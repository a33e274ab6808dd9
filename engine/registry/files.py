"""The files of a snap package, and the snap that each of them holds, found without importing them.

A snap's file is named after its class: `json_parser.py` holds JSONParser. Where the capitals are
only the class statement itself can say, so that is looked up in the text of the file.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

SHARED = "shared"
NOT_DERIVED = "derive it from engine.sdk.Snap"
_CLASS = re.compile(r"^[ \t]*class[ \t]+(?P<name>\w+)[ \t]*(?P<bases>\()?", re.MULTILINE)


class ClassStatement(NamedTuple):
    """Where a class begins, and whether it is derived from anything."""

    line: int
    derived: bool


class SnapFile:
    """One module that may hold a snap: a path in a folder, or in a zip file."""

    def __init__(self, module: str, path: str) -> None:
        self.module = module
        self.path = path

    @property
    def key(self) -> str:
        """What the file's name says of the snap's: all but the capitals."""
        return folded(self.module.rpartition(".")[2])

    @property
    def snap_name(self) -> str:
        """The class that has the file's name; empty if there is none."""
        for name, statement in self.classes.items():
            if statement.derived and folded(name) == self.key:
                return name
        return ""

    @property
    def root(self) -> Path:
        """The folder of its package, or the file itself if the package is a single module."""
        path = Path(self.path)
        return (path, *path.parents)[self.module.count(".")]

    @cached_property
    def classes(self) -> dict[str, ClassStatement]:
        """The classes in the text of the file."""
        text = self._source()
        found: dict[str, ClassStatement] = {}
        for match in _CLASS.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.setdefault(match["name"], ClassStatement(line, bool(match["bases"])))
        return found

    def _source(self) -> str:
        try:
            data = Path(self.path).read_bytes()
        except OSError:
            data = self._packed_source()
        return data.decode("utf-8-sig", errors="replace")

    def _packed_source(self) -> bytes:
        """The text of a module in a zip file; nothing for one that is only there compiled."""
        spec = find_spec(self.module)
        source = getattr(spec.loader, "get_source", lambda name: None) if spec else None
        return ((source(self.module) if source else None) or "").encode()


def folded(name: str) -> str:
    """A class, file or display name without its capitals and separators."""
    return re.sub(r"[\W_]", "", name).lower()


def snake_case(name: str) -> str:
    """The name of the file for a class: `JSONParser` -> `json_parser`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def files_of(package: str) -> Iterator[SnapFile]:
    """The files of a package that may hold a snap: those of `shared` folders, `__init__` and other
    files whose name begins with an underscore do not.

    Raises ModuleNotFoundError for a package that is not there.
    """
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {package!r}")
    if spec.submodule_search_locations is None:
        yield SnapFile(package, spec.origin or "")
    else:
        yield from _walk(spec.submodule_search_locations, package)


def _walk(folders: Iterable[str], package: str) -> Iterator[SnapFile]:
    for folder in folders:
        found = _listed(Path(folder)) if Path(folder).is_dir() else _listed_in_zip(folder)
        for path, name, is_package in found:
            if name == SHARED or name.startswith("_"):
                continue
            if is_package:
                yield from _walk([path], f"{package}.{name}")
            else:
                yield SnapFile(f"{package}.{name}", path)


def _listed(folder: Path) -> Iterator[tuple[str, str, bool]]:
    """(path, name, is it a package) of what can be imported from a folder, packages without
    `__init__` too."""
    for path in sorted(folder.iterdir()):
        if path.suffix == ".py":
            yield str(path), path.stem, False
        elif path.name.isidentifier() and path.is_dir():
            yield str(path), path.name, True


def _listed_in_zip(folder: str) -> Iterator[tuple[str, str, bool]]:
    for found in pkgutil.iter_modules([folder]):
        suffix = "" if found.ispkg else ".py"
        yield f"{folder}/{found.name}{suffix}", found.name, found.ispkg
