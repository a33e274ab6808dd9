"""The number of items that a snap gets at once depends on how long it takes for them."""

from __future__ import annotations

from collections.abc import Callable

from engine.run.slices import SLICE_SECONDS, SliceSize


def sizes(seconds: Callable[[int], float], calls: int = 40, batch: int = 1700) -> list[int]:
    """The sizes of the slices of large batches, for a snap that takes so long."""
    size = SliceSize()
    taken = []
    for _ in range(calls):
        items = min(size.items, batch)
        taken.append(items)
        size.learn(items, seconds(items))
    return taken


def test_a_fast_snap_gets_complete_batches_after_a_dozen_calls() -> None:
    assert sizes(lambda items: items * 1e-6)[12:] == [1700] * 28


def test_a_slow_snap_gets_one_document_at_a_time() -> None:
    assert set(sizes(lambda items: items * 0.05)[3:]) == {1}


def test_a_slice_takes_about_as_long_as_it_may() -> None:
    assert all(items * 0.001 <= SLICE_SECONDS for items in sizes(lambda items: items * 0.001)[1:])


def test_a_snap_for_which_many_take_as_long_as_one_gets_many() -> None:
    assert sizes(lambda items: 0.05 + items * 1e-5)[-1] == 64


def test_a_snap_that_becomes_slow_gets_less_at_the_next_call() -> None:
    size = SliceSize()
    for _ in range(10):
        size.learn(size.items, size.items * 1e-6)
    assert size.items == 1024
    size.learn(1024, 1024 * 0.005)
    assert size.items == 2


def test_one_hiccup_is_forgotten() -> None:
    size = SliceSize()
    for _ in range(10):
        size.learn(size.items, size.items * 1e-6)
    size.learn(1024, 0.5)
    for _ in range(10):
        size.learn(size.items, size.items * 1e-6)
    assert size.items >= 1024
