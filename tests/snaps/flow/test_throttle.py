from __future__ import annotations

from typing import Any

import pytest

from engine.errors import InvalidPipelineError

NUMBERS = [{"n": n} for n in range(3)]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each wait, which takes no time."""
    seconds: list[float] = []

    class Recorder:
        def wait(self, timeout: float) -> None:
            seconds.append(timeout)

    monkeypatch.setattr("snaps.flow.throttle.Event", Recorder)
    return seconds


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("fixed", [2, 2, 2]),
        ("exponential", [5.4366, 14.7781, 40.1711]),
        ("logarithmic", [0, 1.3863, 2.1972]),
    ],
)
def test_each_document_waits(
    run_snap: Any, waits: list[float], kind: str, expected: list[float]
) -> None:
    settings = {"throttle_type": kind, "speed": 2000}
    assert run_snap("Throttle", settings, NUMBERS).output == NUMBERS
    assert waits == pytest.approx(expected, abs=0.001)


def test_a_random_wait_is_at_most_the_speed(run_snap: Any, waits: list[float]) -> None:
    run_snap("Throttle", {"throttle_type": "random", "speed": 100}, NUMBERS * 50)
    assert len(set(waits)) > 1
    assert all(0 <= each <= 0.1 for each in waits)


def test_no_wait_is_longer_than_a_day(run_snap: Any, waits: list[float]) -> None:
    run_snap("Throttle", {"throttle_type": "exponential", "speed": 1e6}, NUMBERS * 500)
    assert max(waits) == 24 * 60 * 60


def test_a_negative_speed_is_a_mistake(run_snap: Any) -> None:
    with pytest.raises(InvalidPipelineError, match="speed must be 0 or more, got -1"):
        run_snap("Throttle", {"speed": -1}, [])
