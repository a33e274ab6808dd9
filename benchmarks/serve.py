"""`engine serve` against hand-written servers, BentoML and LitServe, in one run.

Rounds are interleaved and figures are medians over them, because the machine is noisy and shared
with the load generator. While one server is measured, the others are paused. Run with
`python -m benchmarks.serve` or `make bench-serve`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.serving import digits, echo
from benchmarks.serving.servers import ROOT, end_servers_on_sigterm

COMPARISONS = {"echo": echo.compare, "digits": digits.compare}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=COMPARISONS, help="one of the two comparisons")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench-serve.json")
    given = parser.parse_args()
    end_servers_on_sigterm()
    results: dict[str, Any] = {}
    for name, compare in COMPARISONS.items():
        if given.only in (None, name):
            results[name] = compare(given.rounds)
            print()
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(results, indent=2))
    print(f"All figures are in {given.json}")


if __name__ == "__main__":
    main()
