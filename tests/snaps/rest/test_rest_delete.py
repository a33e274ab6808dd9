from __future__ import annotations

import pytest

from engine.testing import run_snap
from tests.http_server import Reply, serving, without_proxies


def test_sends_no_entity_and_accepts_a_response_without_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_proxies(monkeypatch)
    with serving(lambda _: Reply(204)) as server:
        settings = {"service_url": f"= '{server.url}/orders/' + $id"}
        (output,) = run_snap("RESTDelete", settings, [{"id": 7}]).output
        (request,) = server.requests
    assert (request.method, request.path, request.body) == ("DELETE", "/orders/7", b"")
    assert "content-type" not in request.headers
    assert output["response"]["entity"] == ""
    assert output["response"]["statusLine"]["statusCode"] == 204
    assert output["original"] == {"id": 7}


def test_sends_an_entity_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)
    with serving(lambda _: Reply(204)) as server:
        settings = {"service_url": server.url, "http_entity": "{ids: $ids}"}
        run_snap("RESTDelete", settings, [{"ids": [1, 2]}])
        (request,) = server.requests
    assert request.body == b'{"ids":[1,2]}'
    assert request.headers["content-type"] == "application/json"
