"""One cluster of Ray for all tests that can share it, as it takes long to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.ray_session import Session


@pytest.fixture(scope="session")
def ray_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    session = Session(tmp_path_factory.mktemp("ray"))
    yield session
    session.close()
