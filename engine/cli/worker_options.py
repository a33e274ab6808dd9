"""The option `--workers` of the commands that run or plan a pipeline on several cores."""

from __future__ import annotations

import argparse
from typing import Literal

MOST_WORKERS = 512


def add_workers(
    parser: argparse.ArgumentParser, text: str, default: Literal[1, "auto"] = 1
) -> None:
    parser.add_argument("--workers", metavar="N|auto", type=_workers, default=default, help=text)


def _workers(text: str) -> int | Literal["auto"]:
    if text == "auto":
        return "auto"
    if not text.isdecimal() or not 1 <= int(text) <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(
            f"{text!r} must be 'auto' or a whole number from 1 to {MOST_WORKERS}"
        )
    return int(text)
