"""The files and the code in the guide to accounts work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine import api
from engine.sdk import HttpResponse
from engine.testing import CannedHttp, run_pipeline

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "accounts.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return [str(text) for text in re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").touch()
    for text in blocks("yaml"):
        named = re.match(r"# (\S+)\n", text)
        assert named is not None
        path = tmp_path / named[1]
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.setenv("CRM_PASSWORD", "open sesame")
    return tmp_path


def test_the_pipeline_logs_in_as_the_account_says(project: Path) -> None:
    http = CannedHttp({"GET https://crm.example.com/orders": HttpResponse(200)})
    run_pipeline(project / "pipelines/orders.yaml", http=http)
    (request,) = http.requests
    assert request.headers[0][1] == "Basic cmVwb3J0czpvcGVuIHNlc2FtZQ=="
    assert api.check(project / "accounts/crm.yaml") == []


def test_fields_depend_on_the_parameters_of_the_pipeline(project: Path) -> None:
    http = CannedHttp({"GET https://crm.example.com/orders": HttpResponse(200)})
    pipeline = project / "pipelines/orders.yaml"
    text = pipeline.read_text().replace("account: crm", "account: tenant")
    pipeline.write_text(f"parameters: {{tenant: {{}}, password: {{secret: true}}}}\n{text}")
    run_pipeline(pipeline, http=http, parameters={"tenant": "acme", "password": "swordfish"})
    assert http.requests[0].headers[0][1] == "Basic cmVwb3J0cy1hY21lOnN3b3JkZmlzaA=="


def test_the_test_of_the_guide_runs(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / "pipelines")
    called = blocks("python")[0].replace("accounts=", "http=http, accounts=")
    http = CannedHttp({"GET https://crm.example.com/orders": HttpResponse(200)})
    exec(called, {"http": http})  # noqa: S102  # our own page
    assert http.requests[0].headers[0][1] == "Basic dTpw"


def test_the_kind_of_the_guide_can_be_declared() -> None:
    names: dict[str, object] = {}
    head = "from engine.sdk import *\nfrom engine.sdk import Account, AccountKind\n"
    exec(head + blocks("python")[1], names)  # noqa: S102  # our own page
    assert repr(names["VaultAccount"](address="a", token="b")) == "VaultAccount(address='a')"  # type: ignore[operator]
