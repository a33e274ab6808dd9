"""How many items of a batch a snap gets per call, so that documents keep flowing.

A parser passes on thousands of documents in one batch. If a snap takes 10 ms for each, the first
must not wait for the last, so the host cuts the batch to make one call take about SLICE_SECONDS. A
fast snap soon gets complete batches, without any overhead.
"""

from __future__ import annotations

from engine.sdk.results import BATCH_SIZE

SLICE_SECONDS = 0.01
"""The longest that one call should take."""

MAX_ITEMS = 4096
"""The limit on items per call, even for the fastest snap."""

_CLEARLY_SLOWER = 1.5
_MAX_TRIAL_SECONDS = 0.2


class SliceSize:
    """The number of items for the next call of one snap, learned from the previous calls.

    It doubles while calls are quick, and shrinks after a slow one. Some snaps take as long for one
    item as for many (a neural network, a query): for them, smaller slices cost more per item, and
    larger ones less. A change after a slow call is therefore a trial, and the next call decides.
    """

    __slots__ = ("_least", "_may_try_larger", "_trial", "items")

    def __init__(self) -> None:
        self.items = 1
        self._least = 1
        self._may_try_larger = True
        self._trial: tuple[int, float] | None = None

    def learn(self, items: int, seconds: float) -> None:
        """Learn from a call with `items` items that took `seconds`."""
        if seconds > SLICE_SECONDS:
            self._learn_from_slow(items, seconds / items)
        elif items >= self.items and seconds * 2 < SLICE_SECONDS:
            self._trial = None
            self.items = min(self.items * 2, MAX_ITEMS)

    def _learn_from_slow(self, items: int, pace: float) -> None:
        if self._trial is not None and items >= self.items:
            size, earlier = self._trial
            self._trial = None
            self._decide(items, pace, size, earlier)
            return
        wanted = max(self._least, int(SLICE_SECONDS / pace))
        if wanted < items:
            self._try(wanted, items, pace)
        elif self._may_try_larger and items >= self.items and pace * items < _MAX_TRIAL_SECONDS:
            self._may_try_larger = False
            self._try(items * 2, items, pace)

    def _try(self, items: int, now: int, pace: float) -> None:
        self._trial = now, pace
        self.items = items

    def _decide(self, items: int, pace: float, size: int, earlier: float) -> None:
        """Keep the change from `size` to `items`, or undo it."""
        if items < size:
            if pace > earlier * _CLEARLY_SLOWER:
                self.items = self._least = size
        elif pace * _CLEARLY_SLOWER > earlier:
            self.items = size
        else:
            self._least = items
            if items < BATCH_SIZE:
                self._try(items * 2, items, pace)
