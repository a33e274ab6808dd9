"""Runs pipelines on a Ray cluster of one or two nodes, as the tests ask for on standard input.

One line is a request and one the answer, both JSON. The cluster is started once, as that takes many
times longer than a run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import ray

from tests.cluster.ray_nodes import add_node, cluster_of
from tests.cluster.suite import ENVIRONMENT, run_engine

CLIENT_PORT = 10_001


class Driver:
    """A cluster of `nodes` nodes with one CPU each, or one with two."""

    def __init__(self, nodes: int) -> None:
        os.environ.update(ENVIRONMENT)
        cpus = 2 if nodes == 1 else 1
        self.cluster = cluster_of(cpus, ray_client_server_port=CLIENT_PORT)
        self.others = [add_node(self.cluster, 1) for _ in range(nodes - 1)]
        self.cluster.wait_for_nodes()
        ray.init(self.cluster.address, log_to_driver=False)

    def run(self, arguments: list[str], folder: str) -> tuple[int, str, str]:
        return run_engine(arguments, Path(folder))

    def run_from_another_version(self, arguments: list[str], folder: str) -> tuple[int, str, str]:
        with patch("engine.cluster.coordinator.versions", lambda: ("9.9.9", "3.11.99")):
            return self.run(arguments, folder)

    def run_without_room(self, arguments: list[str], folder: str) -> tuple[int, str, str]:
        with (
            patch("engine.cluster.ray_actors.START_SECONDS", 4.0),
            patch("engine.cluster.ray_actors.NOTICE_SECONDS", 1.0),
        ):
            return self.run(arguments, folder)

    def run_while_a_node_joins(self, arguments: list[str], folder: str) -> tuple[int, str, str]:
        with self._start(arguments, folder, {"RAY_ADDRESS": self.cluster.address}) as run:
            node = add_node(self.cluster, 1)
            printed, shown = run.communicate()
        self.cluster.remove_node(node)
        return run.returncode, printed, shown

    def run_as_client(self, arguments: list[str], folder: str) -> tuple[int, str, str]:
        """Over the port for clients, as from a machine outside of the cluster."""
        address = ["--on", f"ray://127.0.0.1:{CLIENT_PORT}"]
        with self._start([*arguments, *address], folder, {}) as run:
            printed, shown = run.communicate()
        return run.returncode, printed, shown

    def _start(
        self, arguments: list[str], folder: str, more: dict[str, str]
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "engine", *arguments],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def logs(self) -> str:
        """All that Ray has logged, with the names of the files."""
        folder = Path(ray._private.worker._global_node.get_logs_dir_path())
        files = [path for path in folder.rglob("*") if path.is_file()]
        return "".join(f"{path.name}\n{path.read_text(errors='replace')}\n" for path in files)

    def end(self) -> None:
        ray.shutdown()
        self.cluster.shutdown()


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Ray prints is no answer
    driver = Driver(int(sys.argv[1]))
    print(json.dumps("ready"), file=answers, flush=True)
    for line in sys.stdin:
        name, given = json.loads(line)
        answer: Any = getattr(driver, name)(*given)
        print(json.dumps(answer), file=answers, flush=True)
        if name == "end":
            return


if __name__ == "__main__":
    main()
