"""A short run of the edits and questions that `python -m tests.fuzz.editor` asks at length."""

from __future__ import annotations

import random

from engine.language import Document, Workspace
from tests.fuzz.editor import edited, fault_of, new_workspace


def test_no_edit_makes_an_answer_fail_or_be_that_of_an_earlier_text() -> None:
    chance, workspace = random.Random(5), new_workspace()
    faults = [
        fault_of(path, text, workspace, chance, fresh=number % 4 == 0)
        for number, (path, text) in enumerate(edited(5, 60))
    ]
    assert [fault for fault in faults if fault] == []


def test_the_fuzzer_notices_an_answer_of_an_earlier_text() -> None:
    class Stale(Workspace):
        def open(self, path: str, text: str, version: int = 0) -> Document:
            return super().open(path, self._open[path].text if path in self._open else text)

    workspace = Stale(new_workspace().registry)
    assert fault_of("a.yaml", "snaps: {}\n", workspace, random.Random(1)) == ""
    text = "snaps:\n  a: {snap: Copi}\n"
    assert "another answer" in fault_of("a.yaml", text, workspace, random.Random(1))
