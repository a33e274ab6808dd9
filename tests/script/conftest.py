"""A session for a few lines of script, closed and checked for leftovers when the test ends."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.script.executor import Executor
from engine.sdk.scripts import Script, ScriptSession


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", autouse=True)
def cache(cache_folder: Path) -> Iterator[Path]:
    """Environments of these tests live in a folder of their own; those of other tests do not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNAPLINE_CACHE", str(cache_folder))
        yield cache_folder


class Opened:
    """Sessions that a test has opened, and what their scripts have printed."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.sessions: list[ScriptSession] = []

    def __call__(
        self,
        source: str,
        *,
        by: Executor | None = None,
        output: Callable[[str], None] | None = None,
        **facts: Any,
    ) -> ScriptSession:
        script = Script(textwrap.dedent(source), **{"name": "scripts/x.py", **facts})
        session = (by or Executor()).open(script, output or self.lines.append)
        self.sessions.append(session)
        return session


@pytest.fixture
def opened() -> Iterator[Opened]:
    sessions = Opened()
    yield sessions
    for session in sessions.sessions:
        session.close()
