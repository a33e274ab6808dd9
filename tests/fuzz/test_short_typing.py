"""A short run of the edits that `python -m tests.fuzz.over_stdio` does at length."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import over_stdio


def test_answers_over_the_protocol_are_about_the_newest_text(tmp_path: Path) -> None:
    pytest.importorskip("pygls")
    assert over_stdio.run(tmp_path, 60, seed=5) == []


def test_a_change_turns_one_text_into_the_other() -> None:
    before, after = "a😀b\r\nc\r\n", "a😀b\nc\r\n"
    found = over_stdio.change(before, after)
    assert found["range"]["start"]["line"] == 0
    assert found["text"].endswith("\n")
