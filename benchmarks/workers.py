"""Several cores: the wall time of a run with two workers, next to the same run in one process.

Two free cores are what the figures are about: on a machine that is busy with other work, both runs
share what is left, and the ratio says nothing. So the CPU time is measured as well. If the work is
even, which it is, a run with two workers that takes `c` times the CPU time of one process takes
`c / 2` of its wall time on two free cores.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.cases import filter_and_map
from benchmarks.documents import write_documents
from benchmarks.processes import Command, cpu_seconds, engine_command
from benchmarks.results import Row, Section

ALONE, SPREAD = "one process", "two workers"
SCRIPT = """
import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # else one process takes several cores, too
import numpy as np

weights = np.random.default_rng(7).standard_normal((64, 64))


def snaplogic_process(row):
    signal = np.full(64, float(row["id"] % 97))
    for _ in range(48):
        signal = np.tanh(weights @ signal)
    return {"id": row["id"], "score": float(signal[0])}
"""
_WORDS = "$customer.name.toUpperCase().replace('A', 'b').split(' ')"
HEAVY = ", ".join(
    f'$f{number}: "{_WORDS}.map(w => w.length + {number}).reduce((a, b) => a + b, 0)"'
    for number in range(6)
)


class Work(NamedTuple):
    """A pipeline between a parser and a formatter; `wanted`: the ratio with two workers."""

    snaps: str
    links: str
    documents: int
    wanted: float


WORKS = {
    "filter and map": Work(filter_and_map.SNAPS, filter_and_map.LINKS, 4_000_000, 1.6),
    "six expressions with lists": Work(
        f"  shape: {{snap: Mapper, mappings: {{$id: $id, {HEAVY}}}}}",
        "  - parse -> shape -> format",
        600_000,
        1.8,
    ),
    "a script with numpy": Work(
        "  score: {snap: RemotePythonScript, script: score.py, requirements: [numpy], copies: any}",
        "  - parse -> score -> format",
        100_000,
        1.8,
    ),
}


class Times(NamedTuple):
    wall: float
    cpu: float


def measure(*, quick: bool, rounds: int) -> Section:
    """Runs of each kind in turn. Quick: a tenth of the documents, where starting weighs more."""
    rows = []
    for name, work in WORKS.items():
        found = _times(work, work.documents // 10 if quick else work.documents, rounds)
        alone = median(each.wall for each in found[ALONE])
        spread = median(each.wall for each in found[SPREAD])
        pairs = list(zip(found[ALONE], found[SPREAD], strict=True))
        bound = min(2.0, median(2 * one.cpu / two.cpu for one, two in pairs))
        title = f"{name} (by CPU time: {bound:.2f})"
        ratio = median(one.wall / two.wall for one, two in pairs)
        rows.append(Row(title, {ALONE: alone, SPREAD: spread}, ratio, work.wanted))
    return Section("Several cores", "seconds", f"{ALONE} / {SPREAD}", rows, at_least=True)


def _times(work: Work, documents: int, rounds: int) -> dict[str, list[Times]]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        (folder / "score.py").write_text(SCRIPT)
        pipeline = folder / "work.yaml"
        pipeline.write_text(pipeline_of(work))
        run = "run", "--quiet", str(pipeline), "--workers"
        commands = {ALONE: engine_command(*run, "1"), SPREAD: engine_command(*run, "2")}
        for count in (10, documents):  # the first run may install numpy for the script
            write_documents(folder / "input.jsonl", filter_and_map.CASE.generator, count)
            if count != documents:
                _timed(commands[ALONE])
        found: dict[str, list[Times]] = {ALONE: [], SPREAD: []}
        for _ in range(rounds):
            for each, command in commands.items():
                found[each].append(_timed(command))
        return found


def _timed(command: Command) -> Times:
    started = time.perf_counter()
    cpu = cpu_seconds(command)
    return Times(time.perf_counter() - started, cpu)


def pipeline_of(work: Work) -> str:
    return f"""\
snaps:
  read: {{snap: FileReader, file: input.jsonl}}
  parse: {{snap: JSONParser, json_lines: true}}
{work.snaps}
  format: {{snap: JSONFormatter, json_lines: true}}
  write: {{snap: FileWriter, file: output.jsonl}}
links:
  - read -> parse
{work.links}
  - format -> write
"""
