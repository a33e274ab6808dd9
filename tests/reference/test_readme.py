"""The five-minute start of the README works as printed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.testing import run_snap

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
START = README.partition("## Five minutes\n")[2].partition("\n## ")[0]


def blocks(language: str) -> Iterator[str]:
    """The code of the section in a language; in none, the commands with their outputs."""
    for name, code in re.findall(r"^```(\w*)\n(.*?)^```", START, re.DOTALL | re.MULTILINE):
        if name == language:
            yield code


def commands() -> Iterator[tuple[str, str]]:
    """Each command of the section, and the output printed below it."""
    for block in blocks(""):
        first, _, output = block.partition("\n")
        assert first.startswith("$ .venv/bin/")
        yield first.removeprefix("$ .venv/bin/"), output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    [pipeline] = blocks("yaml")
    (tmp_path / "orders.yaml").write_text(pipeline)
    return tmp_path


def run(command: list[str], folder: Path) -> str:
    """What a Python command prints, without the table of the snaps."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return done.stdout if done.returncode == 0 else done.stderr + done.stdout


def test_the_section_shows_how_to_run_check_and_evaluate() -> None:
    assert [command.split()[1] for command, _ in commands()] == ["run", "validate", "eval"]


@pytest.mark.parametrize(("command", "output"), list(commands()))
def test_a_command_prints_what_the_readme_shows(command: str, output: str, folder: Path) -> None:
    program, *arguments = shlex.split(command)
    if arguments[0] == "validate":
        text = (folder / "orders.yaml").read_text()
        (folder / "orders.yaml").write_text(text.replace("snap: Filter", "snap: Fliter"))
    assert program == "engine"
    assert run(["-m", "engine", *arguments], folder) == output


def test_the_test_of_a_snap_passes() -> None:
    [code] = [code for code in blocks("python") if "def test_" in code]
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102  # our own page
    test = names["test_keeps_large_orders"]
    assert callable(test)
    test(run_snap)


def test_the_python_code_prints_what_its_comment_says(folder: Path) -> None:
    [code] = [code for code in blocks("python") if "api.run" in code]
    comment = code.rpartition("print(report.outputs)")[2]
    shown = " ".join(line.removeprefix("#").strip() for line in comment.split("\n")).strip()
    assert run(["-c", code], folder) == f"{shown}\n"
