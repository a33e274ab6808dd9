"""Files of snaps for tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.errors import UnusableSnapError
from engine.registry import Registry

DOUBLE = """\
from engine.sdk import Settings, Snap, setting

class DoubleSettings(Settings):
    field: str = setting(help="What to double.")

class Double(Snap[DoubleSettings]):
    def process(self, document):
        return {"n": 2 * document[self.settings.field]}
"""


PLAIN = """\
from engine.sdk import Snap

class {name}(Snap):
    def process(self, document):
        return document
"""


Discover = Callable[..., Registry]


def plain(name: str) -> str:
    return PLAIN.format(name=name)


def mistake_of(found: Registry, name: str) -> str:
    with pytest.raises(UnusableSnapError) as caught:
        found[name]
    return str(caught.value)
