"""A task whose open input takes the body as a stream."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tasks.conftest import Serve
from tests.tasks.wire import ask

PIPELINE = """
snaps:
  parse: {snap: JSONParser, open_input: true}
  double: {snap: Mapper, mappings: {$content.twice: $n * 2}}
links: [parse -> double]
"""


@pytest.mark.parametrize("kind", ["ultra", "triggered"])
def test_a_parser_can_be_the_first_snap(serve: Serve, tmp_path: Path, kind: str) -> None:
    (tmp_path / "parse.yaml").write_text(PIPELINE)
    (tmp_path / "task.yaml").write_text(f"name: parse\ntype: {kind}\npipeline: parse.yaml\n")
    served = serve("task.yaml")
    response = ask(served.port, "POST", "/tasks/parse", (), b'{"n": 21}')
    assert response.status == 200
    expected = {"twice": 42}
    assert response.json == (expected if kind == "ultra" else [{"content": expected}])
