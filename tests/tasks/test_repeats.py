"""Idempotency keys: a request that is sent again is not done again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.tasks.front.repeats import KEPT_SECONDS, MAX_KEPT_BYTES, MAX_KEYS, Repeats
from engine.tasks.front.reply import Reply, error_reply
from engine.tasks.wire.messages import Headers, Request, RequestHead, Response
from tests.tasks.fronted import Fronted, ManualTask, fronted
from tests.tasks.hosting import in_loop, turns
from tests.tasks.test_polling import ASYNC, Pieces, bearer
from tests.tasks.wire import CLOSE, Answer, message


def keyed(key: str) -> tuple[str, str]:
    return "Idempotency-Key", key


async def sent(front: Fronted, key: str, body: bytes = b"{}", **options: Any) -> Answer:
    headers = [keyed(key), *options.get("headers", [])]
    path = options.get("path", "/tasks/report")
    return await front.ask(options.get("method", "POST"), path, headers, body)


async def answered(front: Fronted, task: ManualTask, key: str, **options: Any) -> Answer:
    count = len(task.requests)
    asking = asyncio.create_task(sent(front, key, **options))
    await task.arrived(count + 1)
    task.answer(b'{"number":%d}' % count)
    return await asking


@in_loop
async def test_the_same_key_and_body_get_the_same_response() -> None:
    task = ManualTask()
    async with fronted(task) as front:
        first = await answered(front, task, "k1")
        again = await sent(front, "k1")
        quoted = await sent(front, '"k1"')
        assert (first.status, first.body) == (again.status, again.body) == (200, quoted.body)
        assert first.header("idempotent-replayed") == []
        assert again.header("idempotent-replayed") == ["true"]
        assert again.header("x-run") == ["1"]
        other = await answered(front, task, "k2")
        assert other.body != first.body
        assert len(task.requests) == 2


@in_loop
async def test_repeats_while_the_first_is_in_progress_wait_for_its_response() -> None:
    task = ManualTask()
    async with fronted(task) as front:
        asking = [asyncio.create_task(sent(front, "k")) for _ in range(5)]
        await task.arrived(1)
        await turns(lambda: len(front.front.repeats.waiting("report", "", "k")) == 5)
        task.answer()
        assert {(each.status, each.body) for each in await asyncio.gather(*asking)} == {
            (200, b'{"done":true}')
        }
        assert len(task.requests) == 1


@in_loop
async def test_each_page_gets_the_headers_for_its_own_origin() -> None:
    task = ManualTask(allowed_origins=("https://a.example", "https://b.example"))
    async with fronted(task) as front:
        origins = ["https://a.example", "https://b.example"]
        asking = []
        for origin in origins:
            asking.append(asyncio.create_task(sent(front, "k", headers=[("Origin", origin)])))
            await task.arrived(1)
        await turns(lambda: len(front.front.repeats.waiting("report", "", "k")) == 2)
        task.answer()
        for answer, origin in zip(await asyncio.gather(*asking), origins, strict=True):
            assert answer.header("access-control-allow-origin") == [origin]
            assert len(answer.header("access-control-expose-headers")) == 1


@in_loop
async def test_a_repeat_waits_no_longer_than_its_caller() -> None:
    task = ManualTask()
    async with fronted(task) as front:
        first = asyncio.create_task(sent(front, "k"))
        await task.arrived(1)
        impatient = await sent(front, "k", headers=[("Prefer", "wait=0")])
        assert (impatient.status, impatient.json["error"]) == (504, "the request took too long")
        task.answer()
        assert (await first).status == 200
        assert (await sent(front, "k", headers=[("Prefer", "wait=0")])).status == 200


@pytest.mark.parametrize(
    "options",
    [
        {"body": b"[]"},
        {"path": "/tasks/report?x=1"},
        {"path": "/tasks/report/more"},
        {"method": "PUT"},
        {"headers": [("Content-Type", "text/plain")]},
    ],
)
def test_the_same_key_for_another_request_is_refused(options: dict[str, Any]) -> None:
    @in_loop
    async def check() -> None:
        task = ManualTask()
        async with fronted(task) as front:
            await answered(front, task, "k")
            answer = await sent(front, "k", **options)
            assert answer.status == 422
            assert answer.json["error"] == "the Idempotency-Key was used for another request"
            assert len(task.requests) == 1

    check()


@in_loop
async def test_another_request_while_the_first_is_in_progress_is_refused() -> None:
    task = ManualTask()
    async with fronted(task) as front:
        asking = asyncio.create_task(sent(front, "k"))
        await task.arrived(1)
        assert (await sent(front, "k", b"[]")).status == 422
        task.answer()
        assert (await asking).status == 200


@in_loop
async def test_keys_belong_to_a_token_and_a_task() -> None:
    one, two = ManualTask(), ManualTask(name="other")
    async with fronted(one, two) as front:
        bodies = [
            (await answered(front, one, "k")).body,
            (await answered(front, one, "k", headers=[bearer("a")])).body,
            (await answered(front, one, "k", headers=[bearer("b")])).body,
            (await answered(front, two, "k", path="/tasks/other")).body,
        ]
        assert bodies[:3] == [b'{"number":0}', b'{"number":1}', b'{"number":2}']
        assert (await sent(front, "k", headers=[bearer("a")])).body == bodies[1]


@in_loop
async def test_the_work_goes_on_if_its_caller_leaves_and_the_next_one_gets_the_response() -> None:
    task = ManualTask()
    async with fronted(task) as front:
        _, writer = await front.connect()
        writer.write(message("POST", "/tasks/report", [keyed("k")], b"{}"))
        await task.arrived(1)
        writer.transport.abort()
        await turns(lambda: not front.front.repeats.waiting("report", "", "k"))
        again = asyncio.create_task(sent(front, "k"))
        await turns(lambda: front.front.repeats.waiting("report", "", "k"))
        task.answer()
        assert (await again).body == b'{"done":true}'
        assert (len(task.requests), task.withdrawn) == (1, [])


@in_loop
async def test_a_failure_is_kept_but_a_refusal_is_not() -> None:
    task = ManualTask()
    async with fronted(task) as front:
        task.refusal = error_reply(503, "the queue of the task is full")
        assert (await sent(front, "k")).status == 503
        task.refusal = None
        asking = asyncio.create_task(sent(front, "k"))
        await task.arrived(2)
        task.answer(b'{"error":"it failed"}', 500)
        assert (await asking).status == 500
        assert (await sent(front, "k")).json["error"] == "it failed"
        assert len(task.requests) == 2


@pytest.mark.parametrize("keys", [[""], ["x" * 256], ['"a'], ["a", "b"], ["caf\xe9"], ["a\tb"]])
def test_a_key_that_is_not_valid_is_refused(keys: list[str]) -> None:
    @in_loop
    async def check() -> None:
        task = ManualTask()
        async with fronted(task) as front:
            answer = await front.ask("POST", "/tasks/report", map(keyed, keys), b"{}")
            assert answer.status == 400
            assert answer.json["error"] == "the Idempotency-Key is not valid"
            assert not task.requests

    check()


@in_loop
async def test_a_key_means_nothing_for_a_request_that_only_reads() -> None:
    task = ManualTask()
    async with fronted(task) as front:
        for number in range(2):
            asking = asyncio.create_task(front.ask("GET", "/tasks/report", [keyed("k")]))
            await task.arrived(number + 1)
            task.answer()
            assert (await asking).header("idempotent-replayed") == []


@in_loop
async def test_a_key_with_respond_async_leads_to_the_same_run() -> None:
    task = ManualTask()
    async with fronted(task) as front:
        first = await sent(front, "k", headers=[ASYNC])
        again = await sent(front, "k", headers=[ASYNC])
        assert first.status == again.status == 202
        assert first.header("location") == again.header("location")
        assert len(task.requests) == 1


@in_loop
async def test_a_response_in_pieces_is_not_kept_and_its_request_is_not_done_again() -> None:
    task = ManualTask()
    async with fronted(task) as front:
        reader, writer = await front.connect()
        writer.write(message("POST", "/tasks/report", [keyed("k"), CLOSE], b"{}"))
        await task.arrived(1)
        task.answer(Pieces([b"abc"]))
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        writer.close()
        again = await sent(front, "k")
        assert (again.status, len(task.requests)) == (409, 1)


class Direct:
    """Answers at once; `size` is that of the body."""

    def __init__(self, size: int = 1, headers: Headers | None = None) -> None:
        self.size = size
        self.headers: Headers = headers or []
        self.count = 0

    def submit(self, request: Request, deliver: Any) -> None:
        self.count += 1
        deliver(Response(request.id, 200, self.headers, bytes(self.size)))

    def withdraw(self, request: int) -> None:
        """Nothing is in progress."""


def ask(repeats: Repeats, task: Direct, key: str) -> None:
    said: list[Response | Reply] = []
    place = ("task", "", key)
    repeats.of(task, place).submit(Request(1, RequestHead("POST", "/").packed(), b""), said.append)
    assert len(said) == 1


def test_responses_are_forgotten_after_a_day() -> None:
    now = [0.0]
    repeats, task = Repeats(lambda: now[0]), Direct()
    for seconds in (0.0, KEPT_SECONDS - 1, KEPT_SECONDS + 1):
        now[0] = seconds
        ask(repeats, task, "k")
    assert task.count == 2


def test_only_so_many_keys_are_remembered() -> None:
    repeats, task = Repeats(), Direct()
    for number in range(MAX_KEYS + 10):
        ask(repeats, task, str(number))
    assert len(repeats) == MAX_KEYS


@pytest.mark.parametrize(
    "large",
    [Direct(MAX_KEPT_BYTES // 3), Direct(headers=[("x-more", "x" * (MAX_KEPT_BYTES // 3))])],
    ids=["body", "headers"],
)
def test_large_responses_make_room_for_later_ones(large: Direct) -> None:
    repeats = Repeats()
    for key in "abcd":
        ask(repeats, large, key)
    assert len(repeats) <= 3
    ask(repeats, large, "d")
    assert large.count == 4
