"""A large pipeline, to measure and test what an editor asks for while somebody types."""

from __future__ import annotations

SNAPS = 200


def large_pipeline(snaps: int = SNAPS) -> str:
    """The text of a chain of snaps, with five or six lines and two expressions for each."""
    lines = ["pipeline: Large", "parameters:", "  token: abc", "snaps:"]
    numbers = "".join(f", a{number}: {number}" for number in range(1, snaps))
    document = f"{{name: x, date: 2026-01-31, b: {{c: 1}}{numbers}}}"
    lines += ["  s0:", "    snap: JSONGenerator", f"    documents: [{document}]"]
    for number in range(1, snaps):
        lines += [f"  s{number}:", *_SNAPS[number % 3](number)]
    lines += ["links:", *(f"  - s{number} -> s{number + 1}" for number in range(snaps - 1))]
    return "\n".join(lines) + "\n"


def _filter(number: int) -> list[str]:
    condition = f"$a{number} > {number} && $name.toLowerCase() != _token"
    return ["    snap: Filter", f"    filter: {condition}"]


def _sums(number: int) -> list[str]:
    sums = [f"      $f{number}: $a{number} + {number} * ($b.c || 0)"]
    return ["    snap: Mapper", "    pass_through: true", "    mappings:", *sums]


def _dates(number: int) -> list[str]:
    date = f"Date.parse($date, 'yyyy-MM-dd').plusDays({number}).toString()"
    part = f"$name.trim().substr(0, {number})"
    rows = [f'      $h{number}: "{date}"', f"      $g{number}: {part}", f"      $i{number}: $b.c"]
    return ["    snap: Mapper", "    pass_through: true", "    mappings:", *rows]


_SNAPS = (_filter, _sums, _dates)
