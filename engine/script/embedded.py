"""A script in a child process of this one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import Any

from msgspec.msgpack import Decoder

from engine.script.child.protocol import FRAME_LIMIT, VERSION, Channel, amount
from engine.script.child.state import UNREACHABLE
from engine.script.environment import provide
from engine.script.exits import exit_in_words
from engine.script.output import Output
from engine.script.process import ScriptProcess
from engine.script.session import ANSWERS, OnLost, Session, opening
from engine.sdk.scripts import Script, ScriptFailure

_EXIT_SECONDS = 2.0


class EmbeddedSession(Session):
    """A script in a child process of this one."""

    def __init__(
        self,
        script: Script,
        output: Output,
        limit: int = FRAME_LIMIT,
        lost: OnLost = lambda _: None,
        by: Decoder[Any] = ANSWERS,
    ) -> None:
        super().__init__(script, lost)
        self._output = output
        self._limit = limit
        self._by = by
        self._child: ScriptProcess | None = None
        self._pid = self._thread = 0
        self._finished = False

    def _connect(self) -> Channel:
        environment = provide(self._script, self._stop_if_interrupted, self._output)
        try:
            self._child = child = ScriptProcess(
                self._script, environment, self._output, self._limit, self._by, self._on_hang_up
            )
        except OSError as error:
            raise ScriptFailure(
                f"could not start a process for {self._script.name}", str(error)
            ) from error
        self._stop_if_interrupted()
        channel = child.channel
        channel.wait = self._check
        self._channel = channel
        _, version, self._pid, self._thread = self._receive(channel, "hello")
        if version != VERSION:
            raise ScriptFailure("the script's process speaks another version of the protocol")
        self._hand_over(channel, opening(self._script))
        self._receive(channel, "ready")
        return channel

    def _on_hang_up(self) -> None:
        """Called from the thread that reads the script's output, so it must not block."""
        threading.Thread(
            target=self._lost_between_calls, args=(EOFError(),), name="script end", daemon=True
        ).start()

    def _request(self, request: str, expected: str) -> Iterator[list[Any]]:
        try:
            yield from super()._request(request, expected)
        finally:
            if self._child is not None:
                self._child.reader.settle()
        self._finished = self._is_over = request != "start"

    def _check(self) -> None:
        """Called several times a second while the script is silent."""
        child = self._child
        assert child is not None
        if child.ended:
            raise EOFError
        limit, hook = self._script.timeout, child.state.hook
        if limit is not None and hook and child.state.seconds > limit:
            self._fail(self._timed_out(child, limit, hook))

    def _timed_out(self, child: ScriptProcess, limit: float, hook: str) -> ScriptFailure:
        when = child.state.describe()
        place = child.where(self._pid, self._thread, self._script.name)
        child.kill()
        at = f" ({place})" if place else ""
        return ScriptFailure(
            f"Python script error in {self._script.name}",
            f"{hook} took longer than its limit of {_seconds(limit)}; "
            f"the script was killed {when}{at}",
            "raise the snap's timeout, or make the script do less in one call",
            self._last_lines(child),
        )

    def _lost(self, error: Exception) -> ScriptFailure:
        if self._interrupted:
            return self._stopped()
        child = self._child
        assert child is not None
        code = child.wait(_EXIT_SECONDS)
        child.reader.settle()
        place = child.crash_place(self._thread, self._script.name)
        at = f" ({place})" if place else ""
        return ScriptFailure(
            f"Python script error in {self._script.name}",
            f"the script's process {_ending(code)} {child.state.describe()}{at}",
            _advice(code, self._script.memory),
            self._last_lines(child),
        )

    def _last_lines(self, child: ScriptProcess) -> str:
        lines = [f"  {line}" for line in child.reader.last]
        return "\n".join(["last lines of its output:", *lines]) if lines else ""

    def interrupt(self) -> None:
        """End the child at once; a blocked method, and any later call, raises."""
        self._interrupted = True
        child = self._child
        if child is not None:
            child.kill()

    def close(self) -> None:
        """End the child, gracefully after `finish`: files are flushed and exit handlers run."""
        self._is_over = True
        child = self._child
        if child is None:
            return
        if self._finished and not self._interrupted and self._failed is None and not child.ended:
            self._send(child.channel, child.channel.frame("end"))
            child.wait(_EXIT_SECONDS)
        self._child = self._channel = None
        child.close()


def _ending(code: int | None) -> str:
    if code is None or code == UNREACHABLE:
        return "closed its connection to the engine"
    return exit_in_words(code)


def _advice(code: int | None, memory: int | None) -> str:
    if code == -signal.SIGKILL:
        return "out of memory? the system kills the process that uses the most memory"
    if code == -signal.SIGABRT and memory is not None:
        return f"out of memory? the script's limit is {amount(memory)}; raise memory"
    if code is not None and code < 0:
        return "a library of the script crashed; another version of it may help"
    if code == UNREACHABLE:
        return "the script must close only what it has opened itself"
    return "the script must return from its functions instead of ending its process"


def _seconds(count: float) -> str:
    return "1 second" if count == 1 else f"{count:g} seconds"
