"""What a request to an ultra task may name: files inside, unless snap and task allow more."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

PIPELINE = """
parameters: {dir: {default: files}}
snaps:
  request: {snap: Mapper, pass_through: true, mappings: {$name: $content.name}}
  read: {snap: FileReader, file: = _dir + '/' + $name, allow_outside: %s}
  parse: {snap: JSONParser}
  answer: {snap: Mapper, mappings: {$content: $}}
links: [request -> read -> parse -> answer]
"""


@pytest.fixture
def ask(serve: Any, tmp_path: Path) -> Any:
    """Serve the pipeline and give (status, body) of what it answers to a name."""
    project = tmp_path / "project"
    (project / "files").mkdir(parents=True)
    (project / "files" / "a.json").write_text('{"from": "files"}')
    (tmp_path / "secret.json").write_text('{"secret": true}')

    def answers(*names: str, snap: bool, task: bool) -> list[tuple[int, Any]]:
        (project / "p.yaml").write_text(PIPELINE % str(snap).lower())
        text = f"name: read\ntype: ultra\npipeline: p.yaml\nallow_outside: {str(task).lower()}\n"
        (project / "read.yaml").write_text(text)
        served = serve(str(project / "read.yaml"))
        return [_ask(f"{served.url}/tasks/read", name) for name in names]

    return answers


def _ask(url: str, name: str) -> tuple[int, Any]:
    body = json.dumps({"name": name}).encode()
    headers = {"Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.parametrize(("snap", "task"), [(False, False), (True, False), (False, True)])
def test_a_request_names_files_inside_only(ask: Any, snap: bool, task: bool) -> None:
    inside, outside = ask("a.json", "../../secret.json", snap=snap, task=task)
    assert inside == (200, {"from": "files"})
    assert outside[0] == 500
    assert "is not allowed" in outside[1]["error"]


def test_snap_and_task_together_may_allow_more(ask: Any) -> None:
    assert ask("../../secret.json", snap=True, task=True) == [(200, {"secret": True})]
