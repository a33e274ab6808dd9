"""The HTTP client of a run, against servers on the loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from engine.errors import DataError, ExecutionError
from engine.run.http import LoopClient
from engine.sdk.http import HttpOptions, HttpRequest
from tests.http_server import Reply, Silence, serving, without_proxies
from tests.run.fetching import echo, fetch, free_port


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


def test_returns_status_headers_and_body(client: LoopClient) -> None:
    with serving(lambda _: Reply(418, b"short", {"X-Kind": "tea"})) as server:
        response = fetch(client, f"{server.url}/pot?a=1", "POST", b"x", (("X-From", "test"),))
        (request,) = server.requests
    assert (response.status, response.reason, response.body) == (418, "I'm a Teapot", b"short")
    assert response.version == "HTTP/1.1"
    assert response.header("x-kind") == "tea"
    assert (request.method, request.path, request.body) == ("POST", "/pot?a=1", b"x")
    assert request.headers["x-from"] == "test"


def test_requests_one_after_the_other_share_a_connection(client: LoopClient) -> None:
    with serving(echo) as server:
        for _ in range(3):
            fetch(client, server.url)
        assert len({request.connection for request in server.requests}) == 1


def test_cookies_are_not_kept(client: LoopClient) -> None:
    with serving(lambda _: Reply(200, b"", {"Set-Cookie": "a=1"})) as server:
        fetch(client, server.url)
        fetch(client, server.url)
        assert "cookie" not in server.requests[1].headers


def test_user_and_password_of_the_url_become_a_header(client: LoopClient) -> None:
    with serving(echo) as server:
        fetch(client, server.url.replace("//", "//ann:s%2Fp@"))
        assert server.requests[0].headers["authorization"] == "Basic YW5uOnMvcA=="


def test_a_header_for_authorization_wins_over_the_url(client: LoopClient) -> None:
    with serving(echo) as server:
        url = server.url.replace("//", "//ann:pw@")
        fetch(client, url, headers=(("authorization", "Bearer t"),))
        assert server.requests[0].headers["authorization"] == "Bearer t"


def test_a_long_body_arrives_complete(client: LoopClient) -> None:
    body = bytes(range(256)) * 4_000
    with serving(echo) as server:
        response = fetch(client, server.url, "PUT", body)
        assert "transfer-encoding" not in server.requests[0].headers
    assert response.body == b"PUT " + body


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate, is not installed")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both


class TestCertificates:
    def test_an_unsigned_certificate_is_refused(
        self, client: LoopClient, certificate: Path
    ) -> None:
        with serving(echo, certificate) as server:
            with pytest.raises(DataError, match=r"self.signed certificate") as caught:
                fetch(client, server.url, attempts=3)
            assert server.requests == []
        assert "trust_all_certificates" in caught.value.resolution

    def test_any_certificate_is_accepted_if_all_are_trusted(
        self, client: LoopClient, certificate: Path
    ) -> None:
        with serving(echo, certificate) as server:
            response = fetch(client, server.url, trust_all_certificates=True)
            assert response.body == b"GET "
            with pytest.raises(DataError, match="not trusted"):
                fetch(client, server.url)


class TestProxies:
    def test_the_proxy_of_the_environment_is_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with serving(lambda _: Reply(200, b"from the proxy")) as proxy:
            monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//ann:pw@"))
            client = LoopClient()
            try:
                response = fetch(client, "http://example.invalid/x")
            finally:
                client.close()
            (request,) = proxy.requests
        assert response.body == b"from the proxy"
        assert request.path == "http://example.invalid/x"
        assert request.headers["proxy-authorization"] == "Basic YW5uOnB3"

    def test_hosts_in_no_proxy_are_called_directly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        client = LoopClient()
        try:
            with serving(echo) as server:
                assert fetch(client, server.url).status == 200
        finally:
            client.close()

    def test_a_dead_proxy_is_named_without_its_password(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", f"http://ann:secret@127.0.0.1:{free_port()}")
        client = LoopClient()
        try:
            with pytest.raises(DataError, match=r"the proxy .* cannot be used") as caught:
                fetch(client, "http://example.invalid/")
        finally:
            client.close()
        assert "secret" not in str(caught.value)

    def test_a_proxy_of_another_kind_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1080")
        client = LoopClient()
        try:
            with pytest.raises(DataError, match="is not an HTTP proxy"):
                fetch(client, "http://example.invalid/", attempts=3)
        finally:
            client.close()


class TestEndings:
    def test_a_call_that_is_cancelled_ends_at_once(self, client: LoopClient) -> None:
        silence = Silence()
        with serving(silence) as server:
            call = client.send(HttpRequest("GET", server.url), print)
            server.wait()
            call.cancel()
            with pytest.raises(ExecutionError, match="run is ending"):
                call.result()  # the server is still silent
            silence.end()

    def test_a_wait_before_the_next_try_ends_when_the_client_closes(self) -> None:
        client = LoopClient()
        waiting = threading.Event()
        request = HttpRequest(
            "GET",
            f"http://127.0.0.1:{free_port()}",
            options=HttpOptions(attempts=2, retry_interval=240),
        )
        call = client.send(request, lambda _: waiting.set())
        assert waiting.wait(240)
        client.close()
        with pytest.raises(ExecutionError, match="run is ending"):
            call.result()

    def test_a_silent_name_server_does_not_hold_up_the_end(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked, ended = threading.Event(), threading.Event()

        def silent(*_: Any, **__: Any) -> Any:
            asked.set()
            ended.wait(240)
            raise socket.gaierror(socket.EAI_NONAME, "gone")

        monkeypatch.setattr(socket, "getaddrinfo", silent)
        client = LoopClient()
        client.send(HttpRequest("GET", "http://slow.invalid"), print)
        assert asked.wait(240)
        client.close()
        assert not ended.is_set()  # the name server is still silent
        ended.set()

    def test_it_can_be_closed_twice(self) -> None:
        client = LoopClient()
        client.close()
        client.close()
