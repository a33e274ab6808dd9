"""Retries, redirects and failures of a request, against servers on the loopback."""

from __future__ import annotations

import gzip
import socket
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from engine.errors import DataError
from engine.run.http import LoopClient
from tests.http_server import Received, Reply, Silence, serving
from tests.run.fetching import echo, fetch, free_port


class TestRetries:
    def test_a_refused_connection_is_retried_as_often_as_it_says(self, client: LoopClient) -> None:
        notices: list[str] = []
        url = f"http://ann:secret@127.0.0.1:{free_port()}/x"
        with pytest.raises(DataError, match=r"refused \(3 tries\)") as caught:
            fetch(client, url, "POST", attempts=3, retry_interval=0, notices=notices)
        assert "http://127.0.0.1" in caught.value.error
        assert "check that the server is running" in caught.value.resolution
        assert [notice.split("; ")[1] for notice in notices] == [
            "try 2 of 3 in 0 s",
            "try 3 of 3 in 0 s",
        ]
        assert "secret" not in str(caught.value) + "".join(notices)

    def test_a_get_whose_connection_breaks_is_tried_again(self, client: LoopClient) -> None:
        replies = iter([None, Reply(200, b"12345", cut=2), Reply(200, b"ok")])
        with serving(lambda _: next(replies)) as server:
            response = fetch(client, server.url, attempts=3, retry_interval=0)
            assert len(server.requests) == 3
        assert response.body == b"ok"

    @pytest.mark.parametrize("method", ["POST", "PATCH"])
    def test_a_post_that_may_have_been_carried_out_is_not_retried(
        self, client: LoopClient, method: str
    ) -> None:
        with serving(lambda _: None) as server:
            with pytest.raises(DataError, match="may have carried out the request"):
                fetch(client, server.url, method, b"x", attempts=3, retry_interval=0)
            assert len(server.requests) == 1

    def test_a_post_is_retried_if_the_policy_is_all(self, client: LoopClient) -> None:
        replies = iter([None, Reply(201)])
        with serving(lambda _: next(replies)) as server:
            response = fetch(
                client, server.url, "POST", b"x", attempts=2, retry_interval=0, retry_policy="all"
            )
            assert [request.body for request in server.requests] == [b"x", b"x"]
        assert response.status == 201

    def test_a_busy_server_is_called_again_only_if_the_policy_is_all(
        self, client: LoopClient
    ) -> None:
        replies = iter([Reply(503), Reply(503), Reply(429), Reply(200)])
        with serving(lambda _: next(replies)) as server:
            assert fetch(client, server.url, attempts=5, retry_interval=0).status == 503
            response = fetch(client, server.url, attempts=5, retry_interval=0, retry_policy="all")
        assert response.status == 200

    def test_the_last_response_is_returned_after_the_last_try(self, client: LoopClient) -> None:
        with serving(lambda _: Reply(500, b"sorry")) as server:
            response = fetch(client, server.url, attempts=2, retry_interval=0, retry_policy="all")
            assert len(server.requests) == 2
        assert (response.status, response.body) == (500, b"sorry")

    def test_it_waits_as_long_as_retry_after_says(self, client: LoopClient) -> None:
        past = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
        waits = iter(["0", past, "nonsense", None])
        notices: list[str] = []

        def busy(_: Received) -> Reply:
            wait = next(waits)
            return Reply(200) if wait is None else Reply(429, b"", {"Retry-After": wait})

        with serving(busy) as server:
            fetch(
                client,
                server.url,
                attempts=9,
                retry_interval=0.01,
                retry_policy="all",
                notices=notices,
            )
        assert [notice.split(" in ")[1] for notice in notices] == ["0 s", "0 s", "0.01 s"]

    def test_a_long_retry_after_means_no_retry(self, client: LoopClient) -> None:
        with serving(lambda _: Reply(429, b"", {"Retry-After": "86400"})) as server:
            assert fetch(client, server.url, attempts=9, retry_policy="all").status == 429
            assert len(server.requests) == 1


