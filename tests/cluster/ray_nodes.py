"""Clusters of Ray on this machine, which may be busy: Ray gives the processes of a node 15 seconds
to start, and gives up if they take longer."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from ray.cluster_utils import Cluster

ATTEMPTS = 4

T = TypeVar("T")


def cluster_of(cpus: int, **head: Any) -> Cluster:
    """A cluster with one node of so many CPUs."""
    os.environ.setdefault("RAY_agent_register_timeout_ms", "25000")
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
