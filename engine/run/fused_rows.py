"""Runs the first snaps of a stage over rows, from a parser of tables to a formatter of tables.

No document is made of a regular row, except of the fields that a condition or a mapping reads. What
is odd (a row of another length, an expression that fails, a value that cannot be written) goes
through the snaps themselves, which are right by definition, and so does the first part of a
stream.
Results, their order and all counts are the same either way. `SNAPLINE_PLAIN=1` forces the plain
way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from operator import itemgetter
from time import perf_counter
from typing import Any, NamedTuple, cast

from engine.documents import Batch, Document
from engine.errors import DataError
from engine.expressions import compile_expression, compile_mapping, exact_decimals
from engine.expressions.nodes import Member as Field
from engine.expressions.nodes import Root
from engine.expressions.parsed import parsed
from engine.expressions.steps import Keep, Make
from engine.plan.plan import Port
from engine.run.member import Member
from engine.run.outputs import PAUSE, Outputs
from engine.sdk.rows import Row, RowSink, RowSource
from engine.sdk.stream_snap import StreamSnap

_NOTHING = b""

Plainly = Callable[[str, Batch], Outputs]


class OddRowsError(Exception):
    """Rows for which there is no way but the plain one."""


class Table(NamedTuple):
    columns: Sequence[str]
    rows: Sequence[Row]


Passing = Callable[[Table], Table]
"""What a snap does to rows. Raises OddRowsError or DataError."""


class RowRun:
    """The first members of a stage, from the parser to the formatter. `plainly` passes a batch to
    the parser."""

    def __init__(self, members: Sequence[Member], plainly: Plainly) -> None:
        self._parser, *self._middle, self._formatter = members
        self._plainly = plainly
        self._exit = Port(self._formatter.plan.label, self._formatter.plan.outputs[0].name)
        self._passing: list[Passing] | None = None

    def process(self, view: str, batch: Batch) -> Outputs:
        for piece in batch.items:
            if piece.__class__ is bytes and self._may_pass_rows():
                yield from self._taken(view, piece)
            else:
                yield from self._plainly(view, Batch([piece]))

    def _may_pass_rows(self) -> bool:
        """Whether the parser is reading a stream, and nobody watches documents on their way."""
        parser = self._parser.snap
        members = (self._parser, *self._middle, self._formatter)
        is_reading = isinstance(parser, StreamSnap) and parser.is_reading
        return is_reading and not any(member.tapped for member in members)

    def _taken(self, view: str, chunk: bytes) -> Outputs:
        source = cast(RowSource, self._parser.snap)
        for rows in source.rows(chunk):
            text = None if rows is None else self._text_of(source, rows)
            if text is None:
                yield from self._plainly(view, Batch([_NOTHING]))
                if not self._may_pass_rows():
                    return
            else:
                source.rows_taken(len(rows or ()))
                yield (self._exit, Batch([text])) if text else PAUSE

    def _text_of(self, source: RowSource, rows: list[Any]) -> bytes | None:
        """The text that leaves the formatter for rows; None if they must go the plain way."""
        if not rows:
            return _NOTHING
        started = perf_counter()
        tables = [Table(source.columns, rows)]
        try:
            if self._passing is None:
                self._passing = [_passing_of(member) for member in self._middle]
            with exact_decimals():
                for passes in self._passing:
                    tables.append(passes(tables[-1]))
            columns, left = tables[-1]
            sink = cast(RowSink, self._formatter.snap)
            text = sink.text_of(columns, left) if left else _NOTHING
        except (OddRowsError, DataError):
            return None
        if text is not None:
            self._account([len(table.rows) for table in tables], perf_counter() - started)
        return text

    def _account(self, counts: list[int], seconds: float) -> None:
        """Count as if each snap had been called; `counts` are the rows that leave each of them."""
        members = [self._parser, *self._middle]
        for number, member in enumerate(members):
            if number:
                member.passed_in(member.plan.inputs[0].name, counts[number - 1])
                member.statistics.dropped += counts[number - 1] - counts[number]
            member.passed_out(member.plan.outputs[0].name, counts[number])
            member.statistics.seconds += seconds / (len(members) + 1)
        self._formatter.passed_in(self._formatter.plan.inputs[0].name, counts[-1])
        self._formatter.statistics.seconds += seconds / (len(members) + 1)


def _passing_of(member: Member) -> Passing:
    """What the step of a snap does to rows. Raises OddRowsError if it needs documents."""
    reads = sorted({path[0] for path in member.plan.facts.reads or ()})
    step = member.plan.steps[0]
    scope = member.context.scope
    if isinstance(step, Keep):
        holds = compile_expression(step.condition, null_safe=step.null_safe, scope=scope)
        if holds.mutates:
            raise OddRowsError
        return _Keeping(holds, reads)
    assert isinstance(step, Make)  # engine.plan.row_runs sees to that
    copied = {_field_in(target): _field_in(text) for target, text in step.rows}
    if len(copied) == len(step.rows) and "" not in copied and "" not in copied.values():
        return _Copying(copied)
    mapped = compile_mapping(step.rows, null_safe=step.null_safe, scope=scope)
    if mapped.mutates:
        raise OddRowsError
    return _Mapping(mapped, reads)


class _Keeping:
    def __init__(self, holds: Callable[[Document], Any], reads: Sequence[str]) -> None:
        self._holds = holds
        self._fields = _Fields(reads)

    def __call__(self, table: Table) -> Table:
        verdicts = list(map(self._holds, self._fields.of(table)))
        if not set(map(type, verdicts)) <= {bool}:
            raise OddRowsError
        return Table(table.columns, list(compress(table.rows, verdicts)))


class _Copying:
    """Makes documents that hold only fields of the input: target to field."""

    def __init__(self, fields: dict[str, str]) -> None:
        self._fields = fields

    def __call__(self, table: Table) -> Table:
        places = _places(table.columns, self._fields.values())
        columns = list(self._fields)
        if len(places) == 1:
            return Table(columns, [[row[places[0]]] for row in table.rows])
        return Table(columns, list(map(itemgetter(*places), table.rows)))


class _Mapping:
    def __init__(self, mapped: Callable[[Document], Document], reads: Sequence[str]) -> None:
        self._mapped = mapped
        self._fields = _Fields(reads)

    def __call__(self, table: Table) -> Table:
        made = list(map(self._mapped, self._fields.of(table)))
        columns = list(made[0]) if made else []
        if not made:
            return Table(columns, [])
        if any(list(document) != columns for document in made):
            raise OddRowsError
        return Table(columns, [list(document.values()) for document in made])


class _Fields:
    """Documents of those fields of rows that are read."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def of(self, table: Table) -> Iterator[Document]:
        known = [name for name in self._names if name in table.columns]
        places = _places(table.columns, known)
        if len(places) == 1:
            name, place = known[0], places[0]
            return ({name: row[place]} for row in table.rows)
        if not places:
            return ({} for _ in table.rows)
        values = map(itemgetter(*places), table.rows)
        return (dict(zip(known, each, strict=True)) for each in values)


def _places(columns: Sequence[str], names: Any) -> list[int]:
    """The places of columns. Raises OddRowsError if one is missing."""
    places = {column: place for place, column in enumerate(columns)}
    try:
        return [places[name] for name in names]
    except KeyError:
        raise OddRowsError from None


def _field_in(text: str) -> str:
    """The field of the document that an expression or a target is; empty for others."""
    node = parsed(text).node
    is_field = isinstance(node, Field) and isinstance(node.target, Root)
    return node.name if isinstance(node, Field) and is_field else ""
