"""The admin port and `engine tasks ACTION`: the same operations, for those who may."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main
from engine.tasks.definition.token_hash import digest_of, written_hash
from engine.tasks.server import event_stream
from engine.tasks.server.event_stream import EventStream
from engine.tasks.server.operations import Operations
from engine.tasks.server.states import ServerState, TaskState
from tests.tasks.callers import in_background
from tests.tasks.conftest import Serve, Served, servers
from tests.tasks.hosting import in_loop
from tests.tasks.wire import Answer, ask

ECHO = """
parameters: {secret: {secret: true, default: hidden}}
snaps: {echo: {snap: Mapper, mappings: {$content.n: $content.n}}}
"""
GENERATE = "snaps: {one: {snap: JSONGenerator, documents: [{a: 1}]}}"
NIGHTLY = "type: scheduled\npipeline: generate.yaml\nschedule: {at: 2999-01-01}\n"
TOKENS = f"tokens:\n- {{name: ops, hash: '{written_hash(digest_of('op-token'))}'}}\n"
TOKEN = ("Authorization", "Bearer op-token")


def admin_port(served: Served) -> int:
    found = served.wait_for(lambda: re.search(r"admin port at \S+:(\d+)", served.stderr))
    return int(found[1])


@pytest.fixture(scope="module")
def admin(served: Served) -> int:
    return admin_port(served)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("admin")
    (folder / "echo.yaml").write_text(ECHO)
    (folder / "generate.yaml").write_text(GENERATE)
    (folder / "orders.yaml").write_text("type: ultra\npipeline: echo.yaml\n")
    (folder / "nightly.yaml").write_text(NIGHTLY)
    (folder / "tokens.yaml").write_text(TOKENS)
    options = ["--admin-port", "0", "--admin-tokens", folder / "tokens.yaml"]
    with servers(folder) as serve:
        yield serve(
            *("orders.yaml", "nightly.yaml", "--state", folder / "state", *options),
            environment={"XDG_RUNTIME_DIR": str(folder)},
        )


@pytest.fixture(autouse=True)
def runtime(served: Served, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = served._log.parent
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return folder


def get(port: int, path: str) -> Answer:
    return ask(port, "GET", path, [TOKEN])


def post(port: int, path: str) -> Answer:
    return ask(port, "POST", path, [TOKEN], b"")


def call(served: Served, task: str = "orders") -> int:
    return ask(served.port, "POST", f"/tasks/{task}", (), b'{"n": 1}').status


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["tasks", *arguments])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_only_those_with_a_token_get_in(served: Served, admin: int) -> None:
    for headers in ([], [("Authorization", "Bearer wrong")], [TOKEN, TOKEN]):
        for method, path in (("GET", "/tasks"), ("POST", "/tasks/orders/pause"), ("GET", "/x")):
            assert ask(admin, method, path, headers).status == 401
    assert call(served) == 200
    assert get(admin, "/tasks").status == 200


def test_no_page_elsewhere_can_use_it(admin: int) -> None:
    for header in (("Origin", "http://localhost"), ("Sec-Fetch-Site", "cross-site")):
        assert ask(admin, "POST", "/tasks/orders/pause", [TOKEN, header]).status == 403
    request = f"GET /tasks HTTP/1.1\r\nHost: evil.example\r\n{': '.join(TOKEN)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", admin), timeout=30) as connection:
        connection.sendall(request.encode())
        assert b" 421 " in connection.recv(100)


def test_it_lists_the_tasks(served: Served, admin: int) -> None:
    tasks = {task["name"]: task for task in get(admin, "/tasks").json["tasks"]}
    assert tasks["orders"]["url"] == f"{served.url}/tasks/orders"
    assert tasks["nightly"]["next_run"] == "2999-01-01T00:00:00+00:00"
    assert get(admin, "/tasks/orders").json["type"] == "ultra"
    assert get(admin, "/healthz").body == b"ok\n"
    assert b"snapline_requests" in get(admin, "/metrics").body


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/", 404, "the pages are /tasks"),
        ("GET", "/tasks/order", 404, "did you mean 'orders'?"),
        ("GET", "/tasks/orders/x", 404, "the pages are"),
        ("GET", "/tasks/orders/pause", 405, "use POST"),
        ("POST", "/tasks/orders/plan", 405, "read-only"),
        ("POST", "/tasks", 404, "the pages are"),
        ("POST", "/tasks/orders/run", 409, "only scheduled tasks have runs"),
        ("GET", "/tasks/orders/history", 409, "only scheduled tasks have runs"),
        ("GET", "/tasks/nightly/history?limit=0", 400, "'0' is not a limit"),
        ("GET", "/tasks/nightly/history?limit=99999999999999999999", 400, "is not a limit"),
        ("GET", "/tasks/orders/tap?view=ech", 400, "did you mean 'echo'?"),
        ("GET", "/tasks/%ff/plan", 404, "there is no task"),
    ],
)
def test_what_cannot_be_done_is_said(
    admin: int, method: str, path: str, status: int, text: str
) -> None:
    answer = ask(admin, method, path, [TOKEN])
    assert answer.status == status
    assert text in answer.body.decode()


def test_a_paused_task_refuses_work_until_it_is_resumed(served: Served, admin: int) -> None:
    assert post(admin, "/tasks/orders/pause").json["state"] == "paused"
    try:
        refused = ask(served.port, "POST", "/tasks/orders", (), b"{}")
        assert refused.status == 503
        assert refused.json["error"] == "the task is paused"
        assert refused.header("retry-after") == ["10"]
        ready = ask(served.port, "GET", "/readyz")
        assert (ready.status, ready.body) == (200, b"ready\npaused: orders\n")
    finally:
        assert post(admin, "/tasks/orders/resume").json["state"] == "ready"
    assert call(served) == 200
    served.wait_for(lambda: "operator ops: POST /tasks/orders/pause" in served.stderr)


def test_a_drained_task_has_no_processes_until_it_is_resumed(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    requests = call(served)
    assert requests == 200
    assert command(capsys, "drain", "orders") == (0, "orders: drained\n")
    code, said = command(capsys, "resume", "orders", "--json")
    assert code == 0
    state = json.loads(said)
    assert state["state"] in ("starting", "ready")
    assert state["requests"] > 0
    served.wait_for(lambda: call(served) == 200)


def test_a_reload_of_a_drained_task_waits_for_resume(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(capsys, "drain", "orders")[0] == 0
    assert command(capsys, "reload", "orders") == (0, "orders: reloaded, drained\n")
    assert call(served) == 503
    assert command(capsys, "resume", "orders")[0] == 0
    served.wait_for(lambda: call(served) == 200)


def test_changes_that_come_at_once_end_well(served: Served, admin: int) -> None:
    paths = [f"/tasks/orders/{action}" for action in ("reload", "drain", "reload", "resume")]
    changes = [in_background(post, admin, path) for path in paths * 2]
    for change in changes:
        change.join()
        assert change.result.status == 200
    assert post(admin, "/tasks/orders/resume").status == 200
    served.wait_for(lambda: call(served) == 200)


def test_one_task_is_reloaded_alone(
    served: Served, runtime: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = runtime / "nightly.yaml"
    broken.write_text("type: nothing\n")
    try:
        (runtime / "orders.yaml").write_text(
            "type: ultra\npipeline: echo.yaml\nfiltered_status: 404\n"
        )
        assert command(capsys, "reload", "orders") == (0, "orders: reloaded, ready\n")
        code, said = command(capsys, "reload", "nightly")
        assert code == 2
        assert "nightly.yaml:1" in said
        (runtime / "orders.yaml").write_text("name: other\ntype: ultra\npipeline: echo.yaml\n")
        code, said = command(capsys, "reload", "orders")
        assert code == 2
        assert "now names its task 'other'" in said
        assert "SIGHUP" in said
    finally:
        (runtime / "orders.yaml").write_text("type: ultra\npipeline: echo.yaml\n")
        broken.write_text(NIGHTLY)
    assert call(served) == 200


def test_a_schedule_runs_now_and_its_history_shows_it(
    served: Served, admin: int, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = command(capsys, "run", "nightly")
    assert (code, said) == (0, "nightly: run started; see engine tasks history nightly\n")

    def completed() -> Any:
        return [each["status"] for each in get(admin, "/tasks/nightly/history").json][:1] == [
            "completed"
        ]

    served.wait_for(completed)
    run = json.loads(command(capsys, "history", "nightly", "--json")[1])[0]
    assert run["counts"]["snaps"][0]["views"]["out"]["output"] == 1
    assert get(admin, "/tasks/nightly").json["next_run"] == "2999-01-01T00:00:00+00:00"


def test_a_paused_schedule_has_no_next_run(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(capsys, "pause", "nightly") == (0, "nightly: paused\n")
    state = json.loads(command(capsys, "pause", "nightly", "--json")[1])
    assert state["next_run"] is None
    assert command(capsys, "reload", "nightly")[0] == 0
    assert json.loads(command(capsys, "pause", "nightly", "--json")[1])["next_run"] is None
    assert command(capsys, "drain", "nightly") == (0, "nightly: drained\n")
    state = json.loads(command(capsys, "resume", "nightly", "--json")[1])
    assert state["next_run"] == "2999-01-01T00:00:00+00:00"


def test_the_plan_shows_no_secrets(admin: int) -> None:
    plan = get(admin, "/tasks/orders/plan")
    assert b"hidden" not in plan.body
    assert plan.json["parameters"][0] == {
        "name": "secret",
        "required": False,
        "secret": True,
        "default": None,
    }
    assert plan.json["open_inputs"] == ["echo.input"]


def test_documents_are_counted_by_view(served: Served, admin: int) -> None:
    assert call(served) == 200

    def counted() -> Any:
        snaps = get(admin, "/tasks/orders/counts").json  # none before the first report
        views = [snap["views"] for snap in snaps]
        return any(each["in"].get("input") and each["out"].get("output") for each in views)

    served.wait_for(counted)


def test_events_tell_what_has_changed(served: Served, admin: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", admin, timeout=30)
    connection.request("GET", "/events", headers=dict([TOKEN]))
    response = connection.getresponse()
    try:
        assert response.getheader("content-type") == "text/event-stream"
        seen: set[tuple[str, str]] = set()
        while len(seen) < 4:
            line = response.readline().decode()
            if line.startswith("event: "):
                kind = line.split()[1]
            if line.startswith("data: "):
                seen.add((kind, json.loads(line[6:])["name"]))
        assert seen == {(k, n) for k in ("state", "counts") for n in ("orders", "nightly")}
        post(admin, "/tasks/nightly/pause")
        while '"state":"paused"' not in (line := response.readline().decode()):
            assert line
    finally:
        response.close()
        connection.close()
        post(admin, "/tasks/nightly/resume")


def test_readers_that_stall_disturb_nobody(served: Served, admin: int) -> None:
    stalled = []
    request = f"GET /events HTTP/1.1\r\nHost: localhost\r\n{': '.join(TOKEN)}\r\n\r\n"
    try:
        for _ in range(20):
            connection = socket.create_connection(("127.0.0.1", admin), timeout=30)
            connection.sendall(request.encode())
            stalled.append(connection)
        assert all(call(served) == 200 for _ in range(20))
        assert get(admin, "/tasks").status == 200
    finally:
        for connection in stalled:
            connection.close()


class TestEvents:
    """One stream against a server that changes."""

    def stream(self, states: list[TaskState]) -> EventStream:
        class Tasks(Operations):
            def __init__(self) -> None:
                self.state = lambda: ServerState(1, "", states)

            def find(self, name: str) -> Any:
                return self

            def snap_counts(self) -> list[Any]:
                return []

        return EventStream(Tasks())

    def state(self, name: str, requests: int = 0) -> TaskState:
        return TaskState(name, "ultra", "p.yaml", "", "ready", 1, requests, 0, 0, None, None)

    @in_loop
    async def test_only_changes_are_sent_and_a_comment_if_there_are_none(self) -> None:
        looks, silent = event_stream.LOOK_SECONDS, event_stream.SILENT_LOOKS
        event_stream.LOOK_SECONDS, event_stream.SILENT_LOOKS = 0.0, 2
        try:
            states = [self.state("a"), self.state("b")]
            stream = self.stream(states)
            first = await anext(stream)
            assert first.startswith(b"retry: 2000\n\n")
            assert first.count(b"event: state") == first.count(b"event: counts") == 2
            assert await anext(stream) == b": nothing has changed\n\n"
            states[:] = [self.state("b", 1)]
            events = await anext(stream)
            assert events.count(b"event: ") == 2
            assert b'event: removed\ndata: {"name":"a"}' in events
            assert b'"requests":1' in events
            await stream.aclose()
        finally:
            event_stream.LOOK_SECONDS, event_stream.SILENT_LOOKS = looks, silent

    @in_loop
    async def test_a_reader_that_is_slow_keeps_nothing_waiting(self) -> None:
        states = [self.state("a")]
        stream = self.stream(states)
        await anext(stream)
        for number in range(10_000):
            states[:] = [self.state("a", number)]
        async with asyncio.timeout(20):
            events = await anext(stream)
        assert events.count(b"event: ") == 1
        assert b'"requests":9999' in events


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--admin-port", "1", "--admin-host", "0.0.0.0"], "so it needs --admin-tokens FILE"),
        (["--admin-port", "70000"], "--admin-port must be between 0 and 65535"),
        (["--admin-tokens", "x"], "--admin-tokens does nothing without --admin-port"),
        (["--admin-port", "0", "--admin-tokens", "gone.yaml"], "gone.yaml"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    options: list[str], message: str, runtime: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", str(runtime / "echo.yaml"), "--port", "0", *options]) == 2
    assert message in capsys.readouterr().err


def test_without_tokens_it_is_open_on_this_machine_only(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "echo.yaml").write_text(ECHO)
    port = admin_port(serve("echo.yaml", "--admin-port", "0"))
    assert ask(port, "GET", "/tasks").status == 200
    assert ask(port, "POST", "/tasks/echo/pause", [("Origin", "null")]).status == 403


def test_an_action_needs_a_task(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = command(capsys, "pause")
    assert code == 2
    assert "name a task: engine tasks pause NAME" in said
