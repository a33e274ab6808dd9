"""Lines for the person watching the run; they go with the script's own output."""

from __future__ import annotations

import sys


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def warn(line: str) -> None:
    say(f"warning: {line}")
