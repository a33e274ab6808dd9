"""What an editor and this server know of each other: open files, folders, units of positions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lsprotocol import types
from pygls.uris import from_fs_path, to_fs_path

from engine.errors import ConfigurationError
from engine.language import Document, Position, Range, Workspace
from engine.language.answers import Target
from engine.language.positions import Lines
from engine.preview import samples

_BYTES_OF_UNIT = {"utf-8": 1, "utf-16": 2, "utf-32": 4}
_CODECS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}


class Session:
    """The files that an editor has open, by URI, in the terms of `engine.language`.

    `encoding` is the unit in which the editor counts the characters of a line. `runs_commands`:
    it has the commands that lenses start, which are not those of the server.
    `shows_label_details`: its list of completions has room for them.
    """

    def __init__(self, encoding: str = "utf-16") -> None:
        self.workspace = Workspace(samples=samples)
        self.runs_commands = False
        self.shows_label_details = False
        self.encoding = str(encoding) if str(encoding) in _CODECS else "utf-16"
        self._uris: dict[str, str] = {}

    # Files

    def open(self, uri: str, text: str, version: int) -> Document:
        path = path_of(uri)
        self._uris[path] = uri
        return self.workspace.open(path, text, version)

    def change(
        self,
        uri: str,
        version: int,
        changes: Sequence[types.TextDocumentContentChangeEvent],
    ) -> Document | None:
        """The document after the changes; None if the file is not open."""
        path = path_of(uri)
        if path not in self._uris:
            return None
        text = self.workspace.document(path).text
        for change in changes:
            if isinstance(change, types.TextDocumentContentChangePartial):
                lines = Lines(text)
                place = self._in_utf16(change.range, lines)
                start, end = sorted(map(lines.index, place))
                text = text[:start] + change.text + text[end:]
            else:
                text = change.text
        return self.workspace.open(path, text, version)

    def close(self, uri: str) -> None:
        path = path_of(uri)
        self._uris.pop(path, None)
        self.workspace.close(path)

    def document(self, uri: str) -> Document | None:
        """A file, open or not; None if it does not exist."""
        try:
            return self.workspace.document(path_of(uri))
        except ConfigurationError:
            return None

    def uri_of(self, path: str) -> str:
        """The URI of a file as the editor writes it, if it is open."""
        return self._uris.get(path) or from_fs_path(path) or path

    # Positions

    def position_in(self, document: Document, position: types.Position) -> Position:
        """A place as the editor counts it, in UTF-16 units."""
        return self._utf16(position, document.lines)

    def range_in(self, document: Document, place: types.Range) -> Range:
        return self._in_utf16(place, document.lines)

    def position(self, document: Document, position: Position) -> types.Position:
        """A place as the editor counts it."""
        character = position.character
        if self.encoding != "utf-16":
            index = document.lines.index(position)
            line = document.text[document.lines.line_around(index)[0] : index]
            character = self._units(line)
        return types.Position(position.line, character)

    def range(self, document: Document, place: Range) -> types.Range:
        return types.Range(self.position(document, place.start), self.position(document, place.end))

    def location(self, target: Target) -> types.Location:
        document = self.document(self.uri_of(target.path))
        line, character = target.range.start
        place = types.Range(types.Position(line, character), types.Position(*target.range.end))
        if document is not None:
            place = self.range(document, target.range)
        return types.Location(self.uri_of(target.path), place)

    def _in_utf16(self, place: types.Range, lines: Lines) -> Range:
        return Range(self._utf16(place.start, lines), self._utf16(place.end, lines))

    def _utf16(self, position: types.Position, lines: Lines) -> Position:
        if self.encoding == "utf-16":
            return Position(position.line, position.character)
        first = lines.index(Position(position.line, 0))
        start, end = lines.line_around(first)
        if position.line < 0 or lines.position(start).line < position.line:
            return lines.position(first)
        size = max(0, position.character) * _BYTES_OF_UNIT[self.encoding]
        before = lines.text[start:end].encode(_CODECS[self.encoding], "surrogatepass")[:size]
        index = start + len(before.decode(_CODECS[self.encoding], "ignore"))
        return lines.position(index)

    def _units(self, text: str) -> int:
        size = len(text.encode(_CODECS[self.encoding], "surrogatepass"))
        return size // _BYTES_OF_UNIT[self.encoding]


def path_of(uri: str) -> str:
    """The path of a file; a file without one, such as a new one, is called by its URI."""
    if uri.startswith("file:"):
        return to_fs_path(uri) or uri
    return uri.partition(":")[2].lstrip("/") or uri


def folder_paths(folders: Sequence[types.WorkspaceFolder]) -> tuple[Path, ...]:
    return tuple(Path(path_of(folder.uri)) for folder in folders)
