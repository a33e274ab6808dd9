"""Servers side by side: each under the same load in turn, round after round; medians are kept."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from benchmarks.serving.load import LoadReport, run_load
from benchmarks.serving.servers import ServerError, ServerProcess
from benchmarks.serving.workloads import Workload


@dataclass(frozen=True, slots=True)
class Contender:
    """A server, its workload, and the requests of a round by number of connections."""

    server: ServerProcess
    workload: Workload
    requests: dict[int, int]


class ContenderReports:
    """The measurements of one contender: the reports by number of connections."""

    def __init__(self) -> None:
        self.by_connections: dict[int, list[LoadReport]] = {}

    def add(self, report: LoadReport) -> None:
        self.by_connections.setdefault(report.connections, []).append(report)

    def median(self, what: str, connections: int) -> float:
        """The median of a figure of the reports: `rate`, `p50`, `cpu_per_request` …"""
        figures: list[float] = [getattr(each, what) for each in self.by_connections[connections]]
        return median(figures)

    def faults(self) -> list[str]:
        return [
            f"{each.requests} requests over {connections}: {each.answered} answered,"
            f" {each.mismatched} wrongly, statuses {each.statuses}, {each.lost} lost,"
            f" {each.late} late; {each.wrong[:1]}"
            for connections, reports in self.by_connections.items()
            for each in reports
            if not each.faultless
        ]

    def as_data(self) -> list[dict[str, Any]]:
        return [
            asdict(each) | {"rate": each.rate, "cpu_us_per_request": each.cpu_per_request}
            for reports in self.by_connections.values()
            for each in reports
        ]


def started(contenders: Sequence[Contender], stack: ExitStack) -> list[Contender]:
    """Those whose server starts, each paused until its turn; the others are reported."""
    found = []
    for contender in contenders:
        try:
            stack.enter_context(contender.server)
        except ServerError as error:
            print(f"  NOT MEASURED: {error}", file=sys.stderr)
            print(f"  NOT MEASURED: {str(error).splitlines()[0]}")
            continue
        found.append(contender)
        _warm_up(contender)
        contender.server.pause()
    return found


def _warm_up(contender: Contender) -> None:
    for connections, requests in contender.requests.items():
        _measure(contender, connections, max(requests // 10, connections))


def run_round(contenders: list[Contender], reports: dict[str, ContenderReports]) -> None:
    """Measure every contender at each number of connections; drop one that has died."""
    for contender in list(contenders):
        server = contender.server
        server.resume()
        try:
            _measure_all(contender, reports.setdefault(server.name, ContenderReports()))
        except OSError as error:
            print(f"  DIED: {server.name}: {error}\n{server.printed[-1500:]}")
            contenders.remove(contender)
        finally:
            server.pause()


def _measure_all(contender: Contender, reports: ContenderReports) -> None:
    for connections, requests in contender.requests.items():
        _measure(contender, connections, min(100, requests // 10))  # warm up again
        reports.add(_measure(contender, connections, requests))


def _measure(contender: Contender, connections: int, requests: int) -> LoadReport:
    workload = contender.workload
    return run_load(
        contender.server.url,
        requests,
        connections,
        workload.make_request,
        workload.check_answer,
        server=contender.server.pid,
    )


def print_table(reports: dict[str, ContenderReports]) -> None:
    print(
        f"  {'server':<24}{'at a time':>10}{'requests/s':>12}{'CPU µs':>9}"
        f"{'p50 ms':>9}{'p99 ms':>9}{'PSS MiB':>9}"
    )
    for name, found in reports.items():
        for connections in found.by_connections:
            rate, cpu, p50, p99 = (
                found.median(what, connections)
                for what in ("rate", "cpu_per_request", "p50", "p99")
            )
            pss = sum(each.pss for each in found.by_connections[connections][-1].memory)
            print(
                f"  {name:<24}{connections:>10}{rate:>12,.0f}{cpu:>9.0f}"
                f"{p50:>9.2f}{p99:>9.2f}{pss:>9.0f}"
            )
        for fault in found.faults():
            print(f"  FAULT of {name}: {fault}")


def print_verdict(
    what: str, figure: float, budget: float, unit: str = "", least: bool = False
) -> None:
    met = figure >= budget if least else figure <= budget
    bound = "at least" if least else "at most"
    print(
        f"  {what}: {figure:.2f}{unit} (budget: {bound} {budget:g}{unit})"
        f"{'' if met else '  MISSED'}"
    )
