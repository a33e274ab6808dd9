"""Starting: commands of the engine as whole processes, against importing a few libraries."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.processes import Command, Rounds, engine_command
from benchmarks.results import Row, Section

IMPORTS = "import asyncio, msgspec, yaml"
PIPELINE = """\
pipeline: Two snaps
snaps:
  make: {snap: JSONGenerator, documents: [{a: 1}]}
  keep: {snap: Filter, filter: $a == 1}
links: [make -> keep]
"""
GOALS = {"engine run": 1.5, "engine validate": 1.5, "engine eval": 1.5, "engine --help": 1.0}


def measure(rounds: int) -> Section:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        pipeline = Path(folder, "two.yaml")
        pipeline.write_text(PIPELINE)
        commands = {
            "imports": Command([sys.executable, "-c", IMPORTS]),
            "engine run": engine_command("run", str(pipeline)),
            "engine validate": engine_command("validate", str(pipeline)),
            "engine eval": engine_command("eval", "$a + 1", "--doc", '{"a": 1}'),
            "engine --help": engine_command("--help"),
        }
        found = Rounds.run(commands, rounds)
    return Section(
        "Start",
        "CPU ms of the process",
        f"Snapline / python -c '{IMPORTS}'",
        [
            Row(
                f"`{name}`{' of two snaps' if name == 'engine run' else ''}",
                {
                    "Snapline": found.median(name) * 1e3,
                    "imports": found.median("imports") * 1e3,
                },
                found.ratio(name, "imports"),
                goal,
            )
            for name, goal in GOALS.items()
        ],
    )
