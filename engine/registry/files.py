"""The files of a snap package and the snap in each of them, found without importing them.

A snap's file is named after its class: `json_parser.py` contains JSONParser. The capitals are only
known from the class statement, so it is looked up in the text of the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from engine.late_regex import late_regex

SHARED = "shared"
NOT_DERIVED = "derive it from engine.sdk.Snap"
_CLASS = late_regex(r"^[ \t]*class[ \t]+(?P<name>\w+)[ \t]*(?:\((?P<bases>[^)]*))?", re.MULTILINE)


class ClassStatement(NamedTuple):
    """The line of a class statement and the text in its parentheses; None without parentheses."""

    line: int
    bases: str | None


class SnapFile:
    """One module that may contain a snap: a path in a folder or a zip file."""

    def __init__(self, module: str, path: str) -> None:
        self.module = module
        self.path = path

    @property
    def key(self) -> str:
        """The snap's name as known from the file name: without capitals."""
        return folded(self.module.rpartition(".")[2])

    @property
    def snap_name(self) -> str:
        """The class named like the file; empty if there is none."""
        for name, statement in self.classes.items():
            if statement.bases is not None and folded(name) == self.key:
                return name
        return ""

    @property
    def misplaced(self) -> str:
        """The message if the file contains a snap that it is not named after; else empty."""
        if self.snap_name:
            return ""
        for name in self.classes:
            if self.is_snap(name) and not name.startswith("_"):
                return self.misplacement(name)
        return ""

    def is_snap(self, name: str) -> bool:
        """Whether a class of the file is derived from a snap, as far as its text tells."""
        bases = self.classes[name].bases or ""
        return bool(re.search(r"Snap\b", bases)) and "ABC" not in bases

    def misplacement(self, name: str) -> str:
        """The message that a class is in the wrong file."""
        return (
            f"the class {name} is in {self.path}:{self.classes[name].line}, "
            f"but a snap's file is named after it: {snake_case(name)}.py"
        )

    @property
    def root(self) -> Path:
        """The folder of its package, or the file itself if the package is a single module."""
        path = Path(self.path)
        if path.stem == "__init__":
            path = path.parent
        return (path, *path.parents)[self.module.count(".")]

    @cached_property
    def classes(self) -> dict[str, ClassStatement]:
        """The classes in the text of the file."""
        text = self._source()
        found: dict[str, ClassStatement] = {}
        for match in _CLASS.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.setdefault(match["name"], ClassStatement(line, match["bases"]))
        return found

    def _source(self) -> str:
        """The text of the file; empty if it cannot be read or exists only in compiled form."""
        path = Path(self.path)
        try:
            return path.read_bytes().decode("utf-8-sig", errors="replace")
        except OSError:
            import pkgutil  # for a package in a zip file

            packed = getattr(pkgutil.get_importer(str(path.parent)), "get_source", None)
        try:
            return (packed and packed(path.stem)) or ""
        except ImportError:
            return ""


def folded(name: str) -> str:
    """A class, file or display name without its capitals and separators."""
    return re.sub(r"[\W_]", "", name).lower()


def snake_case(name: str) -> str:
    """The name of the file for a class: `JSONParser` -> `json_parser`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def files_of(package: str) -> Iterator[SnapFile]:
    """The files of a package that may contain a snap: not those in `shared` folders or with a
    leading underscore. The `__init__` of a folder counts under the folder's name.

    Raises ModuleNotFoundError for a package that is not there.
    """
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {package!r}")
    if spec.submodule_search_locations is None:
        yield SnapFile(package, spec.origin or "")
        return
    for folder in spec.submodule_search_locations:
        yield from _walk(folder, package)


def _walk(folder: str, package: str) -> Iterator[SnapFile]:
    for path, name, is_package in _listed(folder):
        if name == "__init__":
            yield SnapFile(package, path)
        elif name == SHARED or name.startswith("_"):
            continue
        elif is_package:
            yield from _walk(path, f"{package}.{name}")
        else:
            yield SnapFile(f"{package}.{name}", path)


def _listed(folder: str) -> Iterator[tuple[str, str, bool]]:
    """(path, name, whether it is a package) of everything importable from a folder, also in a zip
    file; a folder without `__init__` also counts as a package."""
    if not Path(folder).is_dir():
        import pkgutil

        for found in pkgutil.iter_modules([folder]):
            suffix = "" if found.ispkg else ".py"
            yield f"{folder}/{found.name}{suffix}", found.name, found.ispkg
        return
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.endswith(".py"):
                yield entry.path, entry.name.removesuffix(".py"), False
            elif entry.name.isidentifier() and entry.is_dir():
                yield entry.path, entry.name, True
