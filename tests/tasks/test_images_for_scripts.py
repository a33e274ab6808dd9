"""Lists of numbers that a request brings for a script: they stay text, and nobody can tell."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.documents import RawJson
from engine.sdk.moved_json import Places
from engine.tasks.wire.messages import Request, RequestHead
from engine.tasks.worker.documents import request_document
from tests.tasks.conftest import Served, servers

SCRIPT = """
def snaplogic_process(row):
    image = row["image"]
    if image[0] == 99.5:
        raise ValueError("the image is spoilt")
    return {"content": {"type": type(image[0]).__name__, "image": image}}
"""
PIPELINE = """
snaps:
  keep: {snap: Filter, filter: $content.token == 'x'}
  shape:
    snap: Mapper
    on_error: route
    mappings: {$image: $content.params.image, $name: $content.name.toUpperCase()}
  script: {snap: RemotePythonScript, script: script.py, exact: EXACT, on_error: route}
  failed: {snap: Union}
  report: {snap: Mapper, mappings: {$content.original: $original}}
links: [keep -> shape -> script, shape.error -> failed, script.error -> failed -> report]
"""
FLOATS = ",".join(["0.1", "2.50", "1E-7", "0.1234567890123456789"] * 30)


@pytest.fixture(scope="module", params=["as text", "plainly"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("images")
    (folder / "script.py").write_text(SCRIPT)
    for name in ("floats", "exact"):
        text = PIPELINE.replace("EXACT", str(name == "exact").lower())
        (folder / f"{name}.yaml").write_text(text)
        (folder / f"task_{name}.yaml").write_text(
            f"name: {name}\npipeline: {name}.yaml\ntype: ultra\n"
        )
    environment = {"SNAPLINE_PLAIN": "1"} if request.param == "plainly" else {}
    with servers(folder) as start:
        yield start(*sorted(folder.glob("task_*.yaml")), environment=environment)


def post(served: Served, task: str, body: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    try:
        connection.request("POST", f"/tasks/{task}", body.encode())
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def body(image: str, name: str = '"n"') -> str:
    return f'{{"token":"x","name":{name},"params":{{"other":[{FLOATS}],"image":[{image}]}}}}'


def test_a_script_gets_the_numbers_of_a_list_as_floats(served: Served) -> None:
    answer = post(served, "floats", body(FLOATS))
    assert json.loads(answer) == {"type": "float", "image": json.loads(f"[{FLOATS}]")}


def test_a_script_that_wants_exact_numbers_gets_decimals(served: Served) -> None:
    answer = post(served, "exact", body(FLOATS))
    assert answer == f'{{"type":"Decimal","image":[{FLOATS}]}}'


@pytest.mark.parametrize("task", ["floats", "exact"])
def test_an_error_of_the_script_shows_its_whole_row(served: Served, task: str) -> None:
    answer = post(served, task, body(f"99.5,{FLOATS}"))
    assert answer == f'{{"original":{{"image":[99.5,{FLOATS}],"name":"N"}}}}'


def test_an_error_before_the_script_shows_the_whole_request(served: Served) -> None:
    given = body(FLOATS, name="17")
    assert f'"content":{given},' in post(served, "floats", given)


def test_a_number_out_of_bounds_is_refused_with_its_place(served: Served) -> None:
    answer = post(served, "floats", body(f"1E+10001,{FLOATS}"))
    assert "the exponent of 1E+10001 is out of range" in answer
    assert "(line 1, column " in answer


def content(text: str, seen: Places | None) -> Any:
    request = Request(1, RequestHead("POST", "/tasks/t").packed(), text.encode())
    return request_document(request, "t", seen)["content"]


def test_only_lists_at_which_nobody_looks_stay_text(tmp_path: Path) -> None:
    seen: Places = {"params": {"other": {}}}
    params = content(body(FLOATS), seen)["params"]
    assert params["image"] == RawJson(f"[{FLOATS}]".encode())
    assert len(params["other"]) == len(content(body(FLOATS), None)["params"]["image"]) == 120
