"""How many items of a batch a snap gets at once, so that rows flow.

A parser hands on thousands of documents in one batch. If a snap takes 10 ms for each, the first
must not wait for the last: the host cuts the batch so that one call takes about SLICE_SECONDS. A
fast snap soon gets whole batches, and pays nothing.
"""

from __future__ import annotations

from engine.sdk.snap import BATCH_SIZE

SLICE_SECONDS = 0.01
"""What one call should take at most."""

MOST_ITEMS = 4096
"""Items of one call, however fast the snap is."""

_CLEARLY = 1.5
_LONGEST_TRIAL = 0.2


class SliceSize:
    """The number of items for the next call of one snap, learned from the calls before.

    It doubles while calls are quick, and shrinks when one was slow. Some snaps take as long for
    one item as for many (a neural network, a query): for them a smaller slice costs more per item,
    and a larger one less. So a change after a slow call is a trial, and the next call decides.
    """

    __slots__ = ("_least", "_may_try_larger", "_trial", "items")

    def __init__(self) -> None:
        self.items = 1
        self._least = 1
        self._may_try_larger = True
        self._trial: tuple[int, float] | None = None

    def learn(self, items: int, seconds: float) -> None:
        """A call with so many items took so long."""
        if seconds > SLICE_SECONDS:
            self._learn_from_slow(items, seconds / items)
        elif items >= self.items and seconds * 2 < SLICE_SECONDS:
            self._trial = None
            self.items = min(self.items * 2, MOST_ITEMS)

    def _learn_from_slow(self, items: int, pace: float) -> None:
        if self._trial is not None and items >= self.items:
            size, earlier = self._trial
            self._trial = None
            self._judge(items, pace, size, earlier)
            return
        wanted = max(self._least, int(SLICE_SECONDS / pace))
        if wanted < items:
            self._try(wanted, items, pace)
        elif self._may_try_larger and items >= self.items and pace * items < _LONGEST_TRIAL:
            self._may_try_larger = False
            self._try(items * 2, items, pace)

    def _try(self, items: int, now: int, pace: float) -> None:
        self._trial = now, pace
        self.items = items

    def _judge(self, items: int, pace: float, size: int, earlier: float) -> None:
        """Whether it was right to go over from `size` to `items`."""
        if items < size:
            if pace > earlier * _CLEARLY:
                self.items = self._least = size
        elif pace * _CLEARLY > earlier:
            self.items = size
        else:
            self._least = items
            if items < BATCH_SIZE:
                self._try(items * 2, items, pace)
