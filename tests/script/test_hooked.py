"""Scripts that read their own input, in the same session as those that are called for each row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.script.executor import Executor
from engine.sdk import Script, ScriptSession

HOOK = """
class Hook:
    def execute(self):
        while input.hasNext():
            doc = input.next()
            %s

hook = Hook()
"""


@pytest.fixture
def sessions() -> Iterator[Any]:
    opened: list[ScriptSession] = []

    def start(body: str, style: Any = "hook") -> ScriptSession:
        script = Script(HOOK % body, style=style)
        opened.append(Executor().open(script, lambda line: None, lambda failure: None))
        opened[-1].start()
        return opened[-1]

    yield start
    for session in opened:
        session.close()


def answer(session: ScriptSession, row: dict[str, Any]) -> Any:
    """The answer to one row, before another is sent."""
    ((found,),) = [part for part in session.process([row]) if part]
    return found


def test_a_row_is_answered_before_the_next_is_sent(sessions: Any) -> None:
    session = sessions("output.write(doc, {'n': doc['n'] + 1})")
    assert answer(session, {"n": 1}) == [{"output": {"n": 2}}]
    assert answer(session, {"n": 5}) == [{"output": {"n": 6}}]
    assert session.finish() == []


def test_a_request_is_answered_with_the_row_that_was_read_last(sessions: Any) -> None:
    session = sessions("output.write(doc, {'n': 1})", "hook for requests")
    assert answer(session, {}) == [{"output": {"n": 1}}]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("output.write(doc)", "output.write needs two arguments in an ultra task"),
        ("output.write({}, doc)", "the first argument of output.write must be the document"),
    ],
)
def test_a_request_is_not_answered_without_its_row(sessions: Any, body: str, reason: str) -> None:
    (written,) = answer(sessions(body, "hook for requests"), {"n": 1})
    assert reason in written["failed"][1]


def test_a_script_that_has_failed_answers_no_more_rows(sessions: Any) -> None:
    session = sessions("raise KeyError('x')")
    assert list(answer(session, {})[0]) == ["failed"]
    assert not answer(session, {})
