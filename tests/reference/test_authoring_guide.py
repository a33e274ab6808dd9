"""The commands in the guide to writing pipelines print what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from engine.cli import main

GUIDE = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```\n\$ engine (.+)\n((?:.*\n)*?)```$", GUIDE, re.MULTILINE)


def test_the_commands_print_what_the_guide_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(COMMANDS) >= 5
    for command, output in COMMANDS:  # one after the other, in one folder
        assert main(shlex.split(command)) == 0
        assert capsys.readouterr().out.startswith(output)
