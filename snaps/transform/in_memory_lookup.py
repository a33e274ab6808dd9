"""Add the fields of a matching document from a table, which is the second input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from engine.sdk import (
    Batch,
    ByKey,
    Columns,
    Example,
    Foreign,
    Issue,
    Parallel,
    Path,
    Settings,
    Snap,
    View,
    Views,
    check_memory,
    memory_setting,
    parse_size,
    setting,
)
from snaps.transform.shared.hash_join import HashJoin, JoinRules


class LookupPath(Settings):
    left_path: Path = setting(help="The field of the document.", example="$customer")
    right_path: Path = setting(help="The field of the table that must be equal.", example="$id")


class InMemoryLookupSettings(Settings):
    join_paths: tuple[LookupPath, ...] = setting(
        help="The fields that must be equal; all rows must match.",
        example=[{"left_path": "$customer", "right_path": "$id"}],
    )
    single_document_output: bool = setting(
        default=False,
        help="Use only the first match, so that each document yields one; needed in ultra tasks.",
    )
    memory: int | str = memory_setting()


class InMemoryLookup(Snap[InMemoryLookupSettings]):
    since = "0.4.0"
    about = """
    The first link brings the documents, the second one the table, which is read first. A document
    without a match is passed on as it is. A field of the table whose name the document has, too, is
    called `<input>_<field>`, as in `customers_id`. A table that is larger than the memory continues
    on disk, and the documents then leave at the end.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-inmemorylookup",
        "In-Memory Lookup",
        version=1,
        settings={
            "joinPaths[].leftPath": "join_paths[].left_path",
            "joinPaths[].rightPath": "join_paths[].right_path",
            "singleDocumentOutput": "single_document_output",
        },
        ignored=("minimumMemory", "outOfResourceTimeout"),
    )
    views = Views(
        inputs=(
            View(
                "input",
                many=True,
                named=True,
                minimum=2,
                unlinked="refused",
                read_first="all but the first",
            ),
        )
    )
    plain = True
    changes_input = False
    examples = (
        Example(
            "the name of the customer",
            settings={"join_paths": [{"left_path": "$customer", "right_path": "$id"}]},
            given={
                "orders": [{"id": 7, "customer": 1}, {"id": 8, "customer": 2}],
                "customers": [{"id": 1, "name": "Ann"}],
            },
            expect=[
                {"id": 7, "customer": 1, "customers_id": 1, "name": "Ann"},
                {"id": 8, "customer": 2},
            ],
        ),
        Example(
            "only the first match",
            settings={
                "join_paths": [{"left_path": "$k", "right_path": "$k"}],
                "single_document_output": True,
            },
            given={"input0": [{"k": 1}], "input1": [{"k": 1, "n": 1}, {"k": 1, "n": 2}]},
            expect=[{"k": 1, "input1_k": 1, "n": 1}],
        ),
    )

    @classmethod
    def loses_lineage_for(cls, settings: InMemoryLookupSettings) -> str:
        if settings.single_document_output:
            return ""
        return "may pass on several documents for one; set single_document_output to true"

    @classmethod
    def parallel_for(cls, settings: InMemoryLookupSettings) -> Parallel:
        rows = settings.join_paths
        left, right = (row.left_path for row in rows), (row.right_path for row in rows)
        return ByKey((tuple(left), tuple(right)), null_safe=True)

    @property
    def holds_back(self) -> bool:
        return self._join.is_spilled

    def hold_back(self) -> None:
        self._join.spill()

    @classmethod
    def check(cls, settings: InMemoryLookupSettings) -> Iterable[Issue]:
        if not settings.join_paths:
            hint = "add a row with left_path and right_path"
            yield Issue(("join_paths",), "there is nothing to compare", hint)
        yield from check_memory(settings.memory)

    @classmethod
    def check_inputs(
        cls, settings: InMemoryLookupSettings, inputs: Sequence[str]
    ) -> Iterable[Issue]:
        if len(inputs) > 2:
            message = f"it has two inputs, but {len(inputs)} links: {', '.join(inputs)}"
            yield Issue((), message, "use a Join for several tables")

    def open(self) -> None:
        settings, context = self.settings, self.context
        left = [row.left_path for row in settings.join_paths]
        right = [row.right_path for row in settings.join_paths]
        self._first, table = context.inputs
        rules = JoinRules(
            context,
            table,
            Columns(context, left, null_safe=True),
            Columns(context, right, null_safe=True),
            "left_outer",
            first_only=settings.single_document_output,
        )
        self._join = HashJoin(rules, parse_size(settings.memory))

    def process_batch(self, view: str, batch: Batch) -> Iterator[dict[str, Batch]]:
        found = self._join.left(batch) if view == self._first else self._join.right(batch)
        return ({"output": each} for each in found)

    def finish(self) -> Iterator[Batch]:
        return self._join.finish()

    def close(self) -> None:
        self._join.close()
