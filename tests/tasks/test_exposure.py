"""What a server shows: to which hosts, in errors, to pipelines, and in its files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from engine.tasks.front.access import AccessEntry, AccessLog
from engine.tasks.front.head import Head
from engine.tasks.scheduled.history import History
from tests.tasks.conftest import Serve, Served
from tests.tasks.hosting import in_loop
from tests.tasks.wire import CLOSE, answers, talk

ECHO = "snaps: {echo: {snap: Mapper, mappings: {$content: $}}}"
GUARDED = "type: ultra\npipeline: echo.yaml\nbearer_token: ${env:SECRET}\n"


def asked(served: Served, host: str, path: str = "/readyz") -> int:
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{': '.join(CLOSE)}\r\n\r\n"
    return answers(talk(served.port, request.encode()))[0].status


def test_a_server_of_this_machine_serves_no_other_names(serve: Serve, tmp_path: Path) -> None:
    """Otherwise a page elsewhere could let its name point here, and read the answers."""
    (tmp_path / "echo.yaml").write_text(ECHO)
    served = serve("echo.yaml", "--allow-host", "Digits.Example")
    for host in ("localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]", "digits.example:80"):
        assert asked(served, host) == 200, host
    for host in ("evil.example", "127.0.0.2", "localhost.evil.example"):
        assert asked(served, host) == 421, host
        assert asked(served, host, "/tasks/echo") == 421, host
    assert asked(served, "localhost", "http://evil.example/metrics") == 421


@pytest.mark.parametrize("address", ["LOCALHOST", "127.1"])
def test_it_does_so_however_its_address_is_written(
    serve: Serve, tmp_path: Path, address: str
) -> None:
    (tmp_path / "echo.yaml").write_text(ECHO)
    served = serve("echo.yaml", "--host", address, "--admin-port", "0", "--admin-host", address)
    assert [asked(served, host) for host in (address, "evil.example")] == [200, 421]


def test_any_name_is_served_if_the_operator_says_so(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "echo.yaml").write_text(ECHO)
    assert asked(serve("echo.yaml", "--allow-host", "*"), "any.example") == 200


@pytest.mark.parametrize("errors", ["full", "terse"])
def test_terse_errors_tell_nothing_of_the_server(serve: Serve, tmp_path: Path, errors: str) -> None:
    (tmp_path / "fail.yaml").write_text(
        "snaps: {fail: {snap: Mapper, mappings: {$a: $content.b.c.d}}}"
    )
    served = serve("fail.yaml", "--errors", errors)
    body = b"GET /tasks/fail HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    (response,) = answers(talk(served.port, body))
    assert response.status == 500
    told = response.json["error"]
    assert told == ("the request failed" if errors == "terse" else "the snap 'fail' failed")
    assert ("'fail'" in response.body.decode()) == (errors == "full")


@pytest.mark.parametrize("errors", ["full", "terse"])
def test_terse_errors_hold_within_a_stream(serve: Serve, tmp_path: Path, errors: str) -> None:
    (tmp_path / "fail.py").write_text(
        "def snaplogic_process(row):\n"
        "    yield {'content': 1}\n"
        "    raise ValueError('/etc/secret')\n"
    )
    (tmp_path / "fail.yaml").write_text(
        "snaps: {fail: {snap: RemotePythonScript, script: fail.py}}"
    )
    (tmp_path / "stream.yaml").write_text("type: ultra\npipeline: fail.yaml\nresponse: stream\n")
    served = serve("stream.yaml", "--errors", errors)
    said = talk(served.port, b"GET /tasks/stream HTTP/1.0\r\n\r\n")
    first, last = said.partition(b"\r\n\r\n")[2].splitlines()
    failure = json.loads(last)
    assert first == b"1"
    assert (failure["error"] == "the request failed") == (errors == "terse")
    assert ("secret" in failure["reason"]) == (errors == "full")
    served.wait_for(lambda: f"request {failure['request_id']}" in served.stderr)


@pytest.mark.parametrize("errors", ["full", "terse"])
def test_terse_errors_hold_for_results_that_are_polled(
    serve: Serve, tmp_path: Path, errors: str
) -> None:
    (tmp_path / "fail.yaml").write_text(
        "snaps: {fail: {snap: Mapper, mappings: {$a: $content.b.c.d}}}"
    )
    (tmp_path / "run.yaml").write_text("type: triggered\npipeline: fail.yaml\nresponse: poll\n")
    served = serve("run.yaml", "--errors", errors)
    head = "HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    (begun,) = answers(talk(served.port, f"POST /tasks/run {head}".encode()))
    assert begun.status == 202
    status = begun.json
    while status["state"] == "running":
        (known,) = answers(talk(served.port, f"GET {status['href']} {head}".encode()))
        status = known.json
    (result,) = answers(talk(served.port, f"GET {status['result']} {head}".encode()))
    assert result.status == 500
    assert ("'fail'" in result.body.decode()) == (errors == "full")


def test_a_caller_cannot_say_who_it_is(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "echo.yaml").write_text(ECHO)
    served = serve("echo.yaml")
    head = "HTTP/1.1\r\nHost: localhost\r\nAuth: root\r\nConnection: close\r\n\r\n"
    (response,) = answers(talk(served.port, f"GET /tasks/echo {head}".encode()))
    assert "auth" not in response.json


def test_the_token_that_the_server_checks_does_not_reach_the_pipeline(
    serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "echo.yaml").write_text(ECHO)
    (tmp_path / "guarded.yaml").write_text(GUARDED)
    served = serve("guarded.yaml", "echo.yaml", environment={"SECRET": "s3cret"})
    head = "HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s3cret\r\nConnection: close\r\n"
    for task, reaches in (("guarded", False), ("echo", True)):
        (response,) = answers(talk(served.port, f"GET /tasks/{task} {head}\r\n".encode()))
        assert response.status == 200
        assert ("authorization" in response.json) is reaches


def test_others_cannot_read_the_history(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with History(folder) as history:
        modes = {path: path.stat().st_mode & 0o777 for path in folder.rglob("*")}
        assert folder.stat().st_mode & 0o777 == 0o700
        assert modes[history.path] == 0o600


def test_others_cannot_lock_a_server_out_of_its_history(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)  # a folder that was there before
    before = os.umask(0)
    try:
        with History(tmp_path):
            files = [path for path in tmp_path.rglob("*") if path.is_file()]
            assert {path.stat().st_mode & 0o077 for path in files} == {0}
    finally:
        os.umask(before)


@in_loop
async def test_others_cannot_read_the_access_log(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    log = AccessLog(str(path))
    log.write(AccessEntry(Head("GET", "/", "", [], "127.0.0.1:1"), 200, 0, 0.0))
    log.close()
    assert path.stat().st_mode & 0o777 == 0o600
