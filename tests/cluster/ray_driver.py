"""Runs pipelines on a Ray cluster, as the tests ask for on standard input.

One line is a request and one the answer, both JSON. The cluster is started once, as that takes many
times longer than a run. Its head node has no CPUs; the nodes with CPUs come and go.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from unittest.mock import patch

import ray

from engine.cluster.ray_link import ActorLink
from tests.cluster.processes import wait_until, workers_of_ray
from tests.cluster.ray_nodes import NodeElsewhere, add_node, cluster_of
from tests.cluster.suite import ENVIRONMENT, run_engine

CLIENT_PORT = 10_001

_PATIENT_ENGINE = (
    "-c",
    "import sys; from engine.cli import main; import engine.cluster.ray_actors as actors; "
    "actors.ROOM_SECONDS = 3600.0; sys.exit(main(sys.argv[1:]))",
)
"""Waits for an hour for a node, as that starts late on a busy machine."""


class Driver:
    """A cluster, at first with one node of two CPUs."""

    def __init__(self) -> None:
        os.environ.update(ENVIRONMENT)
        self.cluster = cluster_of(0, ray_client_server_port=CLIENT_PORT)
        ray.init(self.cluster.address, log_to_driver=False)
        _let_ray_print_elsewhere()
        self.nodes: list[Any] = []
        self._wanted: list[dict[str, Any]] = []
        self.use_nodes([{"cpus": 2}])

    def use_nodes(self, wanted: list[dict[str, Any]]) -> None:
        """Have these nodes, with CPUs, besides the head node. One with the name of a folder as
        `elsewhere` sees a copy of it as it is now; the runs have their temporary files in there."""
        if wanted == self._wanted:
            return
        self._wanted = wanted
        tempfile.tempdir = None
        while self.nodes:
            node = self.nodes.pop()
            if isinstance(node, NodeElsewhere):
                node.end()
            else:
                self.cluster.remove_node(node)
        here = [each for each in wanted if "elsewhere" not in each]
        self.nodes = [add_node(self.cluster, **each) for each in here]
        self.cluster.wait_for_nodes()
        for each in wanted:
            if folder := each.get("elsewhere"):
                self.nodes.append(NodeElsewhere(self.cluster, each["cpus"], Path(folder)))
                tempfile.tempdir = f"{folder}/tmp"
                Path(tempfile.tempdir).mkdir(exist_ok=True)

    def run(self, arguments: list[str], folder: str) -> tuple[int, str, str]:
        return run_engine(arguments, Path(folder))

    def run_counting_calls(self, arguments: list[str], folder: str) -> tuple[int, str, int]:
        """What it shows, and how many messages were answered over Ray."""
        calls = 0
        take = ActorLink._take

        def counted(link: ActorLink, number: int, future: Any) -> None:
            nonlocal calls
            calls += 1
            take(link, number, future)

        with patch.object(ActorLink, "_take", counted):
            code, _, shown = self.run(arguments, folder)
        return code, shown, calls

    def run_from_another_version(self, arguments: list[str], folder: str) -> tuple[int, str, str]:
        with patch("engine.cluster.coordinator.versions", lambda: ("9.9.9", "3.11.99")):
            return self.run(arguments, folder)

    def run_without_room(self, arguments: list[str], folder: str) -> tuple[int, str, str]:
        with (
            patch("engine.cluster.ray_actors.ROOM_SECONDS", 4.0),
            patch("engine.cluster.ray_actors.NOTICE_SECONDS", 1.0),
        ):
            return self.run(arguments, folder)

    def run_while_a_node_joins(self, arguments: list[str], folder: str) -> tuple[int, str, str]:
        where = {"RAY_ADDRESS": self.cluster.address}
        with self._start(arguments, folder, where, command=_PATIENT_ENGINE) as run:
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

    def run_alone(
        self, arguments: list[str], folder: str, more: dict[str, str]
    ) -> tuple[int, str, str]:
        """In a process of its own, with more environment variables than the nodes have."""
        where = {"RAY_ADDRESS": self.cluster.address} | more
        with self._start(arguments, folder, where) as run:
            printed, shown = run.communicate()
        return run.returncode, printed, shown

    def run_with_a_message(
        self, arguments: list[str], folder: str, first: str, rest: str, event: str
    ) -> tuple[int, str, str]:
        """Let Ray print a message at a run that has read the first part of its input only. Either
        the cluster publishes one, or a worker is killed, upon which it does so by itself."""
        where = {"RAY_ADDRESS": self.cluster.address}
        wait_until(lambda: not workers_of_ray())  # those of the run before
        with (
            TemporaryFile("w+") as log,
            self._start([*arguments, "--on", "ray"], folder, where, log) as run,
        ):
            assert run.stdin is not None
            run.stdin.write(first)
            run.stdin.flush()
            wait_until(workers_of_ray)
            if event == "kill":
                os.kill(workers_of_ray()[0], signal.SIGKILL)
            wait_until(lambda: run.poll() is not None or self._has_message(log, event))
            printed, _ = run.communicate(rest)
            log.seek(0)
            return run.returncode, printed, log.read()

    def _has_message(self, log: IO[str], event: str) -> bool:
        """Whether the run shows a message of Ray. One that is published before the run listens is
        not shown, so it is published again."""
        if event == "publish":
            ray._private.utils.publish_error_to_driver(
                "test", "a message to all", gcs_client=ray._private.worker.global_worker.gcs_client
            )
        log.seek(0)
        return "(raylet)" in log.read()

    def _start(
        self,
        arguments: list[str],
        folder: str,
        more: dict[str, str],
        shown: int | IO[str] = subprocess.PIPE,
        command: Sequence[str] = ("-m", "engine"),
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *command, *arguments],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | more,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=shown,
            text=True,
        )

    def known(self) -> str:
        """All that Ray knows and shows of the runs: its logs with the names of the files, the jobs
        with their command lines, the actors, the names of objects in shared memory."""
        folder = Path(ray._private.worker._global_node.get_logs_dir_path())
        files = [path for path in folder.rglob("*") if path.is_file()]
        logs = [f"{path.name}\n{path.read_text(errors='replace')}\n" for path in files]
        state = ray._private.state
        shared = [path.name for path in Path("/dev/shm").iterdir()]
        return f"{''.join(logs)}{state.jobs()}{state.actors()}{shared}"

    def end(self) -> None:
        ray.shutdown()
        self.cluster.shutdown()


def _let_ray_print_elsewhere() -> None:
    """This connection is there also between two runs, when nobody keeps what Ray prints from
    `sys.stdout`. Runs that connect themselves do: see test_ray_output."""
    worker = ray._private.worker
    printing = worker.print_worker_logs
    worker.print_worker_logs = lambda data, _, *rest: printing(data, sys.__stderr__, *rest)


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Ray prints is no answer
    driver = Driver()
    print(json.dumps("ready"), file=answers, flush=True)
    for line in sys.stdin:
        name, given = json.loads(line)
        answer: Any = getattr(driver, name)(*given)
        print(json.dumps(answer), file=answers, flush=True)
        if name == "end":
            return


if __name__ == "__main__":
    main()
