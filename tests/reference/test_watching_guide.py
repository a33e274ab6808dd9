"""The commands in the guide to watching a run print what it shows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.cli import break_prompt, main
from engine.cli.break_prompt import Breaking

GUIDE = (Path(__file__).parents[2] / "docs" / "watching.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```\n\$ engine (.+)\n((?:.*\n)*?)```$", GUIDE, re.MULTILINE)
PROMPT = "? > "


class Typing:
    """A terminal at which a person types these lines, which it shows."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.shown = ""

    def write(self, text: str) -> None:
        self.shown += text

    def read_line(self) -> str:
        self.shown += f"{self.lines[0]}\n"
        return self.lines.pop(0)

    def end(self) -> None: ...


@pytest.mark.parametrize(("command", "output"), COMMANDS)
def test_the_commands_print_what_the_guide_shows(
    command: str,
    output: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, kind in (("orders.yaml", "yaml"), ("orders.jsonl", "json")):
        (text,) = re.findall(rf"^```{kind}\n((?:.*\n)*?)```$", GUIDE, re.MULTILINE)
        Path(name).write_text(text)
    typing = Typing([line.partition(PROMPT)[2] for line in output.splitlines() if PROMPT in line])

    @contextmanager
    def breaking() -> Iterator[Breaking]:
        yield Breaking(typing)  # type: ignore[arg-type]

    monkeypatch.setattr(break_prompt, "breaking", breaking)
    assert main(shlex.split(command)) == 0
    out, err = capsys.readouterr()
    assert typing.shown + err + out == output


def test_the_guide_has_commands() -> None:
    assert len(COMMANDS) == 3
