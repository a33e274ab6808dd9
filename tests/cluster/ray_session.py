"""A cluster of Ray in a network of its own, and a driver there that answers the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.namespaces import inside
from tests.cluster.patience import PATIENT

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 900.0
"""Seconds after which an answer counts as one that never comes, also on a very busy machine."""


class Session:
    """A driver in a network of its own, which answers one request after the other."""

    def __init__(self, home: Path) -> None:
        self._log = (home / "driver.log").open("w+")
        self._popen = subprocess.Popen(
            inside([sys.executable, "-m", "tests.cluster.ray_driver"]),
            cwd=ROOT,
            env=os.environ | PATIENT | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "7" * 64},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._answer()

    def ask(self, name: str, *given: Any) -> Any:
        assert self._popen.stdin is not None
        print(json.dumps([name, given]), file=self._popen.stdin, flush=True)
        return self._answer()

    def run(self, arguments: Any, folder: Path) -> tuple[int, str, str]:
        code, printed, shown = self.ask("run", list(arguments), str(folder))
        return code, printed, shown

    def close(self) -> None:
        if self._popen.poll() is None:
            self.ask("end")
        self._end()

    def _end(self) -> None:
        with self._popen:
            assert self._popen.stdin is not None
            self._popen.stdin.close()
        self._log.close()

    def _answer(self) -> Any:
        assert self._popen.stdout is not None
        watchdog = threading.Timer(LIMIT_SECONDS, self._popen.kill)
        watchdog.start()
        line = self._popen.stdout.readline()
        watchdog.cancel()
        watchdog.join()
        if not line:
            self._log.seek(0)
            said = self._log.read()[-3000:]
            self._end()
            pytest.exit(f"the driver ended:\n{said}")
        return json.loads(line)
