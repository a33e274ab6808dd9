"""The completion scripts fit the parser, and complete in real shells."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.cli import main
from engine.cli.completion_scripts import FOLDER, scripts

REGENERATE = "run: python -m engine.cli.completion_scripts"
BASH = """
source {script}
complete_words() {{
  COMP_WORDS=(engine "$@"); COMP_CWORD=$#; COMPREPLY=()
  _engine
  printf '%s;' "${{COMPREPLY[@]}}"; echo
}}
"""
CASES = {
    ("ru",): ["run"],
    ("run", "--in"): ["--input"],
    ("validate", "--format", ""): ["text", "json", "github"],
    ("validate", "--format", "=", "gi"): ["github"],
    ("new", "sn"): ["snap"],
    ("new", "snap", ""): [""],
    ("run", ""): ["folder", "a b.yaml", "old.slp"],
    ("run", "--param", "a", "=", "b", "a"): ["a b.yaml"],
    ("run", "--input", "d"): ["data.json"],
    ("import", "-o", ""): ["folder"],
    ("--v",): ["--version"],
}


def run_shell(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a folder, a pipeline, an export and another file."""
    (tmp_path / "folder").mkdir()
    for name in ("a b.yaml", "old.slp", "data.json"):
        (tmp_path / name).touch()
    return tmp_path


def test_the_scripts_are_up_to_date() -> None:
    for name, text in scripts().items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, REGENERATE


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_command_prints_the_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert capsys.readouterr().out == (FOLDER / f"engine.{shell}").read_text(encoding="utf-8")


def test_an_unknown_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["completion", "tcsh"])
    assert "invalid choice: 'tcsh'" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_commands_options_choices_and_files(folder: Path) -> None:
    script = BASH.format(script=FOLDER / "engine.bash")
    calls = "\n".join(
        "complete_words " + " ".join(f"'{word}'" for word in words) for words in CASES
    )
    lines = run_shell(["bash", "-c", script + calls], folder).splitlines()
    assert [line.removesuffix(";").split(";") for line in lines] == list(CASES.values())


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("engine ru", ["run"]),
        ("engine validate --format ", ["github", "json", "text"]),
        ("engine new sn", ["snap"]),
        ("engine import -o ", ["folder/"]),
    ],
)
def test_fish_completes(line: str, expected: list[str], folder: Path) -> None:
    commands = f"source {FOLDER / 'engine.fish'}; complete -C '{line}'"
    found = run_shell(["fish", "--no-config", "-c", commands], folder)
    assert [each.split("\t")[0] for each in found.splitlines()] == expected


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
def test_zsh_can_read_its_script(folder: Path) -> None:
    assert run_shell(["zsh", "-fn", str(FOLDER / "engine.zsh")], folder) == ""
