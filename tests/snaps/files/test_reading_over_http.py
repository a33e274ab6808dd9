"""FileReader on http: one GET for each file, and messages for every kind of failure."""

from __future__ import annotations

import gzip
import io
import os
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from engine.documents import StreamEnd
from tests.http_server import Received, Reply, Server, serving, without_proxies
from tests.run.fetching import free_port


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


@pytest.fixture
def read(run_snap: Any) -> Callable[..., Any]:
    """The pieces that a FileReader returns for a URL, and its error documents."""

    def run(url: str, **settings: Any) -> Any:
        result = run_snap("FileReader", {"file": url, **settings}, [{}], on_error="route")
        return result.output, result.errors

    return run


@contextmanager
def answering(*replies: Reply | None) -> Iterator[Server]:
    """A server that sends these replies in turn, and then repeats the last one."""
    waiting = list(replies)

    def handler(request: Received) -> Reply | None:
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    with serving(handler) as server:
        yield server


def test_one_file_is_one_request(read: Any, content: Any) -> None:
    data = os.urandom(3_000_000)
    with answering(Reply(body=data, headers={"Content-Type": "image/png"})) as server:
        pieces, errors = read(f"{server.url}/a.bin?token=once#part")
    assert content(pieces) == data
    assert errors == []
    (request,) = server.requests
    assert (request.method, request.path) == ("GET", "/a.bin?token=once")
    assert "range" not in request.headers
    header = pieces[0].header
    assert (header["content-length"], header["content-type"]) == (3_000_000, "image/png")
    assert header["content-location"] == f"{server.url}/a.bin?token=once#part"


def test_a_file_that_changes_between_requests_is_never_mixed(read: Any, content: Any) -> None:
    versions = [Reply(body=bytes([65 + n]) * 400_000) for n in range(9)]
    with answering(*versions) as server:
        pieces, _ = read(f"{server.url}/a.bin")
    assert content(pieces) == b"A" * 400_000


def test_a_scheme_in_capitals_is_known(read: Any, content: Any) -> None:
    with answering(Reply(body=b"x")) as server:
        pieces, _ = read(server.url.replace("http", "HTTP") + "/a")
    assert content(pieces) == b"x"


def test_redirects_are_followed(read: Any, content: Any) -> None:
    with answering(Reply(302, headers={"Location": "/b?sig=a%2Bb"}), Reply(body=b"x")) as server:
        pieces, _ = read(f"{server.url}/a")
    assert content(pieces) == b"x"
    assert [request.path for request in server.requests] == ["/a", "/b?sig=a%2Bb"]


@pytest.mark.parametrize("cut", [1, 250_000])
def test_a_file_that_is_cut_short_ends_a_broken_stream(read: Any, cut: int) -> None:
    with answering(Reply(body=b"x" * 300_000, cut=cut)) as server:
        pieces, errors = read(f"{server.url}/a")
    assert pieces[-1] == StreamEnd(broken=True)
    assert "cannot read the file" in errors[0]["error"]


def test_a_content_coding_is_undone(read: Any, content: Any) -> None:
    data = b"text " * 100_000
    reply = Reply(body=gzip.compress(data), headers={"Content-Encoding": "gzip"})
    with answering(reply) as server:
        pieces, errors = read(f"{server.url}/a.txt")
    assert (content(pieces), errors) == (data, [])
    assert "content-length" not in pieces[0].header
    assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("body", [gzip.compress(os.urandom(1000))[:-100], b"plain"])
def test_a_content_coding_that_is_wrong_is_an_error(read: Any, body: bytes) -> None:
    with answering(Reply(body=body, headers={"Content-Encoding": "gzip"})) as server:
        pieces, errors = read(f"{server.url}/a.txt")
    assert pieces[-1] == StreamEnd(broken=True)
    assert "gzip" in errors[0]["reason"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "asks for a login"),
        (403, "refuses access"),
        (404, "does not exist on the server"),
        (410, "removed from the server"),
        (429, "too many requests"),
        (500, "status 500"),
        (503, "temporarily unavailable"),
        (418, "status 418"),
        (304, "status 304"),
    ],
)
def test_the_message_explains_the_status(read: Any, status: int, reason: str) -> None:
    with answering(Reply(status, body=b"" if status == 304 else b"no")) as server:
        pieces, errors = read(f"{server.url}/a")
    assert pieces == []
    assert reason in errors[0]["reason"]
    assert errors[0]["status"] == errors[0]["statusCode"] == status
    assert len(server.requests) == 1
    if status != 404:
        assert "does not exist" not in errors[0]["reason"]


def test_a_refused_connection_is_reported(read: Any) -> None:
    _, errors = read(f"http://127.0.0.1:{free_port()}/a")
    assert "refused" in errors[0]["reason"]


def test_an_unknown_host_is_reported(read: Any) -> None:
    _, errors = read("http://no-such-host.invalid/a")
    assert "no-such-host.invalid" in errors[0]["reason"]
    assert "does not exist" not in errors[0]["reason"]


def test_a_redirect_loop_is_reported(read: Any) -> None:
    with answering(Reply(302, headers={"Location": "/a"})) as server:
        _, errors = read(f"{server.url}/a")
    assert "redirected more than" in errors[0]["reason"]
    assert "follow_redirects" not in errors[0]["resolution"]  # FileReader has no such setting


def test_a_response_that_is_not_http_is_reported(read: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_say_hello, args=(listener,), daemon=True)
        thread.start()
        _, errors = read(f"http://127.0.0.1:{listener.getsockname()[1]}/a")
        thread.join()
    assert "HTTP" in errors[0]["reason"]
    assert "does not exist" not in errors[0]["reason"]


def _say_hello(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1000)
        connection.sendall(b"220 hello, this is not the web\r\n\r\n")


def test_a_password_in_the_url_is_shown_in_no_message(read: Any) -> None:
    _, errors = read(f"http://ann:geheim@127.0.0.1:{free_port()}/a")
    assert "geheim" not in errors[0]["error"] + errors[0]["reason"] + errors[0]["resolution"]


def test_tries_again_until_the_server_is_available(read: Any, content: Any) -> None:
    with answering(Reply(503), Reply(503), Reply(body=b"there")) as server:
        pieces, errors = read(f"{server.url}/a", retries=2, retry_interval=0)
    assert (content(pieces), errors) == (b"there", [])
    assert len(server.requests) == 3


def test_a_compressed_file_or_a_member_takes_one_request(read: Any, content: Any) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("in/a.json", "{}")
    for chain, body in [
        ("gzip::{}/a.json.gz", gzip.compress(b"{}")),
        ("zip://in/a.json::{}/a.zip", archive.getvalue()),
    ]:
        with answering(Reply(body=body)) as server:
            pieces, errors = read(chain.format(server.url))
        assert (content(pieces), errors) == (b"{}", [])
        assert len(server.requests) == 1


def test_canned_responses_stand_in_for_servers(run_snap: Any, content: Any) -> None:
    from engine.sdk import HttpResponse
    from engine.testing.http import CannedHttp

    http = CannedHttp({"GET https://example.org/a.txt": HttpResponse(200, body=b"there")})
    result = run_snap("FileReader", {"file": "https://example.org/a.txt"}, http=http)
    assert content(result.output) == b"there"


def test_a_url_may_contain_two_colons(read: Any) -> None:
    with answering(Reply(body=b"x")) as server:
        read(f"{server.url}/a::b")
    assert server.requests[0].path == "/a::b"
    port = free_port()
    _, (error,) = read(f"http://[::1]:{port}/a")
    assert error["reason"].startswith(f"no connection to [::1]:{port}")
