"""What a snap returns, and how it is collected into batches."""

from __future__ import annotations

import inspect
from collections.abc import Generator, Iterable, Iterator, Mapping
from time import perf_counter
from types import GeneratorType
from typing import TYPE_CHECKING, Any

import msgspec

from engine.documents import NO_LINEAGE, Batch, Item, Lineage, StreamEnd, StreamStart
from engine.errors import ExecutionError
from engine.sdk.plain_values import plain
from engine.sdk.settings import nearest_hint

if TYPE_CHECKING:
    from engine.sdk.snap import Snap

BATCH_SIZE = 64
"""Documents per batch for results made one by one; larger batches fall out of the cache."""

HELD_SECONDS = 0.01
"""How long documents of a generator may wait for a batch to fill up."""

MISTAKE_IN_SNAP = "this is a bug in the snap itself, not in your pipeline"


class To(msgspec.Struct, frozen=True):
    """A document for another view than the first output (empty: the first).

    `lineage` says which requests it answers, if they differ from those of the current document: for
    rows that were held and are answered later.
    """

    view: str
    item: Item
    lineage: Lineage | None = None


Result = Item | To | Iterable[Item | To] | None
Emission = Batch | Mapping[str, Batch] | Iterable[Mapping[str, Batch]] | None


class ResultError(ExecutionError):
    """A method of a snap returned something wrong; `resolution` says where the method is."""

    def __init__(self, message: str, resolution: str) -> None:
        super().__init__(message, resolution)
        self.message = message
        self.resolution = resolution

    def __str__(self) -> str:
        return self.message


class Collected:
    """Items collected by view until they fill a batch.

    Raises ResultError, naming the method `method` of the snap, for a result that is not an item and
    for an unknown view, as these would only cause a wrong result further on. With `checks`, it
    raises NotPlainError for a document with values that documents cannot hold.
    """

    __slots__ = ("checks", "count", "default", "items", "keeps", "lineage", "method", "snap")

    def __init__(
        self, snap: Snap[Any], method: str, keeps_lineage: bool, *, checks: bool = False
    ) -> None:
        self.snap = snap
        self.default = snap.default_output
        self.keeps = keeps_lineage
        self.method = method
        self.checks = checks
        self.items: dict[str, list[Any]] = {}
        self.lineage: dict[str, list[Lineage]] = {}
        self.count = 0

    def add(self, result: Any, lineage: Lineage = NO_LINEAGE) -> None:
        view, item = self.default, result
        if result.__class__ is not dict:
            if isinstance(result, To):
                view, item = result.view or view, result.item
                lineage = lineage if result.lineage is None else result.lineage
            item = self._item(item)
        if self.checks and item.__class__ is dict:
            item = plain(item)
        items = self.items.get(view)
        if items is None:
            items = self._begin(view)
        items.append(item)
        if self.keeps:
            self.lineage[view].append(lineage)
        self.count += 1

    def items_of(self, result: Any) -> Iterable[Any]:
        """The items in a result."""
        if result.__class__ in _COLLECTIONS:  # the common case; the checks below take longer
            return result
        if result is None:
            return ()
        if isinstance(result, (*_PIECES, Mapping, To)):
            return (result,)
        if isinstance(result, Iterable) and not isinstance(result, _TEXTS):
            return result
        raise self._refusal(result)

    def pass_on(
        self, result: Any, lineage: Lineage = NO_LINEAGE
    ) -> Generator[Mapping[str, Batch], None, bool]:
        """Add a complete result, and yield batches as they fill up. Returns whether it had items.

        A generator may take long for each item, so its items are also passed on after a time. It
        may also yield complete batches, for the first output.
        """
        items = self.items_of(result)
        lazy = items.__class__ is not list and items.__class__ is not tuple
        has_items, since = False, perf_counter()
        for item in items:
            has_items = True
            if item.__class__ is Batch:
                if self.count:
                    yield self.take()
                yield {self.default: item}
                continue
            self.add(item, lineage)
            full = self.count >= BATCH_SIZE or item.__class__ is bytes
            if full or (lazy and perf_counter() - since > HELD_SECONDS):
                yield self.take()
                since = perf_counter()
        return has_items

    def batches(self, result: Any, lineage: Lineage = NO_LINEAGE) -> Iterator[Mapping[str, Batch]]:
        """A complete result in batches, including the items before a failure."""
        try:
            yield from self.pass_on(result, lineage)
        except Exception:  # raised again after what came before it
            if self.count:
                yield self.take()
            raise
        if self.count:
            yield self.take()

    def take(self) -> Mapping[str, Batch]:
        """The collected batches by view; the collection is empty afterwards."""
        batches = {
            view: Batch(items, self.lineage[view] if self.keeps else None)
            for view, items in self.items.items()
        }
        self.items, self.lineage, self.count = {}, {}, 0
        return batches

    def _item(self, item: Any) -> Item:
        if item.__class__ is dict or isinstance(item, _PIECES):
            return item
        if isinstance(item, Mapping):  # such as a Counter; further on, documents are plain dicts
            return dict(item)
        raise self._refusal(item)

    def _begin(self, view: str) -> list[Any]:
        """The list for the items of a view. Raises ResultError if there is no such view."""
        is_default = view and view == self.default
        if not is_default and not self.snap.has_output(view):
            raise wrong_view(self.snap, self.method, "document", view)
        items = self.items[view] = []
        if self.keeps:
            self.lineage[view] = []
        return items

    def _refusal(self, value: Any) -> ResultError:
        return wrong_result(
            self.snap,
            self.method,
            f"returned {type(value).__name__!r}; "
            "it must return a document, an iterable of documents, To(view, document) or None",
        )


def wrong_result(snap: Snap[Any], method: str, what: str, hint: str = "") -> ResultError:
    """The error for a wrong result, with the place of the method."""
    code = getattr(inspect.unwrap(getattr(snap, method)), "__code__", None)
    place = "" if code is None else f"; see {code.co_filename}, line {code.co_firstlineno}"
    remedy = f"{MISTAKE_IN_SNAP}{place}"
    if hint:
        remedy = f"{hint}{'' if hint.endswith('?') else ';'} {remedy}"
    return ResultError(f"{method} of {type(snap).__name__} {what}", remedy)


def wrong_view(snap: Snap[Any], method: str, item: str, view: str) -> ResultError:
    """The error for a result that names an output view which the snap does not have."""
    outputs = snap.context.outputs
    if not outputs:
        return wrong_result(snap, method, f"returned a {item}, but the snap has no output view")
    hint = nearest_hint(view, outputs)
    if view == "error":
        hint = "raise DataError to send a document to the error view"
    what = f"returned a {item} for the view {view!r}; the output views are: {', '.join(outputs)}"
    return wrong_result(snap, method, what, hint)


_PIECES = (StreamStart, StreamEnd, bytes)
_TEXTS = (str, bytearray, memoryview)
_COLLECTIONS = frozenset((list, tuple, GeneratorType))
