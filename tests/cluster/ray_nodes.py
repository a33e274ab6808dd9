"""Clusters of Ray on this machine, which may be busy: see tests.cluster.patience. Some of Ray's
limits cannot be set, so what did not start is started again."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import ray
from ray.cluster_utils import Cluster

from tests.cluster.processes import wait_until

ATTEMPTS = 4

T = TypeVar("T")


def cluster_of(cpus: int, **head: Any) -> Cluster:
    """A cluster with one node of so many CPUs."""
    arguments = {"num_cpus": cpus, "include_dashboard": False, **head}
    return _repeated(lambda: Cluster(initialize_head=True, head_node_args=arguments))


def add_node(cluster: Cluster, cpus: int, **more: Any) -> Any:
    return _repeated(lambda: cluster.add_node(num_cpus=cpus, **more))


class NodeElsewhere:
    """A node of this machine that has a copy of a folder in its place, as another machine would."""

    def __init__(self, cluster: Cluster, cpus: int, folder: Path) -> None:
        before = _alive()
        copy = folder.with_name(f"{folder.name}-elsewhere")
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        ray_start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block"]
        self._popen = subprocess.Popen(
            [
                *("unshare", "--mount", "sh", "-c"),
                'mount --bind "$1" "$2" && shift 2 && exec "$@"',
                *("sh", str(copy), str(folder)),
                *(*ray_start, "--address", cluster.address, "--num-cpus", str(cpus)),
            ],
            stdout=subprocess.DEVNULL,
        )
        wait_until(lambda: _alive() > before or self._popen.poll() is not None)
        assert self._popen.poll() is None, "the node did not start"

    def end(self) -> None:
        before = _alive()
        self._popen.terminate()
        self._popen.wait()
        wait_until(lambda: _alive() < before)


def _alive() -> int:
    return sum(node["Alive"] for node in ray.nodes())


def _repeated(start: Callable[[], T]) -> T:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return start()
        except Exception:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("there is at least one attempt")
