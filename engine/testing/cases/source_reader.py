"""The values of a test file with their places, and the documents and files that it gives."""

from __future__ import annotations

import base64
from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeVar

from engine.errors import Problem
from engine.pipeline.nodes import Items, Node, Scalar, Table, plain
from engine.pipeline.source import KeyPath, Source
from engine.sdk.conversion import convert, convert_partly
from engine.sdk.settings import Settings, nearest_hint, shown
from engine.testing.cases.case import Given
from engine.testing.cases.documents import encoded_json

S = TypeVar("S", bound=Settings)
_FILE_KEYS = ("text", "json", "base64", "file")


class SourceReader:
    """Reads values by their paths, and gathers the mistakes in `problems`."""

    def __init__(self, source: Source, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems
        self.folder = Path(source.text.path).parent

    def settings(self, cls: type[S], path: KeyPath) -> S | None:
        """The values at the path as settings, or None; mistakes are reported."""
        settings, issues = convert(cls, self.value(path))
        for issue in issues:
            at = (*path, *issue.path)
            is_key = issue.at_key or issue.code == "missing-setting"
            self.report(issue.code, at, issue.message, issue.hint, at_key=is_key)
        return settings

    def partly(self, cls: type[Settings], path: KeyPath) -> dict[str, Any]:
        """The values that have no mistake, converted; mistakes are reported."""
        self.settings(cls, path)
        value = self.value(path)
        return convert_partly(cls, value) if isinstance(value, dict) else {}

    def node(self, path: KeyPath) -> Node | None:
        node = self.source.root
        for step in path:
            if isinstance(node, Table) and str(step) in node.entries:
                node = node.entries[str(step)].value
            elif isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
                node = node.items[step]
            else:
                return None
        return node

    def value(self, path: KeyPath) -> Any:
        node = self.node(path)
        return None if node is None else plain(node)

    def table(self, path: KeyPath) -> dict[str, Node]:
        node = self.node(path)
        if not isinstance(node, Table):
            return {}
        return {key: entry.value for key, entry in node.entries.items()}

    def report(
        self, code: str, path: KeyPath, message: str, hint: str = "", *, at_key: bool = False
    ) -> None:
        where = self.source.where_key(path) if at_key else self.source.where(path)
        self.problems.append(Problem(code, where, message, hint))

    # What is given

    def given(self, path: KeyPath) -> Given:
        """The documents, or binary streams, at a path."""
        value = self.value(path)
        if isinstance(value, list):
            return Given(path, tuple(value))
        if isinstance(value, dict) and len(value) == 1:
            ((key, named),) = value.items()
            if key == "file" and isinstance(named, str):
                return self._given_file((*path, "file"), named)
            if key == "csv" and isinstance(named, str):
                return Given(path, csv=named)
        hint = "write a list of documents, {file: NAME} or {csv: TEXT}"
        message = f"{shown(str(path[-1]))} must be documents, not {kind_of(self.node(path))}"
        self.report("wrong-type", path, message, hint)
        return Given(path)

    def _given_file(self, path: KeyPath, name: str) -> Given:
        file = self.folder / name
        if not file.is_file():
            self.report("missing-file", path, f"there is no file {shown(str(file))}")
            return Given(path)
        return Given(path, file=str(file))

    def content(self, path: KeyPath) -> bytes | None:
        """The content of a file; None if there is a mistake."""
        value = self.value(path)
        if isinstance(value, str):
            return value.encode()
        if isinstance(value, list):
            return encoded_json(value)
        if isinstance(value, dict) and len(value) == 1 and (key := next(iter(value))) in _FILE_KEYS:
            inner, at = value[key], (*path, key)
            if key == "json":
                return encoded_json(inner)
            if isinstance(inner, str):
                return self._named_content(key, at, inner)
        hint = "write its text, or a map with one of text, json, base64 and file"
        message = f"{shown(str(path[-1]))} must be the content of a file, not "
        self.report("wrong-type", path, f"{message}{kind_of(self.node(path))}", hint)
        return None

    def _named_content(self, key: str, path: KeyPath, text: str) -> bytes | None:
        if key == "text":
            return text.encode()
        if key == "file":
            given = self._given_file(path, text)
            return Path(given.file).read_bytes() if given.file else None
        try:
            return base64.b64decode(text, validate=True)
        except ValueError:
            self.report("bad-setting", path, "'base64' is not valid Base64")
            return None


def kind_of(node: Node | None) -> str:
    """What a node is, for a message."""
    if isinstance(node, Scalar):
        return "nothing" if node.value is None else shown(node.text)
    return "a list" if isinstance(node, Items) else "a map"


def label_hint(label: str, labels: Collection[str], *, has_views: bool = True) -> str:
    """What to write instead of a label that a pipeline does not have. Views may be below a label
    that `has_views`."""
    snap, dot, view = label.partition(".")
    if has_views and dot and snap in labels:
        return f"write the view below the snap: {snap}: {{{view}: [...]}}"
    return nearest_hint(label, labels) or f"its snaps are: {', '.join(labels) or 'none'}"
