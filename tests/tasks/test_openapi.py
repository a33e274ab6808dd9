"""What is said of tasks, and that they keep it."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from engine.plan.plan import Plan
from engine.registry import discover
from engine.tasks.definition.check import check_task
from engine.tasks.definition.loading import load_for_description
from engine.tasks.definition.task import Task
from engine.tasks.definition.task_file import load_task, parse_task
from engine.tasks.openapi.document import KeptDocument, openapi, openapi_json
from engine.tasks.openapi.page import page
from tests.tasks.conftest import Served, servers

DESCRIBED = Path(__file__).parent / "described"
FILES = sorted(map(str, DESCRIBED.glob("*.task.yaml")))
GUARDED = {"Authorization": "Bearer secret-of-orders"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded = load_for_description(FILES, discover(), lambda problem: None)
    return openapi((each.task, each.plan) for each in loaded)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with servers(tmp_path_factory.mktemp("openapi")) as serve:
        yield serve(*FILES, environment={"ORDERS_TOKEN": "secret-of-orders"})


def call(
    served: Served, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, str, bytes]:
    """Status, content type and body."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    try:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body)
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        return response.status, response.getheader("content-type", ""), response.read()
    finally:
        connection.close()


def test_the_document_of_a_server_is_made_again_only_when_a_task_has_changed() -> None:
    def loaded() -> list[tuple[Task, Plan]]:
        found = load_for_description(FILES, discover(), lambda problem: None)
        return [(each.task, each.plan) for each in found]

    kept, tasks = KeptDocument(), loaded()
    first = kept.of(tasks)
    assert first == openapi_json(tasks)
    assert kept.of(iter(tasks)) is first
    assert kept.of(tasks[1:]) == openapi_json(tasks[1:]) != first
    again = kept.of(tasks)
    assert again == first
    assert kept.of(loaded()) is not again


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    validate(document)
    assert document["openapi"].startswith("3.1.")


def test_each_task_has_its_methods_authentication_and_schemas(document: dict[str, Any]) -> None:
    orders = document["paths"]["/tasks/orders"]
    assert orders.keys() == {"summary", "post", "put"}
    post = orders["post"]
    assert post["security"] == [{"bearer": []}]
    assert {"401", "429", "500", "503", "504"} <= post["responses"].keys()
    assert "default" not in post["responses"]
    assert post["requestBody"]["required"]
    line = document["components"]["schemas"]["orders.input"]["properties"]["lines"]["items"]
    assert line == {"$ref": "#/components/schemas/orders.input/$defs/line"}
    report = document["paths"]["/tasks/report"]
    assert {"get", "head", "post", "put", "patch", "delete"} < report.keys()
    assert "security" not in report["get"]
    assert "202" in report["post"]["responses"]
    words = document["paths"]["/tasks/words"]["post"]["responses"]["200"]["content"]
    assert words.keys() == {"application/x-ndjson", "text/event-stream"}


def test_parameters_are_those_that_callers_may_give_and_nothing_secret_is_shown(
    document: dict[str, Any],
) -> None:
    title, lines = document["paths"]["/tasks/report"]["parameters"]
    assert (title["name"], title["schema"]["default"]) == ("title", "Report")
    assert (lines["name"], lines["required"]) == ("lines", True)
    text = json.dumps(document)
    assert "password" not in text
    assert "never-shown" not in text
    assert "ORDERS_TOKEN" not in text


