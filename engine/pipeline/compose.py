"""YAML text into nodes, within limits.

Nodes are composed from parser events with an explicit stack instead of recursion. That keeps the
place of every key, finds duplicate keys, and protects the process from files that are deeply nested
or full of aliases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import yaml

from engine.errors import Problem
from engine.locations import Location
from engine.pipeline import scalars
from engine.pipeline.nodes import Entry, Items, Node, Scalar, Table
from engine.pipeline.repairs import RepairedText
from engine.pipeline.text import Mark, Text
from engine.pipeline.yaml_issue import MAX_DEPTH, sign_hint, too_deep
from engine.sdk.settings import shown

MAX_NODES = 300_000
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STRING_TAGS = ("!", "tag:yaml.org,2002:str")
_TABLE_TAGS = ("!", "tag:yaml.org,2002:map")
_LIST_TAGS = ("!", "tag:yaml.org,2002:seq")
_BEGINNINGS = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_ENDS = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


def compose(text: Text) -> tuple[Node | None, list[Problem], frozenset[int]]:
    """The root node, or None if nothing could be read; all problems found; the lines left out.

    After a mistake in the YAML the text is repaired, or the lines around the mistake are left out,
    so that problems elsewhere are found as well.
    """
    repaired = RepairedText(text)
    problems: list[Problem] = []
    repair: Callable[[yaml.YAMLError], bool] | None = None
    while True:
        composer = _Composer(repaired)
        try:
            root = composer.run()
        except _LimitError as refused:
            return None, [*problems, *composer.problems, refused.problem], frozenset()
        except yaml.YAMLError as error:
            repair = repair or _repair_of(repaired, problems)
            if not repair(error):
                return None, problems, frozenset()
        else:
            return root, [*problems, *composer.problems], frozenset(repaired.damage)


def _repair_of(text: RepairedText, problems: list[Problem]) -> Callable[[yaml.YAMLError], bool]:
    from engine.pipeline.repairer import Repairer  # a file without mistakes does not need it

    return Repairer(text, problems).repair


class _LimitError(Exception):
    """The file exceeds a limit: nothing more is read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


class _OpenNode(msgspec.Struct):
    """A list or map that is still being read."""

    node: Items | Table
    key: Scalar | None = None
    merged: list[Table] = msgspec.field(default_factory=list)


