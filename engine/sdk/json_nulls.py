"""Distinguishes NaN and infinity from null: the JSON encoder writes all three as `null`.

The documents of a stream have null at the same places. So for most batches, the nulls at the known
places account for all nulls in the text, and the documents need not be searched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from operator import itemgetter

from engine.documents import Value
from engine.numbers import is_finite

NullPath = tuple[str | int, ...]

_SAMPLES = 8
"""Documents of a batch that are searched for places of null."""

_MAX_PLACES = 32
_MAX_DEPTH = 8
_BEFORE_NULL = (b'":', b"[", b",", b"\n")
"""What precedes null in lines of compact JSON; other occurrences of the word are in strings."""


class Nulls:
    """Knows where the documents of recent batches had null."""

    def __init__(self) -> None:
        self._known: tuple[NullPath, ...] = ()

    def are_all(self, values: Sequence[Value], lines: bytes) -> bool:
        """Whether each null in `lines`, the values as JSON, stands for null in the values."""
        written = lines.count(b"null")
        if not written:
            return True
        explained = self._explained(values, lines, written)
        if explained == written:
            return True
        before = lines.split(b"null")[:-1]
        tokens = (not before[0]) + sum(part.endswith(_BEFORE_NULL) for part in before)
        return explained == tokens or all(map(is_finite, values))

    def _explained(self, values: Sequence[Value], lines: bytes, written: int) -> int:
        """How many values are null in the known places, and in those of some documents."""
        counts: dict[NullPath, int] = {}
        left = written
        for place in chain(self._known, _sampled(values, lines)):
            if place not in counts:
                counts[place] = _count_at(place, values)
                left -= counts[place]
                if not left:
                    break
        self._known = tuple(place for place, count in counts.items() if count)[:_MAX_PLACES]
        return written - left


def _sampled(values: Sequence[Value], lines: bytes) -> Iterator[NullPath]:
    """The places of null in the first documents whose text has the word."""
    number = at = 0
    for _ in range(_SAMPLES):
        start, at = at, lines.find(b"null", at)
        if at < 0:
            return
        number += lines.count(b"\n", start, at)
        value = values[number]
        if value is None:
            yield ()
        else:
            yield from _places_in(value, ())
        at = lines.index(b"\n", at)


def _places_in(value: Value, path: NullPath) -> Iterator[NullPath]:
    """The places of null; what is nested more deeply is left to `is_finite`."""
    if len(path) > _MAX_DEPTH:
        return
    if value.__class__ is dict:
        items: Iterator[tuple[str | int, Value]] = iter(value.items())
    elif value.__class__ is list:
        items = enumerate(value)
    else:
        return
    for step, item in items:
        if item is None:
            yield (*path, step)
        else:
            yield from _places_in(item, (*path, step))


def _count_at(place: NullPath, values: Sequence[Value]) -> int:
    column = values
    for step in place:
        try:
            column = list(map(itemgetter(step), column))
        except (LookupError, TypeError):  # some documents are different
            column = [_item(value, step) for value in column]
    return column.count(None)


def _item(value: Value, step: str | int) -> Value:
    if isinstance(step, str):
        return value.get(step, 0) if value.__class__ is dict else 0
    return value[step] if value.__class__ is list and step < len(value) else 0
