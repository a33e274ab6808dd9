"""The options that say on how many workers a pipeline runs, and where these are."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from engine.errors import ConfigurationError

if TYPE_CHECKING:
    from engine.cluster.cores import Workers
    from engine.cluster.placement import Placement

MOST_WORKERS = 512


def add_workers(
    parser: argparse.ArgumentParser, text: str, default: Literal["auto"] | None = None
) -> None:
    parser.add_argument("--workers", metavar="N|auto", type=_workers, default=default, help=text)


def add_on(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--on",
        metavar="ray|ray://HOST:PORT",
        type=_cluster,
        help="start the workers on a Ray cluster, by default one for each of its CPUs; 'ray' is "
        "the cluster in RAY_ADDRESS, or else a new one on this machine (needs the extra 'ray')",
    )


def add_resources(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--resources",
        metavar="SNAP=NAME:AMOUNT,...",
        type=_resources,
        action="append",
        default=[],
        help="what each worker that runs this snap needs of the cluster of --on, such as "
        "'predict=GPU:1'; may be repeated (default: CPU:1)",
    )


@contextmanager
def placed(on: str | None, workers: Workers) -> Iterator[tuple[Placement | None, Workers]]:
    """Where the workers are, and how many; connected to the cluster of `--on`, if there is one.

    While connected, Ray may print: standard output must be reserved. Raises ConfigurationError.
    """
    if not on:
        yield _processes(workers), workers
        return
    _require_ray()
    from engine.cluster.ray_actors import RayActors  # never imported unless asked for
    from engine.cluster.ray_cluster import connected

    with connected(on, workers) as (cluster, count):
        yield RayActors(cluster), count


@contextmanager
def cluster_of(on: str, workers: Workers) -> Iterator[tuple[int, list[dict[str, float]]]]:
    """The number of workers on a cluster, and what its nodes have. See `placed`."""
    _require_ray()
    from engine.cluster.ray_cluster import connected, room  # never imported unless asked for

    with connected(on, workers) as (_, count):
        yield count, room().nodes


def _require_ray() -> None:
    if find_spec("ray") is None:
        raise ConfigurationError(
            "--on ray needs Ray, which is not installed; "
            "install it with: pip install 'snapline[ray]'"
        )
    # Otherwise Ray would connect by itself, and wait for a cluster that is gone.
    os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"


def _processes(workers: Workers) -> Placement | None:
    """Processes that may be forks of this one, which does nothing but the run."""
    if workers == 1:
        return None
    from engine.cluster.cores import count_of
    from engine.cluster.processes import Processes  # most runs need one core

    return Processes(may_fork=True) if count_of(workers) > 1 else None


def _cluster(text: str) -> str:
    if text != "ray" and not re.fullmatch(r"ray://[^\s/:]+:\d+", text):
        raise argparse.ArgumentTypeError(f"{text!r} must be 'ray' or 'ray://HOST:PORT'")
    return text


def _resources(text: str) -> tuple[str, dict[str, float]]:
    label, _, given = text.partition("=")
    needs: dict[str, float] = {}
    for each in given.split(","):
        found = re.fullmatch(r"\s*([^\s:]+):(\d+(?:\.\d+)?)\s*", each)
        if not (label and found) or not float(found[2]):
            raise argparse.ArgumentTypeError(
                f"{text!r} must be a snap, and what it needs, such as 'predict=GPU:1,CPU:2'"
            )
        if needs.setdefault(found[1], float(found[2])) != float(found[2]):
            raise argparse.ArgumentTypeError(f"{text!r} gives two amounts of {found[1]}")
    return label.strip(), needs


def given_resources(arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    """What each worker of a snap needs, by label; all options for one snap count together. Raises
    ConfigurationError if they contradict each other."""
    found: dict[str, dict[str, float]] = {}
    for label, needs in arguments.resources:
        before = found.setdefault(label, {})
        for name, amount in needs.items():
            if before.setdefault(name, amount) != amount:
                raise ConfigurationError(
                    f"--resources gives {label!r} two amounts of {name}: {before[name]:g} and "
                    f"{amount:g}; keep one of them"
                )
    return found


def resources_for_cluster(arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    """As `given_resources`; also raises ConfigurationError without `--on`."""
    refuse_resources_without_cluster(arguments)
    return given_resources(arguments)


def refuse_resources_without_cluster(arguments: argparse.Namespace) -> None:
    if arguments.resources and not arguments.on:
        raise ConfigurationError(
            "--resources is for workers on a cluster; say which with --on, or leave it out"
        )


def _workers(text: str) -> int | Literal["auto"]:
    if text == "auto":
        return "auto"
    if not text.isdecimal() or not 1 <= int(text) <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(
            f"{text!r} must be 'auto' or a whole number from 1 to {MOST_WORKERS}"
        )
    return int(text)
