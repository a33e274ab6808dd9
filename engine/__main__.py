"""`python -m engine` and the console command `engine`."""

from __future__ import annotations

import sys

from engine.cli import main as run_command_line


def main() -> int:
    return run_command_line(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
