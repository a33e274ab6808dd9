"""Runs that lose their Ray cluster; prints how they end, as JSON.

The tests run it in a network of its own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from tests.cluster.processes import servers_of_clients, wait_until, workers_of_ray
from tests.cluster.ray_nodes import add_node, cluster_of

PORT = 10_001
CLIENT = ("--on", f"ray://127.0.0.1:{PORT}")
INSIDE = ("--on", "ray")


class Run:
    """A run with one worker, which has read the first part of its input and waits for the rest."""

    def __init__(self, name: str, on: tuple[str, ...], more: dict[str, str]) -> None:
        self.name = name
        self._shown: IO[str] = TemporaryFile("w+")  # noqa: SIM115  # until this process ends
        before = len(workers_of_ray())
        options = ["--input", "-", "--workers", "1", *on, "--param", f"file={name}.jsonl"]
        self._run = subprocess.Popen(
            [sys.executable, "-m", "engine", "run", "write.yaml", *options],
            env=os.environ | more,
            stdin=subprocess.PIPE,
            stdout=self._shown,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._run.stdin is not None
        self._run.stdin.write('{"n": 1}\n' * 1000)
        self._run.stdin.flush()
        wait_until(lambda: len(workers_of_ray()) > before or self._run.poll() is not None)

    def end(self) -> tuple[int, str, bool]:
        """Exit code, what it showed, and whether its file is there."""
        wait_until(lambda: self._run.poll() is not None)
        self._shown.seek(0)
        return self._run.returncode, self._shown.read(), Path(f"{self.name}.jsonl").exists()


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    cluster = cluster_of(0, ray_client_server_port=PORT)
    add_node(cluster, 3)
    disconnected = Run("disconnected", CLIENT, {"RAY_CLIENT_RECONNECT_GRACE_PERIOD": "3"})
    for pid in servers_of_clients():
        os.kill(pid, signal.SIGKILL)
    found = {"disconnected": disconnected.end()}
    wait_until(lambda: not workers_of_ray())
    client = Run("client", CLIENT, {})
    driver = Run("driver", INSIDE, {"RAY_ADDRESS": cluster.address})
    cluster.head_node.kill_all_processes(check_alive=False, allow_graceful=False)
    found |= {"client": client.end(), "driver": driver.end()}
    print(json.dumps(found), file=answers, flush=True)
    for node in cluster.worker_nodes:
        node.kill_all_processes(check_alive=False, allow_graceful=False)


if __name__ == "__main__":
    main()
    os._exit(0)  # Ray would wait for its head node
