"""Warnings about a pipeline are shown by every command that uses it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine import api

DOUBTFUL = """
parameters: {token: {default: hunter22, secret: true}}
snaps:
  make: {snap: JSONGenerator, documents: [{a: 1}, {b: 2}]}
  keep: {snap: Filter, filter: $a > 0, on_error: route}
  forgotten: {snap: Mapper, mappings: {$x: 1}}
links: [make -> keep]
"""
CODES = ["secret-default", "unlinked-error-view", "unlinked-snap"]


def test_run_shows_the_warnings_that_validate_shows(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "doubtful.yaml").write_text(DOUBTFUL)
    checked = engine("validate", "doubtful.yaml").stderr
    assert all(code in checked for code in CODES)
    done = engine("run", "doubtful.yaml")
    assert done.returncode == 0
    assert done.stderr.startswith(checked)


def test_quiet_shows_only_warnings_and_documents(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "doubtful.yaml").write_text(DOUBTFUL)
    done = engine("run", "--quiet", "doubtful.yaml")
    assert done.stderr == engine("validate", "doubtful.yaml").stderr
    assert '{"$output":"keep.output","a":1}' in done.stdout


def test_quiet_still_says_why_a_run_failed(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("snaps: {one: {snap: Mapper, mappings: {$a: $nothing}}}")
    done = engine("run", "--quiet", "bad.yaml")
    assert done.returncode == 1
    assert done.stderr.startswith("snap 'one' (Mapper at bad.yaml:1:9) failed on document 1")


def test_a_program_gets_warnings_as_values(tmp_path: Path) -> None:
    path = tmp_path / "doubtful.yaml"
    path.write_text(DOUBTFUL)
    assert [warning.code for warning in api.compile_plan(path).warnings] == CODES
    report = api.run(path)
    assert [warning.code for warning in report.warnings] == CODES
    assert report.as_dict()["warnings"] == [str(warning) for warning in report.warnings]


def test_the_report_file_holds_the_warnings(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "doubtful.yaml").write_text(DOUBTFUL)
    engine("run", "--quiet", "doubtful.yaml", "--report", "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(report["warnings"]) == len(CODES)
    assert "hunter22" not in str(report)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_serve_shows_the_warnings_in_the_form_of_its_log(tmp_path: Path, log_format: str) -> None:
    (tmp_path / "doubtful.yaml").write_text("""
    snaps: {keep: {snap: Filter, filter: $a > 0, on_error: route}}
    """)
    command = ["serve", "doubtful.yaml", "--port", "0", "--log-format", log_format]
    with subprocess.Popen(
        [sys.executable, "-m", "engine", *command, "--state", str(tmp_path)],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        process.terminate()
        process.stderr.read()
    if log_format == "json":
        record = json.loads(line)
        assert record["level"] == "warning"
        line = record["message"]
    assert line.startswith("doubtful.yaml:2:60  unlinked-error-view  warning: documents that fail")
