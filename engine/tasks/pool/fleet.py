"""The instances of an ultra task: a fixed number of processes, each replaced when it ends."""

from __future__ import annotations

import asyncio
import logging
import pickle
import time
from typing import Protocol

import msgspec

from engine.tasks.definition.task import Task
from engine.tasks.pool.process import Process, described
from engine.tasks.pool.tap_board import TapBoard
from engine.tasks.wire.channel import MessageChannel
from engine.tasks.wire.messages import (
    Counts,
    Failed,
    Finish,
    FromInstance,
    LogLine,
    Open,
    Opening,
    Ready,
    Request,
    Response,
    SnapCounts,
    Tapped,
)

log = logging.getLogger(__name__)

_TARGET = "engine.tasks.worker.instance:main"
_FIRST_PAUSE = 0.1
_MAX_PAUSE = 5.0


class Ending(msgspec.Struct, frozen=True):
    """How an instance ended.

    `fatal`: another would end the same way. `killed`: by a signal, perhaps for lack of memory.
    """

    reason: str
    fatal: bool = False
    killed: bool = False


class InstanceListener(Protocol):
    """Gives the instances work, and is notified of the results."""

    def instance_ready(self, instance: InstanceHandle) -> None: ...
    def instance_responded(self, instance: InstanceHandle, response: Response) -> None: ...
    def instance_lost(self, instance: InstanceHandle) -> None:
        """It has ended, idle or not."""
        ...

    def instance_restarted(self) -> None:
        """Another is started to replace one that has ended."""
        ...

    def fleet_disabled(self, fleet: Fleet) -> None:
        """Its instances could not be started, and it has given up."""
        ...


class InstanceHandle:
    """An instance as the front sees it; `in_flight` are the ids of its open requests.

    `given_up` are requests that it still works on although they were answered, and since when.
    `silent_since` is when it got work, or sent its last response while it had more to do; None if
    it is idle.
    """

    def __init__(self, number: int, fleet: Fleet, listener: InstanceListener) -> None:
        self.number = number
        self.fleet = fleet
        self.ready = self.was_ready = False
        self.finishing = False
        self.alone = False
        self.in_flight: dict[int, None] = {}
        self.given_up: dict[int, float] = {}
        self.counts: list[SnapCounts] = []
        self.silent_since: float | None = None
        self.process: Process | None = None
        self._listener = listener
        self._failure: Failed | None = None
        self._ready_or_lost = asyncio.Event()
        self._lost = asyncio.Event()
        self.channel = MessageChannel(FromInstance, self._receive, self._on_lost)

    def __str__(self) -> str:
        return f"instance {self.number}"

    @property
    def takes_work(self) -> bool:
        return self.ready and not self.finishing

    def send(self, request: Request, now: float) -> None:
        if self.silent_since is None:
            self.silent_since = now
        self.in_flight[request.id] = None
        self.channel.send(request)

    def finish(self) -> None:
        """Let it finish its requests, and end."""
        if not self.finishing:
            self.finishing = True
            self.channel.send(Finish())

    @property
    def load(self) -> int:
        """Number of requests that it works on."""
        return len(self.in_flight) + len(self.given_up)

    def give_up(self, request: int, now: float) -> None:
        """A request was answered; a late response shows only that the instance is alive."""
        if request in self.in_flight:
            del self.in_flight[request]
            self.given_up[request] = now

    def forget_before(self, time: float) -> None:
        """Requests given up before that are lost: free their places."""
        lost = [number for number, since in self.given_up.items() if since < time]
        for number in lost:
            del self.given_up[number]

    @property
    def title(self) -> str:
        """Its name in a list of processes."""
        return f"{self.fleet.task.name}: {self}"

    def about(self) -> dict[str, object]:
        """The fields of a log line that say where it comes from."""
        return {"task": self.fleet.task.name, "instance": self.number}

    async def live(self, opening: bytes, start_timeout: float) -> Ending:
        """Run the process from its start to its end."""
        try:
            self.process = await Process.start(_TARGET, self.channel, self.title)
        except OSError as error:
            return Ending(f"its process could not be started: {error}")
        self.channel.send(Open(opening))
        try:
            async with asyncio.timeout(start_timeout):
                await self._ready_or_lost.wait()
            await self._lost.wait()
        except TimeoutError:
            await self.process.kill()
            return Ending(f"it was not ready within {start_timeout:g} seconds and was killed")
        except asyncio.CancelledError:
            await self.process.kill()
            raise
        code = await self.process.end()
        if self._failure is not None:
            return Ending(self._failure.message, self._failure.fatal)
        return Ending(described(code), killed=code < 0)

    async def kill(self) -> None:
        if self.process is not None:
            await self.process.kill()

    def _receive(self, message: FromInstance) -> None:
        if isinstance(message, Response):
            self.in_flight.pop(message.id, None)
            self.given_up.pop(message.id, None)
            self.silent_since = time.monotonic() if self.load else None
            self._listener.instance_responded(self, message)
        elif isinstance(message, Ready):
            self.ready = self.was_ready = True
            self._ready_or_lost.set()
            self.fleet.taps.joined(self.channel)
            self._listener.instance_ready(self)
        elif isinstance(message, Counts):
            self.counts = message.snaps
        elif isinstance(message, LogLine):
            self._log_line(message)
        elif isinstance(message, Tapped):
            self.fleet.taps.received(message)
        else:
            self._failure = message

    def _log_line(self, line: LogLine) -> None:
        extra = {**self.about(), "snap": line.label}
        if line.is_failure:
            log.warning("request failed: %s", line.text, extra=extra)
        else:
            log.info("%s", line.text, extra=extra)

    def _on_lost(self) -> None:
        self.ready = False
        self._ready_or_lost.set()
        self._lost.set()
        self.fleet.taps.left(self.channel)
        self._listener.instance_lost(self)


