"""Sort documents by the values of one or more paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from engine.sdk import (
    Batch,
    Columns,
    Example,
    ExternalSort,
    Foreign,
    Issue,
    Path,
    ReadPaths,
    Settings,
    Snap,
    SortOrder,
    check_memory,
    fields_read,
    memory_setting,
    parse_size,
    setting,
)


class SortPath(Settings):
    path: Path = setting(help="The value to sort by.", example="$name")
    order: Literal["ascending", "descending", "global"] = setting(
        default="global", help="The direction; `global` means that of `sort_order`."
    )


class SortSettings(Settings):
    sort_paths: tuple[Path | SortPath, ...] = setting(
        help="What to sort by: by the first path, then by the second where the first is equal, and "
        "so on. A path alone sorts in the direction of `sort_order`.",
        example=["$name"],
    )
    sort_order: Literal["ascending", "descending"] = setting(
        default="ascending", help="The direction of paths that do not say it themselves."
    )
    null_greater: bool = setting(
        default=False, help="Whether null is greater than all other values instead of less."
    )
    null_safe_access: bool = setting(
        default=True, help="Read a missing path as null; otherwise it fails the document."
    )
    memory: int | str = memory_setting()


class Sort(Snap[SortSettings]):
    since = "0.4.0"
    about = """
    Documents with equal values keep their order, in both directions. Numbers are ordered by value,
    strings by their UTF-16 units (so `Z` comes before `a`). Values of different types are ordered
    by type: null, booleans, numbers, dates, strings, binary data, lists, maps.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-sort",
        "Sort",
        version=2,
        settings={
            "sortPaths": "sort_paths",
            "sortPaths[].sortPath": "sort_paths[].path",
            "sortPaths[].sortOrderInd": "sort_paths[].order",
            "sortOrder": "sort_order",
            "nullGreater": "null_greater",
            "nullSafeAccess": "null_safe_access",
        },
        ignored=(
            "maxMemoryPercentage",
            "maxMemoryUnit",
            "minimumFreeDiskSpace",
            "minimumMemory",
            "outOfResourceTimeout",
        ),
    )
    loses_lineage = "holds all documents back until the last one has come"
    plain = True
    keeps_order = False
    changes_input = False
    shares_output = False
    passes_on = True
    examples = (
        Example(
            "by name, then the largest amount first",
            settings={"sort_paths": ["$name", {"path": "$amount", "order": "descending"}]},
            given=[
                {"name": "b", "amount": 1},
                {"name": "a", "amount": 9},
                {"name": "a", "amount": 10},
            ],
            expect=[
                {"name": "a", "amount": 10},
                {"name": "a", "amount": 9},
                {"name": "b", "amount": 1},
            ],
        ),
        Example(
            "a missing value is null, and null is least",
            settings={"sort_paths": ["$n"], "sort_order": "descending"},
            given=[{"id": 1}, {"n": 5}, {"n": 7}],
            expect=[{"n": 7}, {"n": 5}, {"id": 1}],
        ),
    )

    @classmethod
    def reads(cls, settings: SortSettings) -> ReadPaths | None:
        return fields_read(row.path for row in _rows(settings))

    @classmethod
    def check(cls, settings: SortSettings) -> Iterable[Issue]:
        if not settings.sort_paths:
            yield Issue(("sort_paths",), "there is nothing to sort by", "add a path such as $name")
        yield from check_memory(settings.memory)

    def open(self) -> None:
        settings = self.settings
        rows = _rows(settings)
        self._columns = Columns(
            self.context, [row.path for row in rows], null_safe=settings.null_safe_access
        )
        directions = (row.order if row.order != "global" else settings.sort_order for row in rows)
        order = SortOrder(tuple(each == "descending" for each in directions), settings.null_greater)
        self._sort = ExternalSort(order, self._columns.of, parse_size(settings.memory))

    def process_batch(self, view: str, batch: Batch) -> None:
        batch, columns = self._columns.of_batch(batch)
        self._sort.add(batch.items, columns)

    def finish(self) -> Iterator[Batch]:
        return map(Batch, self._sort.sorted())

    def close(self) -> None:
        self._sort.close()


def _rows(settings: SortSettings) -> list[SortPath]:
    return [SortPath(path=row) if isinstance(row, Path) else row for row in settings.sort_paths]