class _Composer:
    def __init__(self, repaired: RepairedText) -> None:
        self.repaired = repaired
        self.text = repaired.original
        self._mark_at = repaired.mark
        self.problems: list[Problem] = []
        self.open: list[_OpenNode] = []
        self.anchors: dict[str, Node] = {}
        self.count = 0
        self.root: Node | None = None

    def run(self) -> Node | None:
        documents = 0
        for event in self._events():
            if isinstance(event, yaml.ScalarEvent):
                node = self._scalar(event)
                is_bare = event.anchor is not None and not node.text and not node.style
                self._add(self._bare_anchor(event) if is_bare else self._anchored(event, node))
            elif isinstance(event, _BEGINNINGS):
                self._begin(event)
            elif isinstance(event, _ENDS):
                self._end(event)
            elif isinstance(event, yaml.AliasEvent):
                self._add(self._alias(event))
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._report_second_document(event)
                    break
        return self.root

    def _mark(self, mark: Any) -> Mark:
        return self._mark_at(mark.line, mark.column)

    def _events(self) -> Iterator[yaml.Event]:
        return iter(yaml.parse(self.repaired.whole, Loader=_LOADER))

    def _report_second_document(self, event: yaml.Event) -> None:
        place = self.text.span(self._mark(event.start_mark), self._mark(event.end_mark))
        message = "a second YAML document starts here; a file can hold only one"
        hint = "remove the '---' line, or put the second document into a file of its own"
        self.problems.append(Problem("several-documents", place, message, hint))

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        start, end = self._mark(event.start_mark), self._mark(event.end_mark)
        style = event.style or ""
        if style in ("'", '"') and self.repaired.is_changed(start.line):
            style = style if self.text.whole.startswith(style, start.index) else ""
        scalar = Scalar(start, end, event.value, event.value, style)
        if event.tag is not None and event.tag not in _STRING_TAGS:
            self._report_tag(event.tag, self.text.span(start, end))
        elif event.tag is None and not event.style:
            self._resolve(scalar)
        return scalar

    def _resolve(self, scalar: Scalar) -> None:
        try:
            scalar.value = scalars.resolve(scalar.text)
        except ValueError as error:
            message = str(error) or f"{shown(scalar.text)} is not a number that JSON can hold"
            hint = "put it in quotes if it is meant as a string"
            place = self.text.span(scalar.start, scalar.end)
            self.problems.append(Problem("bad-number", place, message, hint))

    def _report_tag(self, tag: str, place: Location) -> None:
        message = f"YAML tags such as {shown(tag)} are not allowed"
        hint = "remove the tag" if tag.startswith("tag:") else sign_hint("!")
        self.problems.append(Problem("yaml-tag", place, message, hint))

    def _anchored(self, event: yaml.NodeEvent, node: Node) -> Node:
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def _bare_anchor(self, event: yaml.ScalarEvent) -> Scalar:
        """An anchor without a value, which was meant as a value that begins with `&`."""
        node = self._as_written(event)
        place = self.text.span(node.start, node.end)
        message = f"'&{event.anchor}' is an anchor without a value"
        self.problems.append(Problem("yaml-alias", place, message, sign_hint("&")))
        return node

    def _alias(self, event: yaml.AliasEvent) -> Node:
        place = self.text.span(self._mark(event.start_mark), self._mark(event.end_mark))
        node = self.anchors.get(str(event.anchor))
        if node is None:
            message = (
                f"'*{event.anchor}' refers to the anchor '&{event.anchor}', which does not exist"
            )
            self.problems.append(Problem("yaml-alias", place, message, sign_hint("*")))
            return self._as_written(event)
        if any(frame.node is node for frame in self.open):
            message = f"'*{event.anchor}' refers to a value that contains it"
            self.problems.append(Problem("yaml-alias", place, message, "write the value out"))
            return self._as_written(event)
        self._limit(place, node)
        return node

    def _as_written(self, event: yaml.Event) -> Scalar:
        start, end = self._mark(event.start_mark), self._mark(event.end_mark)
        text = self.text.whole[start.index : end.index]
        return Scalar(start, end, text, text)

    def _begin(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        start, end = self._mark(event.start_mark), self._mark(event.end_mark)
        is_table = isinstance(event, yaml.MappingStartEvent)
        if event.tag is not None and event.tag not in (_TABLE_TAGS if is_table else _LIST_TAGS):
            self._report_tag(event.tag, self.text.span(start, end))
        node = Table(start, end) if is_table else Items(start, end)
        self._anchored(event, node)
        self._limit(None, node)
        self.open.append(_OpenNode(node))

    def _end(self, event: yaml.Event) -> None:
        frame = self.open.pop()
        node = frame.node
        node.end = self._mark(event.end_mark)
        if isinstance(node, Table):
            for table in frame.merged:
                node.entries = node.entries | {
                    key: entry for key, entry in table.entries.items() if key not in node.entries
                }
        for child in node.children():
            node.size += child.size
            node.height = max(node.height, child.height + 1)
        self._attach(node)

    def _add(self, node: Node) -> None:
        if isinstance(node, Scalar):
            self._limit(None, node)
        self._attach(node)

    def _limit(self, place: Location | None, node: Node) -> None:
        self.count += node.size
        if self.count > MAX_NODES:
            place = place or self.text.span(node.start, node.end)
            message = f"the file has more than {MAX_NODES:,} values, with aliases expanded"
            hint = "keep data in a file of its own and read it with a snap"
            raise _LimitError(Problem("too-large", place, message, hint))
        if len(self.open) + node.height > MAX_DEPTH:
            raise _LimitError(too_deep(place or self.text.span(node.start, node.end)))

    def _attach(self, node: Node) -> None:
        if not self.open:
            self.root = node
            return
        frame = self.open[-1]
        if isinstance(frame.node, Items):
            frame.node.items.append(node)
        elif frame.key is None:
            frame.key = self._key(node)
        else:
            self._enter(frame, frame.node, frame.key, node)
            frame.key = None

    def _key(self, node: Node) -> Scalar:
        if isinstance(node, Scalar):
            return node
        start, text = node.start, self.text.whole[node.start.index : node.end.index]
        message = "a list or a map cannot be a key"
        hint = "put the key in quotes if it begins with { or ["
        if text.startswith("{") and self.text.whole.startswith("{", start.index - 1):
            start = Mark(start.index - 1, start.line, start.column - 1)
            message = "'{{ }}' is not filled in here"
            hint = "start a computed value with '=', such as = _name or = $field"
        if not self.repaired.is_changed(start.line):
            place = self.text.span(start, node.end)
            self.problems.append(Problem("yaml-error", place, message, hint))
        return Scalar(node.start, node.end, text, text)

    def _enter(self, frame: _OpenNode, table: Table, key: Scalar, value: Node) -> None:
        if key.text == "<<" and not key.style:
            self._merge(frame, key, value)
        elif first := table.entries.get(key.text):
            message = (
                f"the key {shown(key.text)} is already used on line {first.key.start.line + 1}"
            )
            place = self.text.span(key.start, key.end)
            hint = "remove or rename one of them"
            self.problems.append(Problem("duplicate-key", place, message, hint))
        else:
            table.entries[key.text] = Entry(key, value)

    def _merge(self, frame: _OpenNode, key: Scalar, value: Node) -> None:
        tables = value.items if isinstance(value, Items) else [value]
        for table in tables:
            if isinstance(table, Table):
                frame.merged.append(table)
            else:
                place = self.text.span(key.start, key.end)
                message = "'<<' merges maps, but its value is not a map"
                hint = "write '<<: *anchor' with the anchor of a map"
                self.problems.append(Problem("yaml-error", place, message, hint))
