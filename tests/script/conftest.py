"""A session for a few lines of script, closed and checked for leftovers when the test ends."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.documents import Document
from engine.errors import DataError
from engine.script.executor import Executor
from engine.sdk.scripts import Script, ScriptAnswer, ScriptSession
from tests.script.wheels import make_wheel


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", autouse=True)
def cache(cache_folder: Path) -> Iterator[Path]:
    """Keep the environments of these tests apart from those of other tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNAPLINE_CACHE", str(cache_folder))
        yield cache_folder


class Whole:
    """A session whose replies are read to the end; each answer is a list of documents."""

    def __init__(self, session: ScriptSession) -> None:
        self.parts = session

    def start(self) -> list[Document]:
        return self.parts.start()

    def process(self, rows: list[Document]) -> list[list[Document] | DataError]:
        return [listed(answer) for part in self.parts.process(rows) for answer in part]

    def process_tracked(self, rows: list[Document], numbers: list[int]) -> list[Any]:
        parts = self.parts.process_tracked(rows, numbers)
        return [(number, listed(answer)) for part in parts for number, answer in part]

    def finish(self) -> list[Document]:
        return self.parts.finish()

    def combine(self, finals: list[Document]) -> list[Document]:
        return self.parts.combine(finals)

    def finish_tracked(self) -> list[Any]:
        parts = self.parts.finish_tracked()
        return [(number, listed(answer)) for part in parts for number, answer in part]

    def interrupt(self) -> None:
        self.parts.interrupt()

    def close(self) -> None:
        self.parts.close()


def listed(answer: ScriptAnswer) -> list[Document] | DataError:
    if isinstance(answer, dict):
        return [answer]
    return [] if answer is None else answer


class Opened:
    """Sessions that a test has opened, and what their scripts have printed."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.sessions: list[Whole] = []

    def __call__(
        self,
        source: str,
        *,
        by: Executor | None = None,
        output: Callable[[str], None] | None = None,
        **facts: Any,
    ) -> Whole:
        script = Script(textwrap.dedent(source), **{"name": "scripts/x.py", **facts})
        session = Whole((by or Executor()).open(script, output or self.lines.append))
        self.sessions.append(session)
        return session


@pytest.fixture
def opened() -> Iterator[Opened]:
    sessions = Opened()
    yield sessions
    for session in sessions.sessions:
        session.close()


@pytest.fixture
def wheels(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index that is a folder, and environments of this test's own."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("SNAPLINE_CACHE", str(tmp_path / "cache"))
    make_wheel(tmp_path, "abacus", "1.0")
    make_wheel(tmp_path, "abacus", "2.0")
    return tmp_path
