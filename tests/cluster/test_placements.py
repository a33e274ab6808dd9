"""Every pipeline leaves the same behind, wherever its stages run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.suite import Case, Outcome, cases, outcome_of, prepare, run_engine

CASES = cases()
Measure = Callable[[Case], Outcome]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("placements") / "project")


@pytest.fixture(scope="session")
def expected(project: Path) -> Measure:
    """What one process leaves behind; measured once for each pipeline."""
    known: dict[str, Outcome] = {}

    def measure(case: Case) -> Outcome:
        if case.name not in known:
            known[case.name] = outcome_of(case, project, run_engine)
        return known[case.name]

    return measure


def test_there_are_at_least_forty_pipelines() -> None:
    assert len(CASES) >= 40


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_process(case: Case, expected: Measure) -> None:
    outcome = expected(case)
    assert case.fails in outcome.failure if case.fails else outcome.failure == ""
    assert outcome.code == (1 if case.fails else 0)
    assert case.fails or outcome.printed or outcome.files


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("workers", ["2", "4"])
def test_worker_processes(case: Case, workers: str, project: Path, expected: Measure) -> None:
    one = expected(case)
    several = outcome_of(case, project, run_engine, ["--workers", workers])
    assert several == one
