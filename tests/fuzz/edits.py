"""Random edits of pipeline files: whatever somebody types, checking gives problems, never an error.

`python -m tests.fuzz.edits --edits 10000 [--seed N]` runs for some minutes and prints what went
wrong; the tests run a short round of the same. Every edit of a file builds on the one before, as in
an editor. An edit fails if an exception comes out, if checking takes too long, or if the problems
differ from those of a check that remembers nothing of the texts before.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from engine.errors import Problem
from engine.expressions import analysis, parameter_warnings, parsed
from engine.pipeline import parse
from engine.pipeline.cursor import spot_at
from engine.pipeline.half_written import parse_at
from engine.plan import check_spec
from engine.registry import Registry, discover

ROOT = Path(__file__).parent.parent.parent
FILES = (*ROOT.glob("tests/diagnostics/*.yaml"), *ROOT.glob("pipelines/*.yaml"))
MAX_SECONDS = 3.0
EDITS_PER_FILE = 25
_TYPED: list[str] = [
    *" :-{}[]'\"#|>&*!%,$.=()+\n\t",
    "\r\n",
    "->",
    "$a.",
    "snap: ",
    "=> ",
    "\U0001f600",
    "é",
]

Edit = Callable[[str, random.Random], str]


def _deleted(text: str, chance: random.Random) -> str:
    start = chance.randrange(len(text) + 1)
    return text[:start] + text[start + chance.choice((1, 1, 1, 2, 5, 20)) :]


def _typed(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(_TYPED) + text[at:]


def _doubled(text: str, chance: random.Random) -> str:
    start = chance.randrange(len(text) + 1)
    piece = text[start : start + chance.choice((1, 2, 10))]
    return text[:start] + piece + text[start:]


def _lines_changed(text: str, chance: random.Random) -> str:
    """A line is deleted, doubled, swapped with the next one, indented or cut short."""
    lines = text.splitlines(keepends=True) or [""]
    at = chance.randrange(len(lines))
    line = lines[at]
    lines[at : at + 1] = chance.choice(
        (
            [],
            [line, line],
            [*lines[at + 1 : at + 2], line],
            [" " * chance.randrange(5) + line],
            [line.lstrip()],
            [line[: chance.randrange(len(line) + 1)].rstrip() + "\n"],
        )
    )
    return "".join(lines)


def _key_changed(text: str, chance: random.Random) -> str:
    """A key loses its colon, its value or its last letters."""
    lines = text.splitlines(keepends=True) or [""]
    keyed = [number for number, line in enumerate(lines) if ":" in line]
    if not keyed:
        return text
    at = chance.choice(keyed)
    key, _, value = lines[at].partition(":")
    lines[at] = chance.choice((f"{key}{value}", f"{key}:\n", f"{key[:-2]}:{value}", f"{key}\n"))
    return "".join(lines)


EDITS: tuple[Edit, ...] = (_deleted, _typed, _doubled, _lines_changed, _key_changed)


def edited(seed: int, count: int) -> Iterator[str]:
    """Texts, each one random edit away from the one before or from a file."""
    chance = random.Random(seed)
    text = ""
    for number in range(count):
        if number % EDITS_PER_FILE == 0 or not text:
            text = chance.choice(sorted(FILES)).read_bytes().decode("utf-8", "replace")
        text = chance.choice(EDITS)(text, chance)
        yield text


def forget() -> None:
    """Empty what is remembered of expressions."""
    for memo in (
        parsed.parsed,
        analysis.ANALYSES,
        analysis.PATHS,
        analysis.TARGETS,
        parameter_warnings.WARNINGS,
    ):
        memo.clear()


def fault_of(text: str, registry: Registry, chance: random.Random, *, fresh: bool = True) -> str:
    """What is wrong with checking this text; empty if nothing is."""
    start = time.process_time()
    try:
        problems = _problems(text, registry)
        _look_around(text, chance)
    except Exception as error:  # noqa: BLE001  # that is what is looked for
        return f"{type(error).__name__}: {error}"
    if (spent := time.process_time() - start) > MAX_SECONDS:
        return f"took {spent:.1f} s"
    if fresh:
        forget()
        if _problems(text, registry) != problems:
            return "other problems than a check that remembers nothing"
    return ""


def _problems(text: str, registry: Registry) -> list[Problem]:
    return check_spec(parse(text), registry)


def _look_around(text: str, chance: random.Random) -> None:
    """Ask for what is at a random place, as an editor does."""
    index = chance.randrange(len(text) + 1)
    spec, _ = parse_at(text, index)
    spot_at(spec.source, chance.randrange(-5, len(text) + 5))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    registry, chance = discover(), random.Random(given.seed)
    faults = 0
    for number, text in enumerate(edited(given.seed, given.edits)):
        if fault := fault_of(text, registry, chance):
            faults += 1
            print(f"--- edit {number}: {fault}\n{text}\n", flush=True)  # noqa: T201
    print(f"{given.edits:,} edits (seed {given.seed}), {faults} faults")  # noqa: T201
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
