"""Request ids: every answer has one, that of its own request."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from engine.tasks.front.connection import MAX_PIPELINED
from tests.tasks.conftest import Serve, Served, servers
from tests.tasks.echoing import running
from tests.tasks.hosting import in_loop
from tests.tasks.wire import CLOSE, answers, ask, message, talk

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-00"
SEEN = re.compile(r"seen (\d+) \(request id-(\d+)\)\n")
MADE = re.compile("[0-9a-f]{32}")
SCRIPT = """
def snaplogic_process(row):
    content = row["content"]
    print("seen", content["n"])
    if content.get("fail"):
        raise ValueError("number %d" % content["n"])
    return {"content": {"n": content["n"], "id": snaplogic_pipe["request_id"]}}
"""
PIPELINE = "snaps:\n  answer:\n    snap: RemotePythonScript\n    script: answer.py\n"
ECHO = "snaps: {same: {snap: Mapper, mappings: {$n: $content.n}}}\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("ids")
    (folder / "answer.py").write_text(SCRIPT)
    (folder / "script.yaml").write_text(PIPELINE)
    (folder / "echo.yaml").write_text(ECHO)
    (folder / "run.yaml").write_text("snaps: {same: {snap: Mapper, mappings: {$n: $n}}}\n")
    (folder / "guarded.task.yaml").write_text(
        "name: guarded\ntype: ultra\npipeline: echo.yaml\nbearer_token: secret\n"
        "limits: {rate_per_token: 1/d, body: 100}\n"
    )
    (folder / "run.task.yaml").write_text("name: run\ntype: triggered\npipeline: run.yaml\n")
    with servers(folder) as serve:
        yield serve("script.yaml", "echo.yaml", "guarded.task.yaml", "run.task.yaml")


def id_of(served: Served, path: str, *headers: tuple[str, str], body: bytes | None = None) -> str:
    reply = ask(served.port, "GET" if body is None else "POST", path, headers, body)
    (found,) = reply.header("x-request-id")
    return found


@pytest.mark.parametrize("path", ["/healthz", "/nothing", "/tasks/echo", "/tasks/run"])
def test_the_callers_id_comes_back(served: Served, path: str) -> None:
    assert id_of(served, path, ("X-Request-Id", 'a-"7"')) == 'a-"7"'


def test_the_trace_comes_back_as_the_id(served: Served) -> None:
    assert id_of(served, "/tasks/echo", ("traceparent", PARENT)) == TRACE


@pytest.mark.parametrize("given", ["a" * 10_240, "two words", "\u00e9", "", "a\tb"])
def test_an_id_that_is_not_sane_is_replaced(served: Served, given: str) -> None:
    assert MADE.fullmatch(id_of(served, "/tasks/echo", ("X-Request-Id", given)))


def test_an_id_with_a_line_break_is_two_headers_or_no_request(served: Served) -> None:
    data = message("GET", "/healthz", [("X-Request-Id", "a\r\nX-Other: b"), CLOSE])
    (answer,) = answers(talk(served.port, data))
    assert answer.header("x-request-id") == ["a"]
    assert answer.header("x-other") == []
    data = message("GET", "/healthz", [("X-Request-Id", "a\nset-cookie: b"), CLOSE])
    for answer in answers(talk(served.port, data)):
        assert answer.header("set-cookie") == []


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (message("TRACE", "/", [("X-Request-Id", "mine"), CLOSE]), 405),
        (message("GET", "/", [("X", "a" * 70_000), CLOSE]), 431),
        (message("GET", "/nothing", [("X-Request-Id", "mine"), CLOSE]), 404),
        (message("POST", "/tasks/guarded", [("X-Request-Id", "mine"), CLOSE], b"{}"), 401),
        (
            message(
                "POST",
                "/tasks/guarded",
                [("X-Request-Id", "mine"), ("Authorization", "Bearer secret"), CLOSE],
                b"1" * 101,
            ),
            413,
        ),
        (message("POST", "/tasks/echo", [("X-Request-Id", "mine"), CLOSE], b"{"), 400),
        (message("POST", "/tasks/run", [("X-Request-Id", "mine"), CLOSE], b"{}"), 500),
        (message("POST", "/tasks/run", [("X-Request-Id", "mine"), CLOSE], b"{"), 400),
    ],
)
def test_an_error_has_the_id_in_header_and_body(served: Served, data: bytes, status: int) -> None:
    (answer,) = answers(talk(served.port, data))
    assert answer.status == status
    (found,) = answer.header("x-request-id")
    assert answer.json["request_id"] == found
    assert found == "mine" if b"mine" in data else MADE.fullmatch(found)


def test_a_request_too_many_has_its_id(served: Served) -> None:
    headers = [("Authorization", "Bearer secret")]
    replies = [
        ask(served.port, "POST", "/tasks/guarded", [*headers, ("X-Request-Id", str(n))], b"{}")
        for n in range(4)
    ]
    assert replies[-1].status == 429
    assert [each.header("x-request-id") for each in replies] == [[str(n)] for n in range(4)]


def test_a_request_that_comes_after_another_does_not_get_its_id(served: Served) -> None:
    first = message("GET", "/healthz", [("X-Request-Id", "first")])
    second = message("GET", "/healthz", [CLOSE])
    found = [each.header("x-request-id") for each in answers(talk(served.port, first + second))]
    assert found[0] == ["first"]
    assert MADE.fullmatch(found[1][0])
    broken = answers(talk(served.port, first + b"nonsense\r\n\r\n"))
    assert MADE.fullmatch(broken[1].header("x-request-id")[0])


def test_a_pipeline_cannot_replace_the_id(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "forged.yaml"
    file.write_text(
        "snaps:\n  a:\n    snap: Mapper\n    mappings:\n"
        "      $content: '1'\n      $['X-Request-Id']: \"'forged'\"\n"
    )
    reply = ask(serve(file).port, "GET", "/tasks/forged", [("X-Request-Id", "mine")])
    assert reply.header("x-request-id") == ["mine"]


def test_no_id_is_swapped(served: Served) -> None:
    """Eight callers at once, each with pipelined requests of which every fifth fails."""
    failures: list[str] = []

    def call(caller: int) -> None:
        numbers = [caller * 1000 + n for n in range(50)]
        data = b"".join(
            message(
                "POST",
                "/tasks/script",
                [("X-Request-Id", f"id-{n}"), *([CLOSE] if n == numbers[-1] else [])],
                json.dumps({"n": n, "fail": n % 5 == 0}).encode(),
            )
            for n in numbers
        )
        replies = answers(talk(served.port, data))
        for n, reply in zip(numbers, replies, strict=True):
            given = {"n": n, "id": f"id-{n}"}
            told = reply.json.get("request_id") if n % 5 == 0 else reply.json
            expected = f"id-{n}" if n % 5 == 0 else given
            if reply.header("x-request-id") != [f"id-{n}"] or told != expected:
                failures.append(f"{n}: {reply}")

    threads = [threading.Thread(target=call, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    served.wait_for(lambda: len(SEEN.findall(served.stderr)) >= 8 * 50)
    assert all(number == request for number, request in SEEN.findall(served.stderr))


BATCHES = """
def snaplogic_process_batch(rows):
    ids = snaplogic_pipe["request_ids"]
    return [{"content": {"id": id, "own": row["x-request-id"]}} for row, id in zip(rows, ids)]
