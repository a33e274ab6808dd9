"""Random edits of files that are open in an editor, each followed by questions at random places.

`python -m tests.fuzz.editor --edits 10000 [--seed N]` runs for some minutes and prints what went
wrong; the tests run a short round of the same. Every edit of a file builds on the one before. An
edit fails if a question raises an exception or takes too long, if an answer is not about the place
of the cursor, or if it differs from that of a workspace that has just been opened.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from engine.language import Document, Position, Range, Workspace
from engine.language.answers import Completion, Hover
from engine.language.complete import complete
from engine.language.define import define
from engine.language.diagnose import diagnose
from engine.language.fix import quick_fixes
from engine.language.format import FormatRefusedError, formatted
from engine.language.hover import hover
from engine.language.outline import foldings, lenses, links, outline
from engine.language.rename import RenameRefusedError, prepare_rename
from engine.language.signature import signature
from tests.fuzz.edits import EDITS, forget

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for pattern in ("pipelines/*.yaml", "tasks/*.yaml", "tests/diagnostics/*.yaml",
                    "tests/diagnostics/tasks/*.yaml", "tests/diagnostics/accounts/*.yaml")
    for path in ROOT.glob(pattern)
)  # fmt: skip
EDITS_PER_FILE = 25
MAX_SECONDS = 3.0
_WINDOWS_SHARE, _NONSENSE_SHARE = 0.2, 0.1
_NONSENSE = (-(10**9), -1, 0, 7, 10**9)
_SAMPLE = {"name": "Ada", "content": {"params": {"image": [1, 2]}}, "a b": [{"c": 1}], "n": None}

Ask = Callable[[Document, Position], object]


def _format(document: Document, _: Position) -> object:
    try:
        return formatted(document.text, document.path)
    except FormatRefusedError:
        return None


def _rename(document: Document, position: Position) -> object:
    try:
        return prepare_rename(document, position)
    except RenameRefusedError:
        return None


QUESTIONS: dict[str, Ask] = {
    "complete": complete,
    "hover": hover,
    "signature": signature,
    "diagnose": lambda document, position: diagnose(document),
    "define": define,
    "rename": _rename,
    "fix": lambda document, position: quick_fixes(document, Range(position, position)),
    "format": _format,
    "outline": lambda document, position: outline(document),
    "foldings": lambda document, position: foldings(document),
    "links": lambda document, position: links(document),
    "lenses": lambda document, position: lenses(document),
}


class _AnySample(dict[str, Sequence[Any]]):
    """The same documents for the first view of every snap."""

    def get(self, key: str, default: Any = None) -> Any:
        return [_SAMPLE] if key.endswith((".output", ".output0")) else default


def new_workspace(workspace: Workspace | None = None) -> Workspace:
    """A workspace that knows nothing yet; snaps are imported only once."""
    samples = _AnySample({"read.output": [_SAMPLE]})
    registry = None if workspace is None else workspace.registry
    return Workspace(registry, lambda path: samples)


def edited(seed: int, count: int) -> Iterator[tuple[str, str]]:
    """(path, text) of files after random edits."""
    chance = random.Random(seed)
    path, text = "", ""
    for number in range(count):
        if number % EDITS_PER_FILE == 0 or not text:
            file = chance.choice(FILES)
            path, text = str(file), file.read_bytes().decode("utf-8", "replace")
            if chance.random() < _WINDOWS_SHARE:
                text = text.replace("\n", "\r\n")
        text = chance.choice(EDITS)(text, chance)
        yield path, text


def fault_of(
    path: str, text: str, workspace: Workspace, chance: random.Random, *, fresh: bool = True
) -> str:
    """What is wrong with the answers after this edit; empty if nothing is."""
    for other in workspace.documents:
        if other.path != path:  # it would count instead of what the disk holds
            workspace.close(other.path)
    start = time.process_time()
    try:
        document = workspace.open(path, text)
        position = _position(document, chance)
        answers = {name: ask(document, position) for name, ask in QUESTIONS.items()}
    except Exception as error:  # noqa: BLE001  # that is what is looked for
        return f"{type(error).__name__}: {error}"
    if (spent := time.process_time() - start) > MAX_SECONDS:
        return f"took {spent:.1f} s"
    cursor = document.lines.position(document.lines.index(position))
    outside = [name for name, each in answers.items() if not _is_around(each, document, cursor)]
    if outside:
        return f"not around the cursor at {position}: {outside}"
    if fresh:
        forget()
        again = new_workspace(workspace).open(path, text)
        for name, ask in QUESTIONS.items():
            if ask(again, position) != answers[name]:
                return f"another answer than at first at {position}: {name}"
    return ""


def _position(document: Document, chance: random.Random) -> Position:
    if chance.random() < _NONSENSE_SHARE:
        return Position(chance.choice(_NONSENSE), chance.choice(_NONSENSE))
    return document.lines.position(chance.randrange(len(document.text) + 1))


def _is_around(answer: Any, document: Document, cursor: Position) -> bool:
    """Whether an edit is in the line of the cursor, and a hover around the cursor."""
    if isinstance(answer, Hover):
        return answer.range.start <= cursor <= answer.range.end
    found = answer if isinstance(answer, list) else []
    edits = [each.edit for each in found if isinstance(each, Completion)]
    return all(
        edit.range.start <= cursor <= edit.range.end
        and edit.range.start.line == edit.range.end.line
        and edit.range.end <= document.lines.position(len(document.text))
        for edit in edits
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    workspace, chance = new_workspace(), random.Random(given.seed)
    faults = 0
    for number, (path, text) in enumerate(edited(given.seed, given.edits)):
        if fault := fault_of(path, text, workspace, chance, fresh=number % 5 == 0):
            faults += 1
            print(f"--- edit {number} of {path}: {fault}\n{text}\n", flush=True)  # noqa: T201
    print(f"{given.edits:,} edits (seed {given.seed}), {faults} faults")  # noqa: T201
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
