"""`engine tap` shows documents that cross the links of a hosted task, while it answers requests."""

from __future__ import annotations

import _thread
import http.client
import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from engine.cli import main
from engine.tasks.pool.tap_board import TapBoard
from engine.tasks.server.control import servers as running_servers
from engine.tasks.server.control import tap
from engine.tasks.server.tapping import MAX_WAITING, TapLines
from engine.tasks.wire.messages import AttachTap, DetachTap, Tapped
from engine.tasks.worker.process_taps import BURST_SECONDS, SHARE, PacedTap
from tests.tasks.conftest import Served, servers
from tests.tasks.hosting import in_loop

ORDERS = """
parameters: {token: {required: true, secret: true}}
snaps:
  keep: {snap: Filter, filter: $content.n % 2 == 1}
  shape: {snap: Mapper, mappings: {$m: $content.n, $token: _token, $list: $content.list}}
links: [keep -> shape]
"""
BATCH = "snaps: {double: {snap: Mapper, mappings: {$m: $n * 2}}}"
TOKEN = "hunter2-hunter2"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("tap")
    (folder / "orders.yaml").write_text(ORDERS)
    (folder / "batch.yaml").write_text(BATCH)
    (folder / "task.yaml").write_text(
        "type: triggered\npipeline: batch.yaml\nname: batch\ninstances: 1\n"
    )
    with servers(folder) as serve:
        files = folder / "orders.yaml", folder / "task.yaml"
        environment = {"XDG_RUNTIME_DIR": str(folder)}
        yield serve(*files, "--param", f"token={TOKEN}", environment=environment)


@pytest.fixture(autouse=True)
def runtime(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(served._log.parent))


def post(served: Served, task: str, content: Any) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", served.port)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", f"/tasks/{task}", json.dumps(content), headers)
        return json.loads(connection.getresponse().read() or b"null")
    finally:
        connection.close()


@contextmanager
def calls(served: Served, task: str, content: Callable[[int], Any]) -> Iterator[None]:
    """Call the task, again and again, while the block runs."""
    ended = threading.Event()

    def call() -> None:
        try:
            for number in itertools.count(1):
                if ended.is_set():
                    return
                post(served, task, content(number))
        except BaseException:
            _thread.interrupt_main()  # it would wait for documents forever
            raise

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Callable[..., list[dict[str, Any]]]:
    """What `engine tap` prints with these arguments."""

    def run(*arguments: str) -> list[dict[str, Any]]:
        assert main(["tap", *arguments]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def test_documents_of_an_ultra_task_are_shown_without_secrets(
    served: Served, shown: Callable[..., list[dict[str, Any]]]
) -> None:
    with calls(served, "orders", lambda n: {"n": n, "list": [0.5, n]}):
        found = shown("orders/shape", "--limit", "2")
    first = found[0]["document"]
    assert first == {"m": first["m"], "token": "***", "list": [0.5, first["m"]]}
    assert [each["label"] for each in found] == ["shape", "shape"]
    assert found[1]["number"] > found[0]["number"]  # a tap that has used its time misses some
    assert found[1]["document"]["m"] > first["m"]


def test_a_filter_chooses_among_the_requests(
    served: Served, shown: Callable[..., list[dict[str, Any]]]
) -> None:
    with calls(served, "orders", lambda n: {"n": n, "list": []}):
        found = shown("orders/keep.input", "--filter", "$content.n % 5 == 0", "--limit", "2")
    assert [each["view"] for each in found] == ["input", "input"]
    assert all(each["document"]["content"]["n"] % 5 == 0 for each in found)


def test_runs_of_a_triggered_task_are_shown(
    served: Served, shown: Callable[..., list[dict[str, Any]]]
) -> None:
    with calls(served, "batch", lambda n: {"n": n}):
        found = shown("batch", "--limit", "2")
    assert [each["number"] for each in found] == [1, 1]
    assert found[0]["document"]["m"] < found[1]["document"]["m"]


def test_a_tap_is_detached_when_its_client_goes(served: Served) -> None:
    (server,) = running_servers()
    lines = tap(server, "orders", "*", "")
    assert json.loads(next(lines)) == {
        "tapping": ["keep.output", "keep.error", "shape.output", "shape.error"]
    }
    lines.close()
    assert post(served, "orders", {"n": 1, "list": []})["m"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["order"], "engine: there is no task 'order'; did you mean 'orders'?"),
        (["orders/kep"], "engine: there is no snap 'kep'; did you mean 'keep'?"),
        (["orders/keep.x"], "engine: 'keep' has no view 'x'; its views are: output, error, input"),
        (["orders", "--filter", "$a >"], "engine: the filter is not valid: expected an expression"),
        (["orders", "--server", "1"], "engine: no server with the process id 1 is running"),
    ],
)
def test_what_cannot_be_tapped_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tap", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("said", [b"", b"\x00\xff\n\n", b"GET / HTTP/9.9\r\n\r\n"])
def test_a_stranger_on_the_socket_does_no_harm(served: Served, said: bytes) -> None:
    folder = served._log.parent / "snapline"
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(str(folder / f"{served.pid}.sock"))
        stranger.sendall(said)
        stranger.shutdown(socket.SHUT_WR)
        while stranger.recv(1000):
            pass
    assert [server.pid for server in running_servers()] == [served.pid]


@in_loop
async def test_a_client_that_does_not_read_misses_documents_and_is_told_how_many() -> None:
    lines = TapLines()
    line = b"x" * (MAX_WAITING // 2)
    for _ in range(3):
        lines.show(Tapped(1, line, 0))
    lines.show(Tapped(1, b"{}", 0))
    lines.show(Tapped(1, b"{}", 3))
    assert await lines.next() == (line + b"\n") * 2
    lines.show(Tapped(1, b'{"label":1}', 0))
    assert await lines.next() == b'{"missed":6}\n{"label":1}\n'


def test_a_tap_uses_a_small_share_of_the_time() -> None:
    now = 0.0
    sent: list[Tapped] = []
    paced = PacedTap(1, sent.append, lambda: now)
    work = BURST_SECONDS / 2
    begun = 0
    for _ in range(1000):
        if paced.begin():
            begun += 1
            now += work
            paced.end()
        now += work
    assert begun * work <= now * SHARE + 2 * BURST_SECONDS
    assert begun > 5
    assert sum(message.missed for message in sent) > 900


class Channel:
    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, message: Any) -> None:
        self.sent.append(message)


def test_processes_that_start_later_are_tapped_too_until_the_tap_ends() -> None:
    board = TapBoard()
    old, new = Channel(), Channel()
    board.joined(old)  # type: ignore[arg-type]
    shown: list[Tapped] = []
    number = board.attach(["keep"], "$n > 1", shown.append)
    board.joined(new)  # type: ignore[arg-type]
    board.left(old)  # type: ignore[arg-type]
    board.received(Tapped(number, b"{}", 0))
    board.detach(number)
    board.received(Tapped(number, b"{}", 0))
    assert old.sent == [AttachTap(number, ["keep"], "$n > 1")]
    assert new.sent == [AttachTap(number, ["keep"], "$n > 1"), DetachTap(number)]
    assert shown == [Tapped(number, b"{}", 0)]
