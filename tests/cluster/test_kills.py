"""A short round of tests.cluster.kills on worker processes."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.cluster.kills import KINDS, PROCESS_KINDS, Kills, place_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")


@pytest.fixture(scope="module")
def kills(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kills]:
    with place_of(tmp_path_factory.mktemp("kills") / "project", on_ray=False) as place:
        yield Kills(place, seed=4)


@pytest.mark.parametrize("kind", [*KINDS, *PROCESS_KINDS])
def test_nothing_is_lost_in_silence(kind: str, kills: Kills) -> None:
    assert kills.once(kind)
