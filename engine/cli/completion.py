"""`engine completion`: print the script that completes commands in bash, zsh or fish."""

from __future__ import annotations

import argparse
from pathlib import Path

_SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", metavar="SHELL", choices=_SHELLS, help="bash, zsh or fish")


def run(arguments: argparse.Namespace) -> int:
    """0: the scripts come with the engine, so nothing else is imported."""
    script = Path(__file__).with_name("completions") / f"engine.{arguments.shell}"
    print(script.read_text(encoding="utf-8"), end="")
    return 0
