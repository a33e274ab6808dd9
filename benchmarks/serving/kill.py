"""Kill instances and script children under load: every request must get its response.

`python -m benchmarks.serving.kill --requests 10000`
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import signal
from dataclasses import dataclass

import uvloop

from benchmarks.serving.load import LoadReport, load
from benchmarks.serving.process_tree import command_line, descendants
from benchmarks.serving.running import add_options, hosted, role
from benchmarks.serving.servers import ServerProcess, end_servers_on_sigterm
from benchmarks.serving.workloads import Workload

INTERVAL = 2.0
MAY_DIE = ("instance", "script")


@dataclass(frozen=True, slots=True)
class Killed:
    """A process that was killed, and what it was."""

    pid: int
    kind: str


@dataclass(frozen=True, slots=True)
class KillReport:
    loads: list[LoadReport]
    killed: list[Killed]

    @property
    def passed(self) -> bool:
        return all(each.faultless for each in self.loads) and bool(self.killed)


async def kill_under_load(
    server: ServerProcess,
    workload: Workload,
    requests: int,
    connections: int = 32,
    interval: float = INTERVAL,
    least: int = 3,
    seed: int = 1,
) -> KillReport:
    """Kill a random process of the server every `interval` seconds until the requests are done.

    The requests are repeated, with new numbers, until at least `least` processes have been killed.
    """
    killed: list[Killed] = []
    killer = asyncio.create_task(_kill_repeatedly(server.pid, interval, killed, seed))
    loads: list[LoadReport] = []
    try:
        while not loads or len(killed) < least:
            loads.append(
                await load(
                    server.url,
                    requests,
                    connections,
                    workload.make_request,
                    workload.check_answer,
                    first=len(loads) * requests,
                    server=server.pid,
                )
            )
            if killer.done() or loads[-1].unsent:
                break
    finally:
        killer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await killer
    return KillReport(loads, killed)


async def _kill_repeatedly(root: int, interval: float, killed: list[Killed], seed: int) -> None:
    chance = random.Random(seed)
    while True:
        await asyncio.sleep(interval)
        victims = _victims(root)
        if victims:
            kind = chance.choice(sorted({each.kind for each in victims}))
            victim = chance.choice([each for each in victims if each.kind == kind])
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim.pid, signal.SIGKILL)
                killed.append(victim)


def _victims(root: int) -> list[Killed]:
    """Instances and script children that are alive now."""
    found = [Killed(pid, role(command_line(pid))) for pid in descendants(root)]
    return [each for each in found if each.kind in MAY_DIE]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, requests=10_000)
    parser.add_argument("--interval", type=float, default=INTERVAL)
    parser.add_argument(
        "--kills", type=int, default=3, help="continue until so many processes were killed"
    )
    given = parser.parse_args()
    end_servers_on_sigterm()
    running = hosted(given.pipeline, given.instances, images=10_000)
    with running.server as server:
        report = uvloop.run(
            kill_under_load(
                server,
                running.workload,
                given.requests,
                given.connections,
                given.interval,
                given.kills,
            )
        )
        printed = server.printed
    for each in report.loads:
        print(
            f"  {each.requests:,} requests over {each.connections} in {each.seconds:.1f} s:"
            f" {each.answered:,} answered, {each.mismatched} wrongly, {each.surplus} surplus,"
            f" {each.lost} lost, {each.late} late, {each.unsent} unsent, statuses {each.statuses};"
            f" p50 {each.p50:.1f} ms, longest {each.longest:.0f} ms {each.wrong[:2] or ''}"
        )
    print(f"  killed: {', '.join(f'{each.kind} {each.pid}' for each in report.killed) or 'none'}")
    print(f"passed: {report.passed}")
    if not report.passed:
        print(f"the server printed:\n{printed[-3000:]}")
    raise SystemExit(not report.passed)


if __name__ == "__main__":
    main()
