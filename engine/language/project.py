"""The files of the project around a document, among them those that are not open."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from engine.errors import ConfigurationError
from engine.language.named import full_path
from engine.language.workspace import Document
from engine.plan.folders import project_of

MAX_FILES = 2_000
"""A folder with more YAML files than that is searched in part: it is hardly a project."""

_MAX_VISITED = 50_000
_FOREIGN_FOLDERS = frozenset(("node_modules", "venv", "build", "dist", "__pycache__"))
_SUFFIXES = (".yaml", ".yml")


def project_documents(document: Document) -> Iterator[Document]:
    """The document, and those of the other YAML files of its project, open or on the disk."""
    yield document
    workspace, root = document.workspace, root_of(document)
    seen = {full_path(document.path)}
    for other in workspace.documents:
        path = full_path(other.path)
        if path not in seen and Path(root) in Path(path).parents:
            seen.add(path)
            yield other
    for path in yaml_files(root):
        if path not in seen:
            try:
                yield workspace.document(path)
            except ConfigurationError:
                continue  # it has vanished


def root_of(document: Document) -> str:
    """The folder of the editor that holds the document, or else of its project."""
    own = Path(full_path(document.path))
    holding = [each for each in document.workspace.folders if each in own.parents]
    if holding:
        return str(max(holding, key=lambda each: len(each.parts)))
    return project_of(str(own.parent))


def yaml_files(root: str) -> Iterator[str]:
    """The YAML files below a folder, without hidden folders and those of other tools."""
    found = visited = 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            each for each in folders if not each.startswith(".") and each not in _FOREIGN_FOLDERS
        )
        visited += len(names) + len(folders)
        for name in sorted(names):
            if name.endswith(_SUFFIXES):
                yield os.path.join(folder, name)  # noqa: PTH118  # a Path for each is slow
                found += 1
        if found >= MAX_FILES or visited >= _MAX_VISITED:
            return
