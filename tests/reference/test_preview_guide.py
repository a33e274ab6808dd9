"""The commands in the guide to previews print what it shows."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from engine.cli import main
from tests.cli.terminals import Terminal

GUIDE = (Path(__file__).parents[2] / "docs" / "preview.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```\n\$ engine (.+)\n((?:.*\n)*?)```$", GUIDE, re.MULTILINE)


@pytest.fixture(autouse=True)
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    for name, kind in (("orders.yaml", "yaml"), ("orders.csv", "csv")):
        text = re.findall(rf"^```{kind}\n((?:.*\n)*?)```$", GUIDE, re.MULTILINE)[0]
        Path(name).write_text(text)


@pytest.mark.parametrize(("command", "output"), COMMANDS)
def test_the_commands_print_what_the_guide_shows(
    command: str, output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    main(shlex.split(command))
    shown = re.sub(
        r"content-location: .*", "content-location: <folder>/orders.csv", terminal.getvalue()
    )
    assert shown.replace(str(tmp_path), "<folder>") == output
    assert not Path("large.json").exists()


def test_the_pins_in_the_guide_are_used(capsys: pytest.CaptureFixture[str]) -> None:
    pins = re.findall(r"^```yaml\n(pins:\n(?:.*\n)*?)```$", GUIDE, re.MULTILINE)
    assert len(pins) == 2
    Path("orders.preview.yaml").write_text(pins[0])
    assert main(["preview", "orders.yaml", "--json"]) == 0
    assert '{"id":"2","name":"","total":"-1"}' in capsys.readouterr().out
    Path("routed.yaml").write_text(
        "snaps:\n  make: {snap: JSONGenerator, documents: []}\n"
        "  route: {snap: Router, routes: {large: $total > 10}}\nlinks: [make -> route]\n"
    )
    Path("routed.preview.yaml").write_text(pins[1])
    assert main(["preview", "routed.yaml", "--json"]) == 0
    assert '"document":{"id":1,"total":100}' in capsys.readouterr().out


def test_the_guide_has_commands() -> None:
    assert len(COMMANDS) >= 2
