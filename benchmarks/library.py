"""A two-snap pipeline as a whole process, with the built-in snaps and with sixty more installed."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import snaps
from benchmarks.processes import Command, Rounds
from benchmarks.results import Row, Section
from benchmarks.start import PIPELINE

MORE = 60
RUN = """\
import sys
sys.path.insert(0, sys.argv.pop(1))
from engine.__main__ import main
sys.exit(main())
"""


def measure(rounds: int) -> Section:
    few, many = "built-in snaps", f"{MORE} more snaps"
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        pipeline = folder / "two.yaml"
        pipeline.write_text(PIPELINE)
        found = Rounds.run(
            {
                few: _run(folder / "few", 0, pipeline),
                many: _run(folder / "many", MORE, pipeline),
            },
            rounds,
        )
    figures = {each: found.median(each) * 1e3 for each in (many, few)}
    row = Row("`engine run` of two snaps", figures, found.ratio(many, few), 1.05)
    return Section("A larger library", "CPU ms of the process", f"{many} / {few}", [row])


def _run(folder: Path, more: int, pipeline: Path) -> Command:
    _copy_library(folder / "snaps", more)
    return Command([sys.executable, "-c", RUN, str(folder), "run", str(pipeline)])


def _copy_library(target: Path, more: int) -> None:
    """The built-in snaps, and copies of Filter under other names."""
    shutil.copytree(Path(*snaps.__path__), target, ignore=shutil.ignore_patterns("__pycache__"))
    text = (target / "flow" / "filter.py").read_text()
    for number in range(more):
        family = target / f"family{number % 6}"
        family.mkdir(exist_ok=True)
        snap = text.replace("class Filter(", f"class Sieve{number}(")
        (family / f"sieve{number}.py").write_text(snap)
