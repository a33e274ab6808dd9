"""A script's process, seen from the engine: start it, ask what it is doing, end it without a trace.

The process that is started is the supervisor of `child/supervisor.py`. It ends all its descendants
as soon as the lifeline, a pipe that only the engine holds, is closed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from msgspec.msgpack import Decoder

from engine.script.child.state import WHERE_SIGNAL, State
from engine.script.duplex import DuplexChannel
from engine.script.environment import Environment
from engine.script.output import Output, OutputReader
from engine.script.variables import variables
from engine.sdk.scripts import Script

_BOOTSTRAP = Path(__file__).parent / "child" / "bootstrap.py"
_LENT = ("msgspec", "jsonpickle")
_KILL_SECONDS = 3.0
_TICK = 0.1
_SEND_BUFFER = 512 << 10
"""Room for the frames that are sent ahead; the system may give less."""
_DUMP_SECONDS = 0.5
_FRAME = re.compile(r'  File "(.*)", line (\d+) in (.*)')


class ScriptProcess:
    """A running script process. `channel` connects to it; `output` gets the lines that it prints.

    `by` decodes what it sends. `hung_up` is called from another thread when the connection to the
    script is closed.
    """

    def __init__(
        self,
        script: Script,
        environment: Environment,
        output: Output,
        limit: int,
        by: Decoder[Any],
        hung_up: Callable[[], None],
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="snapline-script-"))
        (self.folder / "tmp").mkdir()
        self.state = State.create(self.folder / "state")
        self._closed = False
        self._killing = threading.Lock()
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        held, self._lifeline = os.pipe()
        try:
            self._process = self._spawn(script, environment, theirs.fileno(), held, limit)
        except BaseException:  # raised again once nothing is left open
            ours.close()
            os.close(self._lifeline)
            self.state.close()
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        finally:
            theirs.close()
            os.close(held)
        patience = min(_TICK, (script.timeout or 1.0) / 4)
        self.channel = DuplexChannel(ours, patience, limit=limit, by=by)
        assert self._process.stdout is not None
        self.reader = OutputReader(self._process.stdout.fileno(), output, ours.fileno(), hung_up)

    def _spawn(
        self, script: Script, environment: Environment, channel: int, lifeline: int, limit: int
    ) -> subprocess.Popen[bytes]:
        temporary = self.folder / "tmp"
        directory = Path(script.directory)
        settings = {
            "channel": channel,
            "folder": str(self.folder),
            "libraries": lent_libraries(),
            "lifeline": lifeline,
            "limit": limit,
            "lock": str(environment.lock),
            "python": sys.executable,
            "started_in": str(Path.cwd()),
        }
        python = str(environment.python)
        return subprocess.Popen(
            [python, "-s", "-P", "-X", "utf8", str(_BOOTSTRAP), json.dumps(settings)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(channel, lifeline),
            start_new_session=True,
            cwd=directory if script.directory and directory.is_dir() else temporary,
            env=variables(script, environment, temporary),
        )

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def wait(self, seconds: float) -> int | None:
        """Exit code of the script's process if it ends in time, negative for a signal."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(seconds)
            return code if self.state.status is None else self.state.status
        return None

    def where(self, script_pid: int, thread: int, name: str) -> str:
        """The line of the script `name` that its main thread is executing; empty if unknown."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(script_pid, WHERE_SIGNAL)
        end, text = time.monotonic() + _DUMP_SECONDS, ""
        while time.monotonic() < end:
            time.sleep(0.02)
            before, text = text, self._dump()
            if text and text == before:
                break
        return line_in(text, thread, name)

    def crash_place(self, thread: int, name: str) -> str:
        """The line that the script was executing when its process crashed."""
        return line_in(self._dump(), thread, name)

    def _dump(self) -> str:
        with contextlib.suppress(OSError):
            return (self.folder / "where").read_text(errors="replace")
        return ""

    def kill(self) -> None:
        """End the script and everything it started. Callable from any thread, more than once."""
        with self._killing:
            lifeline, self._lifeline = self._lifeline, -1
        if lifeline >= 0:
            os.close(lifeline)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """`kill`, then clean up."""
        if self._closed:
            return
        self._closed = True
        self.kill()
        try:
            self._process.wait(_KILL_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill_group()
            self._process.wait()
        if self._process.returncode:  # the supervisor was killed and cannot end the others
            self._kill_group()
        self.reader.stop()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self.channel.close()
        self.state.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def lent_libraries() -> dict[str, str]:
    """The folders of the libraries that the engine lends to a script's process."""
    found = {}
    for name in _LENT:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            found[name] = str(Path(spec.origin).parent.parent)
    return found


def line_in(dump: str, thread: int, name: str) -> str:
    """`name, line 12, in function` for the innermost frame in a dump of faulthandler."""
    shown = name.encode("ascii", "backslashreplace").decode()
    for part in re.split(r"\n(?=Thread |Current thread )", "\n" + dump):
        if f"{thread:x}" in part.partition("\n")[0]:
            for line in part.splitlines():
                frame = _FRAME.match(line)
                if frame and frame[1] == shown:
                    return f"{name}, line {frame[2]}, in {frame[3]}"
    return ""
