"""Fixtures for the tests of the HTTP client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.run.http import LoopClient
from tests.http_server import without_proxies


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopClient]:
    """An HTTP client that ignores the proxies of this machine."""
    without_proxies(monkeypatch)
    client = LoopClient()
    yield client
    client.close()
