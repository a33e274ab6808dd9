"""Collect every N documents into a list in one document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.sdk import (
    Batch,
    DataError,
    Document,
    Evaluated,
    Example,
    ExecutionError,
    Foreign,
    Issue,
    Settings,
    Snap,
    TargetPath,
    setting,
)
from snaps.shared.bounds import check_bounds


class GroupByNSettings(Settings):
    group_size: Evaluated[int] = setting(
        help="Documents in a group; 0 puts all documents into one. An expression may use "
        "parameters.",
        example=100,
    )
    target_field: TargetPath = setting(
        default=TargetPath("group"), help="Where the list is in the output document."
    )


class GroupByN(Snap[GroupByNSettings]):
    since = "0.4.0"
    about = """
    The last group may be smaller. A group is one document, so it must fit in memory.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-groupbyn",
        "Group By N",
        version=1,
        aliases=("com-snaplogic-snaps-grouper",),
        settings={
            "groupSize": "group_size",
            "targetField": "target_field",
            "group_size": "group_size",
            "target_field": "target_field",
        },
        ignored=("memorySensitivity", "minGroupSize", "minimumMemory", "outOfResourceTimeout"),
        unsupported={"flushTimeoutSecs": "groups that end after a time"},
    )
    loses_lineage = "puts documents of several requests into one document"
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "pairs",
            settings={"group_size": 2},
            given=[{"n": 1}, {"n": 2}, {"n": 3}],
            expect=[{"group": [{"n": 1}, {"n": 2}]}, {"group": [{"n": 3}]}],
        ),
        Example(
            "all documents in one list",
            settings={"group_size": 0, "target_field": "$result.rows"},
            given=[{"n": 1}, {"n": 2}],
            expect=[{"result": {"rows": [{"n": 1}, {"n": 2}]}}],
        ),
    )

    @classmethod
    def check(cls, settings: GroupByNSettings) -> Iterable[Issue]:
        return check_bounds(settings, "group_size")

    def open(self) -> None:
        try:
            self._size = self.context.value(self.settings.group_size, {})
        except DataError as error:
            raise ExecutionError(f"group_size cannot be computed: {error}") from error
        if self._size < 0:
            raise ExecutionError(f"group_size must be 0 or more, got {self._size}")
        self._target = self.context.path(self.settings.target_field)
        self._held: list[Document] = []

    def process_batch(self, view: str, batch: Batch) -> Batch | None:
        self._held += batch.items
        size = self._size
        if not size or len(self._held) < size:
            return None
        whole = len(self._held) - len(self._held) % size
        groups = [self._held[start : start + size] for start in range(0, whole, size)]
        del self._held[:whole]
        return Batch(list(map(self._group, groups)))

    def finish(self) -> Iterator[Document]:
        if self._held:
            yield self._group(self._held)

    def _group(self, documents: list[Document]) -> Document:
        group: Document = self._target.set({}, documents)
        return group
