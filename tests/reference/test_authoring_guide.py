"""The commands in the guide to writing pipelines print what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from engine.cli import main

GUIDE = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```\n\$ engine (.+)\n((?:.*\n)*?)```$", GUIDE, re.MULTILINE)


@pytest.mark.parametrize(("command", "output"), COMMANDS, ids=[each for each, _ in COMMANDS])
def test_a_command_prints_what_the_guide_shows(
    command: str,
    output: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    main(shlex.split(command))
    assert capsys.readouterr().out.startswith(output)


def test_the_guide_has_commands() -> None:
    assert len(COMMANDS) >= 3
