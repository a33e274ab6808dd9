"""Random edits of files that are open in an editor, over the protocol: `engine lsp` in a process of
its own gets each edit as an incremental change, and its answers must be about the new text.

`python -m tests.fuzz.over_stdio --edits 2000 [--seed N]` runs for some minutes and prints what went
wrong; the tests run a short round. An edit fails if the server ends or answers with an error, or if
its problems differ from those of a workspace that got the whole text.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from engine.language import Document, Range, Workspace
from engine.language.diagnose import diagnose
from engine.language.positions import Lines
from engine.language.recognise import is_ours
from tests.fuzz.editor import EDITS_PER_FILE, edited
from tests.language_client import LanguageClient

COMMAND = [sys.executable, "-m", "engine", "lsp"]
CLIENT: Any = {"textDocument": {"diagnostic": {}}}
_AT_PLACE = ("completion", "hover", "signatureHelp", "definition", "prepareRename")
_OF_FILE = ("documentSymbol", "documentLink", "foldingRange", "codeLens")
_REFUSED = -32602
"""The code of a request that was refused with a reason, such as formatting a broken file."""


class Typist:
    """Edits one file after another in an editor."""

    def __init__(self, client: LanguageClient, workspace: Workspace, seed: int) -> None:
        self.client = client
        self.workspace = workspace
        self.chance = random.Random(seed)
        self.name, self.text, self.version = "", "", 0

    def fault_of(self, path: str, text: str) -> str:
        """Bring the file to this text: what is wrong with the answers; empty if nothing is."""
        if self.name != path:
            self.name, self.version = path, 1
            self.client.open(path, text)
        else:
            self.version += 1
            self.client.change(path, self.version, [change(self.text, text)])
        self.text = text
        document = self.workspace.open(path, text)
        return self._wrong_problems(document) or self._error(document)

    def _wrong_problems(self, document: Document) -> str:
        uri = {"uri": self.client.uri(self.name)}
        report = self.client.ask("textDocument/diagnostic", textDocument=uri)
        found = [(each["code"], as_range(each["range"])) for each in report["items"]]
        problems = diagnose(document) if is_ours(document) else []
        expected = [(each.code, each.range) for each in problems]
        return "" if found == expected else f"stale problems: {found}, not {expected}"

    def _error(self, document: Document) -> str:
        """Ask one thing at a random place."""
        index = self.chance.randrange(len(document.text) + 1)
        line, character = document.lines.position(index)
        place = {"line": line, "character": character}
        given: Any = {"textDocument": {"uri": self.client.uri(self.name)}}
        method = self.chance.choice((*_AT_PLACE, *_OF_FILE, "codeAction", "formatting"))
        if method in _AT_PLACE:
            given["position"] = place
        elif method == "codeAction":
            given |= {"range": {"start": place, "end": place}, "context": {"diagnostics": []}}
        elif method == "formatting":
            given["options"] = {"tabSize": 2, "insertSpaces": True}
        response = self.client.response(f"textDocument/{method}", **given)
        error = response.get("error")
        if error is None or (error["code"] == _REFUSED and method == "formatting"):
            return ""
        return f"{method} at {place}: {error}"


def change(before: str, after: str) -> Any:
    """The incremental change from one text to another."""
    start = _equal_from_start(before, after)
    rest = min(len(before), len(after)) - start
    end = min(rest, _equal_from_start(before[::-1], after[::-1]))
    lines = Lines(before)
    if before[start - 1 : start] == "\r":  # a position cannot be within a line break
        start -= 1
    if end and before[len(before) - end] == "\n":
        end -= 1
    first, last = lines.range(start, len(before) - end)
    return {
        "range": {
            "start": {"line": first.line, "character": first.character},
            "end": {"line": last.line, "character": last.character},
        },
        "text": after[start : len(after) - end],
    }


def _equal_from_start(first: str, second: str) -> int:
    pairs = zip(first, second, strict=False)
    different = (place for place, (one, other) in enumerate(pairs) if one != other)
    return next(different, min(len(first), len(second)))


def as_range(given: Any) -> Range:
    def position(end: str) -> Any:
        return given[end]["line"], given[end]["character"]

    return Range(position("start"), position("end"))


def run(folder: Path, edits: int, seed: int) -> list[str]:
    """The faults of a number of edits."""
    client = LanguageClient(COMMAND, folder, CLIENT)
    typist, faults = Typist(client, Workspace(), seed), []
    try:
        for number, (path, text) in enumerate(edited(seed, edits)):
            name = str(folder / f"{number // EDITS_PER_FILE}" / Path(path).name)
            if fault := typist.fault_of(name, text):
                faults.append(f"--- edit {number} of {path}: {fault}\n{text}\n")
    finally:
        client.close()
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        faults = run(Path(folder), given.edits, given.seed)
    print(*faults, sep="\n")  # noqa: T201
    print(f"{given.edits:,} edits (seed {given.seed}), {len(faults)} faults")  # noqa: T201
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
