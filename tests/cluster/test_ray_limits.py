"""What a cluster may lack, and what must not leave it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.namespaces import refusal
from tests.cluster.ray_session import Session
from tests.cluster.suite import SECRETS, prepare

pytest.importorskip("ray", reason="Ray is not installed; 'make test-ray' installs it")
pytestmark = pytest.mark.skipif(bool(refusal()), reason=refusal())

RUN = ["run", "filter_and_map.yaml", "--on", "ray", "--workers"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("limits") / "project")


@pytest.fixture
def session(ray_session: Session) -> Session:
    """A cluster with two CPUs."""
    ray_session.ask("use_nodes", [{"cpus": 2}])
    return ray_session


def test_too_many_workers_end_with_what_is_missing(session: Session, project: Path) -> None:
    code, _, shown = session.ask("run_without_room", [*RUN, "3"], str(project))
    assert code == 1
    assert "waiting for nodes: the run needs a CPU for each of its 3 workers" in shown
    assert "did not start within" in shown
    assert "the Ray cluster has 2 CPU (0 free)" in shown
    assert "use fewer --workers, add nodes" in shown


def test_a_node_may_join_late(session: Session, project: Path) -> None:
    code, _, shown = session.ask("run_while_a_node_joins", [*RUN, "3"], str(project))
    assert code == 0, shown


def test_another_version_is_refused(session: Session, project: Path) -> None:
    code, _, shown = session.ask("run_from_another_version", [*RUN, "2"], str(project))
    assert code == 1
    assert "but the run was started by snapline 9.9.9 on Python 3.11.99" in shown
    assert "install the same versions in both places" in shown


def test_a_client_outside_of_the_cluster_gets_the_same(session: Session, project: Path) -> None:
    session.run(["run", "filter_and_map.yaml"], project)
    written = (project / "out" / "large.jsonl").read_bytes()
    (project / "out" / "large.jsonl").unlink()
    run = ["run", "filter_and_map.yaml", "--workers", "2"]
    code, _, shown = session.ask("run_as_client", run, str(project))
    assert code == 0, shown
    assert (project / "out" / "large.jsonl").read_bytes() == written


def test_workers_of_this_machine_are_not_called_through_ray(
    session: Session, project: Path
) -> None:
    code, shown, calls = session.ask("run_counting_calls", [*RUN, "2"], str(project))
    assert (code, calls) == (0, 0), shown


def test_workers_elsewhere_need_no_files(ray_session: Session, tmp_path: Path) -> None:
    """Theirs have the same names and sizes, and say something else."""
    session = ray_session
    project = prepare(tmp_path / "project")
    session.run(["run", "filter_and_map.yaml"], project)
    written = (project / "out" / "large.jsonl").read_bytes()
    theirs = tmp_path / "project-elsewhere" / "inputs" / "orders.jsonl"
    theirs.parent.mkdir(parents=True)
    session.ask("use_nodes", [{"cpus": 2, "elsewhere": str(project)}])
    size = theirs.stat().st_size
    theirs.write_bytes(b'{"id": 1}\n'.ljust(size - 1) + b"\n")
    code, shown, calls = session.ask("run_counting_calls", [*RUN, "2"], str(project))
    assert code == 0, shown
    assert calls > 0
    assert (project / "out" / "large.jsonl").read_bytes() == written


def test_a_secret_is_nowhere_in_what_ray_shows(session: Session, project: Path) -> None:
    run = ["run", "parameters.yaml", "--param", f"key={SECRETS[0]}", "--on", "ray"]
    code, _, shown = session.ask("run_alone", [*run, "--workers", "2"], str(project), {})
    assert code == 0, shown
    known = session.ask("known")
    assert "RayWorker" in known
    assert "engine run" in known
    assert SECRETS[0] not in known


def test_variables_of_the_environment_are_those_of_the_run(session: Session, project: Path) -> None:
    """The nodes have another value, as there would be none elsewhere."""
    run = ["run", "parameters.yaml", "--param", f"key={SECRETS[0]}", "--on", "ray"]
    here = {"CLUSTER_PLACE": "Bern"}
    code, _, shown = session.ask("run_alone", [*run, "--workers", "2"], str(project), here)
    assert code == 0, shown
    rows = (project / "out" / "Bern.jsonl").read_text().splitlines()
    assert rows
    assert all('"place":"Bern"' in row for row in rows)


WAITING = """\
snaps:
  number: {snap: Sequence, number_of_documents: 10}
  wait:
    snap: RemotePythonScript
    copies: any
    source: |
      import threading

      def snaplogic_process(row):
          threading.Event().wait()
links: [number -> wait]
"""


def test_the_time_of_a_run_is_limited(session: Session, tmp_path: Path) -> None:
    (tmp_path / "waiting.yaml").write_text(WAITING)
    run = ["run", "waiting.yaml", "--on", "ray", "--workers", "2", "--timeout", "3"]
    code, _, shown = session.run(run, tmp_path)
    assert code == 1
    assert "the run did not end within 3 seconds" in shown


@pytest.mark.parametrize("on", ["ray", "ray://127.0.0.1:10001"])
def test_another_token_is_refused(session: Session, project: Path, on: str) -> None:
    run = ["run", "filter_and_map.yaml", "--workers", "2", "--on", on]
    wrong = {"RAY_AUTH_TOKEN": "5" * 64, "RAY_gcs_server_port_wait_time_s": "3"}
    code, _, shown = session.ask("run_alone", run, str(project), wrong)
    assert code == 2
    assert "check that the cluster is running, and that RAY_AUTH_TOKEN_PATH names a file" in shown


LAMPS = ["--resources", "large=lamp:1", "--workers", "2"]


def test_resources_that_no_node_has_are_named(session: Session, project: Path) -> None:
    plan = ["plan", "filter_and_map.yaml", "--on", "ray", *LAMPS]
    code, printed, _ = session.run(plan, project)
    assert code == 1
    assert "The run needs 1 CPU, 1 lamp for each of 2 workers.\n" in printed
    assert "The cluster has 2 CPU, 0 lamp on 2 nodes: too little" in printed
    run = ["run", "filter_and_map.yaml", "--on", "ray", *LAMPS]
    code, _, shown = session.ask("run_without_room", run, str(project))
    assert code == 1
    assert "the Ray cluster has 2 CPU (2 free) and 0 lamp (0 free)" in shown


def test_workers_start_where_their_resources_are(ray_session: Session, project: Path) -> None:
    session = ray_session
    session.ask("use_nodes", [{"cpus": 2}, {"cpus": 2, "resources": {"lamp": 2}}])
    code, printed, shown = session.run(
        ["plan", "filter_and_map.yaml", "--on", "ray", *LAMPS], project
    )
    assert code == 0, shown
    assert "The cluster has 4 CPU, 2 lamp on 3 nodes: enough." in printed
    code, _, shown = session.run(["run", "filter_and_map.yaml", "--on", "ray", *LAMPS], project)
    assert code == 0, shown