"""


def test_a_function_for_batches_has_the_id_of_each_row(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "answer.py").write_text(BATCHES)
    (tmp_path / "script.yaml").write_text(PIPELINE)
    served = serve("script.yaml")
    data = b"".join(
        message(
            "GET", "/tasks/script", [("X-Request-Id", f"id-{n}"), *([CLOSE] if n == 19 else [])]
        )
        for n in range(20)
    )
    for n, reply in enumerate(answers(talk(served.port, data))):
        assert reply.json == {"id": f"id-{n}", "own": f"id-{n}"}


TRIGGERED = """
snaps:
  answer: {snap: RemotePythonScript, script: answer.py, on_error: route}
  failed: {snap: Mapper, mappings: {$failed: $request_id, $where: $stacktrace}}
  both: {snap: Union}
links: [answer -> both, answer.error -> failed -> both]
"""


def test_a_run_has_the_id_in_script_log_and_error_document(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "answer.py").write_text(SCRIPT.replace('row["content"]', "row"))
    (tmp_path / "run.yaml").write_text(TRIGGERED)
    (tmp_path / "run.task").write_text("name: run\ntype: triggered\npipeline: run.yaml\n")
    served = serve("run.task")
    for request in ("one", "two"):
        body = json.dumps([{"n": 1}, {"n": 2, "fail": True}]).encode()
        reply = ask(served.port, "POST", "/tasks/run", [("X-Request-Id", request)], body)
        assert {"content": {"id": request, "n": 1}} in reply.json
        (failed,) = [each for each in reply.json if "failed" in each]
        assert failed["failed"] == request
        assert "in snaplogic_process" in failed["where"]
        seen = f"seen 2 (request {request})"
        served.wait_for(partial(contains, served, seen))


def test_a_run_that_fails_is_in_the_log_with_the_id_and_the_line_of_its_script(
    serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "answer.py").write_text(SCRIPT.replace('row["content"]', "row"))
    (tmp_path / "run.yaml").write_text(
        "snaps: {answer: {snap: RemotePythonScript, script: answer.py}}"
    )
    (tmp_path / "run.task").write_text("name: run\ntype: triggered\npipeline: run.yaml\n")
    served = serve("run.task", "--log-format", "json")
    reply = ask(served.port, "POST", "/tasks/run", [("X-Request-Id", "x1")], b'{"fail": true}')
    assert (reply.status, reply.json["request_id"]) == (500, "x1")
    served.wait_for(partial(contains, served, "request failed"))
    lines = [json.loads(line) for line in served.stderr.splitlines()]
    (failed,) = [line for line in lines if "request failed" in line["message"]]
    assert (failed["request_id"], failed["task"], failed["level"]) == ("x1", "run", "warning")
    assert "snap 'answer'" in failed["message"]
    assert reply.json["reason"] in failed["message"]
    assert "in snaplogic_process" in failed["message"]


def test_a_scheduled_run_that_fails_is_in_the_log(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("""
snaps:
  rows: {snap: JSONGenerator, documents: [{n: 1}]}
  answer: {snap: Mapper, mappings: {$n: $n.trim()}}
