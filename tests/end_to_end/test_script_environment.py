"""The environment of a script: its folder, environment variables, memory limit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PIPELINE = """
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}]}
  script:
    snap: RemotePythonScript
%s
    source: |
%s
links: [make -> script]
"""


def pipeline(folder: Path, source: str, settings: str = "") -> Path:
    path = folder / "sub" / "pipeline.yaml"
    path.parent.mkdir(exist_ok=True)
    lines = "\n".join(f"      {line}" for line in source.strip("\n").splitlines())
    path.write_text(PIPELINE % (settings and f"    {settings}", lines))
    return path


def test_a_script_runs_in_the_folder_of_its_pipeline_and_knows_it(
    engine: Any, tmp_path: Path
) -> None:
    source = """
import os
def snaplogic_process(row):
    with open("beside.txt") as file:
        return {"read": file.read(), "same": os.getcwd() == snaplogic_pipe["folder"]}
"""
    pipeline(tmp_path, source)
    (tmp_path / "sub" / "beside.txt").write_text("here")
    done = engine("run", "sub/pipeline.yaml")
    assert json.loads(done.stdout) == {"read": "here", "same": True}, done.stderr


def test_a_script_sees_only_listed_environment_variables_and_those_that_it_names(
    engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
import os
def snaplogic_process(row):
    return {name: os.environ.get(name) for name in
            ("OTHER_SECRET", "WANTED", "LANG", "https_proxy", "PIP_X", "TF_VAR_password")}
"""
    for name in ("OTHER_SECRET", "WANTED", "LANG", "https_proxy", "PIP_X", "TF_VAR_password"):
        monkeypatch.setenv(name, f"value of {name}")
    monkeypatch.setenv("LANG", "C.UTF-8")
    pipeline(tmp_path, source, "env: [WANTED]")
    done = engine("run", "sub/pipeline.yaml")
    assert json.loads(done.stdout) == {
        "OTHER_SECRET": None,
        "WANTED": "value of WANTED",
        "LANG": "C.UTF-8",
        "https_proxy": "value of https_proxy",
        "PIP_X": "value of PIP_X",
        "TF_VAR_password": None,
    }, done.stderr


def test_a_variable_that_is_named_and_not_set_starts_nothing(engine: Any, tmp_path: Path) -> None:
    pipeline(tmp_path, "def snaplogic_process(row):\n    return row", "env: [NOT_SET_ANYWHERE]")
    done = engine("run", "sub/pipeline.yaml")
    assert done.returncode != 0
    assert "environment variable 'NOT_SET_ANYWHERE' is not set" in done.stderr


def test_a_script_that_asks_for_more_memory_than_it_may_have_is_a_clear_error(
    engine: Any, tmp_path: Path
) -> None:
    source = """
def snaplogic_process(row):
    return {"size": len(bytearray(1 << 30))}
"""
    pipeline(tmp_path, source, "memory: 256 MiB")
    done = engine("run", "sub/pipeline.yaml")
    assert done.returncode == 1
    assert "MemoryError: the script's limit is 256 MiB (pipeline.yaml, line 9)" in done.stderr


def test_a_script_within_its_memory_limit_runs(engine: Any, tmp_path: Path) -> None:
    source = """
def snaplogic_process(row):
    return {"size": len(bytearray(1 << 24))}
"""
    pipeline(tmp_path, source, "memory: 256 MiB")
    done = engine("run", "sub/pipeline.yaml")
    assert json.loads(done.stdout) == {"size": 1 << 24}, done.stderr


@pytest.mark.parametrize("limit", ["2 GigaByte", "0", "-1", "many", "512"])
def test_an_invalid_memory_limit_is_refused(engine: Any, tmp_path: Path, limit: str) -> None:
    pipeline(tmp_path, "def snaplogic_process(row):\n    return row", f"memory: {limit}")
    done = engine("validate", "sub/pipeline.yaml")
    assert done.returncode != 0
    assert "pipeline.yaml:6:" in done.stdout + done.stderr


FAILURES = {
    "a missing file": (
        'open("gone.csv")',
        ["FileNotFoundError", "pipeline.yaml, line 10", "relative file names are resolved in"],
        ["correct the script"],
    ),
    "a value that is nested too deep": (
        "deep = []\n    for _ in range(5000):\n        deep = [deep]\n    return {'deep': deep}",
        ["nested too deeply"],
        ["correct the script"],
    ),
    "data that is not a number": ("int('x')", ["ValueError", "line 10"], ["correct the script"]),
    "a misspelled name": ("rwo", ["NameError", "correct the script at this line"], []),
    "half of a surrogate pair in the text": (
        "raise ValueError('before ' + chr(0xd800) + ' after')",
        ["ValueError: before \\ud800 after", "pipeline.yaml, line 10"],
        [],
    ),
}


@pytest.mark.parametrize("what", FAILURES)
def test_an_error_names_the_line_of_the_pipeline_and_hints_at_what_helps(
    what: str, engine: Any, tmp_path: Path
) -> None:
    statement, says, is_silent_on = FAILURES[what]
    pipeline(tmp_path, f"# a comment\ndef snaplogic_process(row):\n    {statement}")
    done = engine("run", "sub/pipeline.yaml")
    assert done.returncode == 1
    for words in says:
        assert words in done.stderr
    for words in is_silent_on:
        assert words not in done.stderr


def test_source_in_quotes_names_the_snap_as_its_lines_are_not_those_of_the_file(
    engine: Any, tmp_path: Path
) -> None:
    (tmp_path / "pipeline.yaml").write_text(
        "snaps:\n  make: {snap: JSONGenerator, documents: [{}]}\n"
        '  read: {snap: RemotePythonScript, source: "def snaplogic_process(row):\\n  return x"}\n'
        "links: [make -> read]\n"
    )
    done = engine("run", "pipeline.yaml")
    assert "(pipeline.yaml, source of 'read', line 2)" in done.stderr


def test_nothing_acts_before_a_script_that_cannot_run(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(
        "snaps:\n  make: {snap: JSONGenerator, documents: [{n: 1}]}\n"
        "  format: {snap: JSONFormatter}\n  write: {snap: FileWriter, file: acted.json}\n"
        "  more: {snap: JSONGenerator, documents: [{n: 1}]}\n"
        "  work: {snap: RemotePythonScript, script: work.py}\n"
        "links: [make -> format -> write, more -> work]\n"
    )
    (tmp_path / "work.py").write_text("def snaplogic_process(row)\n    return row\n")
    done = engine("run", "pipeline.yaml")
    assert done.returncode != 0
    assert "work.py:1:" in done.stderr
    assert not (tmp_path / "acted.json").exists()
