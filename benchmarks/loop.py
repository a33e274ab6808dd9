"""`python -m benchmarks.loop CASE LIBRARY INPUT OUTPUT`: run a loop written by hand over a file."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.cases import load_case


def main() -> None:
    name, library, source, target = sys.argv[1:]
    case = load_case(name)
    if library == "exact":
        from benchmarks.exact_loops import LOOPS  # only this one needs what they import

        loop = LOOPS[name]
    else:
        loop = {"orjson": case.by_orjson, "msgspec": case.by_msgspec}[library]
    with Path(source).open("rb") as lines, Path(target).open("wb") as output:
        loop(lines, output.write)


if __name__ == "__main__":
    main()
