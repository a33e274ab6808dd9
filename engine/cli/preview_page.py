"""A preview on a terminal: the snaps in order, and below each what left it, as tables or trees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from engine.cli import terminal_columns
from engine.cli.preview_values import Grid, grid_of, in_line, tree
from engine.cli.problems import has_colours
from engine.documents import Document
from engine.preview import Changes, Preview, SnapPreview, StreamPreview, ViewChange, ViewPreview
from engine.visible import visible, visible_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_INDENT = 2
_STYLES = {"+": "green", "~": "yellow"}
"""Of documents that are new, or changed since the last preview."""

_MOST_TREES = 3
"""Documents that are shown as trees, if they fit no table."""

_LONGEST_TREE = 60
"""Lines of one tree that are shown."""

_FIRST_LINES, _FIRST_BYTES = 5, 64
"""Lines of a binary stream that are shown, or bytes if it is not text."""

_MORE = "…"
_NO_BREAK = "\ue000"
"""Stands for a space at which no line is broken; rich breaks them at all spaces of Unicode."""


def print_preview(preview: Preview, out: TextIO, most: int, changes: Changes | None = None) -> None:
    """Show at most that many documents of each view; with `changes`, only of snaps that have some,
    and mark them."""
    from rich.console import Console

    console = Console(
        file=out,
        width=terminal_columns(),
        color_system="auto" if has_colours(out) else None,
        highlight=False,
        markup=False,
    )
    _Page(console, preview, most, changes).print()


class _Page:
    def __init__(
        self, console: Console, preview: Preview, most: int, changes: Changes | None
    ) -> None:
        self._console = console
        self._preview = preview
        self._most = most
        self._changes = changes
        self._width = console.width - _INDENT

    def print(self) -> None:
        was_short = True
        for snap in self._preview.snaps:
            is_short = self._changes is not None and not self._changes[snap.label].is_changed
            if snap is not self._preview.snaps[0] and not (is_short and was_short):
                self._console.print()
            self._snap(snap)
            was_short = is_short
        notes, failure = self._preview.notes, self._preview.failure
        if notes or failure:
            self._console.print()
        for note in notes:
            self._line(note, "yellow")
        if failure:
            self._line(failure, "red")
        if self._preview.reuse_note:
            self._console.print()
            self._line(self._preview.reuse_note, "dim")

    def _snap(self, snap: SnapPreview) -> None:
        from rich.text import Text

        title = Text(visible_line(snap.label), style="bold")
        title.append(f"  {visible_line(snap.type)}", style="not bold cyan")
        counts = [*_counts(snap), *(["as before"] if snap.is_reused else [])]
        words = f"{_NO_BREAK}· ".join(each.replace(" ", _NO_BREAK) for each in counts)
        title.append(f"  {words}", "not bold dim")
        for place, line in enumerate(self._filled(title, _INDENT)):
            self._console.print(" " * (_INDENT if place else 0), line, sep="")
        if self._changes is not None and not self._changes[snap.label].is_changed:
            return
        if snap.note:
            self._line(snap.note, "yellow", _INDENT)
        if snap.dropped_by:
            self._line(f"dropped by: {snap.dropped_by}", "dim", _INDENT)
        for view in snap.views:
            if view.count or not snap.note:
                self._view(snap, view)
        if snap.failure:
            self._line(f"✗ {snap.failure}", "red", _INDENT, hanging=2)

    def _view(self, snap: SnapPreview, view: ViewPreview) -> None:
        is_error = view.view == "error"
        target = f" → {view.target}" if view.target else ""
        nothing = "" if view.count else f": {_absence(snap, is_error=is_error)}"
        if len(snap.views) > 1 or target:
            name = view.name if len(snap.views) > 1 or is_error else ""
            self._line(f"{name}{target}".strip() + nothing, "red" if is_error else "green", _INDENT)
        elif nothing:
            self._line(nothing[2:], "dim", _INDENT)
        change = self._change_of(snap, view)
        if change:
            self._line(f"since the last preview: {change}", "yellow", _INDENT)
        marked = [_marked(number, at, change) for at, number in enumerate(view.numbers)]
        streams = [item for item in view.items if isinstance(item, StreamPreview)]
        documents = [item for item in view.items if isinstance(item, dict)]
        for stream in streams[: self._most]:
            self._stream(stream)
        shown = min(self._most, len(streams))
        if documents:
            show = self._errors if is_error else self._documents
            shown = show(documents, marked)
        if view.count > shown:
            self._line(f"… {view.count - shown:,} more of {view.count:,}", "dim", _INDENT)

    def _change_of(self, snap: SnapPreview, view: ViewPreview) -> ViewChange:
        if self._changes is None:
            return ViewChange()
        return self._changes[snap.label].views.get(view.view, ViewChange())

    def _documents(self, documents: Sequence[Document], numbers: Sequence[str]) -> int:
        """Show documents; how many."""
        given = documents[: self._most]
        grid = grid_of(given, numbers[: self._most], self._width)
        if grid is not None:
            self._grid(grid, numbers)
            return len(given)
        given = given[:_MOST_TREES]
        for number, document in zip(numbers, given, strict=False):
            self._tree(number, document)
        return len(given)

    def _errors(self, documents: Sequence[Document], numbers: Sequence[str]) -> int:
        given = documents[: self._most]
        for number, document in zip(numbers, given, strict=False):
            self._line(f"{number} ✗ {document.get('error', '')}", "red", _INDENT, hanging=2)
            for name in ("reason", "resolution"):
                if document.get(name):
                    self._line(f"{name}: {document[name]}", "", _INDENT + 2)
            if "original" in document:
                line = in_line(document["original"], self._width - 2, "original: ")
                self._line(line, "dim", _INDENT + 2)
        return len(given)

    def _grid(self, grid: Grid, numbers: Sequence[str]) -> None:
        from rich.text import Text

        self._console.print(Text(" " * _INDENT + grid.head, style="bold"))
        for number, row in zip(numbers, grid.rows, strict=False):
            self._console.print(Text(" " * _INDENT + row, style=_STYLES.get(number[0], "")))

    def _tree(self, number: str, document: Document) -> None:
        from rich.text import Text

        self._line(number, f"bold {_STYLES.get(number[0], '')}".rstrip(), _INDENT)
        lines = list(tree(document, self._width - 2))
        for line in lines[:_LONGEST_TREE]:
            self._console.print(Text(" " * (_INDENT + 2) + line))
        if len(lines) > _LONGEST_TREE:
            self._line(f"… {len(lines) - _LONGEST_TREE:,} more lines", "dim", _INDENT + 2)

    def _stream(self, stream: StreamPreview) -> None:
        self._line(f"binary stream, {stream.size:,} bytes read", "bold", _INDENT)
        for line in tree(stream.header, self._width - 2):
            self._line(line, "", _INDENT + 2)
        for line in _first_lines(stream, self._width - 4):
            self._line(line, "dim", _INDENT + 2)

    def _line(self, text: str, style: str = "", indent: int = 0, hanging: int = 0) -> None:
        """A text, wrapped to the width and indented; all lines but the first by `hanging` more."""
        from rich.text import Text

        shown = Text(visible(text), style=style)
        for place, line in enumerate(self._filled(shown, indent + hanging)):
            self._console.print(" " * (indent + (hanging if place else 0)), line, sep="")

    def _filled(self, text: Text, indent: int) -> Iterator[Text]:
        """The lines of a text, wrapped to what an indent leaves of the width."""
        for line in text.wrap(self._console, self._console.width - indent):
            line.rstrip()
            line.plain = line.plain.replace(_NO_BREAK, " ")
            yield line


def _marked(number: int, position: int, change: ViewChange) -> str:
    """The number of an item, and whether it is new or another one than before."""
    mark = "+" if position in change.added else "~" if position in change.changed else ""
    return f"{mark}{number}"


def _counts(snap: SnapPreview) -> list[str]:
    counts = [
        (snap.documents_in, "in"),
        (snap.documents_out, "out"),
        (snap.dropped, "dropped"),
        (snap.errors, "error" if snap.errors == 1 else "errors"),
    ]
    return [f"{count:,} {name}" for count, name in counts if count] or ["nothing in or out"]


def _absence(snap: SnapPreview, *, is_error: bool) -> str:
    if is_error:
        return "no document failed"
    if snap.documents_in:
        return f"0 of {snap.documents_in:,} reached here"
    return "nothing reached here"


def _first_lines(stream: StreamPreview, width: int) -> Iterator[str]:
    """The first lines of text, or the first bytes in hexadecimal, and whether more follows."""
    data = stream.start
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        if error.start < len(data) - 3:
            for start in range(0, min(len(data), _FIRST_BYTES), 16):
                piece = data[start : start + 16]
                shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
                yield f"{piece.hex(' '):<47}  {shown}" if width >= 65 else piece[:8].hex(" ")
            if stream.size > _FIRST_BYTES:
                yield _MORE
            return
        text = data[: error.start].decode()
    lines = text.splitlines()
    for line in lines[:_FIRST_LINES]:
        yield in_line(line, width, quotes=False)
    if len(lines) > _FIRST_LINES or stream.size > len(data):
        yield _MORE
