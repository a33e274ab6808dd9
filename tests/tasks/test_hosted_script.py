"""The snap Script in an ultra task over HTTP: each answer proves whose request it answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tasks.callers import in_background, post
from tests.tasks.conftest import Served, servers

SCRIPT = """
from com.snaplogic.scripting.language import ScriptHook

class Doubles(ScriptHook):
    def __init__(self, input, output, error, log):
        self.input, self.output, self.error = input, output, error

    def execute(self):
        while self.input.hasNext():
            doc = self.input.next()
            n = doc['content']['n']
            if n % 10 == 3:
                continue
            if n % 10 == 7:
                self.error.write(doc, {'error': 'no sevens', 'n': n})
                continue
            self.output.write(doc, {'content': {'id': n, 'doubled': n * 2}})

hook = Doubles(input, output, error, log)
"""
PIPELINE = """
snaps:
  script: {snap: Script, script: doubles.py, on_error: route}
  refused: {snap: Mapper, mappings: {$status: '422', $content.n: $original.content.n}}
  replies: {snap: Union}
links: [script -> replies, script.error -> refused -> replies]
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "doubles.py").write_text(SCRIPT)
    (tmp_path / "doubles.yaml").write_text(PIPELINE)
    task = tmp_path / "task.yaml"
    task.write_text("name: doubles\ntype: ultra\npipeline: doubles.yaml\ninstances: 1\n")
    with servers(tmp_path) as start:
        yield start(task)


def test_many_callers_at_once_get_their_own_answers(served: Served) -> None:
    def calls(first: int) -> dict[int, object]:
        return {n: post(served, "doubles", n=n) for n in range(first, first + 25)}

    callers = [in_background(calls, 100 * number) for number in range(8)]
    for caller in callers:
        caller.join()
    for number, caller in enumerate(callers):
        for n in range(100 * number, 100 * number + 25):
            expected: object = (200, {"id": n, "doubled": 2 * n})
            if n % 10 == 3:
                expected = (204, None)
            elif n % 10 == 7:
                expected = (422, {"n": n})
            assert caller.result[n] == expected
