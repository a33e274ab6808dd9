"""A two-snap pipeline as a whole process, against importing three of its libraries."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.processes import compare, engine_command

BUDGET = 2.0

PIPELINE = """\
pipeline: Two snaps
snaps:
  make: {snap: JSONGenerator, documents: [{a: 1}]}
  keep: {snap: Filter, filter: $a == 1}
links: [make -> keep]
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "two.yaml").write_text(PIPELINE)
        imports = [sys.executable, "-c", "import msgspec, yaml, networkx"]
        best = compare(
            {"imports": imports, "engine run": engine_command("run", "two.yaml")}, folder, 7
        )
    print("Starting: `engine run` of two snaps, whole process")
    for name, usage in best.items():
        print(f"  {name:12} {usage.cpu_seconds:.3f} CPU s, {usage.peak_mib:.0f} MiB")
    ratio = best["engine run"].cpu_seconds / best["imports"].cpu_seconds
    print(f"  ratio {ratio:.2f} (budget: at most {BUDGET})")


if __name__ == "__main__":
    main()
