"""Count, add up and combine the documents of each group, or of all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Literal

from engine.sdk import (
    Batch,
    ByKey,
    Column,
    Columns,
    DataError,
    Document,
    Example,
    Expression,
    Foreign,
    Issue,
    Once,
    Parallel,
    ReadPaths,
    Settings,
    Snap,
    TargetPath,
    Value,
    check_memory,
    excerpt,
    keys_of,
    lineage_at,
    memory_setting,
    numbers_of,
    parse_size,
    paths_read,
    setting,
)
from snaps.transform.shared.aggregates import Function, make_function, unusable
from snaps.transform.shared.grouping import Group, Groups
from snaps.transform.shared.ordered_keys import OrderedKeys

_EMITTED = 256
_CONTAINERS = frozenset({dict, list})


class AggregateField(Settings):
    function: Literal["count", "sum", "avg", "min", "max", "concat", "unique_concat"] = setting(
        default="sum",
        help="`count` counts values; `concat` joins them with `|`, and `unique_concat` does so "
        "with each only once. Null counts nowhere.",
    )
    field: Expression = setting(help="The value.", example="$amount")
    result_field: TargetPath = setting(
        help="Where the result is in the output document.", example="total"
    )


class GroupByField(Settings):
    field: Expression = setting(help="The value that is equal in a group.", example="$country")
    output_field: TargetPath = setting(
        help="Where it is in the output document.", example="country"
    )


class AggregateSettings(Settings):
    aggregate_fields: tuple[AggregateField, ...] = setting(
        help="What to compute for each group.",
        example=[{"function": "sum", "field": "$amount", "result_field": "total"}],
    )
    group_by_fields: tuple[GroupByField, ...] = setting(
        default=(),
        help="What is equal in a group; without any, all documents are one group.",
        example=[{"field": "$country", "output_field": "country"}],
    )
    sorted_streams: Literal["unsorted", "ascending", "descending"] = setting(
        default="unsorted",
        help="Whether documents are sorted by the group-by fields; if so, a group is passed on as "
        "soon as the next one begins.",
    )
    integer_mode: bool = setting(
        default=False,
        help="Compute sums and averages with integers; fractions of values and results are cut "
        "off.",
    )
    avg_digits: int = setting(
        default=16,
        help="Significant digits of averages; the last is rounded half to even. SnapLogic used 7 "
        "before 2022.",
    )
    memory: int | str = memory_setting()


class Aggregate(Snap[AggregateSettings]):
    since = "0.4.0"
    about = """
    Sums are exact. Strings that hold numbers count as numbers in sums and averages. Averages may
    also be of dates, and the least and greatest values of anything but lists and maps. Groups leave
    in the order of their first documents; a group without any value of a field has null there, and
    a count of 0. No documents give no output.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-aggregate",
        "Aggregate",
        version=3,
        settings={
            "aggregateFields[].function": "aggregate_fields[].function",
            "aggregateFields[].field": "aggregate_fields[].field",
            "aggregateFields[].resultField": "aggregate_fields[].result_field",
            "groupByFields[].fieldPath": "group_by_fields[].field",
            "groupByFields[].fieldName": "group_by_fields[].output_field",
            "sortedStreams": "sorted_streams",
            "integerMode": "integer_mode",
        },
        names=("aggregateFields[].resultField", "groupByFields[].fieldName"),
        ignored=("minimumMemory", "outOfResourceTimeout"),
    )
    loses_lineage = "combines documents of several requests"
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "by country",
            settings={
                "group_by_fields": [{"field": "$country", "output_field": "country"}],
                "aggregate_fields": [
                    {"function": "count", "field": "$id", "result_field": "orders"},
                    {"function": "sum", "field": "$amount", "result_field": "total"},
                    {"function": "unique_concat", "field": "$item", "result_field": "items"},
                ],
            },
            given=[
                {"id": 1, "country": "NO", "amount": 1.10, "item": "bolt"},
                {"id": 2, "country": "PE", "amount": 5, "item": "nut"},
                {"id": 3, "country": "NO", "amount": 2, "item": "bolt"},
            ],
            expect=[
                {"country": "NO", "orders": 2, "total": 3.1, "items": "bolt"},
                {"country": "PE", "orders": 1, "total": 5, "items": "nut"},
            ],
        ),
        Example(
            "of all documents",
            settings={
                "aggregate_fields": [
                    {"function": "avg", "field": "$n", "result_field": "$n.mean"},
                    {"function": "max", "field": "$n", "result_field": "$n.greatest"},
                ],
            },
            given=[{"n": 1}, {"n": 2}, {"n": 2}],
            expect=[{"n": {"mean": 1.666666666666667, "greatest": 2}}],
        ),
        Example(
            "what is not a number fails its document",
            settings={
                "aggregate_fields": [{"function": "sum", "field": "$n", "result_field": "sum"}]
            },
            given=[{"n": "12"}, {"n": "a dozen"}],
            on_error="discard",
            expect=[{"sum": 12}],
        ),
    )

    @classmethod
    def reads(cls, settings: AggregateSettings) -> ReadPaths | None:
        by = [row.field for row in settings.group_by_fields]
        return paths_read([*by, *(row.field for row in settings.aggregate_fields)])

    @classmethod
    def parallel_for(cls, settings: AggregateSettings) -> Parallel:
        if not settings.group_by_fields:
            return Once("combines all documents")
        if settings.sorted_streams != "unsorted":
            return Once("reads a sorted input, and passes each group on when the next one begins")
        return ByKey((tuple(row.field for row in settings.group_by_fields),))

    @property
    def holds_back(self) -> bool:
        return True

    def kinds(self) -> dict[str, str]:
        rows = zip(self.settings.aggregate_fields, self._functions, strict=True)
        return {f"{row.function} of {row.field.text}": each.kind for row, each in rows if each.kind}

    @classmethod
    def check(cls, settings: AggregateSettings) -> Iterable[Issue]:
        if not settings.aggregate_fields and not settings.group_by_fields:
            hint = "add a row such as {function: count, field: 1, result_field: count}"
            yield Issue(("aggregate_fields",), "there is nothing to compute", hint)
        if not 1 <= settings.avg_digits <= 34:
            message = f"avg_digits must be from 1 to 34, got {settings.avg_digits}"
            yield Issue(("avg_digits",), message)
        yield from check_memory(settings.memory)

    def open(self) -> None:
        settings = self.settings
        fields, by = settings.aggregate_fields, settings.group_by_fields
        self._columns = Columns(
            self.context, [*(row.field for row in by), *(row.field for row in fields)]
        )
        targets = [*(row.output_field for row in by), *(row.result_field for row in fields)]
        self._targets = [self.context.path(target) for target in targets]
        simple = [target.names for target in self._targets]
        self._names = [names[0] for names in simple if names and len(names) == 1]
        self._functions = self._make_functions()
        self._groups = Groups(self._make_functions, parse_size(settings.memory))
        self._number = 0
        self._order: OrderedKeys | None = None
        if settings.sorted_streams != "unsorted":
            self._order = OrderedKeys(
                "input",
                descending=settings.sorted_streams == "descending",
                null_greater=False,
                advice="sort it by the group-by fields, or set sorted_streams to unsorted",
            )

    def _make_functions(self) -> list[Function]:
        settings = self.settings
        return [
            make_function(
                row.function, avg_digits=settings.avg_digits, integers=settings.integer_mode
            )
            for row in settings.aggregate_fields
        ]

    def process_batch(self, view: str, batch: Batch) -> Batch | None:
        batch, columns = self._columns.of_batch(batch)
        if not self._are_usable(columns):
            batch, columns = self._usable(batch, columns)
        length = len(columns[0])
        if not length:
            return None
        place = len(self.settings.group_by_fields)
        by = columns[:place]
        keys = keys_of(by) if by else [()] * length
        numbers = (
            numbers_of(batch)
            if self.context.is_copy
            else list(range(self._number, self._number + length))
        )
        self._number += length
        self._groups.add(keys, numbers, by, columns[place:])
        if self._order is None or not by:
            return None
        self._order.of(by)
        ended = [key for key in self._groups.keys if key != keys[-1]]
        return Batch([self._document(group) for group in self._groups.complete(ended)])

    def finish(self) -> Iterator[Batch]:
        groups = self._groups.results()
        while some := list(islice(groups, _EMITTED)):
            lineage = lineage_at(group[0] for group in some) if self.context.is_copy else None
            yield Batch(list(map(self._document, some)), lineage)

    def close(self) -> None:
        self._groups.close()

    def _document(self, group: Group) -> Document:
        _, by, results = group
        values = (*by, *results)
        if len(self._names) == len(values):
            return dict(zip(self._names, values, strict=True))
        document: Document = {}
        for target, value in zip(self._targets, values, strict=True):
            document = target.set(document, value)
        return document

    # Values that a function or a group cannot use as they are

    def _are_usable(self, columns: list[Column]) -> bool:
        place = len(self.settings.group_by_fields)
        return all(_CONTAINERS.isdisjoint(map(type, column)) for column in columns[:place]) and all(
            function.accepts(set(map(type, column)))
            for function, column in zip(self._functions, columns[place:], strict=True)
        )

    def _usable(self, batch: Batch, columns: list[Column]) -> tuple[Batch, list[Column]]:
        """The columns with converted values, without the documents for which that fails."""
        checks = [_as_key] * len(self.settings.group_by_fields)
        checks += [function.converted for function in self._functions]
        rows: list[list[Value]] = []
        places: list[int] = []
        for place, row in enumerate(zip(*columns, strict=True)):
            try:
                rows.append([check(value) for check, value in zip(checks, row, strict=True)])
                places.append(place)
            except DataError as error:
                self.context.failed(error, batch.items[place], batch.lineage_of(place))
        return batch.at(places), [[row[number] for row in rows] for number in range(len(columns))]


def _as_key(value: Any) -> Any:
    if value.__class__ in _CONTAINERS:
        raise unusable(f"a group-by field must be a single value, but is {excerpt(value)}")
    return value
