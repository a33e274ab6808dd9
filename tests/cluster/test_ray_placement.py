"""Every pipeline leaves the same behind on Ray, on one node and on two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.namespaces import inside, refusal
from tests.cluster.suite import Case, Outcome, cases, outcome_of, prepare, run_engine

pytest.importorskip("ray", reason="Ray is not installed; 'make test-ray' installs it")
pytestmark = pytest.mark.skipif(bool(refusal()), reason=refusal())

ROOT = Path(__file__).parents[2]


class Session:
    """A driver in a network of its own, which answers one request after the other."""

    def __init__(self, nodes: int, home: Path) -> None:
        self._log = (home / f"driver{nodes}.log").open("w+")
        self._popen = subprocess.Popen(
            inside([sys.executable, "-m", "tests.cluster.ray_driver", str(nodes)]),
            cwd=ROOT,
            env=os.environ | {"HOME": str(home)},  # Ray writes its token there
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._answer()

    def ask(self, name: str, *given: Any) -> Any:
        assert self._popen.stdin is not None
        print(json.dumps([name, given]), file=self._popen.stdin, flush=True)
        return self._answer()

    def run(self, arguments: Any, folder: Path) -> tuple[int, str, str]:
        code, printed, shown = self.ask("run", list(arguments), str(folder))
        return code, printed, shown

    def close(self) -> None:
        self.ask("end")
        self._end()
        self._log.close()

    def _end(self) -> None:
        with self._popen:
            assert self._popen.stdin is not None
            self._popen.stdin.close()

    def _answer(self) -> Any:
        assert self._popen.stdout is not None
        line = self._popen.stdout.readline()
        if not line:
            self._end()
            self._log.seek(0)
            pytest.fail(f"the driver ended:\n{self._log.read()[-3000:]}")
        return json.loads(line)


@pytest.fixture(scope="module", params=[1, 2], ids=["one_node", "two_nodes"])
def session(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Session]:
    session = Session(request.param, tmp_path_factory.mktemp("ray"))
    yield session
    session.close()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("placements") / "project")


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
