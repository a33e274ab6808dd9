"""Short calls of a stage that waits are made in the event loop, long ones in its thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.documents import Batch, Document
from engine.run.haste import HASTE_SECONDS
from engine.sdk import ExecutionError, Snap
from tests.run.test_ultra import Outcomes, run

SNAPS = "  asks: {snap: Asks}"


class Asks(Snap[Any]):
    """Answers with the thread that has the answer; `long` requests take more patience than given.

    `fails`: when the rest of a long call is asked for.
    """

    blocking = flows = hurries = True

    def process_batch(self, view: str, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        if self.context.patience is not None and batch.items[0].get("long"):
            yield {}
        if batch.items[0].get("fails"):
            raise ExecutionError("the outside is gone")
        here = threading.current_thread() is threading.main_thread()
        where = "loop" if here else "thread"
        yield {"output": batch.with_items([{**item, "in": where} for item in batch.items])}


def places(folder: Path, *batches: list[Document], kind: type[Outcomes] = Outcomes) -> list[str]:
    """Where each request was answered, in order of their numbers."""
    outcomes, failure = run(folder, SNAPS, [], *batches, own=(Asks,), kind=kind)
    assert failure is None
    found = []
    for number in sorted(outcomes.answers):
        [answer] = outcomes.answers[number]
        assert isinstance(answer, dict)
        assert answer["request"] == number
        found.append(answer["in"])
    return found


class OneByOne(Outcomes):
    """Sends each batch when the one before has been answered."""

    async def run(self, push: Any) -> None:
        batches, self.batches = self.batches, []
        for batch in batches:
            self.batches = [batch]
            await super().run(push)
            while not all(document["request"] in self.answers for document in batch):
                await asyncio.sleep(0.001)


class AllAtOnce(Outcomes):
    """Sends all batches before the stage can look."""

    async def run(self, push: Any) -> None:
        for batch in self.batches:
            numbers = [document["request"] for document in batch]
            self.ledger.admit(numbers)
            push(Batch(batch, [frozenset({number}) for number in numbers]))


def test_a_short_call_for_one_request_needs_no_thread(tmp_path: Path) -> None:
    batches = [[{"request": number}] for number in range(1, 5)]
    assert places(tmp_path, *batches, kind=OneByOne) == ["loop"] * 4


def test_several_requests_together_go_to_the_thread(tmp_path: Path) -> None:
    together = [{"request": 1}, {"request": 2}]
    assert places(tmp_path, together, kind=OneByOne) == ["thread"] * 2


def test_a_long_call_goes_on_in_the_thread_and_so_do_those_after_it(tmp_path: Path) -> None:
    batches = [[{"request": 1, "long": True}], *([{"request": number}] for number in range(2, 50))]
    found = places(tmp_path, *batches, kind=OneByOne)
    assert found[:10] == ["thread"] * 10
    assert found[-1] == "loop"  # it is tried again


def test_requests_behind_a_long_call_wait_for_their_turn(tmp_path: Path) -> None:
    batches = [[{"request": number, "long": True}] for number in range(1, 6)]
    assert places(tmp_path, *batches) == ["thread"] * 5


def test_a_call_that_has_begun_is_not_made_again_with_the_requests_behind_it(
    tmp_path: Path,
) -> None:
    asked: list[int] = []

    class Counts(Asks):
        def process_batch(self, view: str, batch: Batch) -> Iterator[Mapping[str, Batch]]:
            asked.extend(item["request"] for item in batch.items)
            yield from super().process_batch(view, batch)

    batches = [[{"request": number, "long": True}] for number in range(1, 6)]
    snaps = SNAPS.replace("Asks", "Counts")
    outcomes, failure = run(tmp_path, snaps, [], *batches, own=(Counts,), kind=AllAtOnce)
    assert failure is None
    assert sorted(outcomes.answers) == asked == [1, 2, 3, 4, 5]


def test_a_failure_after_the_loop_has_let_go_ends_the_run(tmp_path: Path) -> None:
    request = {"request": 1, "long": True, "fails": True}
    _, failure = run(tmp_path, SNAPS, [], [request], own=(Asks,))
    assert failure is not None
    assert "the outside is gone" in str(failure)


def test_a_failure_in_the_loop_ends_the_run(tmp_path: Path) -> None:
    _, failure = run(tmp_path, SNAPS, [], [{"request": 1, "fails": True}], own=(Asks,))
    assert failure is not None
    assert "the outside is gone" in str(failure)


def test_a_failure_of_a_snap_without_state_is_that_of_its_request(tmp_path: Path) -> None:
    class Stateless(Asks):
        stateful = False

    snaps = SNAPS.replace("Asks", "Stateless")
    requests = [[{"request": 1, "fails": True}], [{"request": 2, "long": True, "fails": True}]]
    outcomes, failure = run(tmp_path, snaps, [], *requests, own=(Stateless,))
    assert failure is None
    for number in (1, 2):
        [answer] = outcomes.answers[number]
        assert str(answer).startswith("failed: ")


def test_the_patience_is_short(tmp_path: Path) -> None:
    given: list[float | None] = []

    class Tells(Asks):
        def process_batch(self, view: str, batch: Batch) -> Iterator[Mapping[str, Batch]]:
            given.append(self.context.patience)
            yield {"output": batch}

    snaps = SNAPS.replace("Asks", "Tells")
    batches = [[{"request": 1}], [{"request": 2}, {"request": 3}]]
    run(tmp_path, snaps, [], *batches, own=(Tells,), kind=OneByOne)
    assert given == [HASTE_SECONDS, None]
