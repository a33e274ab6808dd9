"""`engine serve` as a process of its own, as a person starts it."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

START_SECONDS = 240.0
END_SECONDS = 120.0
"""Past these a server counts as hanging, on a very busy machine, too."""

Serve = Callable[..., "Served"]
"""`serve(FILE, ..., OPTION, ..., ready=True, environment=None)`; port 0 is given."""

_URL = re.compile(r"https?://[^/\s]+(?=/tasks/)")


class Served:
    """A server that runs. `url` is its address without a path, `/tasks/NAME` follows it."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.pid = process.pid
        self.url = ""
        self._log = log

    @property
    def stderr(self) -> str:
        """What it has written so far."""
        return self._log.read_text(errors="replace")

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def wait_for(self, condition: Callable[[], Any], seconds: float = START_SECONDS) -> Any:
        """Wait until it is so, and give what it is; fail if the server ends before."""
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            if self.process.poll() is not None:
                pytest.fail(f"engine serve ended with {self.process.returncode}:\n{self.stderr}")
            if time.monotonic() > deadline:
                pytest.fail(f"engine serve did not get there in {seconds:g} s:\n{self.stderr}")
            time.sleep(0.01)
        return value

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        finally:
            connection.close()

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def stop(self, seconds: float = END_SECONDS) -> int:
        """Ask it to end, and give its exit code; fail if it stays."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()
            pytest.fail(f"engine serve did not end within {seconds:g} s:\n{self.stderr}")


@contextmanager
def servers(folder: Path) -> Iterator[Serve]:
    """Starts servers; each gets a free port and has to end when the block does."""
    runtime = tempfile.mkdtemp(prefix="serve-")  # a socket's path has to be short
    logs: list[Path] = []
    ends = ExitStack()
    ends.callback(shutil.rmtree, runtime)

    def start(
        *arguments: str | Path, ready: bool = True, environment: dict[str, str] | None = None
    ) -> Served:
        log = folder / f"stderr-{len(logs)}.txt"
        command = [sys.executable, "-m", "engine", "serve", *map(str, arguments), "--port", "0"]
        with log.open("wb") as errors:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, "XDG_RUNTIME_DIR": runtime, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        served = Served(process, log)
        logs.append(log)
        ends.callback(served.stop)
        served.url = served.wait_for(lambda: _URL.search(served.stderr))[0]
        if ready:
            served.wait_for(served.is_ready)
        return served

    with ends:
        yield start


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with servers(tmp_path) as start:
        yield start
