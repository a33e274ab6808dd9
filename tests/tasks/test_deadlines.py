"""Deadlines travel with requests: what nobody waits for any more is not begun."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path

import msgspec
import pytest

from engine.tasks.front.prefer import Preferences, preferences
from tests.tasks.callers import NOTES_WHAT_BEGINS, in_background, metric, post
from tests.tasks.conftest import Serve, Served
from tests.tasks.hosting import documents, hosted, in_loop, plan_of, request

WRITES = """
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}]}
  format: {snap: JSONFormatter}
  write: {snap: FileWriter, file: written.json}
links: [make -> format -> write]
"""


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], Preferences()),
        (["wait=10"], Preferences(10)),
        (["respond-async, wait=3"], Preferences(3, respond_async=True)),
        (["return=minimal", 'Wait = "7"; x=y'], Preferences(7)),
        (["wait=1, wait=2"], Preferences(1)),
        (["wait=-1", "wait=soon, wait", "respond-async;x"], Preferences(None, respond_async=True)),
        (["wait=" + "9" * 30], Preferences()),
        ([",=;\u00e9\x01\u0660, wait=\u0661"], Preferences()),
    ],
)
def test_preferences_that_cannot_be_read_are_ignored(
    values: list[str], expected: Preferences
) -> None:
    assert preferences(values) == expected


def test_a_caller_may_wait_for_less_time_than_the_task_allows(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text(NOTES_WHAT_BEGINS)
    (tmp_path / "work.yaml").write_text(
        "snaps: {work: {snap: RemotePythonScript, script: work.py}}"
    )
    served = serve("work.yaml")
    first = in_background(post, served, "work", id=1, waits=True)
    served.wait_for((tmp_path / "began.txt").exists)
    status, reply = ask(served, {"id": 2}, "wait=1")
    assert (status, reply["reason"]) == (504, "there was no response within 1 second")
    (tmp_path / "go").touch()
    first.join()
    assert first.result == (200, {"id": 1})
    assert ask(served, {"id": 3}, "wait=60") == (200, {"id": 3})
    served.wait_for(lambda: metric(served, 'snapline_in_flight{task="work"}') == 0)
    assert "2" not in (tmp_path / "began.txt").read_text().split()


@in_loop
async def test_a_run_whose_deadline_has_passed_is_not_begun(tmp_path: Path) -> None:
    late = msgspec.structs.replace(request(), deadline=time.monotonic() - 1)
    async with hosted(plan_of(tmp_path, WRITES)) as task:
        reply = await task.answer(late)
        assert reply.status == 504
        assert documents(reply)["error"] == "the request took too long"
    assert not (tmp_path / "written.json").exists()


def ask(served: Served, content: object, prefer: str) -> tuple[int, dict[str, object]]:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    try:
        connection.request("POST", "/tasks/work", json.dumps(content), {"Prefer": prefer})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()
