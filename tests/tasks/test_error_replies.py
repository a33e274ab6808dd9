"""What the caller of an ultra task learns of a failure: nothing of its expressions."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

NO_VALUE = {
    "error": "the snap 'check' failed",
    "reason": "an expression of the pipeline has no valid value for this document",
    "resolution": "see the server's log",
}
FAILING = [
    "{snap: Filter, filter: $content.token == _token}",
    "{snap: Filter, filter: $content.pass || _token}",
    "{snap: Mapper, mappings: {$content: $content.token + _token}}",
    "{snap: RESTGet, service_url: 'http://127.0.0.1:1/', read_timeout: 1, "
    "http_headers: {token: = $content.token + _token}}",
]


@pytest.fixture
def ask(serve: Any, tmp_path: Path) -> Any:
    """Serve a pipeline of one snap, and give the status and body of what it answers."""

    def answer(snap: str, content: Any) -> tuple[int, bytes, str]:
        file = tmp_path / "guarded.yaml"
        file.write_text(f"parameters: {{token: {{required: true}}}}\nsnaps:\n  check: {snap}\n")
        served = serve(str(file), "--param", "token=opensesame")
        request = urllib.request.Request(
            f"{served.url}/tasks/guarded",
            json.dumps(content).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, response.read(), served.stderr
        except urllib.error.HTTPError as error:
            body = error.read()
            served.wait_for(lambda: "$content." in served.stderr)
            return error.code, body, served.stderr

    return answer


@pytest.mark.parametrize("snap", FAILING)
def test_a_failed_expression_is_in_the_log_but_not_in_the_response(ask: Any, snap: str) -> None:
    status, body, log = ask(snap, {"pass": "no"})
    assert status == 500
    assert json.loads(body).items() >= NO_VALUE.items()
    assert "$content." in log


@pytest.mark.parametrize(
    "filter_",
    [
        "{snap: Filter, filter: $content.token == _token, null_safe_access: true}",
        "{snap: Filter, filter: $content.get('token') == _token}",
    ],
)
@pytest.mark.parametrize("content", [{}, {"token": "wrong"}])
def test_a_request_without_the_right_token_is_filtered(
    ask: Any, filter_: str, content: Any
) -> None:
    status, body, _ = ask(filter_, content)
    assert (status, body) == (204, b"")
