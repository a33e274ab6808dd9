"""Which copy of a keyed snap gets a document: by a hash of its key.

Keys that the snap finds equal (`engine.sdk.ordering.keys_of`) have equal hashes, in every process
and on every machine. Python's own hashes of strings and dates differ from process to process; those
of numbers do not, and are the same for 1, 1.0 and Decimal("1.00").
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zlib import crc32

from engine.cluster.messages import Part, Parts, packed
from engine.documents import Document, Item, RawJson, Value
from engine.errors import DataError
from engine.run.context import SnapContext
from engine.run.execution import Execution
from engine.run.report import SnapStatistics
from engine.sdk.columns import Columns
from engine.sdk.context import Context
from engine.sdk.ordering import keys_of, same
from engine.sdk.parallel import ByKey, ByRun

_MASK = (1 << 61) - 1
_FACTOR = 1_000_003
_EPOCH, _NONE = datetime(1970, 1, 1), timedelta()


def context_of(execution: Execution, label: str) -> SnapContext:
    """What the keys of a snap are compiled with."""
    snap = execution.snap(label)
    context = SnapContext(
        execution, snap, execution.registry[snap.type], SnapStatistics(label, snap.type, {}, {})
    )
    context.opened()  # so that an expression that changes its document gets a copy
    return context


class Splitter:
    """Splits the documents of a keyed snap (ByKey) among its copies."""

    def __init__(self, execution: Execution, label: str, copies: int) -> None:
        snap = execution.snap(label)
        keyed = snap.facts.parallel
        assert isinstance(keyed, ByKey)  # so the plan of the run says
        context = context_of(execution, label)
        self._copies = copies
        self._columns = {
            view.name: Columns(context, keys, null_safe=keyed.null_safe)
            for view, keys in zip(snap.inputs, keyed.keys, strict=True)
        }

    def parts(self, view: str, documents: list[Item]) -> Parts:
        """Documents whose key cannot be read go to the first copy, which reports them."""
        count = self._copies
        hashes = self._hashes(view, documents)
        parts: list[tuple[list[Item], array[int]]] = [([], array("q")) for _ in range(count)]
        adds = [(items.append, numbers.append) for items, numbers in parts]
        for number, (document, value) in enumerate(zip(documents, hashes, strict=True)):
            add, add_number = adds[0 if value is None else value % count]
            add(document)
            add_number(number)
        with_key = (number for number, value in enumerate(hashes) if value is not None)
        first = next(with_key, None)
        return Parts(
            len(documents),
            tuple(Part(len(items), packed(items), places.tobytes()) for items, places in parts),
            b"" if first is None else packed([documents[first]]),
        )

    def _hashes(self, view: str, documents: list[Any]) -> list[int | None]:
        """A hash for each document; None if its key cannot be read."""
        columns = self._columns[view]
        try:
            return [*_hashes(columns.of(documents))]
        except Exception:  # noqa: BLE001  # one by one, to find those that fail
            return [_hash_or_none(columns, document) for document in documents]


class RunEnds:
    """Finds where neighbours have different keys."""

    def __init__(self, keyed: ByRun, context: Context) -> None:
        keys = keyed.keys
        self._columns = Columns(context, keys, null_safe=keyed.null_safe) if keys else None

    def __call__(self, before: Document, after: Document) -> bool:
        """Whether a run certainly ends between these neighbours."""
        if self._columns is None:
            return not same(before, after)
        try:
            first, second = keys_of(self._columns.of([before, after]))
        except Exception:  # noqa: BLE001  # the snap reports it, and ignores the document
            return False
        return bool(first != second)


def _hash_or_none(columns: Columns, document: Document) -> int | None:
    try:
        return _hashes(columns.of([document]))[0]
    except (DataError, LookupError, TypeError):
        return None


def _hashes(columns: list[list[Value]]) -> list[int]:
    first, *others = map(_column_hashes, columns)
    for other in others:
        first = [(a * _FACTOR ^ b) & _MASK for a, b in zip(first, other, strict=True)]
    return first


def _column_hashes(column: list[Value]) -> list[int]:
    if set(map(type, column)) == {str}:
        try:
            return list(map(crc32, map(str.encode, column)))
        except UnicodeEncodeError:
            pass
    return list(map(hash_of, column))


def hash_of(value: Value) -> int:
    """The hash of a value: equal for equal keys."""
    make = _HASHES.get(value.__class__)
    if make is not None:
        return make(value)
    return next((make(value) for kind, make in _KINDS if isinstance(value, kind)), 0)


def _of_string(value: str) -> int:
    return crc32(value.encode(errors="surrogatepass"))


def _of_decimal(value: Decimal) -> int:
    return hash(value) & _MASK if value.is_finite() else 1


def _of_datetime(value: datetime) -> int:
    value = value.replace(fold=0)  # as Python compares them
    since = value.replace(tzinfo=None) - _EPOCH
    return (since - (value.utcoffset() or _NONE)) // timedelta(microseconds=1) & _MASK


def _of_time(value: time) -> int:
    """Times of different zones may be equal."""
    if value.utcoffset() is not None:
        return 3
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond


def _of_list(value: list[Value]) -> int:
    result = len(value)
    for each in value:
        result = (result * _FACTOR ^ hash_of(each)) & _MASK
    return result


_HASHES: dict[type, Callable[[Any], int]] = {
    type(None): lambda _: 0,
    bool: lambda value: 5 + value,
    int: lambda value: hash(value) & _MASK,
    Decimal: _of_decimal,
    float: lambda value: _of_decimal(Decimal(repr(value))),
    str: _of_string,
    bytes: crc32,
    list: _of_list,
    dict: lambda value: _of_list([each for key in sorted(value) for each in (key, value[key])]),
    RawJson: lambda value: hash_of(value.value()),
}
_KINDS: tuple[tuple[type, Callable[[Any], int]], ...] = (
    (datetime, _of_datetime),
    (date, date.toordinal),
    (time, _of_time),
)
