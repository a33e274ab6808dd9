"""docs/testing.md is true: its files can be tested, and `engine test` prints what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from engine import cli
from engine.sdk.settings import settings_of
from engine.testing.cases.settings import (
    CaseSettings,
    ExpectationSettings,
    FileExpectationSettings,
    FileSettings,
)

PAGE = (Path(__file__).parents[2] / "docs/testing.md").read_text()
FILES = re.findall(r"^```yaml\n# (\S+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^```\n\$ engine (test.*?)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
NOT_MOCKED = "pipeline: orders.yaml\n\ncases:\n  not mocked:\n    expect: {output: []}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES:
        (tmp_path / name).write_text(f"# {name}\n{text}")
    return tmp_path


def timeless(text: str) -> str:
    return re.sub(r"\d+ ms|\d+\.\d s", "0", text)


@pytest.mark.parametrize(("command", "printed"), COMMANDS)
def test_the_command_prints_what_the_page_shows(
    project: Path, capsys: pytest.CaptureFixture[str], command: str, printed: str
) -> None:
    text = NOT_MOCKED.replace("output: []", "big: {count: 0}")
    (project / "not_mocked.test.yaml").write_text(text)
    assert cli.main(shlex.split(command)) == ("failed in" in printed)
    assert timeless(capsys.readouterr().out) == timeless(printed)


def test_every_key_of_a_test_file_is_on_the_page() -> None:
    for cls in (FileSettings, CaseSettings, ExpectationSettings, FileExpectationSettings):
        for name in settings_of(cls):
            assert f"`{name}" in PAGE
