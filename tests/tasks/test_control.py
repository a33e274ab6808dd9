"""How `engine tasks` finds servers: a folder that only its user can enter."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ConfigurationError
from engine.tasks.server.control import folder, listen_here, servers
from tests.tasks.conftest import Serve


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def test_the_folder_is_made_for_its_user_alone(runtime: Path) -> None:
    assert folder() == runtime / "snapline"
    assert folder().stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o720, 0o777])
def test_a_folder_that_others_can_enter_is_refused(runtime: Path, mode: int) -> None:
    (runtime / "snapline").mkdir()
    (runtime / "snapline").chmod(mode)
    with pytest.raises(ConfigurationError, match=r"only you can enter.*XDG_RUNTIME_DIR"):
        folder()


def test_a_link_to_a_folder_is_refused(runtime: Path) -> None:
    (runtime / "elsewhere").mkdir(mode=0o700)
    (runtime / "snapline").symlink_to(runtime / "elsewhere")
    with pytest.raises(ConfigurationError, match="only you can enter"):
        folder()


def test_a_file_in_its_place_is_refused(runtime: Path) -> None:
    (runtime / "snapline").write_text("")
    with pytest.raises(ConfigurationError, match="snapline"):
        folder()


def test_a_path_that_is_too_long_for_a_socket_is_named(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = runtime / ("x" * 120)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    with pytest.raises(ConfigurationError, match=r"cannot create the socket.*shorter path"):
        listen_here()


def test_without_servers_there_is_nothing_to_say() -> None:
    assert list(servers()) == []


def test_a_server_says_when_a_task_runs_next_in_its_log_and_its_state(
    serve: Serve, runtime: Path
) -> None:
    (runtime / "p.yaml").write_text("snaps: {a: {snap: Mapper, mappings: {$a: $b}}}\n")
    (runtime / "once.yaml").write_text(
        "type: scheduled\npipeline: p.yaml\n"
        "schedule: {at: 2999-01-01T07:30, timezone: Europe/Berlin}\n"
    )
    files = runtime / "p.yaml", runtime / "once.yaml"
    environment = {"XDG_RUNTIME_DIR": str(runtime)}
    served = serve(*files, "--state", runtime / "state", environment=environment)
    line = "once: scheduled task; next run at 2999-01-01T07:30:00+01:00\n"
    served.wait_for(lambda: line in served.stderr)
    (server,) = servers()
    assert {task.name: task.next_run for task in server.tasks} == {
        "p": None,
        "once": "2999-01-01T07:30:00+01:00",
    }
