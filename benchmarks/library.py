"""A two-snap pipeline as a whole process, with the built-in snaps and with sixty more installed."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import snaps
from benchmarks.processes import compare
from benchmarks.startup import PIPELINE

BUDGET = 1.05
MORE = 60
ROUNDS = 12

RUN = """\
import sys
sys.path.insert(0, sys.argv.pop(1))
from engine.__main__ import main
sys.exit(main())
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "two.yaml").write_text(PIPELINE)
        commands = {}
        for more in (0, MORE):
            library = folder / f"with_{more}_more"
            _copy_library(library / "snaps", more)
            run = [sys.executable, "-c", RUN, str(library), "run", "two.yaml"]
            commands[f"{more} more snaps"] = run
        best = compare(commands, folder, ROUNDS)
    print(f"A larger library: `engine run` of two snaps, {MORE} more snaps or none")
    for title, usage in best.items():
        print(f"  {title:13} {usage.cpu_seconds:.3f} CPU s, {usage.peak_mib:.0f} MiB")
    few, many = best.values()
    print(f"  ratio {many.cpu_seconds / few.cpu_seconds:.3f} (budget: at most {BUDGET})")


def _copy_library(target: Path, more: int) -> None:
    """The built-in snaps, and copies of Filter under other names."""
    shutil.copytree(Path(*snaps.__path__), target, ignore=shutil.ignore_patterns("__pycache__"))
    text = (target / "flow" / "filter.py").read_text()
    for number in range(more):
        family = target / f"family{number % 6}"
        family.mkdir(exist_ok=True)
        snap = text.replace("class Filter", f"class Sieve{number}")
        (family / f"sieve{number}.py").write_text(snap)


if __name__ == "__main__":
    main()
