"""Servers as separate processes: start, wait until ready, pause, stop."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from benchmarks.environment import rivals_python
from benchmarks.serving.process_tree import command_line, descendants

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).with_name("rivals") / "requirements.txt"
START_PATIENCE = 120.0
STOP_PATIENCE = 15.0
_TASK_URL = re.compile(r"http://\S+/tasks/\S+")


def echo_python() -> Path:
    """The interpreter of the hand-written echo."""
    return rivals_python("echo", REQUIREMENTS.with_name("echo_requirements.txt"))


def servers_python() -> Path:
    """The interpreter of the other servers of digits; installing them takes minutes."""
    return rivals_python("rivals", REQUIREMENTS)


def end_servers_on_sigterm() -> None:
    """Make SIGTERM leave the `with` blocks of servers, as Ctrl-C does."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


class ServerError(Exception):
    """A server did not start. The message ends with its output."""


class ServerProcess:
    """A context manager: the server runs within it. Requests are posted to `url`.

    `find_url` finds the URL in the output of the server; None if it is not there yet.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        find_url: Callable[[str], str | None],
        ready_path: str,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.url = ""
        self._command = command
        self._find_url = find_url
        self._ready_path = ready_path
        self._environment = {**os.environ, **(environment or {})}
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def printed(self) -> str:
        """The output of the server so far."""
        return Path(self._log.name).read_text(errors="replace")

    def __enter__(self) -> ServerProcess:
        self._log = tempfile.NamedTemporaryFile(prefix="server-", suffix=".log")
        try:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
            )
        except OSError as error:
            self._log.close()
            raise ServerError(f"{self.name}: {error}") from None
        try:
            self._await_ready()
        except BaseException:  # raised again once it is stopped
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def pause(self) -> None:
        """Pause every process, so that a busy idle loop does not slow down the others."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in descendants(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _await_ready(self) -> None:
        until = time.monotonic() + START_PATIENCE
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise self._failed(f"exited with code {self._process.returncode}")
            if self._is_ready():
                return
            time.sleep(0.1)
        raise self._failed(f"was not ready within {START_PATIENCE:.0f} s")

    def _is_ready(self) -> bool:
        self.url = self._find_url(self.printed) or ""
        if not self.url:
            return False
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        try:
            connection.request("GET", self._ready_path)
            return connection.getresponse().status < 300
        except OSError:
            return False
        finally:
            connection.close()

    def _failed(self, what: str) -> ServerError:
        return ServerError(f"{self.name} {what}\n{self.printed[-1500:]}")

    def _stop(self) -> None:
        """Stop the server. Processes that it leaves behind, as LitServe does, are killed."""
        tree = {pid: command_line(pid) for pid in descendants(self.pid)}
        self._process.terminate()
        self.resume()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_PATIENCE)
        for pid, line in tree.items():
            _kill(pid, line)
        self._process.wait()
        self._log.close()


def _kill(pid: int, line: str) -> None:
    """Kill a process, and wait for its end, if it still has this command line."""
    while line and command_line(pid) == line:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def engine_server(
    pipeline: Path, parameters: Mapping[str, str], instances: int = 1, name: str = "engine serve"
) -> ServerProcess:
    """The engine's own server."""
    given = [text for key, value in parameters.items() for text in ("--param", f"{key}={value}")]
    return ServerProcess(
        name,
        [
            *(sys.executable, "-m", "engine", "serve", str(pipeline)),
            *("--port", "0", "--instances", str(instances), *given),
        ],
        _task_url,
        "/readyz",
    )


def _task_url(printed: str) -> str | None:
    found = _TASK_URL.search(printed)
    return found.group() if found else None


def rival(
    name: str,
    command: Sequence[str],
    path: str,
    ready_path: str,
    environment: Mapping[str, str] | None = None,
) -> ServerProcess:
    """Another server; `$PORT` in its command stands for a free port."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}{path}"
    arguments = [argument.replace("$PORT", str(port)) for argument in command]
    return ServerProcess(name, arguments, lambda printed: url, ready_path, environment)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
