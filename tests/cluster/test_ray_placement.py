"""Every pipeline leaves the same behind on Ray: on a node of this machine, and on two, of which one
has a copy of the files, as another machine would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.namespaces import refusal
from tests.cluster.ray_session import Session
from tests.cluster.suite import Case, Outcome, cases, outcome_of, prepare, run_engine

pytest.importorskip("ray", reason="Ray is not installed; 'make test-ray' installs it")
pytestmark = pytest.mark.skipif(bool(refusal()), reason=refusal())


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("placements") / "project")


@pytest.fixture(scope="module", params=["one_node", "two_nodes"])
def session(request: pytest.FixtureRequest, ray_session: Session, project: Path) -> Session:
    two = [{"cpus": 1}, {"cpus": 1, "elsewhere": str(project)}]
    ray_session.ask("use_nodes", [{"cpus": 2}] if request.param == "one_node" else two)
    return ray_session


@pytest.fixture(scope="module")
def expected(project: Path) -> Callable[[Case], Outcome]:
    """What one process leaves behind; measured once for each pipeline."""
    known: dict[str, Outcome] = {}

    def measure(case: Case) -> Outcome:
        if case.name not in known:
            known[case.name] = outcome_of(case, project, run_engine)
        return known[case.name]

    return measure


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_two_workers(
    case: Case, session: Session, project: Path, expected: Callable[[Case], Outcome]
) -> None:
    one = expected(case)
    several = outcome_of(case, project, session.run, ["--on", "ray", "--workers", "2"])
    assert several == one
