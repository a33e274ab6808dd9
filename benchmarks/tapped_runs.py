"""Taps: a run in which the first documents of one link are shown, next to the same run without."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.cases import filter_and_map
from benchmarks.documents import write_documents
from benchmarks.processes import Rounds, engine_command
from benchmarks.results import Row, Section

GOAL = 1.03
TAPS = {
    "`--tap parse`": ("--tap", "parse"),
    "`--tap keep --tap-limit 50`": ("--tap", "keep", "--tap-limit", "50"),
    "`--tap shape.error`": ("--tap", "shape.error"),
}
"""The options of each run. No document fails, so the last one waits to the end."""

PIPELINE = f"""\
snaps:
  read: {{snap: FileReader, file: input.jsonl}}
  parse: {{snap: JSONParser, json_lines: true}}
{filter_and_map.SNAPS}
  format: {{snap: JSONFormatter, json_lines: true}}
  write: {{snap: FileWriter, file: output.jsonl}}
links:
  - read -> parse
{filter_and_map.LINKS}
  - format -> write
"""


def measure(documents: int, rounds: int) -> Section:
    """The CPU time of each run over so many lines, which the snaps process as one function."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        write_documents(Path(name, "input.jsonl"), filter_and_map.CASE.generator, documents)
        pipeline = Path(name, "tapped.yaml")
        pipeline.write_text(PIPELINE)
        run = "run", "--quiet", str(pipeline)
        commands = {each: engine_command(*run, *options) for each, options in TAPS.items()}
        found = Rounds.run({"no taps": engine_command(*run), **commands}, rounds)
    rows = [
        Row(
            each,
            {"tapped": found.median(each) * 1e3, "no taps": found.median("no taps") * 1e3},
            found.ratio(each, "no taps"),
            GOAL,
        )
        for each in TAPS
    ]
    return Section(
        f"Taps in a run over {documents:,} documents", "CPU ms", "tapped / no taps", rows
    )
