"""Collect neighbouring documents with equal fields into a list in one document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import compress
from operator import ne
from typing import Any

from engine.sdk import (
    Batch,
    ByRun,
    Columns,
    Document,
    Example,
    Foreign,
    Issue,
    Parallel,
    Path,
    Settings,
    Snap,
    TargetPath,
    Value,
    keys_of,
    setting,
)


class GroupByFieldsSettings(Settings):
    fields: tuple[Path, ...] = setting(
        help="The fields that are equal in a group.", example=["$customer"]
    )
    target_field: TargetPath = setting(
        default=TargetPath("group"), help="Where the list is in the output document."
    )
    null_safe_access: bool = setting(
        default=False, help="Read a missing field as null; otherwise it fails the document."
    )


class GroupByFields(Snap[GroupByFieldsSettings]):
    since = "0.4.0"
    about = """
    A group ends when a field changes, so sort the documents by these fields first. The output also
    has a map `groupBy` with the values of the fields, each under its last name. A group is one
    document, so it must fit in memory.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-groupbyfields",
        "Group By Fields",
        version=1,
        settings={
            "fields[].field": "fields[]",
            "groupFields[]": "fields[]",
            "targetField": "target_field",
            "groupsOutput": "target_field",
            "nullSafeAccess": "null_safe_access",
        },
        ignored=(
            "memorySensitivity",
            "minGroupSize",
            "minimumMemory",
            "outOfResourceTimeout",
            "passThroughGroupingFieldValues",
        ),
    )
    loses_lineage = "puts documents of several requests into one document"
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "orders of each customer",
            settings={"fields": ["$customer"], "target_field": "orders"},
            given=[
                {"customer": "a", "id": 1},
                {"customer": "a", "id": 2},
                {"customer": "b", "id": 3},
            ],
            expect=[
                {
                    "groupBy": {"customer": "a"},
                    "orders": [{"customer": "a", "id": 1}, {"customer": "a", "id": 2}],
                },
                {"groupBy": {"customer": "b"}, "orders": [{"customer": "b", "id": 3}]},
            ],
        ),
        Example(
            "values that are equal but not neighbours are two groups",
            settings={"fields": ["$a"]},
            given=[{"a": 1}, {"a": 2}, {"a": 1}],
            expect=[
                {"groupBy": {"a": 1}, "group": [{"a": 1}]},
                {"groupBy": {"a": 2}, "group": [{"a": 2}]},
                {"groupBy": {"a": 1}, "group": [{"a": 1}]},
            ],
        ),
    )

    @classmethod
    def parallel_for(cls, settings: GroupByFieldsSettings) -> Parallel:
        return ByRun(settings.fields, settings.null_safe_access)

    @classmethod
    def check(cls, settings: GroupByFieldsSettings) -> Iterable[Issue]:
        if not settings.fields:
            yield Issue(("fields",), "there is no field to group by", "add one such as $customer")

    def open(self) -> None:
        settings = self.settings
        null_safe = settings.null_safe_access
        self._columns = Columns(self.context, settings.fields, null_safe=null_safe)
        paths = [self.context.path(field) for field in settings.fields]
        self._names = [
            path.names[-1] if path.names else field.text
            for path, field in zip(paths, settings.fields, strict=True)
        ]
        self._target = self.context.path(settings.target_field)
        self._held: list[Document] = []
        self._key: Any = object()  # unlike the key of any document
        self._values: list[Value] = []

    def process_batch(self, view: str, batch: Batch) -> Batch:
        batch, columns = self._columns.of_batch(batch)
        keys = keys_of(columns)
        groups: list[Document] = []
        begin = 0
        for end in compress(range(len(keys)), map(ne, keys, [self._key, *keys])):
            self._held += batch.items[begin:end]
            if self._held:
                groups.append(self._group())
            self._values = [column[end] for column in columns]
            begin = end
        self._held += batch.items[begin:]
        self._key = keys[-1] if keys else self._key
        return Batch(groups)

    def finish(self) -> Iterator[Document]:
        if self._held:
            yield self._group()

    def end_of_run(self) -> Iterator[Document]:
        self._key = object()
        return self.finish()

    def _group(self) -> Document:
        documents, self._held = self._held, []
        by_name: Document = {"groupBy": dict(zip(self._names, self._values, strict=True))}
        names = self._target.names
        if names is not None and len(names) == 1:
            return {**by_name, names[0]: documents}
        group: Document = self._target.set(by_name, documents)
        return group
