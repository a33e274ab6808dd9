"""Join the documents of two or more inputs by the values of paths, or by their position."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from engine.sdk import (
    Batch,
    ByKey,
    Columns,
    Example,
    Expression,
    Foreign,
    Issue,
    Once,
    Parallel,
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
from snaps.transform.shared.sorted_input import SortedInput
from snaps.transform.shared.sorted_join import SortedJoin
from snaps.transform.shared.zipped_join import ZippedJoin

Step = HashJoin | SortedJoin


class JoinPath(Settings):
    left_path: Expression | None = setting(
        default=None,
        help="The value of the left document: of the first input, joined with the inputs of "
        "earlier rows.",
        example="$id",
    )
    right_input: str = setting(
        default="", help="The name of the right input; needed if there are several."
    )
    right_path: Expression | None = setting(
        default=None, help="The value of the right document.", example="$customer_id"
    )


class JoinSettings(Settings):
    join_type: Literal["inner", "left_outer", "outer", "merge"] = setting(
        default="inner",
        help="What happens to documents that match nothing: `inner` leaves them out, `left_outer` "
        "passes on those of the first input, `outer` all. `merge` ignores values and joins the "
        "first documents of all inputs, then the second ones, and so on.",
    )
    join_paths: tuple[JoinPath, ...] = setting(
        default=(),
        help="The values that must be equal; all rows of an input must match. The constants `1` "
        "and `1` join every document with every other.",
        example=[{"left_path": "$id", "right_path": "$customer_id"}],
    )
    sorted_streams: Literal["unsorted", "ascending", "descending"] = setting(
        default="unsorted",
        help="The order in which documents arrive. Sorted inputs are joined as they come; of "
        "unsorted ones, all but the first are read first. Either way, the order of the first "
        "input is kept.",
    )
    null_greater: bool = setting(
        default=False, help="In sorted inputs, whether null comes after all other values."
    )
    null_safe_access: bool = setting(
        default=False, help="Read a missing path as null; otherwise it fails the document."
    )
    no_match_data: bool = setting(
        default=False,
        help="Send documents of the first input that match nothing to the error view; only for "
        "inner joins.",
    )
    memory: int | str = memory_setting()


class Join(Snap[JoinSettings]):
    since = "0.4.0"
    about = """
    The first link is the left input, the others are right inputs: `customers -> join.customers`.
    A right field whose name the left document has, too, is called `<right input>_<field>`, as in
    `orders_id`; that holds for the key as well. Several right inputs are joined one after the
    other. Null never equals anything, and values are equal only if their types are: `1` equals
    `1.0`, but not `"1"`. A document without a match lacks the other side's fields.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-multijoin",
        "Join",
        version=1,
        settings={
            "joinType": "join_type",
            "joinPaths[].leftPath": "join_paths[].left_path",
            "joinPaths[].rightInputView": "join_paths[].right_input",
            "joinPaths[].rightPath": "join_paths[].right_path",
            "sortedStreams": "sorted_streams",
            "nullGreater": "null_greater",
            "nullSafeAccess": "null_safe_access",
            "noMatchData": "no_match_data",
            "joinCondition[].leftPath": "join_paths[].left_path",
            "joinCondition[].rightPath": "join_paths[].right_path",
            "joinPaths[].joinLeftSidePath": "join_paths[].left_path",
            "joinPaths[].joinRightSidePath": "join_paths[].right_path",
        },
        aliases=(
            "com-snaplogic-snaps-transform-join",
            "com-snaplogic-snaps-transform-extendedjoin",
        ),
        unsupported={
            "leftAlias": "a prefix for the fields of the left input",
            "rightAlias": "a prefix for the fields of the right input",
            "joinLeftSide": "a choice of fields",
            "joinRightSide": "a choice of fields",
        },
        views={"inputLeft": "input0", "inputRight": "input1"},
        choices={
            "joinType": {
                "Inner": "inner",
                "Left outer": "left_outer",
                "LeftOuter": "left_outer",
                "Left Outer": "left_outer",
                "Outer": "outer",
                "Merge": "merge",
            }
        },
        defaults={"sortedStreams": "Ascending"},
        ignored=(
            "availableMemoryThreshold",
            "minimumFreeDiskSpace",
            "minimumMemory",
            "outOfResourceTimeout",
        ),
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
            "customers with their orders",
            settings={"join_paths": [{"left_path": "$id", "right_path": "$customer"}]},
            given={
                "customers": [{"id": 1, "name": "Ann"}, {"id": 2, "name": "Bob"}],
                "orders": [{"id": 7, "customer": 1}, {"id": 8, "customer": 1}],
            },
            expect=[
                {"id": 1, "name": "Ann", "orders_id": 7, "customer": 1},
                {"id": 1, "name": "Ann", "orders_id": 8, "customer": 1},
            ],
        ),
        Example(
            "all documents of the first input, with or without a match",
            settings={
                "join_type": "left_outer",
                "join_paths": [{"left_path": "$zip", "right_path": "$zip"}],
            },
            given={
                "input0": [{"zip": "1010"}, {"zip": "9999"}],
                "input1": [{"zip": "1010", "city": "Vienna"}],
            },
            expect=[{"zip": "1010", "input1_zip": "1010", "city": "Vienna"}, {"zip": "9999"}],
        ),
        Example(
            "a document of settings beside every other document",
            settings={"join_paths": [{"left_path": "1", "right_path": "1"}]},
            given={"rows": [{"n": 1}, {"n": 2}], "settings": [{"rate": 0.2}]},
            expect=[{"n": 1, "rate": 0.2}, {"n": 2, "rate": 0.2}],
        ),
        Example(
            "by position",
            settings={"join_type": "merge"},
            given={"names": [{"name": "Ann"}, {"name": "Bob"}], "ages": [{"age": 41}]},
            expect=[{"name": "Ann", "age": 41}, {"name": "Bob"}],
        ),
        Example(
            "documents without a match are errors",
            settings={
                "join_paths": [{"left_path": "$id", "right_path": "$id"}],
                "no_match_data": True,
            },
            on_error="route",
            given={"left": [{"id": 1}], "right": []},
            expect={
                "error": [
                    {
                        "error": "no document of the input 'right' matches",
                        "reason": "its keys are [1]",
                        "resolution": "use a left outer join to pass on documents without a match",
                        "stacktrace": "no document of the input 'right' matches: its keys are [1]",
                        "snap_details": {"label": "snap"},
                        "original": {"id": 1},
                    }
                ]
            },
        ),
    )

    _steps: Mapping[str, Step] = MappingProxyType({})
    _zip: ZippedJoin | None = None

    @classmethod
    def views_for(cls, settings: JoinSettings) -> Views:
        streams = settings.join_type == "merge" or settings.sorted_streams != "unsorted"
        if not streams:
            return cls.views
        return Views(inputs=(View("input", many=True, named=True, minimum=2, unlinked="refused"),))

    @classmethod
    def loses_lineage_for(cls, settings: JoinSettings) -> str:
        if settings.join_type == "merge":
            return "joins documents by position, so a request would wait for other inputs"
        if settings.join_type == "outer":
            return "passes on right documents without a match when all requests have ended"
        if settings.sorted_streams != "unsorted":
            return "waits for the next documents of sorted inputs; set sorted_streams to unsorted"
        return ""

    @classmethod
    def parallel_for(cls, settings: JoinSettings) -> Parallel:
        if settings.join_type == "merge":
            return Once("joins documents by their position")
        if settings.sorted_streams != "unsorted":
            return Once("reads sorted inputs side by side")
        rows = settings.join_paths
        if len({row.right_input for row in rows}) > 1:
            return Once("joins several inputs, one after the other")
        left = tuple(row.left_path for row in rows if row.left_path)
        right = tuple(row.right_path for row in rows if row.right_path)
        if not any("$" in path.text for path in (*left, *right)):
            return Once("joins every document with every other")
        return ByKey((left, right), settings.null_safe_access)

    @property
    def holds_back(self) -> bool:
        return any(step.is_spilled for step in self._steps.values() if isinstance(step, HashJoin))

    def hold_back(self) -> None:
        for step in self._steps.values():
            if isinstance(step, HashJoin):
                step.spill()

    @classmethod
    def check(cls, settings: JoinSettings) -> Iterable[Issue]:
        yield from check_memory(settings.memory)
        if settings.join_type == "merge":
            return
        for number, row in enumerate(settings.join_paths):
            for name in ("left_path", "right_path"):
                if getattr(row, name) is None:
                    message = f"the setting {name!r} is missing"
                    hint = "write the path of the value that must be equal, such as $id"
                    yield Issue(("join_paths", number), message, hint, "missing-setting")

    @classmethod
    def check_inputs(cls, settings: JoinSettings, inputs: Sequence[str]) -> Iterable[Issue]:
        if settings.join_type == "merge":
            return
        left, *rights = inputs
        known = f"the right inputs are: {', '.join(rights)}"
        issues: list[Issue] = []
        for number, row in enumerate(settings.join_paths):
            path = ("join_paths", number, "right_input")
            if row.right_input == left:
                message = f"{left!r} is the left input, since it is linked first"
                issues.append(Issue(path, message, known))
            elif row.right_input and row.right_input not in rights:
                issues.append(Issue(path, f"there is no right input {row.right_input!r}", known))
            elif not row.right_input and len(rights) > 1:
                message = "the row does not say which right input it joins"
                issues.append(Issue(path[:-1], message, f"set right_input; {known}"))
        yield from issues
        joined = {row.right_input or rights[0] for row in settings.join_paths}
        for view in rights:
            if view not in joined and not issues:
                message = f"no row of join_paths joins the input {view!r}"
                hint = f"add a row with 'right_input: {view}', or remove the link"
                yield Issue(("join_paths",), message, hint)

    def open(self) -> None:
        settings = self.settings
        left, *rights = self.context.inputs
        memory = max(1, parse_size(settings.memory) // len(rights))
        if settings.join_type == "merge":
            self._zip = ZippedJoin(self.context.inputs, parse_size(settings.memory))
            return
        steps: dict[str, Step] = {}
        for view in rights:
            rules = self._rules(view, rights[0])
            if settings.sorted_streams == "unsorted":
                steps[view] = HashJoin(rules, memory)
            else:
                steps[view] = self._sorted(rules, left, memory)
        self._steps = steps

    def _rules(self, view: str, only: str) -> JoinRules:
        settings = self.settings
        rows = [row for row in settings.join_paths if (row.right_input or only) == view]
        left = [row.left_path for row in rows if row.left_path is not None]
        right = [row.right_path for row in rows if row.right_path is not None]
        null_safe = settings.null_safe_access
        assert settings.join_type != "merge"  # which has no steps
        return JoinRules(
            self.context,
            view,
            Columns(self.context, left, null_safe=null_safe),
            Columns(self.context, right, null_safe=null_safe),
            settings.join_type,
            report=settings.no_match_data and settings.join_type == "inner",
        )

    def _sorted(self, rules: JoinRules, left: str, memory: int) -> SortedJoin:
        first, second = (
            SortedInput(
                view,
                columns,
                descending=self.settings.sorted_streams == "descending",
                null_greater=self.settings.null_greater,
                memory=memory // 4,
                advice="sort the input by its key, or set sorted_streams to unsorted",
            )
            for view, columns in ((left, rules.left), (rules.view, rules.right))
        )
        return SortedJoin(rules, first, second, memory // 4)

    def process_batch(self, view: str, batch: Batch) -> Iterator[dict[str, Batch]]:
        if self._zip is not None:
            batches = self._zip.add(view, batch)
        elif view in self._steps:
            place = list(self._steps).index(view)
            batches = self._through(self._steps[view].right(batch), place + 1)
        else:
            batches = self._through(iter((batch,)), 0)
        for joined in batches:
            yield {"output": joined}

    def finish(self) -> Iterator[Batch]:
        if self._zip is not None:
            yield from self._zip.finish()
        for place, step in enumerate(self._steps.values()):
            yield from self._through(step.finish(), place + 1)

    def _through(self, batches: Iterator[Batch], place: int) -> Iterator[Batch]:
        """Batches of left documents, joined with the right inputs from a place on."""
        for step in list(self._steps.values())[place:]:
            batches = _joined(step, batches)
        return batches

    def close(self) -> None:
        for step in self._steps.values():
            step.close()
        if self._zip is not None:
            self._zip.close()


def _joined(step: Step, batches: Iterator[Batch]) -> Iterator[Batch]:
    for batch in batches:
        yield from step.left(batch)
