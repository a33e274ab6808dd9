"""What may go wrong around workers: the run fails with a reason, or goes on; it never hangs, and no
document comes twice."""

from __future__ import annotations

import asyncio
import errno
import signal
import subprocess
import sys
import threading
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine import api
from engine.cluster import chunks, keyed_copy
from engine.cluster.coordinator import Coordinator
from engine.cluster.messages import Finish, Share, reply_of, request_of
from engine.cluster.placement import Answer, Show
from engine.errors import ExecutionError
from tests.cluster.thread_workers import Link, Place, outcome, run

TOTALS = """\
snaps:
  number: {snap: Sequence, number_of_documents: 800}
  totals:
    snap: Aggregate
    group_by_fields: [{field: $value, output_field: key}]
    aggregate_fields: [{function: sum, field: $value, result_field: sum}]
links: [number -> totals]
"""
ROOTS = """\
snaps:
  number: {snap: Sequence, number_of_documents: 700}
  root: {snap: Mapper, mappings: {$root: Math.sqrt($value)}}
links: [number -> root]
"""


class Losing(Place):
    """Worker 1 is lost when it has sent its first page, or its last one. Worker 2 sends none until
    that worker has been replaced; in the second case, only one."""

    def __init__(self, *, after_last: bool) -> None:
        super().__init__(Random(1), 0.0, shares_files=True)
        self.pages = 0
        """Those of worker 1."""
        self._after_last = after_last
        self._is_replaced = threading.Event()

    async def start(self, number: int, job: bytes, show: Show) -> Link:
        link = await super().start(number, job, show)
        if self.started > 2:
            self._is_replaced.set()
        elif number == 1:
            self._lose_at_page(link)
        else:
            self._hold_pages(link)
        return link

    def _lose_at_page(self, link: Link) -> None:
        take = link._answer
        work = link._replica.answer
        pages: list[bytes] = []

        def noted(message: bytes) -> bytes:
            data = work(message)
            if isinstance(request_of(message), Finish):
                pages.append(data)
            return data

        def lost(answer: asyncio.Future[Answer], data: bytes) -> None:
            take(answer, data)
            if data in pages and not link.lost.done():
                self.pages += 1
                if reply_of(data).more != self._after_last:
                    link._lose()

        link._replica.answer = noted  # type: ignore[method-assign]
        link._answer = lost  # type: ignore[method-assign]

    def _hold_pages(self, link: Link) -> None:
        work = link._replica.answer
        is_free = self._after_last

        def held(message: bytes) -> bytes:
            nonlocal is_free
            if isinstance(request_of(message), Finish):
                if not is_free:
                    self._is_replaced.wait(240)
                is_free = False
            return work(message)

        link._replica.answer = held  # type: ignore[method-assign]


def test_a_worker_that_is_lost_after_a_page_does_not_send_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker has not answered by then."""
    monkeypatch.setattr(keyed_copy, "PAGE", 20)
    (tmp_path / "totals.yaml").write_text(TOTALS)
    place = Losing(after_last=False)
    report, failure = run(tmp_path / "totals.yaml", place, 2)
    assert place.pages == 1
    assert "what its copy of 'totals' had collected is lost with it" in failure
    assert report.status == "failed"


def test_a_worker_that_is_lost_after_its_last_page_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyed_copy, "PAGE", 20)
    (tmp_path / "totals.yaml").write_text(TOTALS)
    alone, _ = run(tmp_path / "totals.yaml")
    place = Losing(after_last=True)
    spread, failure = run(tmp_path / "totals.yaml", place, 2)
    assert (place.started, failure) == (3, "")
    assert place.pages == 2
    assert outcome(spread) == outcome(alone)


def test_a_failure_without_documents_fails_the_run(tmp_path: Path) -> None:
    """Every copy learns the first document of a view, though it is not one of its own."""

    class Broken(Place):
        async def start(self, number: int, job: bytes, show: Show) -> Link:
            link = await super().start(number, job, show)
            work = link._replica.answer

            def broken(message: bytes) -> bytes:
                request = request_of(message)
                if isinstance(request, Share) and not request.part.count:
                    link._replica._fail("totals", ExecutionError("its library crashed"))
                return work(message)

            link._replica.answer = broken  # type: ignore[method-assign]
            return link

    (tmp_path / "totals.yaml").write_text(TOTALS.replace("documents: 800", "documents: 1"))
    report, failure = run(tmp_path / "totals.yaml", Broken(Random(1), 0.0, shares_files=True), 2)
    assert (report.status, failure) == ("failed", "its library crashed")


# Documents within documents

NESTED = """\
snaps:
  read: {snap: FileReader, file: nested.jsonl}
  parse: {snap: JSONParser, json_lines: true}
  some: {snap: Sort, sort_paths: [{path: $n}]}
  map: {snap: Mapper, pass_through: true, mappings: {$twice: $n * 2}}
  totals:
    snap: Aggregate
    group_by_fields: [{field: $n, output_field: n}]
    aggregate_fields: [{function: count, field: $n, result_field: count}]
