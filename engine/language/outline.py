"""The outline of a file, its parts that can be folded, its links, and what can be run from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from engine.errors import ConfigurationError
from engine.language.extents import Extent, extents
from engine.language.mentions import mentions
from engine.language.positions import Range
from engine.language.project import yaml_files
from engine.language.workspace import Document, Workspace
from engine.pipeline.nodes import Scalar, Table

_MAX_FOUND = 200
_FOLDED_DEPTH = 6

SymbolKind = Literal["section", "snap", "parameter", "library", "case", "key"]
_KINDS: dict[str, SymbolKind] = {
    "snaps": "snap",
    "parameters": "parameter",
    "libraries": "library",
    "cases": "case",
}


class Symbol(msgspec.Struct, frozen=True):
    """A part of a file with a name; `range` is all of it, `name_range` its key."""

    name: str
    kind: SymbolKind
    range: Range
    name_range: Range
    detail: str = ""
    children: tuple[Symbol, ...] = ()


class Link(msgspec.Struct, frozen=True):
    """A name of a file, and the path of the file."""

    range: Range
    path: str


class Lens(msgspec.Struct, frozen=True):
    """Something that can be run from a line; `name` is a label or the name of a case."""

    range: Range
    action: Literal["preview", "test"]
    name: str = ""


def outline(document: Document) -> list[Symbol]:
    """The keys of the file; those with snaps, parameters, libraries or cases have them below."""
    return [
        _symbol(document, top, "section", _children(document, top))
        for top in extents(document.source)
    ]


def _children(document: Document, top: Extent) -> tuple[Symbol, ...]:
    kind = _KINDS.get(str(top.path[0]))
    if kind is None:
        return ()
    return tuple(_symbol(document, each, kind) for each in extents(document.source, top.path))


def _symbol(
    document: Document, extent: Extent, kind: SymbolKind, children: tuple[Symbol, ...] = ()
) -> Symbol:
    lines, key = document.lines, extent.entry.key
    return Symbol(
        str(extent.path[-1]) or "''",
        kind,
        lines.range(extent.start, extent.end),
        lines.range(key.start.index, key.end.index),
        _detail(extent),
        children,
    )


def _detail(extent: Extent) -> str:
    """The name of a snap, or a short value."""
    value = extent.entry.value
    if isinstance(value, Table) and "snap" in value.entries:
        value = value.entries["snap"].value
    return value.text if isinstance(value, Scalar) and value.text.isprintable() else ""


def foldings(document: Document) -> list[Range]:
    """The entries that take several lines."""
    ranges = (
        document.lines.range(each.start, each.end)
        for each in extents(document.source, depth=_FOLDED_DEPTH)
    )
    return [each for each in ranges if each.end.line > each.start.line]


def links(document: Document) -> list[Link]:
    """The files that the document names."""
    return [
        Link(document.lines.range(each.start, each.end), each.named.file)
        for each in mentions(document)
        if each.named.kind == "file" and Path(each.named.file).is_file()
    ]


def lenses(document: Document) -> list[Lens]:
    """A preview for each snap of a pipeline, a run for each case of a test file."""
    if document.kind == "pipeline":
        return [_lens(document, each, "preview") for each in extents(document.source, ("snaps",))]
    if document.kind == "test":
        return [_lens(document, each, "test") for each in extents(document.source, ("cases",))]
    return []


def _lens(document: Document, extent: Extent, action: Literal["preview", "test"]) -> Lens:
    key = extent.entry.key
    place = document.lines.range(key.start.index, key.end.index)
    return Lens(place, action, str(extent.path[-1]))


def find_symbols(workspace: Workspace, query: str) -> Iterator[tuple[Document, Symbol]]:
    """Snaps, parameters, libraries and cases in the folders of the editor whose names hold the
    letters of the query, in any case."""
    wanted, count = query.casefold(), 0
    for folder in workspace.folders:
        for path in yaml_files(str(folder)):
            try:
                document = workspace.document(path)
            except ConfigurationError:
                continue
            if wanted not in document.text.casefold():
                continue
            for top in outline(document):
                for symbol in top.children:
                    if wanted in symbol.name.casefold():
                        yield document, symbol
                        count += 1
                        if count >= _MAX_FOUND:
                            return
