"""Channels: bounded, fair, `read_first` views, and spilling where a diamond could dead-lock."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from engine.documents import Batch, StreamStart
from engine.run.inbox import Inbox, joined
from engine.run.queues import IN_FLIGHT
from engine.run.spilling import SPILL_AFTER, SPILL_BYTES, SpillingQueue

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    async def within_seconds() -> T:
        return await asyncio.wait_for(work, 10)

    return asyncio.run(within_seconds())


def batch(number: int) -> Batch:
    return Batch([{"n": number}])


def test_returns_batches_in_order_of_arrival() -> None:
    async def work() -> list[Any]:
        inbox = Inbox(["input"])
        taken = []
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(send(inbox, "input", range(50)))
            while items := await inbox.take():
                taken += [item.items[0]["n"] for _, item in items]
        return taken

    assert run(work()) == list(range(50))


async def send(inbox: Inbox, view: str, numbers: Any) -> None:
    for number in numbers:
        await inbox.put(view, batch(number))
    inbox.end(view)


def test_makes_the_sender_wait_when_the_view_is_full() -> None:
    async def work() -> bool:
        inbox = Inbox(["input"])
        for number in range(IN_FLIGHT):
            await inbox.put("input", batch(number))
        waiting = asyncio.create_task(inbox.put("input", batch(99)))
        await asyncio.sleep(0)
        blocked = not waiting.done()
        await inbox.take()
        await waiting
        return blocked

    assert run(work())


def test_takes_from_the_views_in_turn() -> None:
    async def work() -> list[str]:
        inbox = Inbox(["a", "b"])
        for number in range(IN_FLIGHT):
            await inbox.put("a", batch(number))
            await inbox.put("b", batch(number))
        return [view for view, _ in await inbox.take(most=100)]

    assert run(work()) == ["a", "b"] * IN_FLIGHT


def test_takes_from_every_read_first_view_as_they_fill() -> None:
    async def work() -> list[str]:
        inbox = Inbox(["input", "a", "b"], read_first=["a", "b"])
        await inbox.put("input", batch(0))
        await inbox.put("b", batch(1))
        taken = await inbox.take()
        inbox.end("b")
        await inbox.put("a", batch(2))
        taken += await inbox.take()
        inbox.end("a")
        taken += await inbox.take()
        return [view for view, _ in taken]

    assert run(work()) == ["b", "a", "input"]


def test_reads_a_read_first_view_to_its_end_before_any_other() -> None:
    async def work() -> list[str]:
        inbox = Inbox(["input", "script"], read_first=["script"])
        taken = []
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(send(inbox, "input", range(3)))
            tasks.create_task(send(inbox, "script", range(3)))
            while items := await inbox.take(most=4):
                taken += [view for view, _ in items]
        return taken

    assert run(work()) == ["script"] * 3 + ["input"] * 3


def test_a_spilling_view_never_makes_its_sender_wait() -> None:
    count = SPILL_AFTER * 3

    async def work() -> list[int]:
        inbox = Inbox(["input", "script"], read_first=["script"], spilling=["input"])
        await send(inbox, "input", range(count))  # nobody takes, so this would wait for ever
        inbox.end("script")
        taken = []
        while items := await inbox.take(most=7):
            taken += [item.items[0]["n"] for _, item in items]
        inbox.close()
        return taken

    assert run(work()) == list(range(count))


def test_a_spilling_queue_keeps_order_when_reading_and_writing_alternate() -> None:
    queue = SpillingQueue(limit=2)
    taken = []
    for number in range(20):
        queue.put(batch(number))
        if number % 3 == 2:
            taken.append(queue.take().items[0]["n"])
    while queue:
        taken.append(queue.take().items[0]["n"])
    queue.close()
    assert taken == list(range(20))


def test_large_documents_that_wait_in_a_spilling_view_go_to_disk() -> None:
    count, size = 40, 2 << 20
    queue = SpillingQueue()
    tracemalloc.start()
    try:
        for number in range(count):
            queue.put(Batch([{"n": number, "image": "x" * size}]))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < SPILL_BYTES + 5 * size < count * size
    taken = [queue.take().items[0] for _ in range(count)]
    queue.close()
    assert [document["n"] for document in taken] == list(range(count))


def test_ends_when_every_view_has_ended() -> None:
    async def work() -> Any:
        inbox = Inbox(["a", "b"])
        taking = asyncio.create_task(inbox.take())
        inbox.end("a")
        await asyncio.sleep(0)
        assert not taking.done()
        inbox.end("b")
        return await taking

    assert run(work()) == []


@pytest.mark.parametrize("views", [[], ["a"]])
def test_a_stage_without_open_views_ends_at_once(views: list[str]) -> None:
    async def work() -> Any:
        inbox = Inbox(views)
        for view in views:
            inbox.end(view)
        return await inbox.take()

    assert run(work()) == []


def test_several_batches_are_taken_at_once_while_senders_continue() -> None:
    async def work() -> int:
        inbox = Inbox(["input"], limit=8)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(send(inbox, "input", range(8)))
            taken = await inbox.take(most=8)
        return len(taken)

    assert run(work()) == 8


def test_a_single_batch_is_not_kept_waiting_for_others() -> None:
    async def work() -> int:
        inbox = Inbox(["input"], limit=8)
        await inbox.put("input", batch(1))  # and the view stays open: no more may ever come
        return len(await inbox.take(most=8))

    assert run(work()) == 1


def test_successive_batches_of_one_view_are_joined() -> None:
    taken = [("a", Batch([{"n": 1}])), ("a", Batch([{"n": 2}, {"n": 3}])), ("b", Batch([{"n": 4}]))]
    assert joined([*taken, ("a", Batch([{"n": 5}]))]) == [
        ("a", Batch([{"n": 1}, {"n": 2}, {"n": 3}])),
        ("b", Batch([{"n": 4}])),
        ("a", Batch([{"n": 5}])),
    ]


def test_batches_of_requests_and_of_streams_are_not_joined() -> None:
    lines = [frozenset((1,))]
    taken = [
        ("a", Batch([{"n": 1}], lines)),
        ("a", Batch([{"n": 2}])),
        ("b", Batch([StreamStart()])),
        ("b", Batch([b"x"])),
    ]
    assert joined(taken) == taken
