"""Peak memory of the engine: it must not grow with the length of the input."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.cases import load_case
from benchmarks.competitors import engine_competitor
from benchmarks.documents import write_documents
from benchmarks.processes import ROOT, Command
from benchmarks.results import Row, Section

CASE = "filter_and_map"
FEW = 10_000
LAUNCHER = """\
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def measure(many: int) -> Section:
    """The peaks for 10,000 documents, and for many, which repeat them."""
    case = load_case(CASE)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        few, long = folder / "few.jsonl", folder / "many.jsonl"
        write_documents(few, case.generator, FEW)
        with long.open("wb") as file:
            for _ in range(many // FEW):
                file.write(few.read_bytes())
        engine, target = engine_competitor(CASE, case, folder), folder / "output.jsonl"
        most = peak_mib(engine.make_command(long, target))
        least = peak_mib(engine.make_command(few, target))
    peaks = {f"{many:,} documents": most, f"{FEW:,}": least}
    return Section(
        "Memory",
        "peak MiB",
        "MiB more for the longer input",
        [Row(case.title, peaks, most - least, 50)],
    )


def peak_mib(command: Command) -> float:
    """The peak of a process that is started by a small one.

    The peak that the system reports includes that of the process that starts it.
    """
    launcher = [sys.executable, "-c", LAUNCHER, *command.arguments]
    done = subprocess.run(launcher, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return int(done.stdout) / 1024
