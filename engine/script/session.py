"""A session: one run of one script, seen from the engine.

The conversation with a script is the same for a child of this process and for one on another host
(`client.py`). The two differ in how they connect, and in what they know about a lost script.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import msgspec

from engine.documents import Document
from engine.numbers import is_finite
from engine.script.child.encoding import TOO_DEEP, NotSendableError, restore_answer
from engine.script.child.protocol import (
    Channel,
    FrameTooLargeError,
    ProtocolError,
    decoder,
)
from engine.script.frame_sizes import FrameSizes
from engine.script.row_values import encoder, may_not_be_finite, with_exact_numbers
from engine.sdk.json_output import CHANGE_IT_FIRST, unwritable_part
from engine.sdk.scripts import Outcome, Script, ScriptAnswer, ScriptError, ScriptFailure

ANSWERS = decoder(restore_answer(ScriptError))
"""Decodes what a script sends; its failures become errors of their rows."""

Sending = Iterator[list[Any] | None]
"""Sends a frame for each None; a list is an answer of the engine itself, in its turn."""

OnLost = Callable[[ScriptFailure], None]
"""Called with the reason when a script ends between calls."""

IN_FLIGHT = 2
"""Frames of rows on their way: while the script works on one, the next is there already. A frame
larger than TRACKED_BYTES goes alone, as two may not fit into the memory."""

FRAME_BYTES = 128 << 10
"""The largest frame with several rows, as far as its size can be predicted."""

TRACKED_BYTES = 8 << 20
"""The same for rows with requests: a function for batches gets one frame."""

_ALL_SENT: list[Any] = []


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
        self._ahead = IN_FLIGHT

    @abstractmethod
    def _connect(self) -> Channel:
        """Start the process that will run the script, and have it install what the script needs."""

    @abstractmethod
    def _lost(self, error: Exception) -> ScriptFailure:
        """Why the script is gone."""

    @abstractmethod
    def interrupt(self) -> None: ...

    @abstractmethod
    def close(self) -> None: ...

    def connect(self) -> None:
        self._stop_if_interrupted()
        self._channel = self._connect()
        self._in_call = False

    def start(self) -> list[Document]:
        if self._channel is None:
            self.connect()
        return [document for part in self._request("start", "documents") for document in part]

    def process(self, rows: list[Document], *, more: bool = False) -> Iterator[list[ScriptAnswer]]:
        """`more`: rows will follow that a function for batches may get together with these."""
        return self._exchange(self._send_rows(rows, more), "answers")

    def identify(self, key: str) -> None:
        """The rows from now on belong to the chunk of that key."""
        self._send(self._ready(), self._ready().frame("chunk", key))

    def process_tracked(
        self,
        rows: list[Document],
        numbers: list[int],
        ids: Sequence[str] = (),
        patience: float | None = None,
    ) -> Iterator[list[Outcome]]:
        return self._exchange(self._send_tracked(rows, numbers, ids), "outcomes", patience)

    def cancel(self, number: int) -> None:
        """Nobody waits for the answer to this row any more: a script that yields need not go on."""
        self._send(self._ready(), self._ready().frame("cancel", number))

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

    def _send_tracked(
        self, rows: list[Document], numbers: list[int], ids: Sequence[str]
    ) -> Sending:
        def encoded(start: int, end: int) -> bytearray:
            part = slice(start, end)
            return self._frame("tracked rows", rows[part], numbers[part], ids[part])

        for start, _, error in self._send_in_frames(rows, TRACKED_BYTES, encoded):
            yield None if error is None else [(numbers[start], error)]

    def _send_in_frames(
        self, rows: list[Document], size: int, encoded: Callable[[int, int], bytearray]
    ) -> Iterator[tuple[int, int, ScriptError | None]]:
        """Send rows in frames of about `size` bytes: the range of each, or of a row that failed."""
        start, most = 0, len(rows)
        while start < len(rows):
            end, error = min(self._sizes.end(rows, start, size), start + most), None
            while True:
                try:
                    frame = encoded(start, end)
                except (FrameTooLargeError, NotSendableError) as refusal:
                    most = max((end - start) // 2, 1)  # others like it may follow
                    if end - start > 1:
                        end = start + most
                        continue
                    error = self._unsendable(rows[start], refusal)
                    break
                fitting = start + self._sizes.check(frame, rows[start:end], size)
                if fitting == end:
                    self._send(self._ready(), frame)
                    self._ahead = IN_FLIGHT if len(frame) <= TRACKED_BYTES else 1
                    most *= 2
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
        frame = self._ready().frame(kind, rows, *more, by=encoder)
        # Searching the frame is cheaper than inspecting every value.
        if may_not_be_finite(frame) and not all(map(is_finite, rows)):
            raise NotSendableError("a number is NaN or infinite")
        return frame

    def _exchange(
        self, sending: Sending, expected: str, patience: float | None = None
    ) -> Iterator[list[Any]]:
        """The parts of the replies to frames, which are sent at most IN_FLIGHT ahead of them.

        One is empty if the script has sent nothing after `patience` seconds.
        """
        channel = self._ready()
        waiting: deque[list[Any] | None] = deque()
        while True:
            while len(waiting) < self._ahead:
                sent = next(sending, _ALL_SENT)
                if sent is _ALL_SENT:
                    break
                waiting.append(sent)
            if not waiting:
                return
            part, is_last = waiting[0], True
            if part is None:
                if patience is not None and not self._arrives_within(channel, patience):
                    patience = None
                    yield []
                _, part, is_last = self._receive(channel, expected)
            if is_last:
                waiting.popleft()
            self._in_call = bool(waiting)
            if part:
                yield part

    def finish(self) -> list[Document]:
        return [document for part in self._request("finish", "documents") for document in part]

    def combine(self, finals: list[Document]) -> list[Document]:
        try:
            frame = self._frame("combine", finals)
        except (FrameTooLargeError, NotSendableError) as error:
            raise ScriptError(
                f"could not send the last documents to {self._script.name}", str(error)
            ) from error
        self._send(self._ready(), frame)
        parts = self._exchange(iter([None]), "documents")
        return [document for part in parts for document in part]

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

    def _unsendable(self, row: Document, error: Exception) -> ScriptError:
        reason, resolution = unwritable_part(row), CHANGE_IT_FIRST
        if isinstance(error, FrameTooLargeError) or not reason:
            reason = str(error)
            resolution = "make the document smaller, or remove what the script does not need"
        return ScriptError(f"could not send a row to {self._script.name}", reason, resolution)

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

    def _arrives_within(self, channel: Channel, seconds: float) -> bool:
        return channel.arrives_within(seconds)

    def _fail(self, failure: ScriptFailure, cause: Exception | None = None) -> NoReturn:
        self._failed = failure
        raise failure from cause

    def _stop_if_interrupted(self) -> None:
        if self._interrupted:
            raise self._stopped()

    def _stopped(self) -> ScriptFailure:
        return ScriptFailure(f"{self._script.name} was interrupted")


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
        "trusted": script.trusted,
        "marks": script.marks,
        "style": script.style,
        "combines": script.combines,
    }