links: [read -> parse -> some -> map -> totals]
"""


@pytest.mark.parametrize("snaps", ["map -> totals", "totals -> map"])
def test_deeply_nested_documents_reach_the_workers(tmp_path: Path, snaps: str) -> None:
    deep = "[" * 900 + "]" * 900
    rows = (f'{{"n":{n % 7},"deep":{deep}}}\n' for n in range(20))
    (tmp_path / "nested.jsonl").write_text("".join(rows))
    pipeline = tmp_path / "nested.yaml"
    pipeline.write_text(NESTED.replace("map -> totals", snaps))
    alone, _ = run(pipeline)
    spread, failure = run(pipeline, Place(Random(1), 0.0, shares_files=True), 2)
    assert failure == ""
    assert outcome(spread) == outcome(alone)


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {"n": 1}
    for _ in range(depth):
        value = {"value": value}
    return value


@pytest.mark.parametrize("snap", ["root", "totals"])
def test_documents_that_are_nested_too_deeply_fail_the_run(tmp_path: Path, snap: str) -> None:
    text = {"root": ROOTS, "totals": TOTALS}[snap]
    lines = [line for line in text.splitlines() if "number" not in line]
    (tmp_path / "open.yaml").write_text("\n".join(lines))
    value: dict[str, Any] = {}
    for _ in range(20_000):
        value = {"value": value}
    going = api.start(
        str(tmp_path / "open.yaml"),
        workers=2,
        placement=Place(Random(1), 0.0, shares_files=True),
        inputs={snap: iter([[value]])},
    )
    _, failure = asyncio.run(going)
    assert "nested too deeply to be sent to a worker" in str(failure)
    assert "run with --workers 1" in str(failure)


# The system


def test_a_worker_that_the_system_cannot_start_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(Place):
        async def start(self, number: int, job: bytes, show: Show) -> Link:
            if self.started == 2:
                raise OSError(errno.EAGAIN, "Resource temporarily unavailable")
            return await super().start(number, job, show)

    monkeypatch.setattr(chunks, "MOST_DOCUMENTS", 20)
    (tmp_path / "roots.yaml").write_text(ROOTS)
    report, failure = run(tmp_path / "roots.yaml", Full(Random(1), 0.3, shares_files=True), 2)
    assert report.status == "failed"
    assert "cannot be started: Resource temporarily unavailable" in failure


IGNORING = """\
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_a_program_that_ignores_the_ends_of_its_children(tmp_path: Path) -> None:
    """A program that was started by one that ignores SIGCHLD ignores it, too."""
    (tmp_path / "roots.yaml").write_text(ROOTS)
    engine = [sys.executable, "-m", "engine", "run", "roots.yaml", "--workers", "2"]
    done = subprocess.run(
        [sys.executable, "-c", IGNORING, *engine],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 700), done.stderr
    assert "Traceback" not in done.stderr


def test_the_time_of_a_run_ends_before_its_workers_close(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = Coordinator.close
    is_closed = False

    async def close_late(self: Coordinator) -> None:
        nonlocal is_closed
        signal.raise_signal(signal.SIGALRM)  # as it is when the time is over
        await close(self)
        is_closed = True

    monkeypatch.setattr(Coordinator, "close", close_late)
    (tmp_path / "roots.yaml").write_text(ROOTS)
    report = api.run(str(tmp_path / "roots.yaml"), workers=2, timeout=100_000)
    assert (report.status, is_closed) == ("completed", True)
