"""The loop of the script's process: frames in, calls into the script, frames out."""

from __future__ import annotations

import faulthandler
import os
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from . import install, tool
from .current import mark_output
from .encoding import restore_row_value
from .failure import ScriptRaisedError, describe
from .memory import limit_to
from .pip_runs import InstallError
from .program import Program, Rows
from .protocol import VERSION, Channel, Payload, decode, decoder
from .replies import Outbox
from .state import PREPARING, UNREACHABLE, WHERE_SIGNAL, State
from .supervisor import supervise

BATCH_BYTES = 8 << 20
"""How much a function for batches gets at once."""

_CANCEL_BYTES = 32
"""A frame that cancels a row is not longer; one with rows may be, and is not decoded twice."""

_CHECK_SECONDS = 1.0
"""How often a script that waits for rows checks that its connection is still open. A call that
waits in one thread does not notice when another thread closes it."""


def main(settings: dict[str, Any]) -> None:
    """Become the script's process; `settings` come from `engine.script.process`."""
    folder = Path(settings["folder"])
    state = State(folder / "state")
    supervise(settings["lifeline"], str(folder), state)
    _report_crashes(folder)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    connection = socket.socket(fileno=settings["channel"])
    connection.set_inheritable(False)
    channel = Channel(connection, settings["limit"], wait=lambda: None)
    channel.set_patience(_CHECK_SECONDS)
    Conversation(channel, state, settings).run()


def _report_crashes(folder: Path) -> None:
    where = os.open(folder / "where", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    faulthandler.enable(where)
    faulthandler.register(WHERE_SIGNAL, where, all_threads=True)


class Conversation:
    """Answers the engine's frames in order, until the engine ends the session or disappears."""

    def __init__(self, channel: Channel, state: State, settings: dict[str, Any]) -> None:
        self._channel = channel
        self._outbox = Outbox(channel)
        self._state = state
        self._settings = settings
        self._owner = os.getpid()
        self._gathered: list[Payload] = []
        self._gathered_rows: Rows = []
        self._ahead: deque[Payload] = deque()
        self._cancelled: set[int] = set()

    def run(self) -> None:
        self._outbox.send("hello", VERSION, self._owner, threading.get_ident())
        _, opening = self._channel.receive()
        self._rows_decoder = decoder(restore_row_value(exact=opening["exact"]))
        try:
            program = self._prepare(opening)
            self._settle()
            self._outbox.send("ready")
            self._serve(program)
        except ScriptRaisedError as error:
            self._settle()
            self._outbox.send("failure", error.failure)
        except MemoryError as error:  # while rows were read, or answers were written
            self._outbox.send("failure", describe(error, opening["name"]))
        except (EOFError, OSError):
            # The engine is gone, or the script has closed the connection to it, so there is nobody
            # to report to. The supervisor cleans up.
            os._exit(UNREACHABLE)

    def _prepare(self, opening: dict[str, Any]) -> Program:
        name = opening["name"]
        installer = install.Installer(opening, self._settings, self._state)
        install.use(installer)
        _offer_tool()
        if opening["marks"]:
            mark_output()
        if opening["trusted"]:
            tool.trust_documents()
        self._state.enter(PREPARING)
        try:
            installer.require(opening["requirements"])
        except (InstallError, OSError) as error:
            resolution = getattr(error, "resolution", "")
            raise ScriptRaisedError(
                (f"the libraries that {name} needs are missing", str(error), resolution, "")
            ) from error
        root = str(Path(self._settings["folder"]) / "tmp") + "/"
        pipe = opening["pipe"] | {"tmp_root": root}
        if opening["memory"] is not None:
            limit_to(opening["memory"])
        return Program(opening, pipe, self._state, self._outbox, self._is_cancelled)

    def _is_cancelled(self, number: int) -> bool:
        """Whether the engine has said, since the script began to yield, that nobody waits for this
        row. Frames with rows that have arrived in the meantime are kept for later."""
        while self._channel.arrives_within(0):
            payload = bytes(self._channel.receive_payload())
            if len(payload) <= _CANCEL_BYTES and (message := decode(payload))[0] == "cancel":
                self._cancelled.add(message[1])
            else:
                self._ahead.append(payload)
        return number in self._cancelled

    def _serve(self, program: Program) -> None:
        while True:
            self._cancelled.clear()
            payload = self._ahead.popleft() if self._ahead else self._channel.receive_payload()
            message = decode(payload, self._rows_decoder)
            match message[0]:
                case "rows":
                    self._answer(program, payload, *message[1:])
                case "tracked rows":
                    _, rows, numbers, ids = message
                    self._outbox.begin("outcomes", len(rows))
                    program.settle(rows, numbers, ids, partial(self._rows_of, [payload]))
                    self._end_reply()
                case "chunk":
                    tool.set_chunk(message[1])
                case "start":
                    self._outbox.begin("documents")
                    program.start()
                    self._end_reply()
                case "finish":
                    self._finish("documents", program.finish)
                case "combine":
                    self._finish("documents", partial(program.combine, message[1]))
                case "cancel":
                    """The row has been answered already."""
                case "tracked finish":
                    self._finish("outcomes", program.finish_tracked)
                case _:  # "end"
                    return

    def _answer(self, program: Program, payload: Payload, rows: Rows, more: bool) -> None:
        """Answer rows; a function for batches gets those of several frames together."""
        gathered = self._gathered
        self._outbox.begin("answers", len(rows) + len(self._gathered_rows))
        if gathered and sum(map(len, gathered)) + len(payload) > BATCH_BYTES:
            self._answer_gathered(program)
        if more and program.takes_batches:
            self._gathered.append(bytes(payload))
            self._gathered_rows += rows
        elif self._gathered:
            self._gathered.append(payload)
            self._gathered_rows += rows
            self._answer_gathered(program)
        else:
            program.answer(rows, partial(self._rows_of, [payload]))
        self._end_reply()

    def _answer_gathered(self, program: Program) -> None:
        rows, payloads = self._gathered_rows, self._gathered
        self._gathered_rows, self._gathered = [], []
        program.answer(rows, partial(self._rows_of, payloads))

    def _rows_of(self, payloads: list[Payload]) -> Rows:
        return [row for each in payloads for row in decode(each, self._rows_decoder)[1]]

    def _finish(self, kind: str, finish: Callable[[], None]) -> None:
        try:
            self._outbox.begin(kind)
            finish()
            self._end_reply()
        except ScriptRaisedError as error:
            self._settle()
            self._outbox.send("error", error.failure)

    def _end_reply(self) -> None:
        self._settle()
        self._outbox.finish()

    def _settle(self) -> None:
        """Flush the script's output and stop its clock, now that it has returned."""
        if os.getpid() != self._owner:
            os._exit(0)  # a fork of the script has returned from its hook
        _flush(sys.stdout)
        _flush(sys.stderr)
        self._state.leave()


def _flush(stream: Any) -> None:
    try:  # noqa: SIM105  # takes a microsecond less
        stream.flush()
    except (OSError, ValueError, AttributeError):
        pass


def _offer_tool() -> None:
    """Make `from snaplogic.tool import SLTool` find this engine's own SLTool."""
    package = ModuleType("snaplogic", "Stands in for SnapLogic's package of the same name.")
    package.__path__ = []
    package.tool = tool  # type: ignore[attr-defined]
    sys.modules["snaplogic"] = package
    sys.modules["snaplogic.tool"] = tool
