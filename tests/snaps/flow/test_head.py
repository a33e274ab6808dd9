from __future__ import annotations

from typing import Any

import pytest

from engine.errors import InvalidPipelineError

NUMBERS = [{"n": n} for n in range(200)]


@pytest.mark.parametrize(
    ("count", "offset"), [(1, 0), (0, 0), (63, 0), (64, 1), (100, 50), (10, 195), (1, 300)]
)
def test_it_passes_on_a_part_and_drops_the_rest(run_snap: Any, count: int, offset: int) -> None:
    run = run_snap("Head", {"number_of_documents": count, "offset": offset}, NUMBERS)
    assert run.output == NUMBERS[offset : offset + count]
    assert run.dropped == 200 - len(run.output)


@pytest.mark.parametrize("name", ["number_of_documents", "offset"])
def test_negative_numbers_are_mistakes(run_snap: Any, name: str) -> None:
    with pytest.raises(InvalidPipelineError, match=f"{name} must be 0 or more, got -1"):
        run_snap("Head", {name: -1}, [])
