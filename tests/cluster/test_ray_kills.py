"""A short round of tests.cluster.kills on Ray, with two nodes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.kills import KINDS, RAY_KINDS
from tests.cluster.namespaces import refusal

pytest.importorskip("ray", reason="Ray is not installed; 'make test-ray' installs it")
pytestmark = pytest.mark.skipif(bool(refusal()), reason=refusal())


def test_nothing_is_lost_in_silence(tmp_path: Path) -> None:
    times = len(KINDS | RAY_KINDS)
    done = subprocess.run(
        [sys.executable, "-m", "tests.cluster.kills", "--on", "ray", "--times", str(times)],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"HOME": str(tmp_path)},  # Ray writes its token there
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{times} runs, 0 wrong" in done.stdout
