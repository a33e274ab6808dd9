"""Callers of a server in tests, and what they can see of its processes."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.tasks.conftest import Served

NOTES_WHAT_BEGINS = """
import os, time

def snaplogic_process(row):
    content = row["content"]
    with open("began.txt", "a") as file:
        file.write(f"{content['id']}\\n")
    while content.get("waits") and not os.path.exists("go"):
        time.sleep(0.01)
    return {"content": {"id": content["id"]}}
"""
"""A script that notes each row that it begins; a row that `waits` takes until `go` exists."""


def post(served: Served, task: str, **content: Any) -> tuple[int, Any]:
    """Status and parsed body of the answer to a JSON object."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    try:
        connection.request("POST", f"/tasks/{task}", json.dumps(content))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()


def in_background(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """A call in a thread; the result is in `.result` once it has been joined."""

    class Call(threading.Thread):
        result: Any = None

        def run(self) -> None:
            self.result = function(*arguments, **named)

    call = Call()
    call.start()
    return call


def children(pid: int) -> list[int]:
    """The processes below one that have not ended, nearest first."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            state, parent, *_ = stat.rpartition(")")[2].split()
            if int(parent) == pid and state != "Z":
                found.append(int(entry.name))
    return found + [each for child in found for each in children(child)]


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def metric(served: Served, name: str) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    lines = [line for line in text.splitlines() if line.startswith(name)]
    return sum(float(line.rpartition(" ")[2]) for line in lines)
