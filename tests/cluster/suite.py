"""The conformance pipelines, and what a run of one of them leaves behind.

A pipeline is a file in `pipelines`; `cases.yaml` there says how it is run. Every placement must
leave what one process leaves: the same files and documents byte for byte, the same counts at every
view, the same failure.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import yaml

from engine.cli import main
from tests.cluster.inputs import write_inputs

HERE = Path(__file__).parent / "pipelines"
SECRETS = ("s3cr3t-key", "9876543210")
ENVIRONMENT = {"CLUSTER_PLACE": "Zürich"}

Run = Callable[[Sequence[str], Path], tuple[int, str, str]]
"""Runs `engine` with arguments in a folder: exit code, standard output, standard error."""


def run_engine(arguments: Sequence[str], folder: Path) -> tuple[int, str, str]:
    """In this process, as starting another one takes longer than most of these pipelines."""
    printed, shown = StringIO(), StringIO()
    with chdir(folder), redirect_stdout(printed), redirect_stderr(shown):
        code = main(list(arguments))
    return code, printed.getvalue(), shown.getvalue()


@dataclass(frozen=True)
class Case:
    """A pipeline and how it is run.

    `fails`: part of the message; empty: it completes. Without `counts`, they depend on which of two
    inputs comes first, so they are not compared.
    """

    name: str
    arguments: list[str] = field(default_factory=list)
    fails: str = ""
    counts: bool = True


@dataclass(frozen=True)
class Outcome:
    """What a run left behind. A failed run promises its message and its files, but no counts."""

    code: int
    printed: str
    files: dict[str, bytes]
    failure: str
    snaps: list[dict[str, Any]]
    links: list[dict[str, Any]]
    parameters: dict[str, Any]


def cases() -> list[Case]:
    options = yaml.safe_load((HERE / "cases.yaml").read_text())
    names = sorted(path.stem for path in HERE.glob("*.yaml") if path.stem != "cases")
    assert set(options) <= set(names)
    return [Case(name, **options.get(name, {})) for name in names]


def prepare(folder: Path) -> Path:
    """A folder with the pipelines and their inputs, in which all of them can run."""
    shutil.copytree(HERE, folder)
    write_inputs(folder / "inputs")
    os.environ.update(ENVIRONMENT)
    return folder


def outcome_of(case: Case, project: Path, run: Run, options: Sequence[str] = ()) -> Outcome:
    """Run a pipeline in the folder of `prepare` and collect what it leaves behind."""
    out = project / "out"
    shutil.rmtree(out, ignore_errors=True)
    report_file = project / f"{case.name}.report.json"
    report_file.unlink(missing_ok=True)
    code, printed, shown = run(
        ["run", f"{case.name}.yaml", "--report", report_file.name, *case.arguments, *options],
        project,
    )
    files = sorted(path for path in out.rglob("*") if path.is_file())
    found = {str(path.relative_to(out)): path.read_bytes() for path in files}
    assert report_file.exists(), f"no report of {case.name}; standard error:\n{shown}"
    text = report_file.read_text()
    for secret in SECRETS:
        assert secret not in text + printed + shown
    report = json.loads(text)
    failed = report["status"] != "completed"
    counts = case.counts and not failed
    return Outcome(
        code,
        "" if failed else _by_output(printed),
        found,
        _plain(report["failure"], project),
        [_counts(snap) for snap in report["snaps"]] if counts else [],
        report["links"] if counts else [],
        report["parameters"],
    )


def _by_output(printed: str) -> str:
    """Documents of several outputs are printed in any order; those of each output keep theirs."""
    lines = printed.splitlines(keepends=True)
    return "".join(sorted(lines, key=lambda line: json.loads(line).get("$output", "")))


def _counts(snap: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in snap.items() if key != "seconds"}


def _plain(failure: str, project: Path) -> str:
    """The message without what differs from run to run: folders and ids."""
    text = failure.replace(str(project), "<project>")
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<id>", text)