def test_the_command_prints_it_without_a_server_or_the_environment(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "engine", "openapi", *FILES]
    ended = subprocess.run(
        [*command, "--server", "https://example.org"], capture_output=True, text=True, check=True
    )
    said = json.loads(ended.stdout)
    validate(said)
    assert said["servers"] == [{"url": "https://example.org"}]
    (tmp_path / "wrong.yaml").write_text("type: ultra\n")
    wrong = subprocess.run(
        [*command[:4], str(tmp_path / "wrong.yaml")], capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 2
    assert "missing-setting" in wrong.stderr


def test_the_server_serves_the_document_and_the_page(
    served: Served, document: dict[str, Any]
) -> None:
    status, kind, body = call(served, "GET", "/openapi.json")
    assert (status, kind) == (200, "application/json")
    assert json.loads(body) == document
    status, kind, body = call(served, "GET", "/openapi")
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert body == page()


def test_the_page_allows_its_own_script_and_style_only() -> None:
    text = page().decode()
    assert "http:" not in text
    assert "https:" not in text
    for name in ("script", "style"):
        found = re.search(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
        assert found is not None
        digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in text
    assert "innerHTML" not in text


REQUESTS: list[tuple[str, str, Any, dict[str, str]]] = [
    ("POST", "/tasks/orders", {"id": "a", "lines": []}, GUARDED),
    ("PUT", "/tasks/orders", {"id": "a", "lines": [{"count": 1, "price": 2.5}]}, GUARDED),
    ("POST", "/tasks/orders", {"id": "a", "lines": []}, {}),
    ("POST", "/tasks/orders", {"id": 1, "lines": {}}, GUARDED),
    ("POST", "/tasks/orders", None, GUARDED),
    ("POST", "/tasks/orders", b"{", GUARDED),
    ("POST", "/tasks/orders", b"text", {**GUARDED, "Content-Type": "text/plain"}),
    ("POST", "/tasks/orders", b"{}", {**GUARDED, "Content-Encoding": "gzip"}),
    ("POST", "/tasks/orders", {}, {**GUARDED, "Idempotency-Key": "x" * 300}),
    ("GET", "/tasks/report?lines=1", None, {}),
    ("GET", "/tasks/report", None, {}),
    ("HEAD", "/tasks/report?lines=1", None, {}),
    ("POST", "/tasks/report?lines=1", [{}, {}], {}),
    ("POST", "/tasks/report?lines=1", [1], {}),
    ("POST", "/tasks/report?lines=1", {}, {"Prefer": "respond-async"}),
    ("DELETE", "/tasks/report?lines=%ff", None, {}),
    ("POST", "/tasks/words", {"words": []}, {}),
    ("POST", "/tasks/words", {"words": [{"a": 1}]}, {"Accept": "text/event-stream"}),
    ("POST", "/tasks/words", {"words": [1]}, {}),
    ("GET", "/runs/report/none", None, {}),
    ("GET", "/runs/report/none/result", None, {}),
]


@pytest.mark.parametrize(("method", "path", "body", "headers"), REQUESTS)
def test_responses_are_as_described(
    served: Served,
    document: dict[str, Any],
    method: str,
    path: str,
    body: Any,
    headers: dict[str, str],
) -> None:
    status, kind, data = call(served, method, path, body, **headers)
    template = path.partition("?")[0].replace("/none", "/{id}")
    described = document["paths"][template][method.lower()]["responses"]
    assert status < 500
    response = described.get(str(status)) or described["default"]
    content = response.get("content", {})
    if not data or "*/*" in content or not content:
        return
    assert kind in content
    if kind == "application/json":
        schema = {**content[kind]["schema"], "components": document["components"]}
        Draft202012Validator(schema).validate(json.loads(data))


def test_methods_that_are_not_described_are_refused(served: Served) -> None:
    for method in ("GET", "HEAD", "PATCH", "DELETE"):
        assert call(served, method, "/tasks/orders", None, **GUARDED)[0] == 405
    _, _, body = call(served, "GET", "/tasks/orders", None, **GUARDED)
    assert json.loads(body)["resolution"] == "use POST"
    assert call(served, "GET", "/tasks/orders")[0] == 401


def test_a_body_that_does_not_match_is_refused_with_the_places(served: Served) -> None:
    given = {"id": "", "lines": [{"count": 1, "price": "x"}, {"price": 1}], "extra": 1}
    status, _, body = call(served, "POST", "/tasks/orders", given, **GUARDED)
    reply = json.loads(body)
    assert status == 400
    assert reply["error"] == "the body of the request does not match the schema of the task"
    for place in ("$.id: ", "$.lines[0].price: 'x' is not", "$.lines[1]: 'count' is a required"):
        assert place.replace("$.", "$") in reply["reason"].replace("$.", "$")
    _, _, body = call(served, "POST", "/tasks/orders", None, **GUARDED)
    assert json.loads(body)["reason"] == "there is no body"


def test_the_places_of_a_very_wrong_body_are_bounded(served: Served) -> None:
    given = {"words": ["x" * 10_000] * 20}
    status, _, body = call(served, "POST", "/tasks/words", given)
    assert status == 400
    assert len(body) < 4000
    assert "and more" in json.loads(body)["reason"]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("{type: strange}", "'input_schema' is not a JSON Schema: 'strange' is not valid"),
        ("{$ref: 'http://127.0.0.1/x'}", "the reference 'http://127.0.0.1/x' leads out of"),
        ("{items: {$ref: '#/$defs/x'}}", "the reference '#/$defs/x' leads nowhere"),
        ("[1]", "input_schema"),
    ],
)
def test_a_schema_that_cannot_be_used_is_a_mistake(schema: str, words: str) -> None:
    text = f"type: ultra\npipeline: p.yaml\ninput_schema: {schema}\n"
    assert words in "\n".join(map(str, parse_task(text).problems))


def test_methods_must_be_known() -> None:
    text = "type: ultra\npipeline: p.yaml\nmethods: [POST, TRACE]\n"
    assert "'TRACE'" in "\n".join(map(str, parse_task(text).problems))


def test_a_schema_for_a_body_needs_an_input_for_documents(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("snaps: {make: {snap: JSONGenerator, documents: [{n: 1}]}}")
    (tmp_path / "t.yaml").write_text(
        "name: t\ntype: triggered\npipeline: p.yaml\ninput_schema: {type: object}\n"
    )
    problems = check_task(load_task(tmp_path / "t.yaml"), discover())
    assert "'input_schema' needs an open input" in "\n".join(map(str, problems))
