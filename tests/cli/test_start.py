"""What each command imports: it starts quickly because it leaves out what it does not use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli import build_parser, main
from engine.cli.completion_scripts import commands_of

GENERATE = """
snaps:
  make: {snap: JSONGenerator, documents: [{a: 1}, {a: 2}]}
  shape: {snap: Mapper, mappings: {$b: $a + 1, $c: "'x' + $a"}}
links: [make -> shape]
"""
FILES = """
snaps:
  read: {snap: FileReader, file: in.json}
  parse: {snap: JSONParser}
  keep: {snap: Filter, filter: $a > 1}
  format: {snap: JSONFormatter}
  write: {snap: FileWriter, file: out.json}
links: [read -> parse -> keep -> format -> write]
"""
REGEX = """
snaps:
  make: {snap: JSONGenerator, documents: [{a: b}]}
  shape: {snap: Mapper, mappings: {$b: "$a.replace(/b/, 'c')"}}
links: [make -> shape]
"""
HEAVY = {
    "aiohttp",
    "difflib",
    "email.message",
    "engine.expressions.functions.tables",
    "engine.expressions.regex_translation",
    "engine.pipeline.repairer",
    "engine.pipeline.yaml_errors",
    "engine.run.files.archives",
    "engine.run.http",
    "engine.run.spilling",
    "engine.script.process",
    "engine.sdk.accounts.rest",
    "engine.tasks.server.server",
    "engine.testing",
    "fsspec",
    "hashlib",
    "idna",
    "importlib.metadata",
    "multiprocessing",
    "networkx",
    "pyjson5",
    "regex",
    "rich",
    "shutil",
    "snaps.rest",
    "snaps.shared.velocity",
    "tarfile",
    "tempfile",
    "httptools",
    "uvloop",
    "zoneinfo",
}
RUNTIME = HEAVY | {"asyncio", "engine.run.runner", "engine.script", "pickle", "ssl"}
"""What a run needs, but neither a check nor an evaluation."""


def imported_by_a_run(folder: Path, pipeline: str) -> set[str]:
    """The modules that `engine run` of the pipeline has imported when it ends."""
    (folder / "p.yaml").write_text(pipeline)
    (folder / "in.json").write_text('[{"a": 1}, {"a": 2}]')
    return imported_by(folder, "run", "p.yaml")


def imported_by(folder: Path, *arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "engine", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    lines = done.stderr.splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}


@pytest.mark.parametrize("pipeline", [GENERATE, FILES], ids=["generate", "files"])
def test_a_run_imports_nothing_heavy_that_it_does_not_use(tmp_path: Path, pipeline: str) -> None:
    imported = imported_by_a_run(tmp_path, pipeline)
    assert "engine.run.runner" in imported
    assert imported & HEAVY == set()


def test_help_imports_nothing_of_the_engine_but_its_command_line(tmp_path: Path) -> None:
    imported = imported_by(tmp_path, "--help")
    ours = {name for name in imported if name.startswith("engine")}
    assert ours == {"engine", "engine.cli", "engine.cli.exit_codes"}
    assert imported & {"asyncio", "msgspec", "yaml", *HEAVY} == set()


def test_the_help_has_a_line_for_each_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    listed = capsys.readouterr().out.partition("COMMAND\n")[2].splitlines()
    commands = commands_of(build_parser())
    assert [line.split(maxsplit=1) for line in listed] == [[c.name, c.help] for c in commands]


def test_without_a_command_the_help_is_shown_as_a_mistake(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "preview     show what" in captured.err


def test_a_check_imports_no_runtime(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(GENERATE)
    imported = imported_by(tmp_path, "validate", "p.yaml")
    assert "engine.plan.resolve" in imported
    assert imported & RUNTIME == set()


def test_an_evaluation_imports_neither_pipelines_nor_snaps(tmp_path: Path) -> None:
    imported = imported_by(tmp_path, "eval", "1 + 1")
    assert "engine.expressions.compilation" in imported
    assert (
        imported & {"engine.pipeline", "engine.plan", "engine.registry", "yaml", *RUNTIME} == set()
    )


def test_a_function_imports_the_families(tmp_path: Path) -> None:
    imported = imported_by(tmp_path, "eval", "'a'.toUpperCase()")
    assert "engine.expressions.functions.tables" in imported


def test_documents_written_in_yaml_need_no_reader_of_json(tmp_path: Path) -> None:
    assert "engine.sdk.json_reading" not in imported_by_a_run(tmp_path, GENERATE)


def test_a_run_with_a_regex_imports_its_engine(tmp_path: Path) -> None:
    assert imported_by_a_run(tmp_path, REGEX) >= {"regex", "engine.expressions.regex_translation"}
