"""Hosts a task on Ray Serve and prints what callers get, as JSON, while processes are killed.

The tests run it in a network of its own: Ray Serve listens there.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import ray
from ray import serve

from engine.errors import ConfigurationError
from engine.serve_ray import deployment

TOKEN = {"authorization": "Bearer open-sesame"}
PORT = 8123


def ask(
    body: bytes, headers: dict[str, str], path: str = "", task: str = "echo"
) -> tuple[int, dict[str, str], str]:
    connection = HTTPConnection("127.0.0.1", PORT, timeout=600)
    try:
        connection.request("POST", f"/{task}{path}", body, headers)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read().decode()
    finally:
        connection.close()


def process(mark: bytes) -> int:
    """A process whose command line has that."""
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                if mark in (path / "cmdline").read_bytes():
                    return int(path.name)
            except OSError:
                continue
    raise AssertionError(f"no process with {mark!r}")


def while_killing(mark: bytes, count: int) -> dict[str, int]:
    """How `count` requests end, if the process is killed meanwhile."""
    ends: Counter[str] = Counter()

    def call(first: int) -> None:
        for number in range(first, count, 4):
            try:
                status, _, text = ask(json.dumps({"n": number}).encode(), TOKEN)
            except OSError:
                ends["broken connection"] += 1
                continue
            own = status == 200 and json.loads(text)["n"] == number
            ends["own answer" if own else str(status)] += 1

    callers = [threading.Thread(target=call, args=(first,)) for first in range(4)]
    for caller in callers:
        caller.start()
    while ends["own answer"] < count // 4:
        time.sleep(0.01)
    os.kill(process(mark), signal.SIGKILL)
    for caller in callers:
        caller.join()
    return dict(ends)


def at_once(callers: int, each: int) -> int:
    """How many of the requests of so many callers get their own answer."""
    own: Counter[bool] = Counter()

    def call(caller: int) -> None:
        for number in range(each):
            n = caller * each + number
            status, _, text = ask(json.dumps({"n": n}).encode(), TOKEN)
            own[status == 200 and json.loads(text)["n"] == n] += 1

    _in_threads(call, callers)
    return own[True]


def while_all_are_busy(callers: int) -> dict[str, int]:
    """How requests end at a task that answers once one of them is refused."""
    ends: Counter[str] = Counter()

    def call(_: int) -> None:
        status, headers, _body = ask(b'{"n": 1}', {}, task="slow")
        known = {key.lower(): value for key, value in headers.items()}
        ends[f"{status} {known.get('retry-after', '')}".strip()] += 1
        if status == 503:
            Path("refused").touch()

    _in_threads(call, callers)
    return dict(ends)


def _in_threads(call: Callable[[int], None], count: int) -> None:
    callers = [threading.Thread(target=call, args=(number,)) for number in range(count)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()


def refusal(path: str) -> str:
    try:
        deployment(path)
    except ConfigurationError as error:
        return str(error)
    return ""


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": PORT})
    serve.run(deployment("echo.yaml"), name="echo", route_prefix="/echo")
    serve.run(deployment("slow.yaml"), name="slow", route_prefix="/slow")
    found: dict[str, Any] = {
        "answer": ask(b'{"n": 1.50}', TOKEN),
        "below": ask(b'{"n": 2}', TOKEN, "/a/b?x=1"),
        "no token": ask(b'{"n": 1}', {}),
        "wrong body": ask(b'{"n": ', TOKEN),
        "too large": ask(b" " * 2000, TOKEN),
        "triggered": refusal("nightly.yaml"),
        "at once": at_once(16, 10),
        "all busy": while_all_are_busy(8),
        "instance killed": while_killing(b"engine.tasks.worker.instance", 200),
        "replica killed": while_killing(b"ray::ServeReplica:echo", 200),
    }
    print(json.dumps(found), file=answers, flush=True)
    serve.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    main()
