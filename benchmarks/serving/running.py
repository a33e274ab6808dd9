"""The engine's server with one of the measured pipelines, for the long runs: soak and kill."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from benchmarks.serving import workloads
from benchmarks.serving.images import as_json, bare_model, load_images
from benchmarks.serving.rivals.echo_asgi import TOKEN as ECHO_TOKEN
from benchmarks.serving.servers import ServerProcess, engine_server, servers_python
from benchmarks.serving.workloads import PIPELINES, Workload

ROLES = {
    "engine.tasks.worker.instance": "instance",
    "/engine/script/": "script",
    " serve ": "front",
}
"""Part of a command line → role of the process. A script has two: one supervises it."""
NAMES = ("digits", "echo")


@dataclass(frozen=True, slots=True)
class HostedWorkload:
    """A server that is not started yet, and its workload."""

    server: ServerProcess
    workload: Workload


def hosted(name: str, instances: int, images: int) -> HostedWorkload:
    """The echo, or the digits of `images` images with the id of its request in each response."""
    if name == "echo":
        return HostedWorkload(
            engine_server(PIPELINES / "echo.yaml", {"token": ECHO_TOKEN}, instances),
            workloads.echo(),
        )
    pictures = load_images(images)
    answers = bare_model(servers_python(), pictures, calls=1).answers
    return HostedWorkload(
        engine_server(
            PIPELINES / "digits_with_id.yaml", {"token": workloads.DIGIT_TOKEN}, instances
        ),
        workloads.digits_with_id([as_json(each) for each in pictures], answers),
    )


def role(command: str) -> str:
    """The role of a server process, by its command line."""
    return next((name for mark, name in ROLES.items() if mark in command), "other")


def add_options(parser: argparse.ArgumentParser, requests: int) -> None:
    parser.add_argument("--pipeline", choices=NAMES, default=NAMES[0])
    parser.add_argument("--requests", type=int, default=requests)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--instances", type=int, default=2)
