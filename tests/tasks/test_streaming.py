"""Responses that are streamed: document by document, no faster than they are read."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.registry import discover
from engine.tasks.definition.check import check_task
from engine.tasks.definition.task_file import load_task
from tests.tasks.callers import children, metric
from tests.tasks.conftest import Serve, Served

SCRIPT = """
import os, time

def snaplogic_process(row):
    content = row["content"]
    if content.get("plain"):
        return {"content": content}
    return numbers(content)

def numbers(content):
    try:
        for number in range(content["count"]):
            if number == content.get("fails_at"):
                raise ValueError("no more")
            while number == content.get("waits_at") and not os.path.exists("go"):
                yield None
                time.sleep(0.01)
            if content.get("notes"):
                with open("noted", "w") as file:
                    file.write(str(number))
            yield {"content": {"n": number, "pad": "x" * content.get("size", 0)}}
    finally:
        open("closed", "w").close()
"""
PIPELINE = "snaps: {work: {snap: RemotePythonScript, script: work.py}}"
TASK = "name: work\ntype: ultra\npipeline: work.yaml\nresponse: stream\n"


@pytest.fixture
def served(serve: Serve, tmp_path: Path) -> Served:
    (tmp_path / "work.py").write_text(SCRIPT)
    (tmp_path / "work.yaml").write_text(PIPELINE)
    (tmp_path / "task.yaml").write_text(TASK)
    return serve("task.yaml")


@contextlib.contextmanager
def asked(
    served: Served, content: Any, headers: dict[str, str] | None = None
) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    connection.request("POST", "/tasks/work", json.dumps(content), headers or {})
    try:
        yield connection.getresponse()
    finally:
        connection.close()


def lines(response: http.client.HTTPResponse) -> list[Any]:
    return [json.loads(line) for line in response.read().splitlines() if line]


def test_documents_arrive_while_the_script_goes_on(served: Served, tmp_path: Path) -> None:
    with asked(served, {"count": 3, "waits_at": 1}) as response:
        assert response.status == 200
        assert response.getheader("content-type") == "application/x-ndjson"
        assert response.getheader("cache-control") == "no-store"
        assert json.loads(response.readline()) == {"n": 0, "pad": ""}
        (tmp_path / "go").touch()
        assert [each["n"] for each in lines(response)] == [1, 2]
    with asked(served, {"plain": True}) as response:
        assert lines(response) == [{"plain": True}]
    served.wait_for(lambda: metric(served, 'snapline_in_flight{task="work"}') == 0)
    assert metric(served, 'snapline_snap_documents_in_total{snap="work"') >= 0


def test_events_are_sent_to_callers_that_accept_them(served: Served) -> None:
    with asked(served, {"count": 2}, {"Accept": "text/event-stream"}) as response:
        assert response.getheader("content-type") == "text/event-stream"
        assert response.read() == (
            b'data: {"n":0,"pad":""}\n\ndata: {"n":1,"pad":""}\n\nevent: end\ndata: {}\n\n'
        )
    with asked(served, {"count": 2, "fails_at": 1}, {"Accept": "text/event-stream"}) as response:
        events = response.read().split(b"\n\n")
    assert events[1].startswith(b'event: error\ndata: {"error":"')


def test_an_error_after_the_first_document_is_told_in_the_body_and_logged(served: Served) -> None:
    with asked(served, {"count": 3, "fails_at": 2}) as response:
        assert response.status == 200
        *documents, error = lines(response)
    assert [each["n"] for each in documents] == [0, 1]
    assert "ValueError: no more" in error["reason"]
    served.wait_for(lambda: "ValueError: no more" in served.stderr)
    with asked(served, {"count": 1}) as response:
        assert lines(response) == [{"n": 0, "pad": ""}]


def test_an_error_before_the_first_document_is_a_status(served: Served) -> None:
    with asked(served, {"count": 3, "fails_at": 0}) as response:
        assert response.status == 500
        assert "ValueError: no more" in json.loads(response.read())["reason"]
    with asked(served, {"count": 0}) as response:
        assert (response.status, response.read()) == (204, b"")


def test_the_script_is_closed_when_its_caller_leaves(served: Served, tmp_path: Path) -> None:
    with asked(served, {"count": 10, "waits_at": 1}) as response:
        assert json.loads(response.readline())["n"] == 0
    served.wait_for((tmp_path / "closed").exists)
    with asked(served, {"count": 1}) as response:
        assert lines(response) == [{"n": 0, "pad": ""}]


def test_the_script_waits_for_a_slow_reader(served: Served, tmp_path: Path) -> None:
    count = 400
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as connection:
        body = json.dumps({"count": count, "size": 100_000, "notes": True}).encode()
        head = "POST /tasks/work HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

        def noted() -> int:
            with contextlib.suppress(OSError, ValueError):
                return int((tmp_path / "noted").read_text())
            return -1

        served.wait_for(lambda: noted() >= 10)
        reached = -1
        while reached != (reached := served.wait_for(noted)):
            with contextlib.suppress(TimeoutError):
                connection.settimeout(0.5)
                connection.recv(1)
        assert reached < count // 2
        connection.settimeout(60)
        parts = []
        while part := connection.recv(1 << 20):
            parts.append(part)
    assert b"".join(parts).count(b'"n":') >= count - 1
    assert parts[-1].endswith(b"0\r\n\r\n")


def test_a_stream_whose_instance_dies_ends_with_an_error(served: Served) -> None:
    instance = children(served.pid)[0]
    with asked(served, {"count": 3, "waits_at": 1}) as response:
        assert json.loads(response.readline())["n"] == 0
        os.kill(instance, signal.SIGKILL)
        (error,) = lines(response)
    assert error["error"] == "the request could not be answered"
    assert error["reason"] == "its instance died while processing it"
    served.wait_for(served.is_ready)


def test_a_pipeline_may_give_several_documents(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "work.yaml").write_text("""
snaps:
  split: {snap: JSONSplitter, json_path: $content}
  even: {snap: Filter, filter: $n % 2 == 0}
  answer: {snap: Mapper, mappings: {$content.n: $n, $status: 201, $x-kind: "'number'"}}
