"""Write the reference pages, or check that they are up to date."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from engine.reference import accounts, expressions, snaps

PAGES: dict[str, Callable[[], str]] = {
    "docs/reference/accounts.md": accounts.page,
    "docs/reference/expressions.md": expressions.page,
    "docs/reference/snaps.md": snaps.page,
}


def outdated(folder: Path) -> list[str]:
    """The pages under `folder` that differ from what the code generates."""
    return [
        name
        for name, make in PAGES.items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != make()
    ]


def write(folder: Path) -> None:
    for name, make in PAGES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(make(), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m engine.reference", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 if a page is out of date"
    )
    parser.add_argument("--folder", type=Path, default=Path(), help="root of the repository")
    given = parser.parse_args()
    if not given.check:
        write(given.folder)
        return 0
    stale = outdated(given.folder)
    for name in stale:
        print(f"{name} is out of date; run python -m engine.reference", file=sys.stderr)  # noqa: T201
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
