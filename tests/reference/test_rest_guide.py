"""The pipeline and the test in the guide to REST snaps work."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from engine import api
from engine.sdk import HttpResponse
from engine.testing import CannedHttp, run_pipeline
from tests.http_server import Received, Reply, serving, without_proxies

GUIDE = (Path(__file__).parents[2] / "docs" / "rest.md").read_text(encoding="utf-8")


def block(language: str, position: int = 0) -> str:
    return str(re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)[position])


def test_the_pipeline_does_what_the_guide_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_proxies(monkeypatch)

    def only_bolts(request: Received) -> Reply:
        kind = {"Content-Type": "application/json"}
        if request.body == b'{"item":"bolt"}':
            return Reply(201, b'{"order": 7}', kind)
        return Reply(422, b'{"why": "no such item"}', kind)

    file = tmp_path / "pipeline.yaml"
    file.write_text(block("yaml"))
    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts/orders.yaml").write_text("account: bearer\ntoken: s3cret\n")
    with serving(only_bolts) as server:
        result = api.run(file, parameters={"url": server.url})
        assert {request.headers["authorization"] for request in server.requests} == {
            "Bearer s3cret"
        }
    assert result.outputs["result.output"] == [{"id": 1, "status": 201, "answer": {"order": 7}}]
    (failed,) = json.loads((tmp_path / "failed.json").read_text())
    shown = json.loads(block("json"))
    assert shown.keys() <= failed.keys()
    assert (failed["status"], failed["entity"]) == (shown["status"], shown["entity"])
    assert failed["reason"].split(" ")[0] == "422"


def test_the_test_of_the_guide_passes() -> None:
    names: dict[str, object] = {}
    exec(block("python"), names)  # noqa: S102  # our own page
    test = names["test_asks_for_the_order"]
    assert callable(test)
    test()


def test_the_pages_of_the_guide_become_documents_of_items() -> None:
    def page(number: int) -> HttpResponse:
        body = json.dumps({"items": [{"n": number}], "page": number, "pages": 2}).encode()
        return HttpResponse(200, headers=(("content-type", "application/json"),), body=body)

    url = "GET https://api.example.com/items"
    http = CannedHttp({url: page(1), f"{url}?page=2": page(2)})
    assert run_pipeline(block("yaml", 1), http=http).output == [{"n": 1}, {"n": 2}]
