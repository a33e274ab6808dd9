"""The taps of a process that hosts a task: the front attaches and detaches them while it works.

Requests come first: all that a tap does may take a small share of the time. For documents beyond
that the process only counts that they were missed.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from engine.errors import ConfigurationError
from engine.plan.plan import Plan
from engine.run.tap_points import check_condition, tap_points
from engine.run.taps import Tap, Taps
from engine.tasks.wire.messages import AttachTap, DetachTap, Tapped

SHARE = 0.02
"""Of the time that passes, what a tap may use."""

BURST_SECONDS = 0.05
"""What a tap may use at once."""

REPORT_SECONDS = 1.0
"""How often missed documents are reported while nothing is shown."""


class PacedTap:
    """Sends what a tap shows, and limits how much time that takes. It is not thread-safe."""

    def __init__(
        self, number: int, send: Callable[[Tapped], None], clock: Callable[[], float] = perf_counter
    ) -> None:
        self._number = number
        self._send = send
        self._clock = clock
        self._credit = BURST_SECONDS
        self._begun = self._reported = clock()
        self._missed = 0

    def begin(self) -> bool:
        """Whether there is time for another document."""
        now = self._clock()
        self._credit = min(BURST_SECONDS, self._credit + (now - self._begun) * SHARE)
        self._begun = now
        if self._credit > 0:
            return True
        self._missed += 1
        if now - self._reported > REPORT_SECONDS:
            self.show(b"")
        return False

    def end(self) -> None:
        self._credit -= self._clock() - self._begun

    def show(self, line: bytes) -> None:
        self._send(Tapped(self._number, line, self._missed))
        self._missed, self._reported = 0, self._clock()


class ProcessTaps:
    """The taps of one process, in its present run and in those to come.

    `send` may be called from any thread. `limit` is for each view in a run.
    """

    def __init__(self, send: Callable[[Tapped], None], *, limit: int | None = None) -> None:
        self._send = send
        self._limit = limit
        self._asked: dict[int, AttachTap] = {}
        self._attached: dict[int, Tap] = {}
        self._plan: Plan | None = None
        self._taps = Taps()

    def of_run(self, plan: Plan) -> Taps:
        """The taps for a run of the plan, which is about to start."""
        self._plan, self._taps, self._attached = plan, Taps(), {}
        for asked in self._asked.values():
            self._attach(asked, plan)
        return self._taps

    def receive(self, message: AttachTap | DetachTap) -> None:
        if isinstance(message, AttachTap):
            self._asked[message.number] = message
            if self._plan is not None:
                self._attach(message, self._plan)
            return
        self._asked.pop(message.number, None)
        tap = self._attached.pop(message.number, None)
        if tap is not None:
            self._taps.detach(tap)

    def _attach(self, asked: AttachTap, plan: Plan) -> None:
        try:
            ports = tap_points(asked.views, plan)
            if asked.condition:
                check_condition(asked.condition, plan)
        except ConfigurationError:  # the front checked it with another version of the pipeline
            return
        paced = PacedTap(asked.number, self._send)
        tap = Tap(ports, paced.show, limit=self._limit, condition=asked.condition, pace=paced)
        self._attached[asked.number] = tap
        self._taps.attach(tap)
