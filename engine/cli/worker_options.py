"""The options that say on how many workers a pipeline runs, and where these are."""

from __future__ import annotations

import argparse
import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from engine.errors import ConfigurationError

if TYPE_CHECKING:
    from engine.cluster.placement import Placement
    from engine.cluster.running import Workers

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


def placed(on: str | None, workers: Workers) -> tuple[Placement | None, Workers]:
    """Connect to the cluster of `--on`, if there is one: where the workers are, and how many.

    Raises ConfigurationError.
    """
    if not on:
        return None, workers
    if find_spec("ray") is None:
        raise ConfigurationError(
            "--on ray needs Ray, which is not installed; "
            "install it with: pip install 'snapline[ray]'"
        )
    from engine.cluster.ray_actors import connect  # never imported unless asked for

    return connect(on, workers)


def _cluster(text: str) -> str:
    if text != "ray" and not re.fullmatch(r"ray://[^\s/:]+:\d+", text):
        raise argparse.ArgumentTypeError(f"{text!r} must be 'ray' or 'ray://HOST:PORT'")
    return text


def _workers(text: str) -> int | Literal["auto"]:
    if text == "auto":
        return "auto"
    if not text.isdecimal() or not 1 <= int(text) <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(
            f"{text!r} must be 'auto' or a whole number from 1 to {MOST_WORKERS}"
        )
    return int(text)
