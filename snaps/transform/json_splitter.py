"""Make a document of each element of a list in a document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice, repeat
from typing import Any

from engine.sdk import (
    BATCH_SIZE,
    Batch,
    DataError,
    Document,
    Example,
    Foreign,
    Issue,
    JsonPath,
    Lineage,
    Path,
    ReadPaths,
    Settings,
    Snap,
    TargetPath,
    Value,
    excerpt,
    fields_read,
    setting,
)

_ALL_ELEMENTS = re.compile(r"(\[\s*\*\s*\]|\.\*)(?=\s*([\"']\s*\)\s*)?$)")

_VALUE = "splitValue"
"""What SnapLogic calls an element that is not an object."""


class JSONSplitterSettings(Settings):
    json_path: Path = setting(
        help="The list: `$orders`, or `$orders[*].lines` for a list in each element of another.",
        example="$orders",
    )
    include_scalar_parents: bool = setting(
        default=False,
        help="Add the fields beside the list, and beside each object that contains it, unless they "
        "are lists or objects. A field of the element is never replaced.",
    )
    include_paths: tuple[Path, ...] = setting(
        default=(),
        help="Values to add, each at the same place as in the document. A path that goes through "
        "lists like `json_path` does (`$orders[*].id`) means the element that contains the list.",
        example=["$customer.name"],
    )
    exclude_list: bool = setting(
        default=False, help="Leave the list itself out of the values that `include_paths` add."
    )
    show_null_values: bool = setting(
        default=False, help="Add null for a path of `include_paths` that finds nothing."
    )
    null_safe_access: bool = setting(
        default=False,
        help="Drop a document whose list is missing or null; otherwise the document fails.",
    )


class JSONSplitter(Snap[JSONSplitterSettings]):
    since = "0.4.0"
    about = """
    An element that is not an object becomes the field `splitValue` of a document of its own. What
    the snap adds follows the fields of the element. A document with an empty list ends here.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-jsonsplitter",
        "JSON Splitter",
        version=1,
        settings={
            "path": "json_path",
            "jsonPath": "json_path",
            "includeParents": "include_scalar_parents",
            "includePaths[].includePath": "include_paths[]",
            "excludeList": "exclude_list",
            "showNullValues": "show_null_values",
            "nullSafeAccess": "null_safe_access",
        },
    )
    stateful = False
    plain = True
    changes_input = False
    examples = (
        Example(
            "one document for each order",
            settings={"json_path": "$orders"},
            given=[{"customer": "Ada", "orders": [{"id": 1}, {"id": 2}]}],
            expect=[{"id": 1}, {"id": 2}],
        ),
        Example(
            "with the fields beside the list",
            settings={"json_path": "$orders", "include_scalar_parents": True},
            given=[{"customer": "Ada", "tags": ["x"], "orders": [{"id": 1}, {"id": 2}]}],
            expect=[{"id": 1, "customer": "Ada"}, {"id": 2, "customer": "Ada"}],
        ),
        Example(
            "lists in lists, with values of the elements around them",
            settings={
                "json_path": "$orders[*].lines[*]",
                "include_paths": ["$by", "$orders[*].id"],
            },
            given=[
                {
                    "by": {"name": "Ada"},
                    "orders": [
                        {"id": 1, "lines": [{"item": "nut"}, {"item": "bolt"}]},
                        {"id": 2, "lines": [{"item": "nail"}]},
                    ],
                }
            ],
            expect=[
                {"item": "nut", "by": {"name": "Ada"}, "orders": {"id": 1}},
                {"item": "bolt", "by": {"name": "Ada"}, "orders": {"id": 1}},
                {"item": "nail", "by": {"name": "Ada"}, "orders": {"id": 2}},
            ],
        ),
        Example(
            "elements that are not objects",
            settings={"json_path": "$tags"},
            given=[{"tags": ["new", "red"]}],
            expect=[{"splitValue": "new"}, {"splitValue": "red"}],
        ),
        Example(
            "a document without a list fails",
            settings={"json_path": "$orders"},
            given=[{"orders": "none"}, {"orders": [{"id": 1}]}],
            on_error="discard",
            expect=[{"id": 1}],
        ),
    )

    @classmethod
    def reads(cls, settings: JSONSplitterSettings) -> ReadPaths | None:
        if settings.include_scalar_parents:
            return None
        return fields_read([settings.json_path, *settings.include_paths])

    @classmethod
    def check(cls, settings: JSONSplitterSettings) -> Iterable[Issue]:
        for place, path in enumerate(settings.include_paths):
            if path.text.strip() in ("", "$"):
                hint = "name a field, such as $id"
                yield Issue(
                    ("include_paths", place), "the document cannot be added to itself", hint
                )

    def open(self) -> None:
        settings, path = self.settings, self.context.path
        text, stripped = _ALL_ELEMENTS.subn("", settings.json_path.text, count=1)
        self._path = path(Path(text))
        self._takes_values = bool(stripped)
        self._added = [
            _Added(self._path, path(each), path(_target_of(each)), settings.show_null_values)
            for each in settings.include_paths
        ]
        self._needs_way = bool(self._added) or settings.include_scalar_parents
        self._is_plain = self._path.names is not None and not self._needs_way

    def process_batch(self, view: str, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        if self._is_plain and (lists := self._lists(batch)) is not None:
            return _in_batches(lists, batch.lineage)
        return self._one_by_one(batch)

    def _lists(self, batch: Batch) -> list[list[Document]] | None:
        """The lists of all documents; None if one of them needs more care."""
        get = self._path.get
        lists = [get(document, None) for document in batch.items]
        if not all(lists) or list(map(type, lists)).count(list) < len(lists):
            return None
        elements = chain.from_iterable(lists)
        return lists if set(map(type, elements)) == {dict} else None

    def _one_by_one(self, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        made: list[Document] = []
        lines: list[Lineage] | None = None if batch.lineage is None else []
        try:
            for position, document in enumerate(batch.items):
                line = batch.lineage_of(position)
                try:
                    parts = self._split(document)
                except DataError as error:
                    self.context.failed(error, document, line)
                    continue
                if not parts:
                    self.context.dropped(1, (line,))
                for elements, added in parts:
                    for start in range(0, len(elements), BATCH_SIZE):
                        made += _completed(elements[start : start + BATCH_SIZE], added)
                        if lines is not None:
                            lines += [line] * (len(made) - len(lines))
                        if len(made) >= BATCH_SIZE:
                            yield {"output": Batch(made, lines)}
                            made, lines = [], None if lines is None else []
        except Exception:  # raised again after what came before it
            if made:  # keep the results from before the failure
                yield {"output": Batch(made, lines)}
            raise
        if made:
            yield {"output": Batch(made, lines)}

    def _split(self, document: Document) -> list[tuple[list[Document], Document]]:
        """The elements of each list that has any, with what is added to each of them."""
        parts = []
        for way, value in self._found(document):
            elements = self._elements(value)
            if elements:
                parts.append((_documents(elements), self._additions(document, way, value)))
        return parts

    def _found(self, document: Document) -> list[tuple[tuple[Value, ...], Value]]:
        """Each list, with the containers around it if they are needed."""
        path = self._path
        if not path.is_definite:
            return path.trails(document)
        null_safe = self.settings.null_safe_access
        value = path.get(document, None) if null_safe else path.get(document)
        if value is None and null_safe:
            return []
        return path.trails(document) if self._needs_way else [((), value)]

    def _elements(self, value: Value) -> list[Any]:
        if value.__class__ is list:
            return value
        if value.__class__ is dict and self._takes_values:
            return list(value.values())
        if not self._path.is_definite:
            return [value] if not self._takes_values else []
        text = self.settings.json_path.text
        raise DataError(
            "JSON Splitter expects a list",
            f"it found {excerpt(value)} at {text!r}",
            _advice(value, text),
        )

    def _additions(self, document: Document, way: tuple[Value, ...], value: Value) -> Document:
        added: Document = {}
        if self.settings.include_scalar_parents:
            for container in way:  # a field of the nearest container counts
                if container.__class__ is dict:
                    added |= {
                        name: item
                        for name, item in container.items()
                        if item.__class__ is not dict and item.__class__ is not list
                    }
        if self._added:
            without_list = self.settings.exclude_list and self._path.names != ()
            source = self._path.delete(document) if without_list else document
            for each in self._added:
                added = each.to(added, source, (*way, value))
        return added


def _in_batches(
    lists: list[list[Document]], lineage: list[Lineage] | None
) -> Iterator[Mapping[str, Batch]]:
    """The elements of the lists, with the lineage of their documents."""
    elements = chain.from_iterable(lists)
    lines: Iterator[Lineage] = iter(())
    if lineage is not None:
        lines = chain.from_iterable(map(repeat, lineage, map(len, lists)))
    while made := list(islice(elements, BATCH_SIZE)):
        yield {"output": Batch(made, None if lineage is None else list(islice(lines, len(made))))}


class _Added:
    """A path of `include_paths`: where it begins, and where its value goes."""

    def __init__(
        self, list_path: JsonPath, path: JsonPath, target: JsonPath, shows_null: bool
    ) -> None:
        shared = 0 if path.is_definite else path.shared_steps(list_path)
        self._from = shared
        self._path = path.onward(shared)
        self._target = target
        self._default = None if shows_null else _NOTHING

    def to(self, added: Document, document: Document, way: tuple[Value, ...]) -> Document:
        begin = way[self._from] if self._from else document
        value = self._path.get(begin, self._default)
        if value is _NOTHING:
            return added
        if self._target.names is not None and len(self._target.names) == 1:
            return {**added, self._target.names[0]: value}
        changed: Document = self._target.set(added, value)
        return changed


_NOTHING = object()


def _target_of(path: Path) -> TargetPath:
    """The place of an included value: the fields of its path, without the lists on the way."""
    text = re.sub(r"^\s*jsonPath\s*\(\s*\$\s*,\s*([\"'])(.*)\1\s*\)\s*$", r"\2", path.text)
    return TargetPath(re.sub(r"\[\s*(\*|-?\d+)\s*\]", "", text))


def _completed(elements: list[Document], added: Document) -> list[Document]:
    if not added:
        return elements
    names = added.keys()
    return [
        {**each, **added} if names.isdisjoint(each) else _merged(each, added) for each in elements
    ]


def _merged(element: Document, added: Document) -> Document:
    """The element with what is added to it; a field of the element stays as it is."""
    merged = {**element}
    for name, value in added.items():
        mine = merged.setdefault(name, value)
        if mine is not value and mine.__class__ is value.__class__ is dict:
            merged[name] = _merged(mine, value)
    return merged


def _advice(value: Value, path: str) -> str:
    if value is None:
        return "set null_safe_access to drop documents without the list"
    return (
        "set json_path to the path of a list; where a single element stands without one, as from "
        f"XML, make one with a Mapper in front: sl.ensureArray({path})"
    )


def _documents(elements: list[Any]) -> list[Document]:
    if list(map(type, elements)).count(dict) == len(elements):
        return elements
    return [each if each.__class__ is dict else {_VALUE: each} for each in elements]
