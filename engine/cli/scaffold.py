"""Makes the files of a template: which, where, and with which names in them.

A template is a folder of files that work as they are, with `new_name` where the user's name goes.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from engine.errors import ConfigurationError
from engine.plan.folders import project_of
from engine.registry import GROUP
from engine.schema import schema_file

TEMPLATES = Path(__file__).with_name("templates")
SCHEMAS = "schemas"
"""The folder of a project that holds the JSON Schemas of its files."""

_HIDDEN = {"gitignore": ".gitignore"}
"""Files that are stored under another name, so that no tool takes them for its own."""


class NewFile(NamedTuple):
    path: Path
    text: str


class Project:
    """The folders of the project around a folder; new files go there if it has them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = Path(project_of(str(folder.absolute())))

    def folder(self, name: str) -> Path:
        """The folder of that name in the project, else the current one."""
        found = self._root / name
        return Path(os.path.relpath(found, self._folder.absolute())) if found.is_dir() else Path()

    def schema_line(self, kind: str, folder: Path) -> str:
        """The comment by which editors find the schema of a new file in `folder`; empty if the
        project has no schemas."""
        schema = self._root / SCHEMAS / schema_file(kind)
        if not schema.is_file():
            return ""
        path = Path(os.path.relpath(schema, folder.absolute())).as_posix()
        return f"# yaml-language-server: $schema={path}\n"

    def has_schemas(self) -> bool:
        return (self._root / SCHEMAS).is_dir()

    def snap_package(self) -> str:
        """The package of the project's own snaps; empty if it has none."""
        try:
            text = (self._root / "pyproject.toml").read_text(encoding="utf-8")
            entries = tomllib.loads(text)["project"]["entry-points"][GROUP]
        except (OSError, ValueError, KeyError):
            return ""
        packages = [name for name in entries.values() if (self._root / name).is_dir()]
        return str(packages[0]) if packages else ""


def filled(template: str, replaced: Mapping[str, str]) -> str:
    """The text of a template file, with each name in it replaced."""
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    for name, value in replaced.items():
        text = text.replace(name, value)
    return text


def files_of(kind: str) -> Iterator[str]:
    """The paths of the files of a template, in order."""
    for path in sorted((TEMPLATES / kind).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(TEMPLATES / kind).as_posix()


def stored_name(path: str) -> str:
    """What a file of a template is called where it is made."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{_HIDDEN.get(name, name)}"


def write_new(files: Iterable[NewFile]) -> None:
    """Write files. Raises ConfigurationError if one exists or cannot be written; then none is."""
    files = list(files)
    for file in files:
        if file.path.exists() or file.path.is_symlink():
            raise ConfigurationError(
                f"'{file.path}' already exists; choose another name, or remove it"
            )
    begun: list[Path] = []
    try:
        for file in files:
            file.path.parent.mkdir(parents=True, exist_ok=True)
            with file.path.open("x", encoding="utf-8") as opened:
                begun.append(file.path)
                opened.write(file.text)
    except OSError as error:
        for path in begun:
            path.unlink()
        raise ConfigurationError(f"cannot write '{file.path}': {error.strerror}") from error


def module_name(name: str) -> str:
    """A name as that of a module: `my-orders` -> `my_orders`."""
    return re.sub(r"\W+", "_", name).strip("_").lower()


def title(name: str) -> str:
    """A name as a title: `my_orders` -> `My orders`."""
    words = re.sub(r"[_-]+", " ", name).strip()
    return words[:1].upper() + words[1:]
