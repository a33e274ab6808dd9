"""Peak memory of the engine: it must not grow with the length of the input."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.cases import load_case
from benchmarks.competitors import engine_competitor
from benchmarks.documents import write_documents
from benchmarks.processes import Rounds
from benchmarks.results import Row, Section

CASE = "filter_and_map"
FEW = 10_000


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
        engine = engine_competitor(CASE, case, folder)
        target = folder / "output.jsonl"
        titles = {f"{many:,} documents": long, f"{FEW:,}": few}
        found = Rounds.run(
            {title: engine.make_command(file, target) for title, file in titles.items()}, 1
        )
    peaks = {title: found.peak_mib(title) for title in titles}
    most, least = peaks.values()
    row = Row(case.title, peaks, most - least, 50)
    return Section("Memory", "peak MiB", "MiB more for the longer input", [row])
