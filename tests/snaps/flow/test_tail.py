from __future__ import annotations

from typing import Any

import pytest

from engine.errors import InvalidPipelineError

NUMBERS = [{"n": n} for n in range(200)]


@pytest.mark.parametrize(
    ("count", "offset"),
    [(1, 0), (0, 0), (64, 0), (64, 1), (100, 50), (300, 0), (10, 195), (1, 300)],
)
def test_it_passes_on_a_part_and_drops_the_rest(run_snap: Any, count: int, offset: int) -> None:
    run = run_snap("Tail", {"number_of_documents": count, "offset": offset}, NUMBERS)
    kept = NUMBERS[: len(NUMBERS) - offset] if offset < len(NUMBERS) else []
    assert run.output == kept[max(0, len(kept) - count) :]
    assert run.dropped == 200 - len(run.output)


def test_no_documents_give_none(run_snap: Any) -> None:
    assert run_snap("Tail", {"offset": 3}, []).output == []


def test_a_negative_number_is_a_mistake(run_snap: Any) -> None:
    with pytest.raises(InvalidPipelineError, match="offset must be 0 or more, got -1"):
        run_snap("Tail", {"offset": -1}, [])
