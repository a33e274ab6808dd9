"""`engine test` in this process, on files that a test writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine import cli

PIPELINE = """\
parameters: {least: "10"}
snaps:
  read: {snap: FileReader, file: orders.json}
  parse: {snap: JSONParser}
  big: {snap: Filter, filter: $amount >= +_least}
  shape: {snap: Mapper, mappings: {$id: $id, $amount: $amount}}
links: [read -> parse -> big -> shape]
"""
"""Keeps big orders of a file."""


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


RunTests = Callable[..., Outcome]


@pytest.fixture
def run_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> RunTests:
    """Write `orders.yaml` and `orders.test.yaml` in an empty folder, and run `engine test` there.

    `run_tests(cases, *arguments, pipeline=...)`; no cases leave the file as it is.
    """
    monkeypatch.chdir(tmp_path)

    def run(cases: str, *arguments: str, pipeline: str = PIPELINE) -> Outcome:
        Path("orders.yaml").write_text(pipeline)
        if cases:
            Path("orders.test.yaml").write_text(cases)
        code = cli.main(["test", *arguments])
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run
