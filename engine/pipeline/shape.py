"""The shape of a pipeline file: which keys there are and what kind of value each takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from engine.errors import Problem
from engine.pipeline.links import ARROW, read_links
from engine.pipeline.nodes import Items, Node, Scalar, Table, plain
from engine.pipeline.source import KeyPath, Source
from engine.pipeline.spec import (
    LibrarySpec,
    LinkSpec,
    Mode,
    OnError,
    ParameterSpec,
    PipelineSpec,
    SnapSpec,
)
from engine.sdk.settings import nearest_hint, shown

_KEYS = ("pipeline", "description", "parameters", "libraries", "snaps", "links")
_PARAMETER_KEYS = ("default", "required", "secret", "description")
_LABEL_HINT = "a label may hold anything that can be read, but no '.' and no '->'"


def shape(source: Source, problems: list[Problem]) -> PipelineSpec:
    """The spec of a composed file; `problems` are those of composing it."""
    reader = _Reader(source, problems)
    return reader.pipeline()


class _Reader:
    def __init__(self, source: Source, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems

    def pipeline(self) -> PipelineSpec:
        path = self.source.text.path
        root = self.source.root
        top = self._table(root, (), "a pipeline file")
        self._known_keys(top, (), _KEYS)
        snaps = {snap.label: snap for snap in self._snaps(top.get("snaps"))}
        if not snaps and not self.problems:
            hint = "add one to 'snaps:'"
            message = "the pipeline has no snaps"
            self._report("missing-snaps", ("snaps",), message, hint, at_key=True)
        return PipelineSpec(
            name=self._text(top.get("pipeline"), ("pipeline",)) or Path(path).stem,
            path=path,
            source=self.source,
            description=self._text(top.get("description"), ("description",)),
            parameters=tuple(self._parameters(top.get("parameters"))),
            libraries=tuple(self._libraries(top.get("libraries"))),
            snaps=snaps,
            links=tuple(self._links(top.get("links"))),
            problems=tuple(self.problems),
        )

    def _snaps(self, node: Node | None) -> Iterator[SnapSpec]:
        for label, value in self._table(node, ("snaps",), "'snaps'").items():
            path: KeyPath = ("snaps", label)
            if not label.strip() or not label.isprintable() or "." in label or ARROW in label:
                message = f"{shown(label)} cannot be a label"
                self._report("bad-name", path, message, _LABEL_HINT, at_key=True)
            yield self._snap(label, value, path)

    def _snap(self, label: str, node: Node, path: KeyPath) -> SnapSpec:
        where = self.source.where_key(path)
        table = self._table(node, path, f"the snap {shown(label)}", filled=True)
        on_error = self._choice(table.pop("on_error", None), (*path, "on_error"), OnError)
        mode = self._choice(table.pop("mode", None), (*path, "mode"), Mode)
        kind = table.pop("snap", None)
        if kind is None and isinstance(node, Table):
            message = f"the snap {shown(label)} does not say which snap it is"
            hint = "add 'snap:' and the name of a snap"
            self._report("missing-snap-type", path, message, hint, at_key=True)
        return SnapSpec(
            label=label,
            type=self._text(kind, (*path, "snap")),
            where=where,
            settings={key: plain(value) for key, value in table.items()},
            on_error=on_error,
            mode=mode or "validate_and_execute",
        )

    def _links(self, node: Node | None) -> Iterator[LinkSpec]:
        for position, item in enumerate(self._items(node, ("links",))):
            path: KeyPath = ("links", position)
            if isinstance(item, Scalar) and isinstance(item.value, str):
                yield from read_links(self.source, path, item.value, self.problems)
            else:
                message = f"a link must be a text, not {_kind(item)}"
                self._report("bad-link", path, message, "write it as 'a -> b'")

    def _parameters(self, node: Node | None) -> Iterator[ParameterSpec]:
        for name, value in self._table(node, ("parameters",), "'parameters'").items():
            path: KeyPath = ("parameters", name)
            self._identifier(name, path, "parameter")
            yield self._parameter(name, value, path)

    def _parameter(self, name: str, node: Node, path: KeyPath) -> ParameterSpec:
        where = self.source.where_key(path)
        if isinstance(node, Scalar):
            return ParameterSpec(name, where, default=_as_text(node))
        table = self._table(node, path, f"the parameter {shown(name)}")
        self._known_keys(table, path, _PARAMETER_KEYS)
        return ParameterSpec(
            name=name,
            where=where,
            default=self._default(table.get("default"), (*path, "default")),
            required=self._flag(table.get("required"), (*path, "required")),
            secret=self._flag(table.get("secret"), (*path, "secret")),
            description=self._text(table.get("description"), (*path, "description")),
        )

    def _libraries(self, node: Node | None) -> Iterator[LibrarySpec]:
        for name, value in self._table(node, ("libraries",), "'libraries'").items():
            path: KeyPath = ("libraries", name)
            self._identifier(name, path, "library")
            if file := self._text(value, path):
                yield LibrarySpec(name, file, self.source.where(path))

    def _default(self, node: Node | None, path: KeyPath) -> str | None:
        if node is None or isinstance(node, Scalar):
            return None if node is None else _as_text(node)
        hint = "write JSON in quotes: '[1, 2]'"
        self._report("wrong-type", path, f"a default must be a text, not {_kind(node)}", hint)
        return None

    def _identifier(self, name: str, path: KeyPath, what: str) -> None:
        if name.isidentifier() and not name.startswith("_"):
            return
        message = f"{shown(name)} cannot be the name of a {what}"
        hint = "a name has letters, digits and _, and begins with a letter"
        if name.startswith("_") and name.strip("_").isidentifier() and what == "parameter":
            plain_name = name.lstrip("_")
            hint = f"declare it as {plain_name!r}; expressions call it '_{plain_name}'"
        self._report("bad-name", path, message, hint, at_key=True)

    def _known_keys(self, table: dict[str, Node], path: KeyPath, known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                hint = nearest_hint(key, known) or f"the keys are: {', '.join(known)}"
                message = f"there is no key {shown(key)} here"
                self._report("unknown-key", (*path, key), message, hint, at_key=True)

    def _table(
        self, node: Node | None, path: KeyPath, what: str, *, filled: bool = False
    ) -> dict[str, Node]:
        """The entries of a map; an empty value is an empty map unless it must be filled."""
        if isinstance(node, Table):
            return {key: entry.value for key, entry in node.entries.items()}
        if node is not None and (filled or not _is_nothing(node)):
            self._report("wrong-type", path, f"{what} must be a map, not {_kind(node)}")
        return {}

    def _items(self, node: Node | None, path: KeyPath) -> list[Node]:
        if isinstance(node, Items):
            return node.items
        if node is not None and not _is_nothing(node):
            message = f"'links' must be a list, not {_kind(node)}"
            self._report("wrong-type", path, message, "write each link on a line: '- a -> b'")
        return []

    def _text(self, node: Node | None, path: KeyPath) -> str:
        if node is None or _is_nothing(node):
            return ""
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return node.value
        hint = "put it in quotes" if isinstance(node, Scalar) else ""
        message = f"{shown(str(path[-1]))} must be a text, not {_kind(node)}"
        self._report("wrong-type", path, message, hint)
        return ""

    def _flag(self, node: Node | None, path: KeyPath) -> bool:
        value = node.value if isinstance(node, Scalar) else None
        if node is not None and not isinstance(value, bool):
            message = f"{shown(str(path[-1]))} must be true or false, not {_kind(node)}"
            self._report("wrong-type", path, message)
        return value is True

    def _choice(self, node: Node | None, path: KeyPath, choices: Any) -> Any:
        known = get_args(choices)
        value = node.value if isinstance(node, Scalar) else None
        if node is None or value in known:
            return value
        message = f"{shown(str(path[-1]))} cannot be {_kind(node)}"
        hint = nearest_hint(str(value), known) or f"it can be {', '.join(known)}"
        self._report("wrong-type", path, message, hint)
        return None

    def _report(
        self, code: str, path: KeyPath, message: str, hint: str = "", *, at_key: bool = False
    ) -> None:
        where = self.source.where_key(path) if at_key else self.source.where(path)
        self.problems.append(Problem(code, where, message, hint))


def _is_nothing(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _as_text(node: Scalar) -> str | None:
    """A default is the text as written: `1.0` stays `1.0`."""
    return None if node.value is None else node.text


def _kind(node: Node) -> str:
    if isinstance(node, Scalar):
        return "nothing" if node.value is None else shown(node.text)
    return "a list" if isinstance(node, Items) else "a map"
