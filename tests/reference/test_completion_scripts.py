"""The completion scripts fit the parser, and complete in real shells."""

from __future__ import annotations

import os
import pty
import select
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
    ("test", "a"): ["a b.test.yaml", "a b.yaml"],
    ("import", "-o", ""): ["folder"],
    ("--v",): ["--version"],
}


def run_shell(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=240, check=True
    )
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a folder, a pipeline, an export and another file."""
    (tmp_path / "folder").mkdir()
    for name in ("a b.yaml", "a b.test.yaml", "old.slp", "data.json"):
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


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
def test_fish_offers_no_test_file_where_a_pipeline_goes(folder: Path) -> None:
    commands = f"source {FOLDER / 'engine.fish'}; complete -C 'engine run '"
    found = run_shell(["fish", "--no-config", "-c", commands], folder)
    assert "a b.yaml" in found
    assert "test.yaml" not in found


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
@pytest.mark.parametrize(
    ("line", "shown", "absent"),
    [
        ("engine prev", "engine preview ", "validate"),
        ("engine validate --format gi", "--format github ", "json"),
        ("engine run ", "old.slp", "test.yaml"),
    ],
)
def test_zsh_completes(line: str, shown: str, absent: str, folder: Path) -> None:
    screen = Zsh(folder)
    try:
        screen.send(f"autoload -U compinit; compinit -D -u; source {FOLDER / 'engine.zsh'}\n")
        screen.send("echo re''ady\n")
        screen.shown("ready")
        screen.send(f"{line}\t\t")
        assert absent not in screen.shown(shown)
    finally:
        screen.close()


class Zsh:
    """An interactive zsh on a terminal of its own."""

    def __init__(self, folder: Path) -> None:
        self._ours, theirs = pty.openpty()
        self._shell = subprocess.Popen(
            ["zsh", "-f", "-i"],
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb"},
            start_new_session=True,
        )
        os.close(theirs)

    def send(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def shown(self, wanted: str) -> str:
        """What it has shown until this appears."""
        text = ""
        while wanted not in text:
            assert select.select([self._ours], [], [], 30)[0], f"only {text!r}"
            text += os.read(self._ours, 65536).decode()
        return text

    def close(self) -> None:
        self._shell.kill()
        self._shell.wait(timeout=240)
        os.close(self._ours)