links: [rows -> answer]
""")
    (tmp_path / "run.task").write_text(
        "name: run\ntype: scheduled\npipeline: run.yaml\nschedule: {every: 1s}\n"
    )
    (tmp_path / "echo.yaml").write_text("snaps: {echo: {snap: Mapper, mappings: {$n: $n}}}")
    served = serve("run.task", "echo.yaml")
    served.wait_for(partial(contains, served, "run failed: snap 'answer'"))
    assert "a number has no method `trim`" in served.stderr


def contains(served: Served, text: str) -> bool:
    return text in served.stderr


@in_loop
async def test_a_request_that_the_connection_has_no_room_for_has_its_id() -> None:
    first = message("GET", "/late", [("X-Request-Id", "id-1")])
    ids = [("X-Request-Id", f"more-{n}") for n in range(MAX_PIPELINED + 5)]
    more = b"".join(message("GET", "/a", [each]) for each in ids)
    async with running() as server:
        talking = asyncio.create_task(server.talk(first + more))
        await server.let_go()
        replies = await talking
    assert replies[-1].status == 503
    told = [each.header("x-request-id")[0] for each in replies]
    assert told == ["id-1", *(f"more-{n}" for n in range(len(replies) - 1))]


DYING = """
import os

def snaplogic_process(row):
    content = row["content"]
    if content.get("dies") and not os.path.exists("died"):
        open("died", "w").close()
        os._exit(9)
    return {"content": {"n": content["n"], "id": snaplogic_pipe["request_id"]}}
"""


def test_a_request_that_is_delivered_again_keeps_its_id(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "answer.py").write_text(DYING)
    (tmp_path / "script.yaml").write_text(PIPELINE)
    served = serve("script.yaml")
    told: dict[int, tuple[list[str], object]] = {}

    def call(n: int) -> None:
        body = json.dumps({"n": n, "dies": n == 3}).encode()
        reply = ask(served.port, "POST", "/tasks/script", [("X-Request-Id", f"id-{n}")], body)
        told[n] = reply.header("x-request-id"), reply.json

    threads = [threading.Thread(target=call, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "died").exists()
    assert told == {n: ([f"id-{n}"], {"n": n, "id": f"id-{n}"}) for n in range(8)}


PRINTING = """
import sys, threading

print("loaded")

def snaplogic_process(row):
    print("one\\ntwo")
    print("three", end="")
    print(" four\\x0cfive")
    print("six", file=sys.stderr)
    other = threading.Thread(target=print, args=("seven",))
    other.start()
    other.join()
    return {"content": 1}
"""


def test_what_is_printed_for_a_request_has_its_id(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "answer.py").write_text(PRINTING)
    (tmp_path / "script.yaml").write_text(PIPELINE)
    served = serve("script.yaml", "--log-format", "json")
    ask(served.port, "POST", "/tasks/script", [("X-Request-Id", "mine")], b"1")
    served.wait_for(partial(contains, served, "seven"))
    entries = map(json.loads, served.stderr.rpartition("\n")[0].splitlines())
    printed = {entry["message"]: entry.get("request_id") for entry in entries if "snap" in entry}
    assert printed == {
        "loaded": None,
        "one": "mine",
        "two": "mine",
        "three four\x0cfive": "mine",
        "six": "mine",
        "seven": None,
    }
