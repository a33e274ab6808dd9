"""CSV → CSV: a file that is parsed and written again, next to loops over Python's `csv` module."""

from __future__ import annotations

import csv
import sys
import tempfile
from pathlib import Path
from random import Random

from benchmarks.processes import Command, FailedProcessError, Rounds, engine_command
from benchmarks.results import Row, Section

GOAL = 0.8
ROUNDS = 5
ROWS, DICTS, ENGINE = "rows of csv", "dicts of csv", "Snapline"

PIPELINE = """\
pipeline: CSV to CSV
parameters:
  input: {required: true}
  output: {required: true}
snaps:
  read: {snap: FileReader, file: = _input}
  parse: {snap: CSVParser}
  format: {snap: CSVFormatter}
  write: {snap: FileWriter, file: = _output}
links:
  - read -> parse -> format -> write
"""

OPENED = """\
import csv, sys
source = open(sys.argv[1], newline="", encoding="utf-8")
target = open(sys.argv[2], "w", newline="", encoding="utf-8")
options = {"quoting": csv.QUOTE_ALL, "lineterminator": "\\n"}
"""

LOOPS = {
    ROWS: """\
writer = csv.writer(target, **options)
for row in csv.reader(source):
    writer.writerow(row)
""",
    DICTS: """\
reader = csv.DictReader(source)
writer = csv.DictWriter(target, reader.fieldnames, **options)
writer.writeheader()
for row in reader:
    writer.writerow(row)
""",
}


def measure(rows: int) -> Section:
    """The CPU time of each for a file of so many rows; all must write the same bytes."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        source = folder / "input.csv"
        _write(source, rows)
        pipeline = folder / "copy.yaml"
        pipeline.write_text(PIPELINE)
        targets = {each: folder / f"{each}.csv" for each in (ENGINE, *LOOPS)}
        commands = {
            each: Command([sys.executable, "-c", OPENED + loop, str(source), str(targets[each])])
            for each, loop in LOOPS.items()
        }
        paths = [f"--param=input={source}", f"--param=output={targets[ENGINE]}"]
        commands[ENGINE] = engine_command("run", "--quiet", str(pipeline), *paths)
        found = Rounds.run(commands, ROUNDS)
        if len({target.read_bytes() for target in targets.values()}) > 1:
            raise FailedProcessError("the CSV files that were written differ")
    figures = {each: found.median(each) / rows * 1e6 for each in (ENGINE, *LOOPS)}
    return Section(
        "CSV to CSV",
        "CPU µs per row",
        "csv / Snapline",
        [
            Row(f"eight columns, {each} ({rows:,})", figures, found.ratio(each, ENGINE), GOAL)
            for each in LOOPS
        ],
        at_least=True,
    )


def _write(source: Path, rows: int) -> None:
    random = Random(12)
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "customer", "email", "city", "quantity", "price", "at", "note"])
        for number in range(rows):
            writer.writerow(
                [
                    number,
                    f"Customer {random.randrange(9999)}",
                    f"c{number}@example.com",
                    random.choice(["New York", "Köln", "San Francisco, CA"]),
                    random.randrange(20),
                    f"{random.random() * 100:.2f}",
                    "2026-03-01T10:00:00Z",
                    random.choice(["", "express delivery", 'call "Ann" first']),
                ]
            )
