"""Format a file: indentation, spaces and empty lines. Comments, quotes and line breaks stay.

Lines move, but nothing in them is written again. The result is composed and compared with the
original; if anything has changed its meaning, nothing is formatted.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise

from engine.errors import EngineError, Problem
from engine.language.extents import is_flow
from engine.language.named import node_at
from engine.late_regex import late_regex
from engine.pipeline.load import compose_text, is_platform_export
from engine.pipeline.nodes import Entry, Items, Node, Scalar, Table
from engine.pipeline.source import Source
from engine.pipeline.text import Mark

INDENT = 2
_ARROW = late_regex(r"[ \t]*->[ \t]*")


class FormatRefusedError(EngineError):
    """The file cannot be formatted, because it cannot be read completely."""


def formatted(text: str, path: str) -> str:
    """The text as it should be. Raises FormatRefusedError."""
    source, problems = compose_text(text, path)
    if source.root is None and not problems:
        return text
    if problems or source.root is None or source.lost:
        raise FormatRefusedError(_reason(problems))
    if is_platform_export(source) or is_flow(source.text.whole, source.root):
        raise FormatRefusedError(f"{path} is not written as YAML in lines")
    result = _Formatter(source).text()
    again, faults = compose_text(result, path)
    if (
        faults
        or again.root is None
        or not _are_equal(_with_spaced_arrows(source.root), _with_spaced_arrows(again.root))
    ):
        raise FormatRefusedError(f"{path} cannot be formatted without changing what it means")
    return result


def _reason(problems: list[Problem]) -> str:
    where = problems[0].where
    return f"{where}: {problems[0].message}; correct this before formatting the file"


class _Formatter:
    """Decides how far each line is indented, and writes the lines."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines = source.text.lines
        self.indents: dict[int, int] = {}  # of lines that begin with a key or an item
        self.inside: set[int] = set()  # lines that continue a value
        self.blocks: set[int] = set()  # those of them whose spaces count
        self.edits: dict[int, list[tuple[int, int, str]]] = {}

    def text(self) -> str:
        root = self.source.root
        if root is not None:
            self._place(root, 0)
            for link in _links(root):
                self._space_arrows(link)
        end = "\r\n" if "\r\n" in self.source.text.whole else "\n"
        return end.join([*self._written(), ""])

    # Where each line begins

    def _place(self, node: Node, indent: int) -> None:
        if isinstance(node, Table):
            own = [e for e in node.entries.values() if node.start.index <= e.key.start.index]
            for entry in own:  # the others are merged into it
                self._begin(entry.key.start, indent)
                self._value(entry.value, entry.key.end, indent)
            self._space_values(own)
            self._place_merges(node, indent)
        elif isinstance(node, Items):
            for item in node.items:
                self._item(item, indent)

    def _place_merges(self, table: Table, indent: int) -> None:
        """The keys `<<` of a map, which are not among its entries."""
        if "<<" not in self.source.text.whole:
            return
        column = table.start.column
        for line in range(table.start.line, min(table.end.line + 1, len(self.lines))):
            if self.lines[line].startswith("<<", column):
                self._begin(Mark(self.source.text.starts[line] + column, line, column), indent)

    def _value(self, value: Node, key: Mark, indent: int) -> None:
        if value.start.index < key.index:  # an alias
            return
        if isinstance(value, Scalar) or is_flow(self.source.text.whole, value):
            self._continue(value)
        else:
            self._place(value, indent + INDENT)

    def _item(self, item: Node, indent: int) -> None:
        line = item.start.line
        before = self.lines[line][: item.start.column]
        if before.strip() != "-":  # several dashes, or the item is on the line below its dash
            self._keep(item)
            return
        self._begin(Mark(item.start.index, line, before.index("-")), indent)
        self._edit(line, before.index("-") + 1, len(before), " ")
        if isinstance(item, Scalar) or is_flow(self.source.text.whole, item):
            self._continue(item)
        else:
            self._place(item, indent + INDENT)

    def _begin(self, mark: Mark, indent: int) -> None:
        """A key or a dash begins its line, unless a dash stands before it."""
        if not self.lines[mark.line][: mark.column].strip():
            self.indents[mark.line] = indent

    def _continue(self, node: Node) -> None:
        """Lines after the first one of a value move as far as the first."""
        is_block = isinstance(node, Scalar) and node.style in ("|", ">")
        last = node.end.line - (1 if is_block and node.end.column == 0 else 0)
        lines = range(node.start.line + 1, last + 1)
        self.inside.update(lines)
        if isinstance(node, Scalar):  # in a plain one, empty lines alone count
            self.blocks.update(n for n in lines if node.style or not self.lines[n].strip())
        else:
            self._space_flow(node)

    def _keep(self, node: Node) -> None:
        """Lines that move as far as the one before them."""
        self.inside.update(range(node.start.line, node.end.line + 1))

    # Spaces within lines

    def _edit(self, line: int, start: int, end: int, text: str) -> None:
        if self.lines[line][start:end] != text:
            self.edits.setdefault(line, []).append((start, end, text))

    def _space_values(self, entries: Sequence[Entry]) -> None:
        """One space before each value, unless it is aligned with that of the entry beside it."""
        columns = [self._column_of_value(entry) for entry in entries]
        for place, entry in enumerate(entries):
            column = columns[place]
            beside = (*columns[max(0, place - 1) : place], *columns[place + 1 : place + 2])
            if column is not None and column not in beside:
                line = entry.key.end.line
                self._edit(line, entry.key.end.column, column, ": ")

    def _column_of_value(self, entry: Entry) -> int | None:
        """Where the value begins if it is in the line of its key, with only a colon between."""
        key, value = entry.key.end, entry.value.start
        if value.line != key.line or value.column <= key.column:
            return None
        between = self.lines[key.line][key.column : value.column]
        return value.column if between.strip() == ":" and between[-1:] == " " else None

    def _space_flow(self, node: Node) -> None:
        """`{a: 1, b: [2, 3]}`: one space after commas and colons, none at the brackets."""
        if isinstance(node, Scalar) or not is_flow(self.source.text.whole, node):
            return
        if isinstance(node, Table):
            parts = [(entry.key.start, entry.value.end) for entry in node.entries.values()]
            self._space_values_in_flow(node)
        else:
            parts = [(item.start, item.end) for item in node.items]
        end = Mark(node.end.index - 1, node.end.line, node.end.column - 1)
        start = Mark(node.start.index + 1, node.start.line, node.start.column + 1)
        gaps = [(before[1], after[0]) for before, after in pairwise(parts)]
        if parts:
            self._space_gap(start, parts[0][0], "")
            self._space_gap(parts[-1][1], end, "")
        for before, after in gaps:
            self._space_gap(before, after, ", ")
        for child in node.children():
            self._space_flow(child)

    def _space_values_in_flow(self, table: Table) -> None:
        for entry in table.entries.values():
            column = self._column_of_value(entry)
            if column is not None:
                self._edit(entry.key.end.line, entry.key.end.column, column, ": ")

    def _space_gap(self, start: Mark, end: Mark, wanted: str) -> None:
        """The text between two parts, if there is nothing else in it and it is in one line."""
        if start.line == end.line and start.column <= end.column:
            between = self.lines[start.line][start.column : end.column]
            if between.strip() == wanted.strip():
                self._edit(start.line, start.column, end.column, wanted)

    def _space_arrows(self, link: Scalar) -> None:
        """One space on each side of the arrows of a link in one line."""
        if link.style or link.start.line != link.end.line:
            return
        for found in _ARROW.finditer(link.text):
            start = link.start.column + found.start()
            self._edit(link.start.line, start, link.start.column + found.end(), " -> ")

    # The lines

    def _written(self) -> Iterator[str]:
        shift, empty, has_begun = 0, 0, False
        begun = sorted(self.indents)
        for number in range(len(self.lines)):
            line = self._edited(number)
            if number in self.indents:
                shift = self.indents[number] - _indent_of(line)
            elif line.lstrip().startswith("#") and number not in self.inside:
                yield from [""] * min(empty, 1)
                yield " " * self._comment_indent(number, begun) + line.strip()
                empty, has_begun = 0, True
                continue
            if not line.strip() and number not in self.blocks:
                empty += has_begun
                continue
            yield from [""] * min(empty, 1)
            yield self._moved(line, number, shift)
            empty, has_begun = 0, True

    def _edited(self, number: int) -> str:
        line = self.lines[number]
        for start, end, text in sorted(self.edits.get(number, ()), reverse=True):
            line = line[:start] + text + line[end:]
        return line

    def _moved(self, line: str, number: int, shift: int) -> str:
        indent = _indent_of(line)
        rest = line[indent:] if number in self.blocks else line[indent:].rstrip()
        if not rest.strip():
            return line if number in self.blocks and shift == 0 else rest
        return " " * max(0, indent + shift) + rest

    def _comment_indent(self, number: int, begun: list[int]) -> int:
        """A comment moves with the line below it; if it is deeper, with one above it."""
        own = _indent_of(self.lines[number])
        place = bisect_left(begun, number)
        if place < len(begun) and own <= _indent_of(self.lines[begun[place]]):
            return self.indents[begun[place]]
        for above in reversed(begun[:place]):
            if _indent_of(self.lines[above]) <= own:
                return max(0, own + self.indents[above] - _indent_of(self.lines[above]))
        return 0


def _links(root: Node) -> Iterator[Scalar]:
    links = node_at(root, ("links",))
    for item in links.items if isinstance(links, Items) else ():
        if isinstance(item, Scalar):
            yield item


def _indent_of(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _are_equal(first: Node, second: Node) -> bool:
    """Whether two files say the same, in the same order and the same quotes."""
    if isinstance(first, Table) and isinstance(second, Table):
        pairs = zip(first.entries.items(), second.entries.items(), strict=False)
        return len(first.entries) == len(second.entries) and all(
            key == other
            and entry.key.style == that.key.style
            and _are_equal(entry.value, that.value)
            for (key, entry), (other, that) in pairs
        )
    if isinstance(first, Items) and isinstance(second, Items):
        items = zip(first.items, second.items, strict=False)
        return len(first.items) == len(second.items) and all(_are_equal(*pair) for pair in items)
    if isinstance(first, Scalar) and isinstance(second, Scalar):
        return first.text == second.text and first.style == second.style
    return False


def _with_spaced_arrows(root: Node) -> Node:
    for link in _links(root):
        if not link.style:
            link.text = _ARROW.sub(" -> ", link.text)
    return root