class TestRedirects:
    @pytest.mark.parametrize(
        ("status", "method", "arrives"),
        [
            (301, "POST", b"GET "),
            (302, "POST", b"GET "),
            (303, "PUT", b"GET "),
            (302, "PUT", b"PUT x"),
            (307, "POST", b"POST x"),
            (308, "PATCH", b"PATCH x"),
        ],
    )
    def test_redirects_change_the_method_as_the_rfc_says(
        self, client: LoopClient, status: int, method: str, arrives: bytes
    ) -> None:
        def handler(request: Received) -> Reply:
            there = request.path == "/there"
            return echo(request) if there else Reply(status, b"", {"Location": "there"})

        with serving(handler) as server:
            response = fetch(client, f"{server.url}/here", method, b"x", (("Content-Type", "a/b"),))
            kept = "content-type" in server.requests[1].headers
        assert response.body == arrives
        assert kept == (b"x" in arrives)

    @pytest.mark.parametrize(
        ("location", "asked"),
        [
            (b"/x?sig=a%2Bb%2Fc%3D&d=%7e+%20", b"/x?sig=a%2Bb%2Fc%3D&d=%7e+%20"),
            (b"/%61%2fb/%zz?{a}|b", b"/%61%2fb/%zz?{a}|b"),
            (b"/caf\xe9?q=\xc3\xa9", b"/caf%E9?q=%C3%A9"),
            (b"/a b\t?c d", b"/a%20b%09?c%20d"),
            (b"other", b"/a/b/other"),
            (b"./other/", b"/a/b/other/"),
            (b"..", b"/a/"),
            (b"../../../x/../y", b"/y"),
            (b"?r=2", b"/a/b/c?r=2"),
            (b"/%2e%2e/x", b"/%2e%2e/x"),
            (b"/y#part", b"/y"),
            (b"//HOST/y//z?", b"/y//z?"),
            (b"/y?#part", b"/y?"),
            (b"http://HOST", b"/"),
            (b"HTTP://HOST/q?a=http://b/../c", b"/q?a=http://b/../c"),
        ],
    )
    def test_the_address_keeps_the_bytes_of_the_server(
        self, client: LoopClient, location: bytes, asked: bytes
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            target = location.replace(b"HOST", b"127.0.0.1:%d" % port)
            lines: list[bytes] = []

            def answer() -> None:
                for head in (b"302 Found\r\nLocation: " + target, b"200 OK"):
                    connection, _ = listener.accept()
                    with connection:
                        lines.append(connection.recv(65_536).split(b"\r\n")[0])
                        end = b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                        connection.sendall(b"HTTP/1.1 " + head + end)

            thread = threading.Thread(target=answer)
            thread.start()
            fetch(client, f"http://127.0.0.1:{port}/a/b/c?q=1")
            thread.join(240)
        assert lines[1] == b"GET " + asked + b" HTTP/1.1"

    def test_authorization_does_not_go_to_another_host(self, client: LoopClient) -> None:
        headers = (("Authorization", "Bearer t"), ("Cookie", "a=1"), ("X-Other", "1"))
        with serving(echo) as other:
            with serving(lambda _: Reply(307, b"", {"Location": other.url})) as server:
                fetch(client, server.url, headers=headers)
            assert server.requests[0].headers["authorization"] == "Bearer t"
            arrived = other.requests[0].headers
        assert "x-other" in arrived
        assert not {"authorization", "cookie"} & arrived.keys()

    def test_credentials_of_the_url_do_not_go_to_another_host(self, client: LoopClient) -> None:
        with serving(echo) as other:
            with serving(lambda _: Reply(307, b"", {"Location": other.url})) as server:
                fetch(client, server.url.replace("//", "//ann:pw@"))
            assert "authorization" not in other.requests[0].headers

    def test_redirects_are_not_followed_if_not_wanted(self, client: LoopClient) -> None:
        with serving(lambda _: Reply(302, b"", {"Location": "/x"})) as server:
            assert fetch(client, server.url, follow_redirects=False).status == 302

    def test_a_redirect_loop_ends(self, client: LoopClient) -> None:
        with (
            serving(lambda _: Reply(302, b"", {"Location": "/"})) as server,
            pytest.raises(DataError, match="redirected more than 10 times"),
        ):
            fetch(client, server.url)

    @pytest.mark.parametrize("location", ["file:///etc/passwd", "http://[x", "http://h:99999/"])
    def test_only_http_urls_are_followed(self, client: LoopClient, location: str) -> None:
        with (
            serving(lambda _: Reply(302, b"", {"Location": location})) as server,
            pytest.raises(DataError, match="not an HTTP URL"),
        ):
            fetch(client, server.url)

    def test_a_post_is_not_repeated_when_the_address_after_it_is_dead(
        self, client: LoopClient
    ) -> None:
        dead = f"http://127.0.0.1:{free_port()}"
        with serving(lambda _: Reply(303, b"", {"Location": dead})) as server:
            with pytest.raises(DataError, match=f"GET '{dead}.* failed: no connection"):
                fetch(client, server.url, "POST", b"x", attempts=3, retry_interval=0)
            assert len(server.requests) == 1


class TestFailures:
    def test_a_host_that_is_not_known_is_named(self, client: LoopClient) -> None:
        with pytest.raises(DataError, match=r"the host 'no\.such\.invalid' was not found"):
            fetch(client, "http://no.such.invalid/")

    def test_a_silent_server_is_given_up(self, client: LoopClient) -> None:
        silence = Silence()
        with serving(silence) as server:
            with pytest.raises(DataError, match=r"sent nothing for 0\.05 seconds") as caught:
                fetch(client, server.url, read_timeout=0.05, attempts=3)
            server.wait()  # it may have noticed the request only now
            silence.end()
            assert len(server.requests) == 1
        assert "read_timeout" in caught.value.resolution

    def test_a_server_that_stops_reading_is_given_up(self, client: LoopClient) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with pytest.raises(DataError, match=r"sent nothing for 0\.1 seconds"):
                fetch(client, url, "POST", bytes(50_000_000), read_timeout=0.1)

    @pytest.mark.parametrize("announced", [True, False])
    def test_a_response_that_is_too_large_is_not_read(
        self, client: LoopClient, announced: bool
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            head = b"HTTP/1.1 200 OK\r\n"
            head += b"Content-Length: 1000000000\r\n\r\n" if announced else b"\r\n"

            def endless() -> None:
                connection, _ = listener.accept()
                with connection:
                    try:
                        connection.sendall(head)
                        while True:
                            connection.sendall(bytes(65_536))
                    except OSError:
                        return

            thread = threading.Thread(target=endless)
            thread.start()
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with pytest.raises(DataError, match="larger than 100,000 bytes") as caught:
                fetch(client, url, largest_response=100_000, attempts=3)
            thread.join(240)
            assert not thread.is_alive()
        assert "maximum_response_size" in caught.value.resolution

    def test_the_size_of_a_compressed_response_is_that_after_decompression(
        self, client: LoopClient
    ) -> None:
        reply = Reply(200, gzip.compress(bytes(1_000_000)), {"Content-Encoding": "gzip"})
        with serving(lambda _: reply) as server:
            assert len(fetch(client, server.url).body) == 1_000_000
            with pytest.raises(DataError, match="larger than 100,000 bytes"):
                fetch(client, server.url, largest_response=100_000)

    def test_a_server_of_another_protocol_is_reported(self, client: LoopClient) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def other() -> None:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65_536)
                    connection.sendall(b"220 mail ready\r\n")

            thread = threading.Thread(target=other)
            thread.start()
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with pytest.raises(DataError, match="is not HTTP"):
                fetch(client, url)
            thread.join(240)

    def test_https_to_an_http_port_is_reported(self, client: LoopClient) -> None:
        with (
            serving(echo) as server,
            pytest.raises(DataError, match="no secure connection") as caught,
        ):
            fetch(client, server.url.replace("http:", "https:"), attempts=3)
        assert "port is for https" in caught.value.resolution

    @pytest.mark.parametrize("url", ["ftp://host/", "http://", "http://host:99999/", "nonsense"])
    def test_an_invalid_url_is_reported(self, client: LoopClient, url: str) -> None:
        with pytest.raises(DataError, match="the URL is not valid"):
            fetch(client, url)
