"""What `engine serve` answers: to whom, to which paths, and to what it cannot take."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.tasks.conftest import Serve, Served
from tests.tasks.wire import CLOSE, answers, ask, message, talk

ECHO = "pipeline: Echo\nsnaps:\n  echo: {snap: Mapper, mappings: {$content: $}}\n"
GUARDED = """
name: guarded
type: ultra
pipeline: echo.yaml
bearer_token: ${env:SECRET}
allowed_origins: ["https://good.example"]
limits: {body: 1000}
"""
TOKEN = ("Authorization", "Bearer s3cret")
ORIGIN = ("Origin", "https://good.example")


@pytest.fixture
def served(serve: Serve, tmp_path: Path) -> Served:
    (tmp_path / "echo.yaml").write_text(ECHO)
    (tmp_path / "guarded.task.yaml").write_text(GUARDED)
    return serve("echo.yaml", "guarded.task.yaml", environment={"SECRET": "s3cret"})


def test_only_a_caller_that_sends_the_token_once_is_authorized(served: Served) -> None:
    for value in ("Bearer s3cret", "bearer s3cret"):
        assert ask(served.port, "GET", "/tasks/guarded", [("Authorization", value)]).status == 200
    wrong = ["", "Bearer", "Bearer ", "s3cret", "Basic s3cret", "Bearer s3cre", "Bearer s3cret2"]
    wrong += [
        "Bearer s3cret,Bearer s3cret",
        "Bearer s3cret x",
        "Bearer s3cret\xe9",
        "Bearer\ts3cret",
    ]
    for headers in ([], *([("Authorization", value)] for value in wrong), [TOKEN, TOKEN]):
        response = ask(served.port, "POST", "/tasks/guarded", headers, b"{}")
        assert response.status == 401, headers
        assert response.header("www-authenticate") == ["Bearer"]
        assert "Authorization: Bearer TOKEN" in response.json["resolution"]
    trick = [("X-HTTP-Method-Override", "OPTIONS"), ("Access-Control-Request-Method", "GET")]
    assert ask(served.port, "GET", "/tasks/guarded", trick).status == 401
    assert ask(served.port, "OPTIONS", "/tasks/guarded").body == b""


def test_capitals_in_schemes_and_names_make_no_difference(served: Served) -> None:
    for name, value in (("AUTHORIZATION", "BEARER s3cret"), ("aUTHORIZATION", "bEaReR s3cret")):
        for target in ("/tasks/guarded", "HTTP://LOCALHOST/tasks/guarded"):
            assert ask(served.port, "GET", target, [(name, value)]).status == 200
    assert ask(served.port, "GET", "/tasks/Guarded", [TOKEN]).status == 404
    twice = [("Authorization", "Bearer s3cret"), ("AUTHORIZATION", "Bearer s3cret")]
    assert ask(served.port, "GET", "/tasks/guarded", twice).status == 401


def test_only_pages_that_are_allowed_may_call(served: Served) -> None:
    asks = ("Access-Control-Request-Method", "POST")
    response = ask(served.port, "OPTIONS", "/tasks/guarded", [ORIGIN, asks])
    assert response.status == 204
    assert response.header("access-control-allow-origin") == ["https://good.example"]
    assert response.header("vary") == ["origin"]
    for path, origin in (("/tasks/guarded", "https://evil.example"), ("/tasks/echo", ORIGIN[1])):
        response = ask(served.port, "OPTIONS", path, [("Origin", origin), asks])
        assert response.status == 403
        assert origin in response.json["reason"]
        assert response.header("access-control-allow-origin") == []
    refused = ask(served.port, "POST", "/tasks/guarded", [ORIGIN], b"{}")
    assert refused.status == 401
    assert refused.header("access-control-allow-origin") == ["https://good.example"]
    large = ask(served.port, "POST", "/tasks/guarded", [ORIGIN, TOKEN], bytes(2000))
    assert large.status == 413
    assert large.header("access-control-allow-origin") == ["https://good.example"]


def test_a_task_has_one_path_and_what_follows_it(served: Served) -> None:
    for path, path_info in (
        ("/tasks/echo", ""),
        ("/tasks/ech%6f", ""),
        ("http://localhost/tasks/echo", ""),
        ("/tasks/echo/", "/"),
        ("/tasks/echo/a%2Fb/../c", "/a/b/../c"),
    ):
        assert ask(served.port, "GET", path).json["path_info"] == path_info
    for path in (
        "/", "/tasks", "/tasks/", "/tasks//echo", "//tasks/echo", "/tasks/../echo", "/tasks/./echo",
        "/tasks/%2e%2e/echo", "/tasks/echo%2Fx", "/tasks/echo%00", "/tasks/Echo", "/%74asks/echo",
        "/tasks/%C3%A4", "/tasks/echo%3F", "/metrics/", "/healthz/../tasks/echo",
    ):  # fmt: skip
        response = ask(served.port, "GET", path)
        assert response.status == 404, path
        assert "echo" in response.json["resolution"]


def test_pages_can_be_read_and_nothing_else(served: Served) -> None:
    for page in ("/healthz", "/readyz?x=1", "/metrics"):
        assert ask(served.port, "GET", page).status == 200
        assert ask(served.port, "HEAD", page).body == b""
        response = ask(served.port, "POST", page, (), b"{}")
        assert response.status == 405
        assert response.header("allow") == ["GET, HEAD"]


def test_a_body_that_is_not_what_it_says_is_refused_and_named(served: Served) -> None:
    for headers, body, status, reason in (
        ([], b"{", 400, "the body is not valid JSON"),
        ([("Content-Type", "application/json")], b"[" * 100_000, 400, "nested too deeply"),
        ([("Content-Encoding", "gzip")], b"\x1f\x8b", 415, "content encoding 'gzip'"),
        ([("Content-Type", "text/plain; charset=rot13")], b"x", 400, "charset 'rot13'"),
        (
            [("Transfer-Encoding", "gzip, chunked")],
            b"1\r\n1\r\n0\r\n\r\n",
            501,
            "'gzip, chunked'",
        ),
    ):
        response = ask(served.port, "POST", "/tasks/echo", headers, body)
        assert response.status == status
        assert reason in response.json["reason"]
        assert response.json["resolution"]


def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_not(served: Served) -> None:
    for size, status in ((1000, 200), (1001, 413)):
        body = b'"' + b"a" * (size - 2) + b'"'
        assert ask(served.port, "POST", "/tasks/guarded", [TOKEN], body).status == status
        chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (size, body)
        headers = [TOKEN, ("Transfer-Encoding", "chunked")]
        assert ask(served.port, "POST", "/tasks/guarded", headers, chunked).status == status


def memory(served: Served) -> int:
    """The most it has needed, in KiB."""
    lines = Path(f"/proc/{served.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def test_a_huge_body_is_refused_before_it_fills_the_memory(served: Served) -> None:
    before = memory(served)
    for chunked in (False, True):
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
        pieces = (bytes(1_000_000) for _ in range(100))
        headers = {} if chunked else {"Content-Length": "100000000"}
        connection.request("POST", "/tasks/echo", pieces, headers, encode_chunked=chunked)
        answer = connection.getresponse()
        assert answer.status == 413
        assert b"at most 10,485,760 bytes" in answer.read()
        connection.close()
    assert memory(served) - before < 60_000
    assert ask(served.port, "GET", "/tasks/echo").status == 200


def test_idle_connections_do_not_block_others(served: Served) -> None:
    idle = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(2000)]
    try:
        assert ask(served.port, "GET", "/tasks/echo").status == 200
    finally:
        for connection in idle:
            connection.close()


def test_hundreds_of_requests_in_one_go_are_answered_in_order(served: Served) -> None:
    first = message("POST", "/tasks/echo", (), b"0")
    rest = [message("OPTIONS", "/tasks/guarded") for _ in range(900)]
    last = message("POST", "/tasks/echo", [CLOSE], b"1")
    response = answers(talk(served.port, b"".join([first, *rest, last])))
    assert [each.status for each in response] == [200, *([204] * 900), 200]
    assert response[-1].json["content"] == 1


def test_metrics_count_what_was_answered(served: Served) -> None:
    for _ in range(3):
        ask(served.port, "GET", "/tasks/guarded")
    text = ask(served.port, "GET", "/metrics").body.decode()
    counted = {
        (sample.labels["task"], sample.labels["status"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "snapline_requests_total"
    }
    assert counted["guarded", "401"] == 3


def test_what_cannot_be_read_is_counted_and_logged(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "echo.yaml").write_text(ECHO)
    served = serve("echo.yaml", "--access-log", "access.log")
    talk(served.port, b"NONSENSE\r\n\r\n")
    metrics = ask(served.port, "GET", "/metrics").body
    assert b'snapline_unread_requests_total{status="400"} 1.0' in metrics
    served.stop()
    lines = (tmp_path / "access.log").read_text().splitlines()
    assert any('"- - HTTP/1.1" 400 ' in line for line in lines)
