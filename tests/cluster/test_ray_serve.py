"""An ultra task on Ray Serve answers as on `engine serve`, also when its processes are killed."""

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

FILES = {
    "pipeline.yaml": "snaps:\n"
    "  echo: {snap: Mapper, mappings: {$n: $content.n, $below: $path_info}}\n",
    "echo.yaml": "type: ultra\npipeline: pipeline.yaml\nbearer_token: ${env:TOKEN}\n"
    "limits: {body: 1000}\n",
    "slow.yaml": "type: ultra\npipeline: waits.yaml\n"
    "limits: {in_flight: 1, queue: 1}\ntimeouts: {request: 10m}\n",
    "waits.yaml": """\
snaps:
  wait:
    snap: RemotePythonScript
    source: |
      import os, time

      def snaplogic_process(row):
          while not os.path.exists("%s"):
              time.sleep(0.05)
          return {"done": True}
""",
    "nightly.yaml": "type: triggered\npipeline: pipeline.yaml\n",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What callers got."""
    folder = tmp_path_factory.mktemp("serve")
    for name, text in FILES.items():
        (folder / name).write_text(text.replace("%s", str(folder / "refused")))
    done = subprocess.run(
        inside([sys.executable, "-m", "tests.cluster.serve_driver"]),
        cwd=folder,
        env=os.environ
        | PATIENT
        | {
            "HOME": str(folder),  # Ray writes its token there
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "TOKEN": "open-sesame",
        },
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def test_a_request_gets_its_answer_with_exact_numbers(found: dict[str, Any]) -> None:
    status, headers, body = found["answer"]
    assert (status, body) == (200, '{"n":1.50,"below":""}')
    assert headers["content-type"] == "application/json"


def test_the_pipeline_sees_the_path_below_the_prefix(found: dict[str, Any]) -> None:
    assert json.loads(found["below"][2]) == {"n": 2, "below": "/a/b"}


@pytest.mark.parametrize(
    ("request_", "status", "error"),
    [
        ("no token", 401, "the token is missing or wrong"),
        ("wrong body", 400, "the body of the request cannot be read"),
        ("too large", 413, "the body of the request is too large"),
    ],
)
def test_the_front_refuses(found: dict[str, Any], request_: str, status: int, error: str) -> None:
    assert found[request_][0] == status
    assert json.loads(found[request_][2])["error"] == error


def test_an_instance_that_dies_costs_no_answer(found: dict[str, Any]) -> None:
    assert found["instance killed"] == {"own answer": 200}


def test_a_replica_that_dies_costs_what_it_was_working_on(found: dict[str, Any]) -> None:
    ends = found["replica killed"]
    assert sum(ends.values()) == 200
    assert ends.keys() <= {"own answer", "500", "502", "503", "broken connection"}
    assert ends["own answer"] >= 150


def test_callers_at_the_same_time_get_their_own_answers(found: dict[str, Any]) -> None:
    assert found["at once"] == 160


def test_requests_that_would_wait_too_long_are_refused(found: dict[str, Any]) -> None:
    """One is in the replica, one waits in front of it; Ray may take another one in between."""
    ends = found["all busy"]
    assert ends.keys() == {"200", "503 1"}, "with Retry-After: 1"
    assert sum(ends.values()) == 8
    assert ends["503 1"] >= 4


def test_a_triggered_task_is_refused(found: dict[str, Any]) -> None:
    assert "'nightly.yaml' is a triggered task" in found["triggered"]
