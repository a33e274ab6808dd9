"""A run that loses its cluster, or its connection to it, ends soon and says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.namespaces import inside, refusal
from tests.cluster.patience import PATIENT

pytest.importorskip("ray", reason="Ray is not installed; 'make test-ray' installs it")
pytestmark = pytest.mark.skipif(bool(refusal()), reason=refusal())

PIPELINE = """\
parameters: {file: {required: true}}
snaps:
  map: {snap: Mapper, mappings: {$n: $n, $square: $n * $n}}
  format: {snap: JSONFormatter, json_lines: true}
  write: {snap: FileWriter, file: = _file}
links: [map -> format -> write]
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """How the runs ended."""
    folder = tmp_path_factory.mktemp("loss")
    (folder / "write.yaml").write_text(PIPELINE)
    done = subprocess.run(
        inside([sys.executable, "-m", "tests.cluster.loss_driver"]),
        cwd=folder,
        env=os.environ
        | PATIENT
        | {"HOME": str(folder), "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ends: dict[str, Any] = json.loads(done.stdout)
    return ends


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ("driver", "is gone: its head node at 127.0.0.1 has not answered for 30 seconds"),
        ("client", "the Ray cluster 'ray://127.0.0.1:10001'"),
        ("disconnected", "the connection to the Ray cluster 'ray://127.0.0.1:10001' broke"),
    ],
)
def test_it_fails_and_says_what_is_gone(found: dict[str, Any], run: str, message: str) -> None:
    code, shown, wrote = found[run]
    assert code == 1, shown
    assert message in shown
    assert "is up and reachable, and run again" in shown
    assert not wrote
