"""Kills workers, scripts, nodes and runs at random moments: whatever dies, no document is lost or
doubled, or the run fails and says what is gone. Nothing ever hangs.

`python -m tests.cluster.kills --times 50 [--on ray] [--kind worker] [--seed N]` takes some minutes
and prints how each run ended; the tests do a short round of the same. With `--on ray` it makes a
network of its own, and a cluster of two nodes in it.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.cluster.inputs import write_inputs
from tests.cluster.namespaces import inside
from tests.cluster.patience import PATIENT
from tests.cluster.processes import (
    below,
    name_of,
    processes,
    servers_of_clients,
    wait_until,
    workers_of_ray,
)

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

HERE = Path(__file__).parent
_NOT_STARTED = "could not start"
"""What a run says of a worker that was killed before it had begun."""

_IN_NETWORK = "TESTS_CLUSTER_IN_NETWORK"


class Kind(NamedTuple):
    """What is killed, and in which pipeline. `gone`: what the run may say it has lost. `options`:
    those of the command, other than everywhere."""

    pipeline: str
    gone: str = _NOT_STARTED
    options: tuple[str, ...] = ()


KINDS: dict[str, Kind] = {
    "worker": Kind("stateless"),
    "stateful worker": Kind("stateful", "'counting'"),
    "keyed worker": Kind("keyed", "what its copy of 'totals' had collected is lost"),
    "script": Kind("stateless", "'script'"),
    "run": Kind("stateless"),
}
PROCESS_KINDS = {"worker and starter": Kind("stateless")}
"""The starter is the process from which workers are forked."""

PORT = 10_001
_CLIENT = ("--on", f"ray://127.0.0.1:{PORT}", "--workers", "2")
RAY_KINDS = {
    "node": Kind("stateless"),
    "node with state": Kind("stateful", "'counting'"),
    "connection": Kind("stateless", "the connection to the Ray cluster", _CLIENT),
    "worker of a client": Kind("stateless", _NOT_STARTED, _CLIENT),
}


class Place:
    """Where runs are: worker processes of this machine."""

    kinds = KINDS | PROCESS_KINDS
    options: tuple[str, ...] = ("--workers", "2")

    def __init__(self, project: Path) -> None:
        self.project = project

    def start(self, kind: Kind, log: Any) -> subprocess.Popen[bytes]:
        options = kind.options or self.options
        command = [sys.executable, "-m", "engine", "run", f"killed/{kind.pipeline}.yaml", *options]
        return subprocess.Popen(
            command, cwd=self.project, stdout=subprocess.DEVNULL, stderr=log, env=self.environment()
        )

    def environment(self) -> dict[str, str]:
        return os.environ | {"PYTHONPATH": str(HERE.parents[1])}

    def workers(self, run: subprocess.Popen[bytes]) -> list[int]:
        """Also those whose parent is gone. Other tests have other folders."""
        return [pid for pid in processes() if name_of(pid).startswith("worker ") and self._has(pid)]

    def _has(self, pid: int) -> bool:
        with suppress(OSError):
            return Path(f"/proc/{pid}/cwd").readlink() == self.project
        return False

    def scripts(self, run: subprocess.Popen[bytes]) -> list[int]:
        """The processes of scripts: they are below the workers."""
        return [pid for worker in self.workers(run) for pid in below(worker)]

    def strike(self, kind: str, run: subprocess.Popen[bytes], chance: random.Random) -> None:
        if kind == "run":
            run.kill()
            return
        if kind == "worker and starter":
            for pid in below(run.pid):
                if name_of(pid) == "workers":
                    os.kill(pid, signal.SIGKILL)
        pids = self.scripts(run) if kind == "script" else self.workers(run)
        if pids:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(sorted(pids)), signal.SIGKILL)

    def repair(self) -> None:
        """Make up for what was killed."""


class RayPlace(Place):
    """Actors on a cluster of two nodes, with room for those of a lost one."""

    kinds = KINDS | RAY_KINDS
    options = ("--on", "ray", "--workers", "2")

    def __init__(self, project: Path, cluster: Cluster) -> None:
        from tests.cluster.ray_nodes import add_node  # Ray may not be installed

        super().__init__(project)
        self._cluster = cluster
        self._add: Callable[[], Any] = lambda: add_node(cluster, 2)
        self._other: Any = self._add()

    def environment(self) -> dict[str, str]:
        return super().environment() | {
            "RAY_ADDRESS": self._cluster.address,
            "RAY_CLIENT_RECONNECT_GRACE_PERIOD": "5",
        }

    def workers(self, run: subprocess.Popen[bytes]) -> list[int]:
        return workers_of_ray()

    def strike(self, kind: str, run: subprocess.Popen[bytes], chance: random.Random) -> None:
        if kind.startswith("node"):
            self._cluster.remove_node(self._other, allow_graceful=False)
            self._other = None
        elif kind == "connection":
            for pid in servers_of_clients():
                os.kill(pid, signal.SIGKILL)
        else:
            super().strike(kind, run, chance)

    def repair(self) -> None:
        if self._other is None:
            self._other = self._add()
        self._cluster.wait_for_nodes()


class Kills:
    """Runs pipelines in a place and kills something in each of them."""

    def __init__(self, place: Place, seed: int) -> None:
        self._place = place
        self._chance = random.Random(seed)
        self._expected: dict[Kind, tuple[bytes, float]] = {}

    def once(self, name: str) -> str:
        """Kill something of that kind; how the run ended. Raises AssertionError."""
        kind = self._place.kinds[name]
        expected, seconds = self._undisturbed(kind)

        def strike(run: subprocess.Popen[bytes]) -> None:
            wait_until(lambda: bool(self._place.workers(run)) or run.poll() is not None)
            time.sleep(self._chance.uniform(0, seconds))
            self._place.strike(name, run, self._chance)

        code, written, shown = self._run(kind, strike)
        self._place.repair()
        if code == 0:
            assert written == expected, f"{name}: documents were lost or doubled"
            return "completed, nothing lost"
        if name == "run" and written == expected:
            return "killed when it had written all; no worker left"
        assert written == b"", f"{name}: it failed, but its file is there:\n{shown}"
        if name == "run":
            return "killed; no file, no worker left"
        assert any(text in shown for text in (kind.gone, _NOT_STARTED)), f"{name}:\n{shown}"
        said = next(
            line for line in shown.splitlines() if kind.gone in line or _NOT_STARTED in line
        )
        return f"failed: {said.strip()[:150]}"

    def _undisturbed(self, kind: Kind) -> tuple[bytes, float]:
        """What it writes, and for how long it has workers."""
        if kind not in self._expected:
            began: list[float] = []

            def watch(run: subprocess.Popen[bytes]) -> None:
                wait_until(lambda: bool(self._place.workers(run)) or run.poll() is not None)
                began.append(time.monotonic())

            code, written, shown = self._run(kind, watch)
            assert code == 0, shown
            assert written
            self._expected[kind] = written, time.monotonic() - began[0]
        return self._expected[kind]

    def _run(
        self, kind: Kind, meanwhile: Callable[[subprocess.Popen[bytes]], None]
    ) -> tuple[int, bytes, str]:
        """Exit code, content of the file that it has written (or none), standard error."""
        out = self._place.project / "out"
        shutil.rmtree(out, ignore_errors=True)
        with tempfile.TemporaryFile() as log:
            run = self._place.start(kind, log)
            try:
                meanwhile(run)
                wait_until(lambda: run.poll() is not None and not self._place.workers(run))
                code = run.wait()
            finally:
                run.kill()
                run.wait()
            log.seek(0)
            shown = log.read().decode()
        files = [path for path in out.glob("*.jsonl") if path.is_file()]
        assert len(files) <= 1
        return code, files[0].read_bytes() if files else b"", shown


@contextmanager
def place_of(project: Path, *, on_ray: bool) -> Iterator[Place]:
    """The place; a cluster of Ray must be within a network of its own."""
    project.mkdir()
    shutil.copytree(HERE / "killed", project / "killed")
    write_inputs(project / "inputs")
    if not on_ray:
        yield Place(project)
        return
    from tests.cluster.ray_nodes import cluster_of

    cluster = cluster_of(2, ray_client_server_port=PORT)
    try:
        yield RayPlace(project, cluster)
    finally:
        cluster.shutdown()


def main() -> int:
    """The number of runs that ended in another way than they may."""
    parser = argparse.ArgumentParser(prog="tests.cluster.kills")
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--on", choices=["processes", "ray"], default="processes")
    parser.add_argument("--kind", choices=[*KINDS, *PROCESS_KINDS, *RAY_KINDS])
    arguments = parser.parse_args()
    on_ray = arguments.on == "ray"
    if on_ray and _IN_NETWORK not in os.environ:
        os.environ.update(PATIENT | {_IN_NETWORK: "1"})
        command = [sys.executable, "-m", "tests.cluster.kills", *sys.argv[1:]]
        return subprocess.run(inside(command), check=False).returncode
    wrong = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        place_of(Path(folder) / "project", on_ray=on_ray) as place,
    ):
        kills = Kills(place, arguments.seed)
        kinds = [arguments.kind] if arguments.kind else list(place.kinds)
        for number in range(arguments.times):
            kind = kinds[number % len(kinds)]
            try:
                ended = kills.once(kind)
            except AssertionError as error:
                wrong += 1
                ended = f"WRONG: {error}"
            print(f"{number + 1:>3}  {kind:<16} {ended}", flush=True)
    print(f"{arguments.times} runs, {wrong} wrong")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