links: [split -> even -> answer]
""")
    (tmp_path / "task.yaml").write_text(TASK)
    served = serve("task.yaml")
    with asked(served, [{"n": number} for number in range(6)]) as response:
        assert (response.status, response.getheader("x-kind")) == (201, "number")
        assert lines(response) == [{"n": 0}, {"n": 2}, {"n": 4}]
    with asked(served, [{"n": 1}]) as response:
        assert response.status == 204


def test_a_task_that_does_not_stream_answers_with_the_first_document(
    serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "work.py").write_text(SCRIPT)
    (tmp_path / "work.yaml").write_text(PIPELINE)
    served = serve("work.yaml")
    with asked(served, {"count": 3}) as response:
        assert (response.status, json.loads(response.read())) == (200, {"n": 0, "pad": ""})


def test_a_binary_stream_cannot_be_sent_document_by_document(tmp_path: Path) -> None:
    (tmp_path / "work.yaml").write_text("snaps: {format: {snap: JSONFormatter}}")
    (tmp_path / "task.yaml").write_text(TASK)
    problems = check_task(load_task(tmp_path / "task.yaml"), discover())
    assert "'format.output' gives a binary stream, but" in "\n".join(map(str, problems))


def test_with_one_request_for_each_instance_none_waits_behind_a_stream(
    serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "work.py").write_text(SCRIPT)
    (tmp_path / "work.yaml").write_text(PIPELINE)
    (tmp_path / "task.yaml").write_text(TASK + "instances: 2\nlimits: {in_flight: 1}\n")
    served = serve("task.yaml")
    with asked(served, {"count": 2, "waits_at": 1}) as first:
        assert json.loads(first.readline())["n"] == 0
        with asked(served, {"count": 2, "waits_at": 1}) as second:
            assert json.loads(second.readline())["n"] == 0
        with asked(served, {"count": 1}) as third:  # in place of the second, whose caller has left
            assert [each["n"] for each in lines(third)] == [0]
        (tmp_path / "go").touch()
        assert [each["n"] for each in lines(first)] == [1]
