"""Workers that are lost while they start or work: others take over, or the run fails."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from random import Random

import pytest

from engine.cluster import chunks, pool, remote_stage
from engine.cluster.placement import Answer, Show, WorkerLostError
from tests.cluster.thread_workers import Link, Place, outcome, run


@pytest.mark.parametrize("name", ["lines", "documents"])
@pytest.mark.parametrize("seed", range(9))
def test_workers_that_are_lost_change_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str, seed: int
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 3_000)
    monkeypatch.setattr(chunks, "MOST_DOCUMENTS", 30)
    monkeypatch.setattr(remote_stage, "MOST_ATTEMPTS", 50)
    random = Random(seed)
    alone, _ = run(project / f"{name}.yaml")
    shares_files = random.choice([True, False, None])
    place = Place(random, 0.08, shares_files=shares_files, starts=10_000)
    spread, _ = run(project / f"{name}.yaml", place, 3)
    assert outcome(spread) == outcome(alone)


def test_a_worker_that_is_lost_before_all_are_ready_is_prepared_again(project: Path) -> None:
    is_replaced = threading.Event()

    class Hasty(Place):
        """Worker 1 is lost when it has opened its snaps; worker 2 has not by then."""

        async def start(self, number: int, job: bytes, show: Show) -> Link:
            link = await super().start(number, job, show)
            work, take = link._replica.answer, link._answer

            def slow(message: bytes) -> bytes:
                is_replaced.wait(240)
                return work(message)

            def lost(answer: asyncio.Future[Answer], data: bytes) -> None:
                take(answer, data)
                if not link.lost.done():
                    link._lose()

            if number == 2:
                link._replica.answer = slow  # type: ignore[method-assign]
            elif self.started <= 2:
                link._answer = lost  # type: ignore[method-assign]
            else:
                is_replaced.set()
            return link

    alone, _ = run(project / "lines.yaml")
    spread, failure = run(project / "lines.yaml", Hasty(Random(1), 0.0, shares_files=True), 2)
    assert failure == ""
    assert outcome(spread) == outcome(alone)


def test_a_worker_that_cannot_be_replaced_fails_the_run(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 3_000)
    place = Place(Random(3), 0.2, shares_files=True, starts=4)
    report, failure = run(project / "lines.yaml", place, 3)
    assert report.status == "failed"
    assert failure == "there is no room for another worker"


def test_too_few_workers_at_the_start_fail_the_run(project: Path) -> None:
    place = Place(Random(3), 0.0, shares_files=True, starts=2)
    report, failure = run(project / "lines.yaml", place, 3)
    assert report.status == "failed"
    assert failure == "there is no room for another worker"


def test_a_worker_that_is_lost_while_it_starts_is_started_again(project: Path) -> None:
    class Unlucky(Place):
        losses = 0

        async def start(self, number: int, job: bytes, show: Show) -> Link:
            if self.losses < pool.MOST_STARTS - 1:
                self.losses += 1
                raise WorkerLostError(f"worker {number} was lost")
            return await super().start(number, job, show)

    alone, _ = run(project / "lines.yaml")
    spread, _ = run(project / "lines.yaml", Unlucky(Random(1), 0.0, shares_files=True), 1)
    assert outcome(spread) == outcome(alone)
