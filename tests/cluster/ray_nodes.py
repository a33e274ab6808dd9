"""Clusters of Ray on this machine, which may be busy: see tests.cluster.patience. Some of Ray's
limits cannot be set, so what did not start is started again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ray.cluster_utils import Cluster

ATTEMPTS = 4

T = TypeVar("T")


def cluster_of(cpus: int, **head: Any) -> Cluster:
    """A cluster with one node of so many CPUs."""
    arguments = {"num_cpus": cpus, "include_dashboard": False, **head}
    return _repeated(lambda: Cluster(initialize_head=True, head_node_args=arguments))


def add_node(cluster: Cluster, cpus: int, **more: Any) -> Any:
    return _repeated(lambda: cluster.add_node(num_cpus=cpus, **more))


def _repeated(start: Callable[[], T]) -> T:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return start()
        except Exception:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("there is at least one attempt")
