"""`python -m benchmarks`: all measurements as tables, each figure next to its rivals."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable, Iterator

from benchmarks import (
    csv_files,
    editing,
    exact_loops,
    expressions,
    language,
    library,
    memory,
    readme,
    script_child,
    start,
    tapped_runs,
    throughput,
    workers,
)
from benchmarks.cases import NAMES
from benchmarks.competitors import missing_engines
from benchmarks.processes import ROOT, FailedProcessError
from benchmarks.results import Results, Section, machine
from benchmarks.tables import as_text

FILE = ROOT / "build" / "bench.json"


OTHERS: dict[str, Callable[[bool], Section]] = {
    "csv": lambda quick: csv_files.measure(rows=100_000 if quick else 1_000_000),
    "exact": lambda quick: exact_loops.measure(quick=quick, rounds=3 if quick else 5),
    "start": lambda quick: start.measure(rounds=5 if quick else 15),
    "editing": lambda quick: editing.measure(rounds=7 if quick else 25),
    "language": lambda quick: language.measure(rounds=20 if quick else 60),
    "taps": lambda quick: tapped_runs.measure(
        documents=200_000 if quick else 1_000_000, rounds=5 if quick else 11
    ),
    "library": lambda quick: library.measure(rounds=5 if quick else 15),
    "expressions": lambda quick: expressions.section(),
    "scripts": lambda quick: script_child.measure(rounds=3 if quick else 15),
    "workers": lambda quick: workers.measure(quick=quick, rounds=3 if quick else 5),
    "memory": lambda quick: memory.measure(many=200_000 if quick else 10_000_000),
}


def main() -> int:
    arguments = _parser().parse_args()
    if arguments.readme:
        return _show()
    for name in missing_engines():
        print(f"{name} is not installed and is left out")
    sections = []
    try:
        for section in _measured(arguments.only, arguments.quick):
            print(as_text(section), end="\n\n", flush=True)
            sections.append(section)
    except FailedProcessError as error:
        print(error, file=sys.stderr)
        return 1
    if arguments.only:
        return 0
    Results(machine(), platform.python_version(), arguments.quick, sections).write(FILE)
    print(f"All figures are in {FILE}")
    return 0


def _measured(only: list[str], quick: bool) -> Iterator[Section]:
    cases = [name for name in NAMES if not only or name in only]
    if cases:
        yield throughput.measure(cases, quick=quick)
    for name, measure in OTHERS.items():
        if not only or name in only:
            yield measure(quick)


def _show() -> int:
    """Put the figures of the last complete run into the README."""
    if not FILE.exists():
        print("there are no figures yet; run `make bench` first", file=sys.stderr)
        return 1
    readme.show(Results.read(FILE))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer documents and rounds")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=(*NAMES, *OTHERS),
        help="one measurement; may be repeated",
    )
    parser.add_argument(
        "--readme",
        action="store_true",
        help="put the figures of the last complete run into the README",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
