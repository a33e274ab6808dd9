"""`python -m benchmarks`: all measurements, one after the other."""

from __future__ import annotations

from benchmarks import expressions, library, script_child, startup, stream


def main() -> None:
    for measurement in (startup, library, stream, expressions, script_child):
        measurement.main()
        print()


if __name__ == "__main__":
    main()
