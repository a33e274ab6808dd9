"""The work of callers that hang up is not done."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.tasks.callers import NOTES_WHAT_BEGINS, in_background, metric, post
from tests.tasks.conftest import Serve
from tests.tasks.wire import message

ULTRA = "snaps: {work: {snap: RemotePythonScript, script: work.py}}"


def test_a_script_gets_no_rows_of_callers_that_have_hung_up(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text(NOTES_WHAT_BEGINS)
    (tmp_path / "work.yaml").write_text(ULTRA)
    served = serve("work.yaml")
    began = tmp_path / "began.txt"

    async def hang_up_after_asking() -> None:
        writers = []
        for number in range(2, 40):
            _, writer = await asyncio.open_connection("127.0.0.1", served.port)
            body = b'{"id": %d}' % number
            writer.write(message("POST", "/tasks/work", (), body))
            writers.append(writer)
        await asyncio.to_thread(
            served.wait_for, lambda: metric(served, 'snapline_in_flight{task="work"}') == 39
        )
        for writer in writers:
            writer.close()
        await asyncio.to_thread(
            served.wait_for, lambda: metric(served, 'snapline_in_flight{task="work"}') == 1
        )

    first = in_background(post, served, "work", id=1, waits=True)
    served.wait_for(began.exists)
    asyncio.run(hang_up_after_asking())
    last = in_background(post, served, "work", id=40)
    (tmp_path / "go").touch()
    first.join()
    last.join()
    assert (first.result, last.result) == ((200, {"id": 1}), (200, {"id": 40}))
    assert set(began.read_text().split()) <= {"1", "2", "40"}  # one may be on its way
    assert metric(served, 'snapline_requests_total{outcome="gone"') >= 37


def test_the_run_of_a_caller_that_hangs_up_is_ended(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text(NOTES_WHAT_BEGINS.replace('row["content"]', "row"))
    (tmp_path / "work.yaml").write_text(ULTRA)
    (tmp_path / "task.yaml").write_text("name: work\ntype: triggered\npipeline: work.yaml\n")
    served = serve("task.yaml")

    async def hang_up() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(message("POST", "/tasks/work", (), b'{"id": 1, "waits": true}'))
        await asyncio.to_thread(served.wait_for, (tmp_path / "began.txt").exists)
        writer.close()
        await writer.wait_closed()

    asyncio.run(hang_up())
    served.wait_for(lambda: metric(served, "snapline_in_flight") == 0)
    assert post(served, "work", id=2) == (200, [{"content": {"id": 2}}])
