"""The echo pipeline (token Filter, two Mappers) against a hand-written uvicorn handler."""

from __future__ import annotations

from contextlib import ExitStack
from statistics import median
from typing import Any

from benchmarks.serving import workloads
from benchmarks.serving.rivals.echo_asgi import TOKEN
from benchmarks.serving.rounds import (
    Contender,
    ContenderReports,
    print_table,
    print_verdict,
    run_round,
    started,
)
from benchmarks.serving.servers import echo_python, engine_server, rival

BY_HAND = "uvicorn, by hand"
ENGINE = "engine serve"
REQUESTS = {32: 40_000, 1: 10_000}
BUDGETS = {32: 1.5, 1: 3.0}
"""CPU per request, as a multiple of the hand-written handler's, by connections."""


def compare(rounds: int) -> dict[str, Any]:
    """Measure and print. Returns all reports by server."""
    print("Echo: token Filter, two Mappers; CPU is the server's, per request")
    reports: dict[str, ContenderReports] = {}
    with ExitStack() as stack:
        contenders = started(_contenders(), stack)
        for _ in range(rounds):
            run_round(contenders, reports)
    print_table(reports)
    ratios = {}
    if ENGINE in reports and BY_HAND in reports:
        for connections, budget in BUDGETS.items():
            ratios[connections] = _ratio(reports, connections)
            print_verdict(f"CPU per request at {connections}", ratios[connections], budget, "×")
    return {"ratios": ratios, **{name: found.as_data() for name, found in reports.items()}}


def _contenders() -> list[Contender]:
    module = "benchmarks.serving.rivals.echo_asgi"
    by_hand = [str(echo_python()), "-m", module, "--port", "$PORT"]
    servers = (
        rival(BY_HAND, by_hand, "/", "/"),
        engine_server(workloads.PIPELINES / "echo.yaml", {"token": TOKEN}, name=ENGINE),
    )
    return [Contender(server, workloads.echo(), REQUESTS) for server in servers]


def _ratio(reports: dict[str, ContenderReports], connections: int) -> float:
    """The ratio of the CPU per request: the median over consecutive measurements."""
    pairs = zip(
        reports[ENGINE].by_connections[connections],
        reports[BY_HAND].by_connections[connections],
        strict=False,
    )
    return median(ours.cpu_per_request / theirs.cpu_per_request for ours, theirs in pairs)
