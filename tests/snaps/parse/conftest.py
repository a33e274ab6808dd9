"""What the tests of the JSONParser share."""

from __future__ import annotations

from functools import partial

import pytest

from tests.snaps.parse.json_streams import Parse, parse


@pytest.fixture(params=[1, 2, 7, 65_536], ids="chunks of {}".format)
def parsed(request: pytest.FixtureRequest) -> Parse:
    """`parse` with the stream cut in different ways, which must make no difference."""
    return partial(parse, size=request.param)