class Fleet:
    """Keeps a task's instances running, all with the same plan.

    A fleet on `trial` gives up as soon as one cannot be started: the old fleet still works.
    """

    def __init__(
        self,
        task: Task,
        opening: Opening,
        listener: InstanceListener,
        taps: TapBoard,
        *,
        trial: bool = False,
    ) -> None:
        self.task = task
        self.taps = taps
        self.plan = opening.plan
        self.instances: list[InstanceHandle] = []
        self.disabled = ""
        self._opening = pickle.dumps(opening, pickle.HIGHEST_PROTOCOL)
        self._listener = listener
        self._stopping = False
        self._has_worked = False
        self._trial = trial
        self._supervisors: list[asyncio.Task[None]] = []

    def start(self) -> None:
        for number in range(1, self.task.instances + 1):
            keeper = self._keep(number)
            self._supervisors.append(asyncio.create_task(keeper, name=f"{self.task.name} {number}"))

    async def stop(self) -> None:
        """End all instances at once."""
        self._stopping = True
        for keeper in self._supervisors:
            keeper.cancel()
        await asyncio.gather(*self._supervisors, return_exceptions=True)

    def retire(self) -> None:
        """Replace no instance; the running ones may finish."""
        self._stopping = True

    async def ended(self) -> None:
        """Wait until no instance runs and none will be started."""
        if self._supervisors:
            await asyncio.wait(self._supervisors)

    def about(self) -> dict[str, object]:
        return {"task": self.task.name}

    async def _keep(self, number: int) -> None:
        failures = 0
        while not self._stopping:
            instance = InstanceHandle(number, self, self._listener)
            self.instances.append(instance)
            try:
                ending = await instance.live(self._opening, self.task.timeouts.start)
            finally:
                self.instances.remove(instance)
            if instance.finishing or self._stopping:
                continue
            if instance.was_ready:
                self._has_worked, failures = True, 0
            elif not (ending.killed and self._has_worked):
                failures += 1
            most = 1 if self._trial and not self._has_worked else self.task.limits.failures
            if ending.fatal or failures >= most > 0:
                self._disable(ending.reason, failures)
                return
            self._log_end(instance, ending, failures)
            await asyncio.sleep(_pause(failures))

    def _log_end(self, instance: InstanceHandle, ending: Ending, failures: int) -> None:
        about = instance.about()
        if instance.was_ready:
            self._listener.instance_restarted()
            log.warning("%s exited; restarting: %s", instance, ending.reason, extra=about)
        elif failures < 2:  # later tries say the same, and _disable repeats it
            log.warning("%s could not be started: %s", instance, ending.reason, extra=about)

    def _disable(self, reason: str, failures: int) -> None:
        tries = f" in {failures} tries" if failures > 1 else ""
        log.error("the task could not be started%s: %s", tries, reason, extra=self.about())
        self._stopping = True
        self.disabled = reason
        self._listener.fleet_disabled(self)


def _pause(failures: int) -> float:
    """Seconds before the next try: none for an instance that had worked."""
    return min(_MAX_PAUSE, _FIRST_PAUSE * 2 ** (failures - 1)) if failures else 0.0
