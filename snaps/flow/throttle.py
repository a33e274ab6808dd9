"""Pass on documents slowly: each waits for a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import exp, log
from random import uniform
from threading import Event
from typing import Literal

from engine.sdk import Batch, Example, Foreign, Issue, ReadPaths, Settings, Snap, setting
from snaps.shared.bounds import check_bounds

LONGEST = 24 * 60 * 60.0
"""Seconds that a document waits at most."""
_MAX_EXPONENT = 100


class ThrottleSettings(Settings):
    throttle_type: Literal["fixed", "random", "exponential", "logarithmic"] = setting(
        default="fixed",
        help="How long the document number n waits: `fixed`: `speed`; `random`: up to `speed`; "
        "`exponential`: `speed` times e to the n; `logarithmic`: `speed` times the logarithm of n.",
    )
    speed: float = setting(help="The time, in milliseconds.", example=100)


class Throttle(Snap[ThrottleSettings]):
    since = "0.4.0"
    about = """
    Documents are counted from 1. No document waits longer than a day.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-test-throttlebot",
        "Throttle",
        version=1,
        settings={"throttle_type": "throttle_type", "speed": "speed"},
        defaults={"speed": 0},
    )
    single = True
    blocking = True
    flows = True
    plain = True
    changes_input = False
    shares_output = False
    passes_on = True
    examples = (
        Example(
            "one document each millisecond",
            settings={"speed": 1},
            given=[{"n": 1}, {"n": 2}],
            expect=[{"n": 1}, {"n": 2}],
        ),
    )

    @classmethod
    def reads(cls, settings: ThrottleSettings) -> ReadPaths:
        return frozenset()

    @classmethod
    def check(cls, settings: ThrottleSettings) -> Iterable[Issue]:
        return check_bounds(settings, "speed")

    def open(self) -> None:
        self._count = 0
        self._stopped = Event()

    def process_batch(self, view: str, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        for position in range(len(batch)):
            self._count += 1
            self._stopped.wait(min(self._milliseconds() / 1000, LONGEST))
            yield {"output": batch.at([position])}

    def interrupt(self) -> None:
        self._stopped.set()

    def _milliseconds(self) -> float:
        speed, kind = float(self.settings.speed), self.settings.throttle_type
        if kind == "random":
            return uniform(0, speed)
        if kind == "exponential":
            return speed * exp(min(self._count, _MAX_EXPONENT))
        return speed * log(self._count) if kind == "logarithmic" else speed
