"""A custom snap that keeps rows for later, in an ultra task and in a batch run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.sdk import Batch, DataError, Document, HeldRows, Snap, To
from engine.testing import run_snap
from tests.run.test_ultra import requests, run


class Pairs(Snap[Any]):
    """Answers rows two by two, in reverse order; drops one `out`, and fails one `bad`."""

    def open(self) -> None:
        self.held = HeldRows(self.context)
        self.waiting: list[tuple[int, Document]] = []

    def process_batch(self, view: str, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        self.waiting += zip(self.held.admit(batch), batch.items, strict=True)
        while len(self.waiting) >= 2:
            pair, self.waiting = self.waiting[:2], self.waiting[2:]
            for settled in self.held.settle(map(self.outcome, reversed(pair))):
                yield {"output": settled}

    def finish(self) -> Iterator[To]:
        return self.held.last(map(self.outcome, self.waiting))

    def outcome(self, held: tuple[int, Document]) -> tuple[int, Any]:
        number, row = held
        if row.get("bad"):
            return number, DataError("a bad row")
        return number, None if row.get("out") else {"request": row["request"], "done": True}


def answers(folder: Path, *batches: list[Document]) -> dict[int, Any]:
    outcomes, failure = run(folder, "  pair: {snap: Pairs}", [], *batches, own=(Pairs,))
    assert failure is None
    return outcomes.answers


def test_a_row_is_answered_by_a_later_call_under_its_own_request(tmp_path: Path) -> None:
    given = answers(tmp_path, requests(1), requests(2, 3), requests(4))
    assert given == {number: [{"request": number, "done": True}] for number in (1, 2, 3, 4)}


def test_a_row_that_waits_at_the_end_is_answered_by_finish(tmp_path: Path) -> None:
    given = answers(tmp_path, requests(1, 2, 3))
    assert given[3] == [{"request": 3, "done": True}]


def test_held_rows_may_be_dropped_or_fail(tmp_path: Path) -> None:
    given = answers(tmp_path, requests(1, 2, out=True), requests(3, bad=True), requests(4, 5))
    assert given[1] == given[2] == ["filtered"]
    assert given[3] == ["failed: a bad row"]
    assert given[4] == [{"request": 4, "done": True}]


def test_rows_are_also_held_in_a_batch_run() -> None:
    result = run_snap(Pairs, given=[{"request": n, "out": n == 2} for n in (1, 2, 3)])
    assert result.output == [{"request": 1, "done": True}, {"request": 3, "done": True}]
    assert result.dropped == 1


class Loses(Pairs):
    """Never settles what it holds."""

    def outcome(self, held: tuple[int, Document]) -> tuple[int, Any]:
        return 0, None


def test_a_request_whose_row_is_never_settled_stays_open(tmp_path: Path) -> None:
    snaps = "  pair: {snap: Loses}"
    outcomes, _ = run(tmp_path, snaps, [], requests(1, 2), own=(Loses,))
    assert outcomes.answers == {}
    assert outcomes.ledger.close() == [1, 2]
