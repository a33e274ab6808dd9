"""Send many requests and check that the memory of every server process stays flat.

`python -m benchmarks.serving.soak --requests 200000`
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from benchmarks.serving.load import LoadReport, run_load
from benchmarks.serving.process_tree import ProcessMemory, memory
from benchmarks.serving.running import add_options, hosted, role
from benchmarks.serving.servers import ServerProcess, end_servers_on_sigterm
from benchmarks.serving.workloads import Workload

BUDGET_MIB = 20.0
WARM_UP = 0.1
"""The share of the requests before memory is compared."""
SAMPLES = 40


@dataclass(frozen=True, slots=True)
class Growth:
    """Private memory of a process in MiB: after warm-up, its peak after that, and at the end."""

    pid: int
    command: str
    warm: float
    peak: float
    end: float

    @property
    def flat(self) -> bool:
        return self.peak - self.warm <= BUDGET_MIB


@dataclass(frozen=True, slots=True)
class SoakReport:
    """`samples` are the readings in order, `loads` the requests between them."""

    loads: list[LoadReport]
    samples: list[list[ProcessMemory]]

    @property
    def growth(self) -> list[Growth]:
        """For each process that was there from warm-up to end."""
        seen: dict[int, list[ProcessMemory]] = {}
        for sample in self._warm:
            for each in sample:
                seen.setdefault(each.pid, []).append(each)
        return [
            Growth(
                pid,
                readings[0].command,
                readings[0].private,
                max(each.private for each in readings),
                readings[-1].private,
            )
            for pid, readings in seen.items()
        ]

    @property
    def replaced(self) -> bool:
        """Whether processes have come or gone since warm-up, so that growth could hide."""
        pids = [{each.pid for each in sample} for sample in self._warm]
        return any(each != pids[0] for each in pids)

    @property
    def _warm(self) -> list[list[ProcessMemory]]:
        return self.samples[max(1, round(len(self.samples) * WARM_UP)) - 1 :]

    @property
    def passed(self) -> bool:
        return (
            all(each.faultless for each in self.loads)
            and all(each.flat for each in self.growth)
            and not self.replaced
        )


def soak(
    server: ServerProcess,
    workload: Workload,
    requests: int,
    connections: int = 32,
    show: Callable[[str], None] = lambda line: None,
) -> SoakReport:
    """Send the requests in portions, and read the memory after each."""
    portion = max(requests // SAMPLES, 1)
    loads, samples = [], []
    for first in range(0, requests, portion):
        loads.append(
            run_load(
                server.url,
                min(portion, requests - first),
                connections,
                workload.make_request,
                workload.check_answer,
                first=first,
            )
        )
        samples.append(memory(server.pid))
        total = sum(each.private for each in samples[-1])
        show(f"{first + loads[-1].requests:>9,} requests, {total:.1f} MiB")
    return SoakReport(loads, samples)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, requests=200_000)
    given = parser.parse_args()
    end_servers_on_sigterm()
    running = hosted(given.pipeline, given.instances, images=2_000)
    with running.server as server:
        report = soak(server, running.workload, given.requests, given.connections, print)
    for each in report.growth:
        change = each.peak - each.warm
        print(
            f"  {role(each.command)} {each.pid}: {each.warm:.1f} MiB after warm-up,"
            f" peak {each.peak:.1f} ({change:+.1f}), {each.end:.1f} at the end"
        )
    for load in report.loads:
        if not load.faultless:
            print(json.dumps(asdict(load) | {"memory": []}))
    if report.replaced:
        print("  processes started or ended after warm-up")
    print(f"passed: {report.passed} (budget: {BUDGET_MIB:.0f} MiB per process)")
    raise SystemExit(not report.passed)


if __name__ == "__main__":
    main()
