"""The output of a script, line by line, as it is printed.

A separate thread reads the pipe, so that neither a megabyte of output nor a grandchild that keeps
the pipe open can block a session. Lines are cut at 64 KiB. A progress bar, which rewrites its line
with carriage returns, is shown once per second, and always in its final state.
"""

from __future__ import annotations

import collections
import contextlib
import os
import select
import threading
import time
from collections.abc import Callable

from engine.sdk.scripts import without_mark

LINE_LIMIT = 64 * 1024
_CHUNK = 64 * 1024
_PROGRESS_INTERVAL = 1.0
_SETTLE_SECONDS = 1.0
_HANG_UP = getattr(select, "POLLRDHUP", 0)  # POLLHUP is always reported
_LAST_LINES = 10
_SHOWN = 500

Output = Callable[[str], None]


class LineSplitter:
    """Cuts a stream of bytes into lines of text, with bounded memory."""

    def __init__(self, output: Output, clock: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._clock = clock
        self._rest = b""
        self._cut = False
        self._shown = 0.0

    def feed(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).replace(b"\r\n", b"\n").split(b"\n")
        for line in lines:
            self._end(line)
        self._rest = self._progress(rest)
        if len(self._rest) > LINE_LIMIT:
            if not self._cut:
                self._emit(self._rest[:LINE_LIMIT], f" … (line cut after {LINE_LIMIT} bytes)")
            self._cut, self._rest = True, b""

    def finish(self) -> None:
        """Emit the rest: the stream has ended, perhaps in the middle of a line."""
        if self._rest.strip():
            self._end(self._rest)
        self._rest = b""

    def _end(self, line: bytes) -> None:
        if self._cut:
            self._cut = False
        else:
            self._emit(line.rstrip(b"\r").rpartition(b"\r")[2])

    def _progress(self, rest: bytes) -> bytes:
        """The unfinished line as its carriage returns have left it."""
        if b"\r" not in rest:
            return rest
        held = rest.endswith(b"\r")  # the next byte may end the line or rewrite it
        states = rest.rstrip(b"\r").split(b"\r")
        state = states[-1] if held else states[-2]
        if state.strip() and self._clock() - self._shown >= _PROGRESS_INTERVAL:
            self._shown = self._clock()
            self._emit(state)
        return states[-1] + b"\r" * held

    def _emit(self, line: bytes, mark: str = "") -> None:
        self._output(line.replace(b"\b", b"").decode("utf-8", "replace") + mark)


class GuardedOutput:
    """Calls `output`, and keeps an exception from it for `check`, so that reading continues."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._broken: Exception | None = None

    def __call__(self, line: str) -> None:
        try:
            self._output(line)
        except Exception as error:  # noqa: BLE001  # `check` raises it where the session is used
            self._broken = error

    def check(self) -> None:
        """Raise the exception from `output`, if there was one."""
        if self._broken is not None:
            broken, self._broken = self._broken, None
            raise broken


class OutputReader:
    """Passes the lines of a pipe to `output` from a thread, until the pipe ends or `stop`.

    The thread also watches a socket, and calls `hung_up` when its other end is closed.
    """

    def __init__(self, pipe: int, output: Output, socket: int, hung_up: Callable[[], None]) -> None:
        self._socket = socket
        self._hung_up = hung_up
        self.last: collections.deque[str] = collections.deque(maxlen=_LAST_LINES)
        self._output = GuardedOutput(output)
        self._pipe = pipe
        self._splitter = LineSplitter(self._hand_over)
        self._idle = threading.Event()
        self._deadline: float | None = None
        self._woken, self._wake = os.pipe()
        os.set_blocking(pipe, False)
        self._thread = threading.Thread(target=self._read, name="script output", daemon=True)
        self._thread.start()

    def settle(self) -> None:
        """Wait until everything printed so far has been passed to `output`."""
        self._idle.clear()
        if self._thread.is_alive():
            os.write(self._wake, b".")
            self._idle.wait(_SETTLE_SECONDS)
        self._output.check()

    def stop(self) -> None:
        """Pass on what is still in the pipe, without waiting for its end, and close it."""
        self._deadline = time.monotonic() + _SETTLE_SECONDS
        os.write(self._wake, b".")
        self._thread.join()
        for descriptor in (self._woken, self._wake):
            os.close(descriptor)

    def _read(self) -> None:
        poll = select.poll()
        poll.register(self._pipe, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        poll.register(self._socket, _HANG_UP)
        piped = True
        while self._deadline is None or time.monotonic() < self._deadline:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._socket in ready:
                poll.unregister(self._socket)
                self._hung_up()
            if piped and self._pipe in ready:
                data = self._chunk()
                if data:
                    self._splitter.feed(data)
                    continue
                poll.unregister(self._pipe)
                piped = False
                self._splitter.finish()
            elif self._woken in ready:
                os.read(self._woken, 64)
                self._idle.set()
                if self._deadline is not None:
                    break
        self._splitter.finish()
        self._idle.set()

    def _chunk(self) -> bytes:
        with contextlib.suppress(OSError):
            return os.read(self._pipe, _CHUNK)
        return b""

    def _hand_over(self, line: str) -> None:
        self.last.append(without_mark(line)[0][:_SHOWN])
        self._output(line)
