"""Runs pipelines on a Ray cluster of one or two nodes, as the tests ask for on standard input.

One line is a request and one the answer, both JSON. The cluster is started once, as that takes many
times longer than a run.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import ray
from ray.cluster_utils import Cluster

from tests.cluster.suite import ENVIRONMENT, run_engine


class Driver:
    """A cluster of `nodes` nodes with one CPU each, or one with two."""

    def __init__(self, nodes: int) -> None:
        os.environ.update(ENVIRONMENT)
        os.environ.setdefault("RAY_raylet_start_wait_time_s", "180")  # also on a busy machine
        self.cluster = Cluster(
            initialize_head=True,
            head_node_args={"num_cpus": 2 if nodes == 1 else 1, "include_dashboard": False},
        )
        self.others = [self.cluster.add_node(num_cpus=1) for _ in range(nodes - 1)]
        self.cluster.wait_for_nodes()
        ray.init(self.cluster.address, log_to_driver=False)

    def run(self, arguments: list[str], folder: str) -> tuple[int, str, str]:
        return run_engine(arguments, Path(folder))

    def address(self) -> str:
        return str(self.cluster.address)

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
