"""Workers on Ray, next to the same number of worker processes.

`make bench-ray` measures it. To start Ray takes seconds, so each run is done with two sizes of its
input, and the difference of their times counts: what a run costs once its workers have started. The
cluster is one for all runs, and has as many CPUs as there are workers. What counts is wall time, so
the figures are about a machine that does nothing else: Ray needs more processes for a run, which
get less of a busy machine.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.cases import filter_and_map
from benchmarks.documents import write_documents
from benchmarks.processes import Command, FailedProcessError, cpu_seconds
from benchmarks.results import Row, Section
from benchmarks.tables import as_text
from benchmarks.workers import WORKS, pipeline_of

PROCESSES, RAY = "processes", "ray"
WANTED = 0.85
"""Part of the speed of processes."""

WORKERS = "2"

SETTLE_SECONDS = 3.0
"""Seconds after which Ray has ended the workers of a run, and started idle ones in their place."""

WORKED = "filter and map", "six expressions with lists"


def measure(python: str, *, documents: dict[str, tuple[int, int]], rounds: int) -> Section:
    """`python`: an interpreter that has the engine and Ray. `documents`: how many are in the small
    and in the large input, by name of the work."""
    rows = []
    with _cluster(python):
        for name, sizes in documents.items():
            found = _seconds(python, name, sizes, rounds)
            pairs = zip(found[PROCESSES], found[RAY], strict=True)
            ratio = median(processes / ray for processes, ray in pairs)
            rows.append(Row(name, {each: median(found[each]) for each in found}, ratio, WANTED))
    return Section("Two workers on Ray", "seconds", f"{PROCESSES} / {RAY}", rows, at_least=True)


@contextmanager
def _cluster(python: str) -> Iterator[None]:
    """A cluster for the children of this process."""
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    holder = subprocess.Popen(
        [python, "-c", _HOLD, WORKERS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        for line in holder.stdout:
            if line.startswith(_ADDRESS):
                break
        else:
            raise FailedProcessError("Ray did not start")
        os.environ["RAY_ADDRESS"] = line.removeprefix(_ADDRESS).strip()
        try:
            yield
        finally:
            del os.environ["RAY_ADDRESS"]
            holder.communicate()


_ADDRESS = "address: "
_HOLD = f"""
import ray, sys
ray.init("local", num_cpus=int(sys.argv[1]), include_dashboard=False)
print("{_ADDRESS}" + ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
ray.shutdown()
"""


def _seconds(python: str, name: str, sizes: tuple[int, int], rounds: int) -> dict[str, list[float]]:
    """By placement, how much longer the large input takes; in each round."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        work = Path(folder, "work.yaml")
        work.write_text(pipeline_of(WORKS[name]))
        inputs = [Path(folder, f"{size}.jsonl") for size in sizes]
        for path, size in zip(inputs, sizes, strict=True):
            write_documents(path, filter_and_map.CASE.generator, size)
        run = [python, "-m", "engine", "run", "--quiet", str(work), "--workers", WORKERS]
        commands = {PROCESSES: Command(run), RAY: Command([*run, "--on", "ray"])}
        found: dict[str, list[float]] = {each: [] for each in commands}
        for _ in range(rounds):
            for placement, command in commands.items():
                small, large = (_timed(command, path) for path in inputs)
                found[placement].append(large - small)
        return found


def _timed(command: Command, path: Path) -> float:
    """Wall time."""
    read = path.with_name("input.jsonl")
    read.unlink(missing_ok=True)
    read.hardlink_to(path)
    started = time.perf_counter()
    cpu_seconds(command)
    seconds = time.perf_counter() - started
    time.sleep(SETTLE_SECONDS)
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ray_workers", description=__doc__)
    parser.add_argument("python", help="an interpreter that has the engine and Ray")
    parser.add_argument("--quick", action="store_true", help="fewer documents and rounds")
    parser.add_argument("--only", choices=WORKED, help="one measurement")
    arguments = parser.parse_args()
    part = 2 if arguments.quick else 1
    documents = {
        name: (WORKS[name].documents // 10 // part, WORKS[name].documents // part)
        for name in WORKED
        if arguments.only in (None, name)
    }
    rounds = 3 if arguments.quick else 5
    print(as_text(measure(arguments.python, documents=documents, rounds=rounds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
