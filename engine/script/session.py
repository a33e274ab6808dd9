"""A session: one run of one script, seen from the engine.

The conversation with a script is the same for a child of this process and for one on another host
(`client.py`). The two differ in how they connect, and in what they know about a lost script.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NoReturn

import msgspec
from msgspec.msgpack import Decoder

from engine.documents import Document
from engine.script.child.encoding import TOO_DEEP, NotSendableError, restore_answer
from engine.script.child.protocol import (
    FRAME_LIMIT,
    VERSION,
    Channel,
    FrameTooLargeError,
    ProtocolError,
    amount,
    decoder,
)
from engine.script.child.state import UNREACHABLE
from engine.script.environment import provide
from engine.script.frame_sizes import FrameSizes
from engine.script.output import Output
from engine.script.process import ScriptProcess
from engine.script.row_values import encoder, with_exact_numbers
from engine.sdk.scripts import Outcome, Script, ScriptAnswer, ScriptError, ScriptFailure

ANSWERS = decoder(restore_answer(ScriptError))
"""Decodes what a script sends; its failures become errors of their rows."""

Sending = Iterator[list[Any] | None]
"""Sends a frame for each None; a list is an answer of the engine itself, in its turn."""

OnLost = Callable[[ScriptFailure], None]
"""Called with the reason when a script ends between calls."""

IN_FLIGHT = 2
"""Frames of rows on their way: while the script works on one, the next is there already."""

FRAME_BYTES = 128 << 10
"""The largest frame with several rows, as far as its size can be predicted."""

TRACKED_BYTES = 8 << 20
"""The same for rows with requests: a function for batches gets one frame."""

_EXIT_SECONDS = 2.0


class Session(ABC):
    """The conversation with a script, independent of the transport; implements ScriptSession."""

    def __init__(self, script: Script, lost: OnLost) -> None:
        self._script = script
        self._notify_lost = lost
        self._in_call = True  # a method in progress raises what it finds; `lost` is for the rest
        self._is_over = False
        self._channel: Channel | None = None
        self._failed: ScriptFailure | None = None
        self._interrupted = False
        self._sizes = FrameSizes()

    @abstractmethod
    def _connect(self) -> Channel:
        """Start the process that runs the script, and send it the script."""

    @abstractmethod
    def _lost(self, error: Exception) -> ScriptFailure:
        """Why the script is gone."""

    @abstractmethod
    def interrupt(self) -> None: ...

    @abstractmethod
    def close(self) -> None: ...

    def start(self) -> list[Document]:
        self._stop_if_interrupted()
        self._channel = self._connect()
        return [document for part in self._request("start", "documents") for document in part]

    def process(self, rows: list[Document], *, more: bool = False) -> Iterator[list[ScriptAnswer]]:
        """`more`: rows will follow that a function for batches may get together with these."""
        return self._exchange(self._send_rows(rows, more), "answers")

    def process_tracked(self, rows: list[Document], numbers: list[int]) -> Iterator[list[Outcome]]:
        return self._exchange(self._send_tracked(rows, numbers), "outcomes")

    def _send_rows(self, rows: list[Document], more: bool) -> Sending:
        """Send a frame of rows for each None; an answer comes in place of an unsendable row.

        Each frame says whether more follow, for which a function for batches waits. It does not
        wait when an answer of ours is next, which would overtake its own.
        """
        waits = False

        def encoded(start: int, end: int) -> bytearray:
            return self._frame("rows", rows[start:end], more or end < len(rows))

        for _, end, error in self._send_in_frames(rows, FRAME_BYTES, encoded):
            if error is None:
                waits = more or end < len(rows)
                yield None
                continue
            if waits:
                waits = False
                self._send(self._ready(), self._frame("rows", [], False))
                yield None
            yield [error]

    def _send_tracked(self, rows: list[Document], numbers: list[int]) -> Sending:
        def encoded(start: int, end: int) -> bytearray:
            return self._frame("tracked rows", rows[start:end], numbers[start:end])

        for start, _, error in self._send_in_frames(rows, TRACKED_BYTES, encoded):
            yield None if error is None else [(numbers[start], error)]

    def _send_in_frames(
        self, rows: list[Document], size: int, encoded: Callable[[int, int], bytearray]
    ) -> Iterator[tuple[int, int, ScriptError | None]]:
        """Send rows in frames of about `size` bytes: the range of each, or of a row that failed."""
        start = 0
        while start < len(rows):
            end, error = self._sizes.end(rows, start, size), None
            while True:
                try:
                    frame = encoded(start, end)
                except (FrameTooLargeError, NotSendableError) as refusal:
                    if end - start > 1:
                        end = (start + end) // 2
                        continue
                    error = self._unsendable(refusal)
                    break
                fitting = start + self._sizes.check(frame, rows[start:end], size)
                if fitting == end:
                    self._send(self._ready(), frame)
                    del frame  # it may hold a model of many megabytes
                    break
                end = fitting
            yield start, end, error
            start = end

    def _frame(self, kind: str, rows: list[Document], *more: Any) -> bytearray:
        """Raises FrameTooLargeError or NotSendableError."""
        if self._script.exact:
            try:
                rows = with_exact_numbers(rows)
            except RecursionError:
                raise NotSendableError(TOO_DEEP) from None
        return self._ready().frame(kind, rows, *more, by=encoder)

    def _exchange(self, sending: Sending, expected: str) -> Iterator[list[Any]]:
        """The parts of the replies to frames, which are sent at most IN_FLIGHT ahead of them."""
        channel = self._ready()
        waiting: deque[list[Any] | None] = deque()
        while True:
            waiting.extend(islice(sending, IN_FLIGHT - len(waiting)))
            if not waiting:
                return
            part, is_last = waiting[0], True
            if part is None:
                _, part, is_last = self._receive(channel, expected)
            if is_last:
                waiting.popleft()
            self._in_call = bool(waiting)
            if part:
                yield part

    def finish(self) -> list[Document]:
        return [document for part in self._request("finish", "documents") for document in part]

    def finish_tracked(self) -> Iterator[list[Outcome]]:
        return self._request("tracked finish", "outcomes")

    def _request(self, request: str, expected: str) -> Iterator[list[Any]]:
        """The parts of the reply to a request without rows, as they arrive."""
        self._send(self._ready(), self._ready().frame(request))
        return self._exchange(iter([None]), expected)

    def _lost_between_calls(self, error: Exception) -> None:
        """Called from another thread when the script is gone, perhaps while no call is running."""
        if self._in_call or self._is_over or self._interrupted or self._failed is not None:
            return
        failure = self._lost(error)
        if not self._is_over:
            self._failed = failure
            self._notify_lost(failure)

    def _hand_over(self, channel: Channel, script: dict[str, Any]) -> None:
        try:
            frame = channel.frame("open", script)
        except (FrameTooLargeError, NotSendableError) as error:
            name = self._script.name
            self._fail(ScriptFailure(f"could not send {name} to its process", str(error)), error)
        self._send(channel, frame)

    def _unsendable(self, error: Exception) -> ScriptError:
        return ScriptError(
            f"could not send a row to {self._script.name}",
            str(error),
            "make the document smaller, or remove what the script does not need",
        )

    def _ready(self) -> Channel:
        if self._failed is not None:
            raise self._failed
        self._stop_if_interrupted()
        if self._channel is None:
            raise ScriptFailure(f"the session of {self._script.name} is not open")
        return self._channel

    def _send(self, channel: Channel, frame: bytearray) -> None:
        self._in_call = True
        with contextlib.suppress(ConnectionError):  # reading finds out why it ended
            channel.send_frame(frame)

    def _receive(self, channel: Channel, expected: str) -> list[Any]:
        """The next reply. Raises ScriptFailure if there is none, ScriptError for an `error`."""
        try:
            message = self._next(channel)
            if message[0] not in (expected, "failure", "error"):
                raise ProtocolError(f"it sent {message[0]!r} instead of {expected!r}")
        except (EOFError, OSError, ProtocolError) as error:
            self._fail(self._lost(error), error)
        if message[0] == "failure":
            self._fail(ScriptFailure(*message[1]))
        if message[0] == "error":
            raise ScriptError(*message[1])
        return message

    def _next(self, channel: Channel) -> list[Any]:
        return channel.receive()

    def _fail(self, failure: ScriptFailure, cause: Exception | None = None) -> NoReturn:
        self._failed = failure
        raise failure from cause

    def _stop_if_interrupted(self) -> None:
        if self._interrupted:
            raise self._stopped()

    def _stopped(self) -> ScriptFailure:
        return ScriptFailure(f"{self._script.name} was interrupted")


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


def opening(script: Script) -> dict[str, Any]:
    """What the script's process needs to know about the script."""
    return {
        "source": script.source,
        "modules": [msgspec.structs.asdict(module) for module in script.modules],
        "name": script.name,
        "folder": script.folder,
        "directory": script.directory,
        "requirements": list(script.requirements),
        "constraints": script.constraints,
        "environment": script.environment,
        "owner": script.owner,
        "install": script.install,
        "pipe": script.pipe,
        "timeout": script.timeout,
        "memory": script.memory,
        "variables": script.variables,
        "exact": script.exact,
    }


def _ending(code: int | None) -> str:
    if code is None or code == UNREACHABLE:
        return "closed its connection to the engine"
    if code >= 0:
        return f"exited with code {code}"
    try:
        name = f" ({signal.Signals(-code).name})"
    except ValueError:
        name = ""
    return f"was killed by signal {-code}{name}"


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
