from __future__ import annotations

import pytest

from engine.testing import run_snap
from tests.http_server import Reply, serving, without_proxies


def test_sends_the_document_by_its_own_method(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)
    with serving(lambda _: Reply(200, b'{"ok": true}', {"Content-Type": "text/json"})) as server:
        settings = {"service_url": f"= '{server.url}/orders/' + $id"}
        (output,) = run_snap("RESTPatch", settings, [{"id": 7}]).output
        (request,) = server.requests
    assert (request.method, request.path, request.body) == ("PATCH", "/orders/7", b'{"id":7}')
    assert output["response"]["entity"] == {"ok": True}
    assert output["original"] == {"id": 7}
