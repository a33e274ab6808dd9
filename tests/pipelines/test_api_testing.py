"""api_testing.yaml: what it sends to the API, and how it handles the answers."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from engine import api

PIPELINES = Path(__file__).resolve().parents[2] / "pipelines"
CALLER = PIPELINES / "api_testing.yaml"


class Server(ThreadingHTTPServer):
    """Keeps each request; answers those with the right token, sends others an empty response."""

    requests: list[dict[str, Any]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Answer(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(request)
        known = request["token"] == "open-sesame"
        body = b'{"pred": 1, "conf": 0.75}' if known else b""
        self.send_response(200 if known else 204)
        if known:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Answer) as server:
        server.requests = []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_pipeline_file_has_no_mistakes_and_no_warnings() -> None:
    assert api.check(CALLER) == []


def test_the_answer_of_the_api_is_the_output(server: Server) -> None:
    report = api.run(CALLER, parameters={"url": server.url})
    assert report.outputs == {"answer.output": [{"pred": 1, "conf": 0.75}]}


def test_an_empty_response_is_explained_in_the_output(server: Server) -> None:
    report = api.run(CALLER, parameters={"url": server.url, "token": "wrong"})
    [answer] = report.outputs["answer.output"]
    assert answer == {
        "refused": "the API sent an empty response, as it does when the token is wrong"
    }


def test_the_token_and_the_image_of_a_one_are_sent(server: Server) -> None:
    api.run(CALLER, parameters={"url": server.url})
    sample = json.loads((PIPELINES / "samples/one.json").read_text())
    assert server.requests == [{"token": "open-sesame", "params": {"image": sample["image"]}}]
