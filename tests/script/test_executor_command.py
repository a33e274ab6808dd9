"""The command `engine executor`: its token file, its signals, its exit codes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.script.conftest import Opened
from tests.script.processes import gone

TOKEN = "correct horse"


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_a_signal_and_ends_its_scripts(
    opened: Opened, token_file: Path, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "engine", "executor", "--port", "0"]
    command += ["--token-file", str(token_file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = process.stderr.readline().split()[-1]
        session = opened(
            "import os\ndef snaplogic_init():\n    return {'pid': os.getpid()}\n",
            executor=address,
            token=TOKEN,
        )
        [document] = session.start()
        process.send_signal(number)
        assert process.wait(240) == 0
    assert gone(document["pid"])


def test_a_token_file_without_a_token_is_refused(token_file: Path) -> None:
    token_file.write_text(" \n")
    done = _run_command(token_file)
    assert done.returncode == 2
    assert "is empty" in done.stderr


def test_a_missing_token_file_is_refused(tmp_path: Path) -> None:
    done = _run_command(tmp_path / "none")
    assert done.returncode == 2
    assert done.stderr.endswith("none': No such file or directory\n")


def test_a_token_file_that_others_can_read_causes_a_warning(token_file: Path) -> None:
    token_file.chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = _run_command(token_file, taken.getsockname()[1])
    assert done.returncode == 1
    assert "other users can read" in done.stderr
    assert "cannot listen" in done.stderr


def _run_command(token_file: Path, port: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engine", "executor", "--port", str(port)]
    return subprocess.run(
        [*command, "--token-file", str(token_file)],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
