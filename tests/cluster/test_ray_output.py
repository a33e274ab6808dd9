"""Whatever Ray prints: standard output has the documents and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cluster.namespaces import refusal
from tests.cluster.ray_session import Session

pytest.importorskip("ray", reason="Ray is not installed; 'make test-ray' installs it")
pytestmark = pytest.mark.skipif(bool(refusal()), reason=refusal())

PIPELINE = """\
snaps:
  map: {snap: Mapper, mappings: {$n: $n, $square: $n * $n}}
"""


@pytest.fixture
def session(ray_session: Session) -> Session:
    ray_session.ask("use_nodes", [{"cpus": 2}])
    return ray_session


def _documents(first: int, last: int) -> str:
    return "".join(json.dumps({"n": n}) + "\n" for n in range(first, last))


@pytest.mark.parametrize("event", ["publish", "kill"])
def test_messages_of_the_cluster_do_not_get_between_documents(
    session: Session, tmp_path: Path, event: str
) -> None:
    """Ray prints the errors of a cluster to standard output: among them that of a worker that was
    killed. The run waits for documents meanwhile, so the message comes between two of them."""
    (tmp_path / "square.yaml").write_text(PIPELINE)
    run = ["run", "square.yaml", "--input", "-", "--workers", "2"]
    first, rest = _documents(0, 2000), _documents(2000, 4000)
    code, printed, shown = session.ask("run_with_a_message", run, str(tmp_path), first, rest, event)
    assert code == 0, shown
    assert "(raylet)" in shown
    assert printed == "".join(
        json.dumps({"n": n, "square": n * n}, separators=(",", ":")) + "\n" for n in range(4000)
    )
