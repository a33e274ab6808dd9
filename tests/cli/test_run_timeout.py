"""`engine run --timeout`: a run that takes too long has failed, wherever its snaps run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import ExecutionError

EXPRESSION = """\
snaps:
  many: {snap: Sequence, number_of_documents: 1000000000}
  map: {snap: Mapper, mappings: {$n: $value * 2}}
  drop: {snap: Filter, filter: $n < 0}
links: [many -> map -> drop]
"""
SCRIPT = """\
snaps:
  one: {snap: JSONGenerator, documents: [{n: 1}]}
  wait:
    snap: RemotePythonScript
    copies: any
    source: |
      import threading

      def snaplogic_process(row):
          threading.Event().wait()
links: [one -> wait]
"""
MESSAGE = "the run did not end within 0.5 seconds"


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("pipeline", [EXPRESSION, SCRIPT], ids=["expression", "script"])
def test_it_fails_and_says_so(engine: Any, tmp_path: Path, pipeline: str, workers: str) -> None:
    (tmp_path / "long.yaml").write_text(pipeline)
    options = ["--timeout", "0.5", "--workers", workers, "--report", "report.json"]
    done = engine("run", "long.yaml", *options)
    assert done.returncode == 1
    assert MESSAGE in done.stderr
    assert "allow more time, or find out" in done.stderr
    assert '"status": "failed"' in (tmp_path / "report.json").read_text()


def test_a_run_that_ends_in_time_is_not_disturbed(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("snaps: {one: {snap: JSONGenerator, documents: {a: 1}}}")
    done = engine("run", "one.yaml", "--timeout", "100000")
    assert (done.returncode, done.stdout) == (0, '{"a":1}\n')


@pytest.mark.parametrize("text", ["0", "-1", "soon", "nan", "1e9"])
def test_the_time_must_be_positive(engine: Any, tmp_path: Path, text: str) -> None:
    done = engine("run", "one.yaml", "--timeout", text)
    assert done.returncode == 2
    assert f"{text!r} must be a number of seconds greater than 0 and at most" in done.stderr


def test_the_same_from_python(tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_text(EXPRESSION)
    with pytest.raises(ExecutionError, match=MESSAGE):
        api.run(str(tmp_path / "long.yaml"), timeout=0.5)
